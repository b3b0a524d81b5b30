import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import type { ActionOptions } from '../../src/api/index.js';
import { fakeHandle, imageFile, throwsWith } from './fake.js';

type DriveOptions = ActionOptions<'add_drive'>;

describe('drives', () => {
  test('are listed in the order in which they were added', () => {
    const { g } = fakeHandle();
    const path = imageFile();
    g.addDrive(path);
    g.addDriveRo(path);
    g.addCdrom(path);
    g.addDriveScratch(1000, { name: 'sdq', label: 'scratch' });
    g.addDriveWithIf(path, 'ide');
    g.addDriveRoWithIf(path, 'scsi');
    g.addDrive(path, {
      format: 'qcow2',
      iface: 'virtio',
      name: 'q',
      label: 'data',
      cachemode: 'unsafe',
      discard: 'enable',
      copyonread: true,
      blocksize: 4096,
    });
    g.addDrive('/dev/null', { label: 'nul' });
    assert.deepEqual(g.debugDrives(), [
      `${path} protocol=file`,
      `${path} readonly protocol=file`,
      `${path} readonly protocol=file`,
      'scratch:1000 format=raw protocol=file name=sdq label=scratch cache=unsafe',
      `${path} protocol=file iface=ide`,
      `${path} readonly protocol=file iface=scsi`,
      `${path} format=qcow2 protocol=file iface=virtio name=q label=data cache=unsafe discard=enable copyonread blocksize=4096`,
      'scratch:4096 format=raw protocol=file label=nul',
    ]);
  });

  test('what cannot be read is refused when it is added', (t) => {
    const { g } = fakeHandle();
    throwsWith(() => g.addDrive('/nope.img'), 'ENOENT', 'add_drive: /nope.img: no such file or directory');
    throwsWith(
      () => g.addDriveRo('/nope.img'),
      'ENOENT',
      'add_drive_ro: /nope.img: no such file or directory',
    );
    throwsWith(() => g.addCdrom('/nope.img'), 'ENOENT', 'add_cdrom: /nope.img: no such file or directory');
    throwsWith(() => g.addDrive(''), 'ENOENT', /^add_drive: '': no such file/);
    throwsWith(() => g.addDrive(tmpdir()), 'EISDIR', /^add_drive: .*: is a directory/);
    assert.deepEqual(g.debugDrives(), []);
    if (process.getuid?.() === 0) return t.diagnostic('root may read everything');
    const path = imageFile('secret.img');
    chmodSync(path, 0);
    throwsWith(() => g.addDrive(path), 'EACCES', /permission denied/);
  });

  /** Options that are refused, with what the message says. */
  const bad: readonly (readonly [DriveOptions, RegExp])[] = [
    [{ format: '' }, /^add_drive: format '' is empty or has characters/],
    [{ format: 'a b' }, /format 'a b'/],
    [{ format: 'a,b' }, /format/],
    [{ iface: 'a,b' }, /iface/],
    [{ label: '' }, /label '' must be 1 to 20 letters/],
    [{ label: 'a1' }, /label/],
    [{ label: 'a-b' }, /label/],
    [{ label: 'ä' }, /label/],
    [{ label: 'x'.repeat(21) }, /label/],
    [{ blocksize: 1024 }, /blocksize 1024/],
    [{ blocksize: -1 }, /blocksize/],
    [{ cachemode: 'none' }, /cachemode 'none' is unknown; there are writeback, unsafe/],
    [{ discard: 'maybe' }, /discard 'maybe'/],
    [{ discard: 'enable', readonly: true }, /discard cannot be enabled for a read-only drive/],
    [{ server: ['h'] }, /server is only for drives on the network/],
    [{ username: 'u' }, /username is only/],
    [{ secret: 's' }, /secret is only/],
    [{ protocol: 'gopher' }, /unknown protocol 'gopher'; there are file, nbd/],
    [{ protocol: '' }, /unknown protocol ''/],
    [{ protocol: 'constructor' }, /unknown protocol/],
  ];
  for (const [options, message] of bad) {
    test(`an option is refused: ${JSON.stringify(options)}`, () => {
      const { g } = fakeHandle();
      const path = imageFile();
      throwsWith(() => g.addDrive(path, options), 'EINVAL', message);
      assert.deepEqual(g.debugDrives(), []);
    });
  }

  const good: readonly DriveOptions[] = [
    { format: 'raw' },
    { format: 'foo-bar_1' },
    { label: 'x'.repeat(20) },
    { label: 'AbZ' },
    { blocksize: 512 },
    { blocksize: 0 },
    { cachemode: 'writeback' },
    { discard: 'disable', readonly: true },
    { discard: 'besteffort', readonly: true },
    { copyonread: true, readonly: true },
    { name: '' },
    { protocol: 'file' },
  ];
  for (const options of good) {
    test(`an option is taken: ${JSON.stringify(options)}`, () => {
      const { g } = fakeHandle();
      g.addDrive(imageFile(), options);
      assert.equal(g.debugDrives().length, 1);
    });
  }

  test('a label is there once', () => {
    const { g } = fakeHandle();
    g.addDriveScratch(512, { label: 'data' });
    throwsWith(() => g.addDriveScratch(512, { label: 'data' }), 'EEXIST', /label 'data' already/);
  });

  test('a scratch drive has a size', () => {
    const { g } = fakeHandle();
    throwsWith(() => g.addDriveScratch(0), 'EINVAL', 'add_drive_scratch: a disk cannot have 0 bytes');
    throwsWith(() => g.addDriveScratch(-1), 'EINVAL', 'add_drive_scratch: a disk cannot have -1 bytes');
    throwsWith(() => g.addDriveScratch(1, { blocksize: 3 }), 'EINVAL', /blocksize/);
    g.addDriveScratch(1);
  });

  test('/dev/null is a small empty disk, and raw', () => {
    const { g } = fakeHandle();
    throwsWith(() => g.addDrive('/dev/null', { format: 'qcow2' }), 'EINVAL', /\/dev\/null is raw/);
    g.addDrive('/dev/null', { format: 'raw', readonly: true });
    assert.match(g.debugDrives()[0] ?? '', /^scratch:4096/);
  });

  test('removeDrive forgets the drive with a label', () => {
    const { g } = fakeHandle();
    g.addDriveScratch(512, { label: 'one' });
    g.addDriveScratch(1024, { label: 'two' });
    g.removeDrive('one');
    assert.equal(g.debugDrives().length, 1);
    throwsWith(() => g.removeDrive('one'), 'ENOENT', "remove_drive: no drive has the label 'one'");
    g.addDriveScratch(512, { label: 'one' });
  });
});

describe('drives on the network', () => {
  /** What libguestfs takes. */
  const good: readonly (readonly [string, DriveOptions])[] = [
    ['export', { protocol: 'nbd', server: ['h:1'] }],
    ['', { protocol: 'nbd', server: ['h'] }],
    ['e', { protocol: 'nbd', server: ['tcp:h:1'] }],
    ['e', { protocol: 'nbd', server: ['unix:/s'] }],
    ['e', { protocol: 'nbd', server: ['[::1]:10809'] }],
    ['e', { protocol: 'nbd', server: ['[::1]'] }],
    ['e', { protocol: 'nbd', server: ['::1'] }],
    ['/e', { protocol: 'ssh', server: ['a'], username: 'u' }],
    ['/e', { protocol: 'https', server: ['a'], secret: 'x' }],
    ['e', { protocol: 'rbd', server: [] }],
    ['e', { protocol: 'rbd', server: ['a', 'b:6789'], username: 'u', secret: 's' }],
    ['e/f', { protocol: 'gluster', server: ['unix:/x'] }],
    ['e', { protocol: 'iscsi', server: ['x'], username: 'u' }],
    ['e', { protocol: 'sheepdog', server: ['h'] }],
  ];
  for (const [path, options] of good) {
    test(`are taken: '${path}' ${JSON.stringify(options)}`, () => {
      const { g } = fakeHandle();
      g.addDrive(path, options);
      assert.deepEqual(g.debugDrives(), [`${path} protocol=${options.protocol}`]);
    });
  }

  /** What libguestfs refuses. */
  const bad: readonly (readonly [string, DriveOptions, RegExp])[] = [
    ['e', { protocol: 'nbd' }, /nbd: exactly one server/],
    ['e', { protocol: 'nbd', server: ['a', 'b'] }, /exactly one server/],
    ['e', { protocol: 'nbd', server: ['h:0'] }, /invalid port number 0/],
    ['e', { protocol: 'nbd', server: ['h:99999'] }, /invalid port number 99999/],
    ['e', { protocol: 'nbd', server: [''] }, /invalid host name ''/],
    ['e', { protocol: 'nbd', server: ['a b:1'] }, /invalid host name 'a b'/],
    ['e', { protocol: 'nbd', server: ['unix:'] }, /path of the Unix socket/],
    ['e', { protocol: 'nbd', server: ['a'], username: 'u' }, /nbd: takes no username/],
    ['e', { protocol: 'gluster', server: ['a'], secret: 'u' }, /gluster: takes no secret/],
    ['e', { protocol: 'ssh', server: ['a'] }, /ssh: the path must begin with '\/'/],
    ['/e', { protocol: 'ssh', server: ['a'], username: '' }, /username must not be empty/],
    ['', { protocol: 'ssh', server: ['a'] }, /path must not be empty/],
    ['e', { protocol: 'http', server: ['a'] }, /http: the path must begin/],
    ['/e', { protocol: 'rbd', server: ['a'] }, /rbd: the image name must not begin with '\/'/],
    ['e', { protocol: 'rbd', server: ['unix:/a'] }, /rbd: only TCP/],
    ['e', { protocol: 'sheepdog', server: ['unix:/a'] }, /sheepdog: only TCP/],
  ];
  for (const [path, options, message] of bad) {
    test(`are refused: '${path}' ${JSON.stringify(options)}`, () => {
      throwsWith(() => fakeHandle().g.addDrive(path, options), 'EINVAL', message);
    });
  }
});
