/** What a program is told of a disk on which several things seem to be. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';
import { bytesOf, type ToldPieces } from '../../fs/support/pieces.js';
import { readFixtureBuffer, readFixtureJson } from '../../support/fixtures.js';
import { ext4Image, scratchPath } from '../support.js';

const sector = 2048;

function file(name: string, image: Uint8Array): string {
  const path = scratchPath(name);
  writeFileSync(path, image);
  return path;
}

const isoImage = (name: string) => readFixtureBuffer(`iso/${name}.iso.gz`);

/** An ext4 that was made over the remains of a reiser4: nothing of ext4 lies at the mark. */
function ext4AndReiser(): Buffer {
  const image = readFileSync(ext4Image());
  image.write('ReIsEr4', 0x10000);
  return image;
}

/** The volume structures and anchor of a UDF that shares a disc with ISO 9660, behind the descriptors of the latter. */
function hybridDisc(): Buffer {
  const image = Buffer.concat([isoImage('rock')], Math.max(isoImage('rock').length, 300 * sector));
  for (let at = 17; at < 32; at++) {
    if (image.readUInt8(at * sector) !== 0xff) continue;
    image.write('BEA01', (at + 1) * sector + 1);
    image.write('NSR02', (at + 2) * sector + 1);
    break;
  }
  image.fill(0, 256 * sector, 257 * sector);
  image.writeUInt16LE(2, 256 * sector);
  image.writeUInt32LE(256, 256 * sector + 12);
  return image;
}

async function withDisk(path: string, use: (g: Guestfs, warnings: string[]) => Promise<void>): Promise<void> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  const warnings: string[] = [];
  g.on('warning', (message) => void warnings.push(message));
  g.addDrive(path, { readonly: true, format: 'raw' });
  await g.launch();
  await use(g, warnings);
}

describe('a disk with signatures of two filesystems that exclude each other', () => {
  const path = () => file('both.img', ext4AndReiser());

  test('has no type, label or UUID, and is listed as unknown; a warning names both, once', () =>
    withDisk(path(), async (g, warnings) => {
      assert.equal(await g.vfsType('/dev/sda'), '');
      assert.equal(await g.vfsLabel('/dev/sda'), '');
      assert.equal(await g.vfsUuid('/dev/sda'), '');
      assert.deepEqual(await g.listFilesystems(), new Map([['/dev/sda', 'unknown']]));
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', /^\/dev\/sda: has signatures of ext4 and reiser4/);
    }));

  test('is one on which a system may be: inspection fails, and unreadable names it', () =>
    withDisk(path(), async (g) => {
      await assert.rejects(g.inspectOs(), {
        code: 'EINVAL',
        message:
          /no operating system was found, and \/dev\/sda \(ext4 and reiser4\) cannot be read: has signatures of/,
      });
      const [only, ...more] = await g.unreadable();
      assert.deepEqual(more, []);
      assert.deepEqual([only?.device, only?.type, only?.code], ['/dev/sda', 'ext4 and reiser4', 'EINVAL']);
    }));

  test('is described by no facts', () =>
    withDisk(path(), (g) =>
      assert.rejects(g.blkid('/dev/sda'), { code: 'EINVAL', message: /ext4 and reiser4/ }),
    ));

  test('is mounted with a type only, which the error says', () =>
    withDisk(path(), async (g) => {
      await assert.rejects(g.mountRo('/dev/sda', '/'), {
        code: 'EINVAL',
        message: /\/dev\/sda: has signatures of ext4 and reiser4: .*mount_vfs/,
      });
      await g.mountVfs('ro', 'ext4', '/dev/sda', '/');
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    }));
});

describe('a disc that is UDF and ISO 9660', () => {
  test('is called UDF, and read as ISO 9660 with a warning', () =>
    withDisk(file('hybrid.iso', hybridDisc()), async (g, warnings) => {
      assert.equal(await g.vfsType('/dev/sda'), 'udf');
      assert.deepEqual(await g.inspectOs(), []);
      await g.mountRo('/dev/sda', '/');
      assert.ok((await g.ls('/')).length > 0);
      assert.match(warnings.join('\n'), /^\/dev\/sda: is udf and iso9660 at once: iso9660 is shown/);
    }));

  test('and a disc that is ISO 9660 alone is not warned of', () =>
    withDisk(file('rock.iso', isoImage('rock')), async (g, warnings) => {
      await g.mountRo('/dev/sda', '/');
      assert.deepEqual(warnings, []);
    }));
});

test('a disc whose primary descriptor is not the first is read', async () => {
  const image = isoImage('rock');
  const [from, to] = [16 * sector, 18 * sector];
  const boot = Buffer.alloc(sector);
  boot.write('\0CD001\x01EL TORITO', 'latin1');
  // The primary descriptor goes to where the terminator was, and the terminator behind it.
  const primary = Buffer.from(image.subarray(from, from + sector));
  const terminator = Buffer.alloc(sector);
  terminator.write('\xffCD001\x01', 'latin1');
  boot.copy(image, from);
  primary.copy(image, from + sector);
  terminator.copy(image, to);
  await withDisk(file('late.iso', image), async (g) => {
    assert.equal(await g.vfsType('/dev/sda'), 'iso9660');
    await g.mountRo('/dev/sda', '/');
    assert.ok((await g.ls('/')).length > 0);
  });
});

test('what holds other disks or is encrypted is not listed, and everything else is', async () => {
  const images = readFixtureJson<Record<string, ToldPieces>>('signatures/signatures.json.gz');
  for (const [name, listed] of Object.entries({ luks1: '', luks2: '', lvm: '', xfs: 'xfs', udf: 'udf' })) {
    const told = images[name];
    assert.ok(told, `${name} is not among ${Object.keys(images)}`);
    await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    g.addDrive(file(name, bytesOf(told)), { readonly: true, format: 'raw' });
    g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
    await g.launch();
    const all = await g.listFilesystems();
    assert.equal(all.get('/dev/sda') ?? '', listed);
    assert.equal(all.get('/dev/sdb'), 'ext4');
    assert.equal(await g.vfsType('/dev/sda'), told.blkid.TYPE);
  }
});

test('of a disk that is nothing but encrypted the list is no empty one', async () => {
  const told = readFixtureJson<Record<string, ToldPieces>>('signatures/signatures.json.gz').luks2;
  assert.ok(told);
  await withDisk(file('luks2', bytesOf(told)), (g) =>
    assert.rejects(g.listFilesystems(), { code: 'ENOTSUP', message: /crypto_LUKS/ }),
  );
});

test('a member of a host adapter is one on a whole disk, and none on a partition', async () => {
  const mbr = readFixtureBuffer('scenarios/mbr.img.gz');
  await withDisk(file('mbr.img', mbr), async (g) => {
    const [first] = await g.partList('/dev/sda');
    assert.ok(first);
    mbr.write('$XIDE$', first.partEnd + 1 - 512);
    mbr.write('$XIDE$', Math.floor(mbr.length / 512) * 512 - 512);
  });
  await withDisk(file('adapter.img', mbr), async (g) => {
    assert.equal(await g.vfsType('/dev/sda'), 'lsi_mega_raid_member');
    assert.notEqual(await g.vfsType('/dev/sda1'), 'lsi_mega_raid_member');
  });
});
