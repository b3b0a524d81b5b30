/** The large real guests: Debian on ext4, on LVM, and a hundred thousand files. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { needs, toolEnvironment } from '../support/tools.js';
import { compareTree } from './compare.js';
import { withImages } from './open.js';
import { imageDirectory, imageTruth, needsImages } from './truth.js';

const fat = { without: ['ino', 'blocks', 'nlink'] as ('ino' | 'blocks' | 'nlink')[] };

for (const image of ['debian.raw', 'debian.qcow2']) {
  test(`Debian on GPT and ext4 (${image}) reads as the kernel reads it`, needsImages(image), async () => {
    await withImages([image], async (g) => {
      await g.mount('/dev/sda2', '/');
      await compareTree(g, imageTruth('debian'));
    });
  });
}

test('an EFI system partition reads as the kernel reads it', needsImages('debian.qcow2'), async () => {
  await withImages(['debian.qcow2'], async (g) => {
    await g.mount('/dev/sda1', '/');
    await compareTree(g, imageTruth('debian-efi'), fat);
  });
});

test('a filesystem mounted below another is walked in its place', needsImages('debian.qcow2'), async () => {
  await withImages(['debian.qcow2'], async (g) => {
    await g.mount('/dev/sda2', '/');
    await g.mount('/dev/sda1', '/boot/efi');
    await compareTree(g, imageTruth('debian-efi'), { ...fat, mountPoint: '/boot/efi' });
  });
});

test(
  'the bytes of a qcow2 are those that it was made from',
  needsImages('debian.raw', 'debian.qcow2'),
  async () => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(imageDirectory, 'debian.raw'), { highWaterMark: 2 ** 20 }), hash);
    const told = hash.digest('hex');
    await withImages(['debian.qcow2'], async (g) => {
      assert.equal(await g.checksumDevice('sha256', '/dev/sda'), told);
    });
  },
);

const sfdisk = { ...needsImages('debian.raw'), ...needs('sfdisk') };

test('the partitions are those that sfdisk lists', sfdisk, async () => {
  const out = execFileSync('sfdisk', ['--json', join(imageDirectory, 'debian.raw')], {
    env: toolEnvironment,
  });
  const table = JSON.parse(out.toString()) as {
    partitiontable: {
      id: string;
      label: string;
      partitions: { start: number; size: number; type: string; uuid: string; name: string }[];
    };
  };
  const told = table.partitiontable;
  await withImages(['debian.raw'], async (g) => {
    assert.equal(await g.partGetParttype('/dev/sda'), told.label);
    assert.equal(await g.partGetDiskGuid('/dev/sda'), told.id);
    const ours = await g.partList('/dev/sda');
    assert.deepEqual(
      ours.map(({ partStart, partSize, partEnd }) => [partStart, partSize, partEnd]),
      told.partitions.map(({ start, size }) => [start * 512, size * 512, (start + size) * 512 - 1]),
    );
    for (const [index, { type, uuid, name }] of told.partitions.entries()) {
      assert.equal(await g.partGetGptType('/dev/sda', index + 1), type);
      assert.equal(await g.partGetGptGuid('/dev/sda', index + 1), uuid);
      assert.equal(await g.partGetName('/dev/sda', index + 1), name);
    }
  });
});

const lvm = 'debian-lvm';
const group = 'vg_dolphin';
const lvmImage = `${lvm}.qcow2`;

test(`Debian on LVM (${lvmImage}) reads as the kernel reads it`, needsImages(lvmImage), async () => {
  await withImages([lvmImage], async (g) => {
    await g.mount(`/dev/${group}/root`, '/');
    await compareTree(g, imageTruth(lvm));
    await g.mount(`/dev/${group}/home`, '/home');
    await compareTree(g, imageTruth(`${lvm}-home`), { mountPoint: '/home' });
    await g.mount('/dev/sda1', '/boot');
    await compareTree(g, imageTruth(`${lvm}-boot`), { mountPoint: '/boot' });
  });
});

test(`the volumes of ${lvmImage} are those that LVM lists`, needsImages(lvmImage), async () => {
  type Rows = Record<string, string>[];
  const layout = JSON.parse(readFileSync(join(imageDirectory, `${lvm}.layout.json`), 'utf8')) as {
    pv: Rows;
    vg: Rows;
    lv: Rows;
  };
  const plain = (uuid: string | undefined) => uuid?.replaceAll('-', '');
  await withImages([lvmImage], async (g) => {
    const lvs = await g.lvsFull();
    assert.deepEqual(
      lvs.map((lv) => [lv.lvName, plain(lv.lvUuid), lv.lvSize, lv.segCount]).sort(),
      layout.lv.map((lv) => [lv.lv_name, plain(lv.lv_uuid), Number(lv.lv_size), Number(lv.seg_count)]).sort(),
    );
    const vgs = await g.vgsFull();
    assert.deepEqual(
      vgs.map((vg) => [vg.vgName, plain(vg.vgUuid), vg.vgSize, vg.vgExtentSize, vg.vgFreeCount]),
      layout.vg.map((vg) => [
        vg.vg_name,
        plain(vg.vg_uuid),
        Number(vg.vg_size),
        Number(vg.vg_extent_size),
        Number(vg.vg_free_count),
      ]),
    );
    const pvs = await g.pvsFull();
    assert.deepEqual(
      pvs.map((pv) => [pv.pvName, plain(pv.pvUuid), pv.pvSize, pv.pvPeCount, pv.pvPeAllocCount, pv.peStart]),
      layout.pv.map((pv) => [
        '/dev/sda2',
        plain(pv.pv_uuid),
        Number(pv.pv_size),
        Number(pv.pv_pe_count),
        Number(pv.pv_pe_alloc_count),
        Number(pv.pe_start),
      ]),
    );
    assert.deepEqual(
      await g.lvs(),
      ['home', 'root', 'swap'].map((lv) => `/dev/${group}/${lv}`),
    );
    assert.equal(await g.vfsType(`/dev/${group}/swap`), 'swap');
  });
});

test('a hundred thousand files read as debugfs reads them', needsImages('many.raw'), async () => {
  await withImages(['many.raw'], async (g) => {
    await g.mount('/dev/sda', '/');
    const truth = imageTruth('many');
    await compareTree(g, truth);
    const found = await g.find('/');
    assert.equal(found.length, truth.files.size - 1);
  });
});

for (const image of ['big.raw', 'big.qcow2', 'big-zlib.qcow2', 'big-zstd.qcow2']) {
  // made only when it is asked for: `scripts/images/real.sh DIRECTORY big`
  if (!existsSync(join(imageDirectory, image))) continue;
  test(`a file of 1 GiB has the same bytes out of ${image}`, async () => {
    const [told] = readFileSync(join(imageDirectory, 'big.sha256'), 'utf8').split(' ');
    await withImages([image], async (g) => {
      await g.mount('/dev/sda', '/');
      assert.equal(await g.checksum('sha256', '/big.bin'), told);
    });
  });
}
