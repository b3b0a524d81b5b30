/** Windows on drives: its inspection, its programs, and its registry through the calls of hivex. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type ActionName, structs } from '../../src/api/index.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { restoreUpcase } from '../fs/ntfs/suite.js';
import { readFixture, readFixtureJson } from '../support/fixtures.js';
import { scratchPath } from './support.js';

interface Answers {
  readonly version: string;
  readonly guests: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const answers = readFixtureJson<Answers>('windows/answers.json');

/** Disks with Windows: on `ntfs` is the system of `gpt`, on NTFS. */
const stored = {
  gpt: () => readFixture('windows/gpt.img.gz'),
  ntfs: () => restoreUpcase(readFixture('windows/ntfs.img.gz'), 'windows-disk'),
  mbr: () => readFixture('windows/mbr.img.gz'),
};
type DiskName = keyof typeof stored;
const images = new Map<DiskName, string>();
function imageOf(name: DiskName): string {
  let path = images.get(name);
  if (path === undefined) {
    path = scratchPath(`${name}.img`);
    writeFileSync(path, stored[name]());
    images.set(name, path);
  }
  return path;
}

async function launched(...names: readonly DiskName[]): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  for (const name of names.length === 0 ? (['gpt', 'mbr'] as const) : names)
    g.addDrive(imageOf(name), { readonly: true, format: 'raw' });
  await g.launch();
  return g;
}

const methodOf = (action: string): string =>
  action.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What a call gives, in libguestfs's words; null where it is refused. */
async function told(g: Guestfs, action: ActionName, root: string): Promise<unknown> {
  const method = g[methodOf(action) as 'inspectGetType'];
  try {
    const result: unknown = await method.call(g, root);
    if (result instanceof Map) return Object.fromEntries(result);
    return result;
  } catch (thrown) {
    assert.equal((thrown as { code?: unknown }).code, 'EINVAL', String(thrown));
    return null;
  }
}

/** The structs of a list with libguestfs's field names. */
const inSnake = (applications: readonly object[]): object[] =>
  applications.map((application) =>
    Object.fromEntries(
      Object.keys(structs.application2).map((field) => [
        field,
        (application as Record<string, unknown>)[methodOf(field)],
      ]),
    ),
  );

for (const first of ['gpt', 'ntfs'] as const)
  test(`every answer about a Windows is that of libguestfs, also on NTFS: ${first}`, async () => {
    await using g = await launched(first, 'mbr');
    assert.deepEqual(await g.inspectOs(), Object.keys(answers.guests));
    for (const [root, guest] of Object.entries(answers.guests)) {
      // That version knows neither Windows 11 nor Server 2025: see the next test.
      const { inspect_list_applications2: applications, ...getters } = guest;
      for (const [action, answer] of Object.entries(getters))
        if (action !== 'inspect_get_osinfo')
          assert.deepEqual(await told(g, action as ActionName, root), answer, `${root} ${action}`);
      await g.mountRo(root, '/');
      // The class of a program came with a later version, in the place of the first spare field.
      const ours = inSnake(await g.inspectListApplications2(root));
      const theirs = (applications as Record<string, unknown>[]).map(
        ({ app2_spare1: _, ...application }) => application,
      );
      assert.deepEqual(
        ours.map(({ app2_class: _, ...application }: { app2_class?: unknown }) => application),
        theirs.map(({ app2_class: _, ...application }) => application),
      );
      await g.umountAll();
    }
  });

test('what libguestfs of this version does not tell: builds, group policies, protection against malware', async () => {
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
