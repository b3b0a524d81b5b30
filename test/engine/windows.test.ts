/** Windows on drives: its inspection, its programs, and its registry through the calls of hivex. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixture } from '../support/fixtures.js';
import { scratchPath } from './support.js';

const images = ['gpt', 'mbr'].map((name) => {
  const path = scratchPath(`${name}.img`);
  writeFileSync(path, readFixture(`windows/${name}.img.gz`));
  return path;
});

async function launched(): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  for (const image of images) g.addDrive(image, { readonly: true, format: 'raw' });
  await g.launch();
  return g;
}

test('names, builds, group policies, and protection against malware', async () => {
  await using g = await launched();
  const roots = await g.inspectOs();
  const all = async <T>(ask: (root: string) => Promise<T>): Promise<Map<string, T>> => {
    const found = new Map<string, T>();
    for (const root of roots) found.set(await g.inspectGetHostname(root), await ask(root));
    return found;
  };
  assert.deepEqual(
    await all((root) => g.inspectGetBuildId(root)),
    new Map([
      ['DESKTOP-ELEVEN', '22631'],
      ['unknown', '2600'],
      ['SRV25', '26100'],
    ]),
  );
  assert.deepEqual(
    await all((root) => g.inspectGetOsinfo(root)),
    new Map([
      ['DESKTOP-ELEVEN', 'win11'],
      ['unknown', 'winxp'],
      ['SRV25', 'win2k25'],
    ]),
  );
  assert.deepEqual(
    await all((root) => g.inspectGetWindowsGroupPolicy(root)),
    new Map([
      ['DESKTOP-ELEVEN', true],
      ['unknown', false],
      ['SRV25', false],
    ]),
  );
  await g.mountRo('/dev/sda2', '/');
  const applications = await g.inspectListApplications2('/dev/sda2');
  assert.deepEqual(
    applications.map(({ app2Name, app2Class }) => [app2Name, app2Class]),
    [
      ['7-Zip', ''],
      ['AVG', 'antivirus'],
      ['Sophos', 'antivirus'],
      ['{90160000-008C-0000-1000-0000000FF1CE}', ''],
    ],
  );
});

test('the registry is read by the calls of hivex, one hive at a time', async () => {
  await using g = await launched();
  const none = { code: 'EINVAL', message: /no hive is open: call hivex_open first/ };
  await assert.rejects(g.hivexRoot(), none);
  await assert.rejects(g.hivexClose(), none);
  await g.mountRo('/dev/sda2', '/');
  await assert.rejects(g.hivexOpen('/missing'), { code: 'ENOENT' });
  await assert.rejects(g.hivexOpen('/Windows'), { code: 'EISDIR' });
  await assert.rejects(g.hivexOpen('/Windows/System32/cmd.exe'), {
    code: 'EIO',
    message: /^hivex_open: \/Windows\/System32\/cmd\.exe: registry hive: does not begin with "regf"/,
  });

  await g.hivexOpen('/Windows/System32/config/SOFTWARE');
  let node = await g.hivexRoot();
  assert.equal(await g.hivexNodeName(node), '$$$PROTO.HIV');
  for (const name of ['microsoft', 'windows nt', 'currentversion'])
    node = await g.hivexNodeGetChild(node, name);
  assert.equal(await g.hivexNodeName(node), 'CurrentVersion');
  assert.equal(await g.hivexNodeName(await g.hivexNodeParent(node)), 'Windows NT');
  assert.equal(await g.hivexNodeGetChild(node, 'none'), 0);
  assert.equal(await g.hivexNodeGetValue(node, 'none'), 0);
  const keys: string[] = [];
  for (const { hivexValueH } of await g.hivexNodeValues(node)) keys.push(await g.hivexValueKey(hivexValueH));
  assert.deepEqual(keys.slice(0, 3), ['ProductName', 'CurrentVersion', 'CurrentMajorVersionNumber']);
  const product = await g.hivexNodeGetValue(node, 'PRODUCTNAME');
  assert.equal(await g.hivexValueString(product), 'Windows 10 Pro');
  assert.equal(await g.hivexValueUtf8(product), 'Windows 10 Pro');
  assert.equal(await g.hivexValueType(product), 1);
  const major = await g.hivexNodeGetValue(node, 'CurrentMajorVersionNumber');
  assert.deepEqual([...(await g.hivexValueValue(major))], [10, 0, 0, 0]);
  await assert.rejects(g.hivexValueString(major), { code: 'EINVAL' });
  await assert.rejects(g.hivexNodeName(major), { code: 'EINVAL' });
  await assert.rejects(g.hivexValueKey(-1), { code: 'EINVAL' });

  // A second one takes the place of the first, also when it cannot be opened.
  await g.hivexOpen('/Windows/System32/config/SYSTEM', { unsafe: true });
  const children = await g.hivexNodeChildren(await g.hivexRoot());
  assert.equal(children.length, 4);
  await assert.rejects(g.hivexOpen('/missing'), { code: 'ENOENT' });
  await assert.rejects(g.hivexRoot(), none);
  await g.hivexOpen('/Windows/System32/config/SYSTEM');
  await g.umountAll();
  await assert.rejects(g.hivexRoot(), none);
  await g.mountRo('/dev/sda2', '/');
  await assert.rejects(g.hivexRoot(), none);
});
