/** A compact Windows on NTFS: what is asked of a guest comes through WOF, links of Windows, names in any case. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { restoreUpcase } from '../fs/ntfs/suite.js';
import { readFixture, readFixtureJson } from '../support/fixtures.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { scratchPath } from './support.js';

const { files, links } =
  readFixtureJson<Record<'files' | 'links', Readonly<Record<string, string>>>>('windows/ntfs.json');
const image = scratchPath('ntfs.img');
writeFileSync(image, restoreUpcase(readFixture('windows/ntfs.img.gz'), 'windows-disk'));

async function mounted(): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(image, { readonly: true, format: 'raw' });
  await g.launch();
  await g.mountRo('/dev/sda2', '/');
  return g;
}

const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a compact Windows on NTFS', () => {
  test('is found by a program that WOF has compressed', async () => {
    await using g = await mounted();
    await g.umountAll();
    assert.deepEqual(await g.inspectOs(), ['/dev/sda2']);
    assert.equal(await g.inspectGetArch('/dev/sda2'), 'x86_64');
    assert.equal(await g.inspectGetFormat('/dev/sda2'), 'installed');
    assert.deepEqual(
      await g.inspectGetDriveMappings('/dev/sda2'),
      new Map([
        ['C', '/dev/sda2'],
        ['D', '/dev/sda3'],
      ]),
    );
    assert.deepEqual(
      await g.listFilesystems(),
      new Map([
        ['/dev/sda1', 'unknown'],
        ['/dev/sda2', 'ntfs'],
        ['/dev/sda3', 'unknown'],
      ]),
    );
    assert.equal(await g.vfsLabel('/dev/sda2'), 'Windows');
  });

  test('can be mounted, says its status, and its files are got by their numbers', async () => {
    await using g = await mounted();
    const path = '/Documents and Settings/All Users/Application Data/settings.ini';
    const wanted = await g.checksum('sha256', path);
    const { stIno } = await g.statns(path);
    await g.umountAll();
    assert.equal(await g.ntfs3gProbe(true, '/dev/sda2'), 0);
    assert.equal(await g.ntfs3gProbe(false, '/dev/sda1'), 12); // no NTFS
    const copy = scratchPath('by-number');
    await g.ntfscatI('/dev/sda2', stIno, copy);
    assert.equal(sum(readFileSync(copy)), wanted);
    const upcase = 10;
    await g.ntfscatI('/dev/sda2', upcase, copy);
    assert.equal(readFileSync(copy).length, 128 * 1024);
    await assert.rejects(g.ntfscatI('/dev/sda1', stIno, copy), { code: 'EINVAL' });
  });

  test('has every file with what went into it, and every link with its target', async () => {
    await using g = await mounted();
    for (const [path, wanted] of Object.entries(files))
      assert.equal(await g.checksum('sha256', path), wanted, path);
    for (const [path, wanted] of Object.entries(links)) assert.equal(await g.readlink(path), wanted, path);
    assert.equal(
      await g.checksum('sha256', '/Documents and Settings/All Users/Application Data/settings.ini'),
      files['/ProgramData/settings.ini'],
    );
    const found = (await g.find('/')).map((path) => `/${path}`);
    for (const path of [...Object.keys(files), ...Object.keys(links)]) assert.ok(found.includes(path), path);
    assert.deepEqual(
      found.filter((path) => path.startsWith('/Users')),
      [
        '/Users',
        '/Users/All Users',
        '/Users/Default',
        '/Users/Default User',
        '/Users/Grüße',
        '/Users/Grüße/Downloads',
        '/Users/Grüße/Downloads/setup.exe',
      ],
    );
    assert.ok(!found.some((path) => path.includes('~1') || path.startsWith('/$')));
    assert.deepEqual(await g.ls('/PROGRA~1'), ['7-Zip']);
  });

  test('has paths that are found in any case, by links and by short names', async () => {
    await using g = await mounted();
    for (const [asked, told] of [
      ['/windows/system32/CONFIG/software', '/Windows/System32/config/SOFTWARE'],
      ['/PROGRAM FILES/7-zip/7Z.EXE', '/Program Files/7-Zip/7z.exe'],
      ['/users/grüße/downloads', '/Users/Grüße/Downloads'],
      ['/windows/new file', '/Windows/new file'],
    ] as const)
      assert.equal(await g.caseSensitivePath(asked), told);
    assert.equal(await g.exists('/windows'), false);
    await g.umountAll();
    await g.mountOptions('ro,ignore_case', '/dev/sda2', '/');
    assert.equal(await g.isFile('/windows/SYSTEM32/CMD.EXE'), true);
  });

  test('has a registry that hivex reads from where it is mounted', async () => {
    await using g = await mounted();
    await g.hivexOpen(await g.caseSensitivePath('/windows/system32/config/system'));
    const select = await g.hivexNodeGetChild(await g.hivexRoot(), 'Select');
    const current = await g.hivexNodeGetValue(select, 'current');
    assert.deepEqual([...(await g.hivexValueValue(current))], [1, 0, 0, 0]);
    await g.hivexClose();
  });

  test('is a tar that others unpack', needs('tar'), async () => {
    await using g = await mounted();
    const archive = scratchPath('windows.tar');
    await g.tarOut('/', archive, { xattrs: true });
    const folder = scratchPath('unpacked');
    mkdirSync(folder);
    const listing = execFileSync('tar', ['--xattrs', '-tvvf', archive], { env: toolEnvironment }).toString();
    assert.match(listing, /setup\.exe\n +x: 26 user\.Zone\.Identifier/);
    execFileSync('tar', ['--no-same-owner', '-xf', archive, '-C', folder], { env: toolEnvironment });
    for (const [path, wanted] of Object.entries(files))
      assert.equal(sum(readFileSync(join(folder, path))), wanted, path);
    for (const [path, wanted] of Object.entries(links))
      assert.equal(readlinkSync(join(folder, path)), wanted, path);
  });
});

describe('attributes of NTFS', () => {
  async function attributes(): Promise<Guestfs> {
    const path = scratchPath('attributes.img');
    writeFileSync(path, restoreUpcase(readFixture('ntfs/attributes.img.gz'), 'attributes'));
    const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    return g;
  }
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  test('are told by getxattr where no list has them', async () => {
    await using g = await attributes();
    assert.equal(hex(await g.getxattr('/with/attributes', 'system.ntfs_attrib')), '23200000');
    assert.equal(hex(await g.lgetxattr('/with/link', 'system.ntfs_attrib_be')), '00000430');
    assert.equal(hex(await g.getxattr('/with/link', 'system.ntfs_attrib_be')), '00000030');
    assert.deepEqual(await g.getxattrs('/with/attributes'), []);
    await assert.rejects(g.getxattr('/with/nothing', 'system.ntfs_ea'), { code: 'ENODATA' });
    await assert.rejects(g.getxattr('/with/nothing', 'other.name'), { code: 'EOPNOTSUPP' });
    await assert.rejects(g.getxattr('/with/nothing', 'system.ntfs_efsinfo'), { code: 'EPERM' });
    assert.equal(await g.capGetFile('/streams/file'), '');
    assert.match(await g.aclGetFile('/streams/file', 'access'), /^user::rwx$/m);
  });

  test('that are too long for Linux do not stop find, tar and ll', needs('tar'), async () => {
    await using g = await attributes();
    const warnings: string[] = [];
    g.on('warning', (message) => warnings.push(message));
    await assert.rejects(g.getxattr('/streams/file', 'user.too long'), { code: 'E2BIG' });
    await assert.rejects(g.getxattrs('/streams/file'), { code: 'E2BIG' });
    assert.equal(Buffer.from(await g.getxattr('/streams/file', 'user.after')).toString(), 'another');
    assert.deepEqual(await g.find('/streams'), ['/file']);
    assert.match(await g.ll('/streams'), /^-rwxrwxrwx 1 0 0 +4 .* file$/m);
    assert.deepEqual(warnings, []);
    const archive = scratchPath('streams.tar');
    await g.tarOut('/streams', archive, { xattrs: true });
    assert.deepEqual(warnings, [
      '/streams/file: archived without an attribute: user.too long of 65537 bytes: argument list too long',
    ]);
    const listing = execFileSync('tar', ['--xattrs', '-tvvf', archive], { env: toolEnvironment }).toString();
    assert.deepEqual(
      [...listing.matchAll(/x: +([0-9]+) (.+)$/gm)].map(([, size, name]) => [size, name]).sort(),
      [
        ['65536', 'user.longest'],
        ['7', 'user.after'],
        ['7', 'user.before'],
      ],
    );
  });
});
