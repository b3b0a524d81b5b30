/** The usual steps to the files of an image. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { type GuestImageOptions, openImage } from '../../../src/guestfs/index.js';
import { needsAppliance } from '../../support/appliance.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';
import { makeSample, run, sampleTools } from '../fs/sample.js';

const quiet: GuestImageOptions = { environment: false, stderr: null, backend: 'embedded' };

/** A small Debian whose fstab wants a filesystem that is not there: one ext4 for each directory of files. */
function makeGuest(directory: string): string {
  const tree = join(directory, 'guest');
  for (const each of ['etc', 'bin', 'boot', 'var/lib/dpkg', 'home', 'usr'])
    mkdirSync(join(tree, each), { recursive: true });
  writeFileSync(join(tree, 'etc/debian_version'), '12.5\n');
  writeFileSync(join(tree, 'etc/hostname'), 'sample\n');
  writeFileSync(
    join(tree, 'etc/fstab'),
    '/dev/sda / ext4 defaults 0 1\n/dev/sdb /home ext4 defaults 0 2\n/dev/sdq /data ext4 defaults 0 2\n',
  );
  writeFileSync(
    join(tree, 'etc/os-release'),
    'ID=debian\nNAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\n',
  );
  const image = join(directory, 'guest.img');
  writeFileSync(image, '');
  run('truncate', '-s', '4M', image);
  run('mke2fs', '-q', '-t', 'ext4', '-d', tree, image);
  return image;
}

function opens(options: GuestImageOptions, directory: string): void {
  let guest: string;
  let data: string;
  before(() => {
    guest = makeGuest(directory);
    data = makeSample(directory).image;
  });

  test('an operating system is mounted as its configuration says, and told as one object', async () => {
    await using image = await openImage([guest, data], options);
    assert.equal(image.root, '/dev/sda');
    const { osInfo } = image;
    assert.ok(osInfo);
    assert.deepEqual(
      { ...osInfo, mountpoints: [...osInfo.mountpoints].sort(), driveMappings: [...osInfo.driveMappings] },
      {
        root: '/dev/sda',
        type: 'linux',
        distro: 'debian',
        productName: '12.5',
        productVariant: null,
        majorVersion: 12,
        minorVersion: 5,
        arch: null,
        hostname: 'sample',
        osinfo: 'debian12',
        buildId: null,
        packageFormat: 'deb',
        packageManagement: 'apt',
        mountpoints: [
          ['/', '/dev/sda'],
          ['/data', '/dev/sdq'],
          ['/home', '/dev/sdb'],
        ].filter(([, device]) => device !== '/dev/sdq' || osInfo.mountpoints.has('/data')),
        filesystems: [...osInfo.filesystems],
        driveMappings: [],
        windowsSystemroot: null,
      },
    );
    assert.ok(osInfo.filesystems.includes('/dev/sdb'));
    assert.equal(await image.fs.readFile('/etc/hostname', 'utf8'), 'sample\n');
    assert.equal(await image.fs.readFile('/home/a.txt', 'utf8'), 'hello\n');
    assert.equal((await image.g.statvfs('/')).flag & 1, 1);
    assert.deepEqual(image.unreadable, []);
    for (const { directory: wanted, error } of image.notMounted)
      assert.deepEqual([wanted, error.action], ['/data', 'mount_ro']);
  });

  test('a disk without an operating system has its one filesystem mounted', async () => {
    await using image = await openImage(data, { ...options, format: 'raw' });
    assert.equal(image.osInfo, null);
    assert.equal(image.root, '/dev/sda');
    assert.equal(await image.fs.readFile('/a.txt', 'utf8'), 'hello\n');
  });

  test('where several may be meant, the error has their names, and root chooses', async () => {
    await assert.rejects(openImage([data, data], options), {
      code: 'EINVAL',
      message:
        /^openImage: no operating system was found, and there are several filesystems: \/dev\/sda \(ext4\), \/dev\/sdb \(ext4\): /,
    });
    await using image = await openImage([data, data], { ...options, root: '/dev/sdb' });
    assert.equal(image.root, '/dev/sdb');
    await assert.rejects(openImage([data, data], { ...options, root: '/dev/sdc' }), {
      code: 'EINVAL',
      message: /there is no filesystem on \/dev\/sdc/,
    });
    await assert.rejects(openImage([guest, guest], options), {
      code: 'EINVAL',
      message: /several operating systems, on \/dev\/sda, \/dev\/sdb/,
    });
    await using second = await openImage([guest, guest], { ...options, root: '/dev/sdb' });
    assert.equal(second.osInfo?.root, '/dev/sdb');
    await assert.rejects(openImage([guest, data], { ...options, root: '/dev/sdb' }), {
      code: 'EINVAL',
      message: /no operating system on \/dev\/sdb/,
    });
  });
}

describe('openImage on the embedded engine', needs(...sampleTools), () => {
  const directory = scratchDirectory();
  opens(quiet, directory);

  test('what cannot be opened or read is an error with its reason, and leaves nothing open', async () => {
    await assert.rejects(openImage(join(directory, 'nowhere'), quiet), {
      code: 'ENOENT',
      action: 'add_drive',
    });
    await assert.rejects(openImage([], quiet), TypeError);
    await assert.rejects(openImage(7 as never, quiet), TypeError);
    await assert.rejects(openImage(join(directory, 'tree.img'), { ...quiet, raedonly: true } as never), {
      name: 'TypeError',
      message: /no option raedonly/,
    });
    const empty = join(directory, 'empty.img');
    writeFileSync(empty, Buffer.alloc(1024 * 1024));
    await assert.rejects(openImage(empty, quiet), {
      code: 'ENODEV',
      message: 'openImage: no filesystem was found',
    });
    const luks = join(directory, 'luks.img');
    copyFileSync(empty, luks);
    const header = Buffer.alloc(1024 * 1024);
    header.write('LUKS\xba\xbe', 'latin1');
    header.writeUInt16BE(1, 6);
    writeFileSync(luks, header);
    await assert.rejects(openImage(luks, { ...quiet, format: 'raw' }), /crypto_LUKS/);
    await assert.rejects(openImage(empty, { ...quiet, signal: AbortSignal.abort('no') }), {
      code: 'ECANCELED',
    });
  });

  test('may be opened for writing', async () => {
    const copy = join(directory, 'copy.img');
    copyFileSync(join(directory, 'tree.img'), copy);
    await using image = await openImage(copy, { ...quiet, readonly: false });
    assert.equal((await image.g.statvfs('/')).flag & 1, 0);
    assert.doesNotMatch(image.g.debugDrives()[0] ?? '', /readonly/);
  });
});

const appliance = needsAppliance();
describe(
  'openImage on the appliance',
  appliance.skip === undefined ? needs(...sampleTools) : appliance,
  () => {
    opens({ environment: false, stderr: null, backend: 'direct' }, scratchDirectory());
  },
);
