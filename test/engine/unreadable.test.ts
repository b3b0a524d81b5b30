/** What cannot be read does not look empty: the call rejects, or gives the rest and the handle names what is missing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { CorruptError, UnsupportedError } from '../../src/base/index.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { ext4Image, scratchPath } from './support.js';

const sample = 'samples/debian.qcow2';

function imageOf(name: string, bytes: Uint8Array): string {
  const path = scratchPath(name);
  writeFileSync(path, bytes);
  return path;
}

const fixture = (name: string): Buffer => readFixtureBuffer(`${name}.img.gz`);

/** An image that ends before the tables that tell where its data is. */
const cut = imageOf('cut.qcow2', readFileSync(sample).subarray(0, 70_000));

function encrypted(): Buffer {
  const image = Buffer.alloc(4 * 1024 * 1024);
  image.write('LUKS\xba\xbe', 0, 'latin1');
  image.writeUInt16BE(1, 6);
  image.write('00112233-4455-6677-8899-aabbccddeeff', 168);
  return image;
}
const luks = imageOf('luks.img', encrypted());
const blank = imageOf('blank.img', Buffer.alloc(1024 * 1024));

function swapSpace(): Buffer {
  const image = Buffer.alloc(64 * 1024);
  image.writeUInt32LE(1, 1024); // version
  image.writeUInt32LE(15, 1028); // last page
  image.write('SWAPSPACE2', 4086);
  return image;
}
const swap = imageOf('swap.img', swapSpace());

interface Launched {
  readonly g: Guestfs;
  readonly warnings: string[];
}

async function withDrives<T>(paths: readonly string[], work: (launched: Launched) => Promise<T>): Promise<T> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  const warnings: string[] = [];
  g.on('warning', (message) => warnings.push(message));
  for (const path of paths)
    g.addDrive(path, { readonly: true, format: path.endsWith('.qcow2') ? 'qcow2' : 'raw' });
  await g.launch();
  return await work({ g, warnings });
}

test('of a disk of which nothing can be read, nothing is said to be empty, and one warning tells it', () =>
  withDrives([cut], async ({ g, warnings }) => {
    const calls = [
      () => g.inspectOs(),
      () => g.listFilesystems(),
      () => g.listPartitions(),
      () => g.pvs(),
      () => g.vgs(),
      () => g.lvs(),
      () => g.lvsFull(),
      () => g.listMdDevices(),
      () => g.partList('/dev/sda'),
      () => g.partGetParttype('/dev/sda'),
      () => g.vfsType('/dev/sda'),
      () => g.vfsUuid('/dev/sda'),
      () => g.blkid('/dev/sda'),
      () => g.findfsUuid('00000000-0000-4000-8000-000000000001'),
      () => g.findfsPartlabel('root'),
    ];
    for (const call of calls)
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof CorruptError, String(error));
        assert.match(error.message, /^\w+: .*\/dev\/sda.*qcow2 table: lies outside the file/);
        return true;
      });
    assert.deepEqual(
      (await g.unreadable()).map(({ device, type, code }) => ({ device, type, code })),
      [{ device: '/dev/sda', type: null, code: 'EIO' }],
    );
    assert.equal(warnings.length, 1, warnings.join('\n'));
  }));

test('what is read beside a disk that cannot be is given, and the handle names the rest', () =>
  withDrives([cut, ext4Image()], async ({ g }) => {
    assert.deepEqual(Object.fromEntries(await g.listFilesystems()), {
      '/dev/sda': 'unknown',
      '/dev/sdb': 'ext4',
    });
    // What was found does not depend on what cannot be read; that nothing was would.
    assert.equal(await g.findfsUuid(await g.vfsUuid('/dev/sdb')), '/dev/sdb');
    await assert.rejects(g.findfsUuid('none'), { code: 'EIO' });
    assert.deepEqual(
      (await g.unreadable()).map(({ device }) => device),
      ['/dev/sda'],
    );
  }));

test('an inspection that finds nothing says what it could not look into', () =>
  withDrives([luks, ext4Image()], async ({ g, warnings }) => {
    await assert.rejects(g.inspectOs(), (error) => {
      assert.ok(error instanceof UnsupportedError);
      assert.match(
        error.message,
        /^inspect_os: no operating system was found, and \/dev\/sda \(crypto_LUKS\) cannot/,
      );
      return true;
    });
    assert.deepEqual(
      (await g.unreadable()).map(({ device, type, code }) => ({ device, type, code })),
      [{ device: '/dev/sda', type: 'crypto_LUKS', code: 'ENOTSUP' }],
    );
    assert.deepEqual(warnings, []);
  }));

test('damage goes before what is not implemented, and all is named', () =>
  withDrives([luks, cut], ({ g }) =>
    assert.rejects(g.inspectOs(), {
      name: 'CorruptError',
      message: /\/dev\/sdb cannot be read, nor \/dev\/sda \(crypto_LUKS\): qcow2/,
    }),
  ));

test('an inspection that finds a system tells once of what it could not look into', () =>
  withDrives([sample, luks], async ({ g, warnings }) => {
    assert.deepEqual(await g.inspectOs(), ['/dev/sda2']);
    assert.deepEqual(await g.inspectOs(), ['/dev/sda2']);
    assert.deepEqual(warnings, [
      '/dev/sdb: not inspected: not supported: reading crypto_LUKS (the direct backend may have it)',
    ]);
    assert.deepEqual(
      (await g.unreadable()).map(({ device }) => device),
      ['/dev/sdb'],
    );
  }));

test('a filesystem that is damaged inside is named by the inspection that met it', async () => {
  const image = readFileSync(ext4Image());
  // The second block group descriptor's fields and the root directory's inode lie behind the superblock's block.
  image.fill(0xff, 2048, 64 * 1024);
  await withDrives([imageOf('damaged.img', image)], async ({ g }) => {
    assert.equal((await g.listFilesystems()).get('/dev/sda'), 'ext4');
    assert.deepEqual(await g.unreadable(), []);
    await assert.rejects(g.inspectOs(), {
      code: 'EIO',
      message: /no operating system was found, and \/dev\/sda \(ext4\)/,
    });
    assert.deepEqual(
      (await g.unreadable()).map(({ device, type, code }) => [device, type, code]),
      [['/dev/sda', 'ext4', 'EIO']],
    );
  });
});

test('volumes of which the metadata is damaged are not said not to be there', async () => {
  const image = fixture('lvm/one-a');
  image.fill('x', 4096 + 512, 1024 * 1024);
  await withDrives([imageOf('pv.img', image)], async ({ g }) => {
    for (const call of [() => g.lvs(), () => g.vgs(), () => g.listFilesystems(), () => g.inspectOs()])
      await assert.rejects(call, { code: 'EIO', message: /\/dev\/sda \(LVM2_member\) cannot be read/ });
  });
});

test('a partition table that is damaged is not said not to be there', () =>
  withDrives([imageOf('gpt.img', fixture('partition/gpt-both'))], async ({ g }) => {
    await assert.rejects(g.listPartitions(), {
      name: 'CorruptError',
      message: /no partition was found, and \/dev\/sda/,
    });
    await assert.rejects(g.partGetParttype('/dev/sda'), {
      name: 'CorruptError',
      message: /^part_get_parttype: \/dev\/sda: /,
    });
  }));

test('what is empty is said to be', () =>
  withDrives([blank, swap], async ({ g, warnings }) => {
    assert.deepEqual(await g.inspectOs(), []);
    assert.deepEqual(await g.listPartitions(), []);
    assert.deepEqual(await g.lvs(), []);
    assert.deepEqual(await g.listMdDevices(), []);
    await assert.rejects(g.findfsUuid('none'), { code: 'ENOENT' });
    assert.deepEqual(await g.unreadable(), []);
    assert.deepEqual(warnings, []);
  }));

/** What libguestfs 1.48 lists of such a disk: all but Microsoft's reserved partition and the two of dynamic disks. */
test('partitions that hold no filesystem, by their type, are not listed', needs('sgdisk'), () => {
  const path = imageOf('types.img', Buffer.alloc(16 * 1024 * 1024));
  const partitions = ['0c01', '4201', '4200', '4202', '8300', '0700'].flatMap((type, index) => [
    `--new=${index + 1}:0:+1M`,
    `--typecode=${index + 1}:${type}`,
  ]);
  execFileSync('sgdisk', [...partitions, path], { env: toolEnvironment, stdio: 'pipe' });
  return withDrives([path], async ({ g, warnings }) => {
    assert.equal((await g.listPartitions()).length, 6);
    await assert.rejects(g.listFilesystems(), {
      code: 'ENOTSUP',
      message: /\/dev\/sda2 \(LDM\) cannot be read/,
    });
    await assert.rejects(g.listLdmVolumes(), { message: /dynamic disks of Windows/ });
    await g.close();
    execFileSync('sgdisk', ['--delete=2', '--delete=3', path], { env: toolEnvironment, stdio: 'pipe' });
    assert.deepEqual(warnings, []);
    await withDrives([path], async (second) => {
      assert.deepEqual(
        [...(await second.g.listFilesystems()).keys()],
        ['/dev/sda4', '/dev/sda5', '/dev/sda6'],
      );
      assert.deepEqual(await second.g.listLdmVolumes(), []);
    });
  });
});
