/** Growing on a disk that loses power, and what may be there then. */
import assert from 'node:assert/strict';
import type { Disk } from '../../../../src/disk/index.js';
import { MemoryDisk } from '../../../../src/disk/index.js';
import { superblock, superblockOffset, superblockState } from '../../../../src/fs/ext/layout.js';
import { planGrowth } from '../../../../src/fs/index.js';
import { readAll } from '../../../support/gaits.js';
import { noise } from '../../../support/random.js';
import type { Crash, RecordingDisk } from '../../../support/recording-disk.js';
import { find } from '../../../support/tell.js';
import { openExt } from '../fixture.js';
import { makeImage, repairedByE2fsck } from '../write/images.js';

const contents = noise(150_000, 7);

/** A filesystem with files, at the beginning of a disk that is twice as long. */
export function before(options: string): Uint8Array {
  const small = makeImage(options);
  const bytes = new Uint8Array(small.length * 2);
  bytes.set(small);
  // Long before mke2fs checked it, as it were: what was mounted since is not made larger.
  const now = () => ({ seconds: 1_000_000_000, nanoseconds: 0 });
  const fs = openExt(new MemoryDisk(bytes, { writable: true }), { readonly: false, now });
  const { root, writer } = fs;
  for (let number = 0; number < 6; number++) {
    const inode = writer?.create(root, `f${number}`, { type: 'file', permissions: 0o644, uid: 0, gid: 0 });
    const data = writer?.contents(inode ?? assert.fail());
    data?.write(contents.subarray(number * 9000), 0);
    data?.close();
  }
  fs.close();
  return bytes;
}

export function check({ image }: Crash): void {
  const fs = openExt(repairedByE2fsck(image));
  for (let number = 0; number < 6; number++) {
    const expected = contents.subarray(number * 9000);
    const found = new Uint8Array(expected.length);
    fs.data(find(fs, `f${number}`)).read(found, 0);
    assert.ok(Buffer.compare(found, expected) === 0, `f${number} has other bytes`);
  }
  fs.close();
}

const grow = (disk: Disk): void => (planGrowth(disk, undefined, 1_700_000_000) ?? assert.fail())();

/** Grows, and promises that what was done lasts. */
export function growDurably(disk: RecordingDisk): void {
  disk.mark('begun', true);
  grow(disk);
  disk.mark('done', true);
}

/** A superblock with a checksum must not be torn. */
export const kinds: readonly (readonly [string, number])[] = [
  ['ext3 2k', 512],
  ['ext4 1k', 4096],
];

/** What is said to be in order is as it was, until that is promised to be over, or as it is to be. */
export function checkMark(old: Uint8Array): (crash: Crash) => void {
  const made = new MemoryDisk(old.slice(), { writable: true });
  grow(made);
  const [was, after] = [old.subarray(0, old.length / 2), readAll(made)];
  return ({ image, allowed }) => {
    const bytes = readAll(image);
    const mayBeOld = allowed.includes('begun');
    const isMarked = (superblock.decode(bytes, superblockOffset).s_state & superblockState.error) !== 0;
    if (isMarked && mayBeOld) return;
    const isOld = mayBeOld && Buffer.compare(bytes.subarray(0, was.length), was) === 0;
    assert.ok(isOld || Buffer.compare(bytes, after) === 0, 'it is said to be in order, and is not');
  };
}
