/** The check of all of a filesystem: nothing that e2fsck -f would repair is called clean. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UnsupportedError } from '../../../../src/base/index.js';
import { MemoryDisk, OverlayDisk } from '../../../../src/disk/index.js';
import { isInodeInUse } from '../../../../src/fs/ext/allocation.js';
import { blockMapOf } from '../../../../src/fs/ext/blockmap.js';
import type { ExtFileSystem } from '../../../../src/fs/ext/filesystem.js';
import { planCleanCheck } from '../../../../src/fs/index.js';
import { readFixture } from '../../../support/fixtures.js';
import { readAll } from '../../../support/gaits.js';
import { Random } from '../../../support/random.js';
import { scratchDirectory } from '../../../support/scratch.js';
import { needs, toolEnvironment } from '../../../support/tools.js';
import { openExt } from '../fixture.js';
import { checkImage, kinds, makeImage } from '../write/images.js';

const directory = scratchDirectory();
const campaign = Number(process.env.GUESTFS_TEST_DAMAGES ?? 0);
const seed = Number(process.env.GUESTFS_TEST_SEED ?? 1);

/** Why it is not called clean; undefined where it is. What a check then writes is written. */
function refusal(disk: MemoryDisk): string | undefined {
  try {
    planCleanCheck(disk, {
      overlay: (base) => new OverlayDisk(base, { directory, memoryBudget: 2 ** 24 }),
      time: Math.floor(Date.now() / 1000),
      isFull: true,
    })?.();
    return undefined;
  } catch (thrown) {
    assert.ok(thrown instanceof UnsupportedError, String(thrown));
    assert.equal(thrown.elsewhere, 'appliance');
    return String(thrown.cause ?? thrown.message);
  }
}

const writable = (bytes: Uint8Array): MemoryDisk => new MemoryDisk(bytes, { writable: true });

const clean = [
  'ext2-1k',
  'ext2-2k-no-filetype',
  'ext3-1k',
  'ext4-1k',
  'ext4-4k',
  'ext4-64k',
  'ext4-group-checksums',
  'ext4-hash-legacy',
  'ext4-hash-tea-unsigned',
  'ext4-inode-128',
  'ext4-no-extents',
  'dirty-journalled',
  'dirty-orphans',
];

test(
  'what is in order is called clean, and is noted to have been checked',
  needs('e2fsck', 'dumpe2fs'),
  () => {
    for (const name of clean) {
      const disk = writable(readFixture(`ext/${name}.img.gz`));
      assert.equal(refusal(disk), undefined, name);
      const bytes = readAll(disk);
      checkImage(bytes, name);
      const path = join(directory, 'checked.img');
      writeFileSync(path, bytes);
      const told = execFileSync('dumpe2fs', ['-h', path], {
        env: toolEnvironment,
        encoding: 'utf8',
        stdio: 'pipe',
      });
      assert.match(told, /Mount count: +0\n/, name);
      const [, checked = ''] = /Last checked: +(.*)\n/.exec(told) ?? [];
      assert.ok(Math.abs(Date.parse(`${checked} UTC`) - Date.now()) < 600_000, `${name}: ${checked}`);
    }
  },
);

/** Features that are not looked at. */
const elsewhere = /bigalloc|inline|ea_inode|orphan|meta_bg/;

test('what mke2fs makes is called clean, or has a feature that is left to e2fsck', needs('mke2fs'), () => {
  for (const kind of Object.keys(kinds)) {
    const refused = refusal(writable(makeImage(kind)));
    if (elsewhere.test(kind)) assert.match(refused ?? '', /not supported: all of one with/, kind);
    else assert.equal(refused, undefined, kind);
  }
});

/** The bytes of the superblock, of the groups' structures, and of the blocks of directories, but for the zeroes. */
function metadataOf(bytes: Uint8Array): number[] {
  const fs = openExt(writable(bytes), {}) as ExtFileSystem;
  const { volume } = fs;
  const { blockSize, groupCount, inodesPerGroup, inodeSize, inodeCount, descriptorSize } = volume.superblock;
  const ranges: [start: number, length: number][] = [[1024, 1024]];
  for (let number = 0; number < groupCount; number++) {
    const { blockBitmap, inodeBitmap, inodeTable } = volume.groups.get(number);
    ranges.push(
      [volume.groups.offsetOf(number), descriptorSize],
      [inodeTable * blockSize, inodesPerGroup * inodeSize],
    );
    for (const block of [blockBitmap, inodeBitmap]) ranges.push([block * blockSize, blockSize]);
  }
  for (let number = 2; number <= inodeCount; number++) {
    if (!isInodeInUse(volume, number) || (number > 2 && number < volume.superblock.firstInode)) continue;
    const inode = volume.anyInode(number);
    if (inode.kind !== 'directory') continue;
    const map = blockMapOf(volume, inode);
    for (let logical = 0; logical < inode.stat.sizeInBytes / blockSize; logical++)
      ranges.push([(map.find(logical, 1).block ?? 0) * blockSize, blockSize]);
  }
  fs.close();
  const places: number[] = [];
  for (const [start, length] of ranges)
    for (let at = start; at < start + length; at++) if (bytes[at] !== 0) places.push(at);
  return places;
}

/** Whether e2fsck finds nothing. */
function isClean(bytes: Uint8Array): boolean {
  const path = join(directory, 'damaged.img');
  writeFileSync(path, bytes);
  const { status, stdout } = spawnSync('e2fsck', ['-fn', path], { env: toolEnvironment, encoding: 'utf8' });
  const more = stdout.split('\n').filter((line) => !/^(?:Pass [1-5]: |.*: \d+\/\d+ files |$)/.test(line));
  return status === 0 && more.length === 0;
}

for (const name of ['ext2-1k', 'ext3-1k', 'ext4-no-extents', 'ext4-group-checksums', 'ext4-1k'])
  test(`${name}: no damage that e2fsck finds is called clean (seed ${seed})`, needs('e2fsck'), (t) => {
    const whole = readFixture(`ext/${name}.img.gz`);
    const random = new Random(seed);
    const places = metadataOf(whole);
    let found = 0;
    for (let round = 0; round < (campaign || 12); round++) {
      const bytes = whole.slice();
      const place = random.pick(places) + (random.below(4) === 0 ? random.below(8) : 0);
      const value = random.below(2) === 0 ? 1 << random.below(8) : random.below(256);
      bytes[place] = (bytes[place] ?? 0) ^ value;
      if (refusal(writable(bytes.slice())) !== undefined) {
        found++;
        continue;
      }
      assert.ok(isClean(bytes), `byte ${place} changed by ${value}`);
    }
    t.diagnostic(`${found} refused`);
    assert.ok(found > 0);
  });
