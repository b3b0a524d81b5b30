/** Growing, cut at every place: what e2fsck makes of it has every file, and asks for no repair where none is due. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Disk } from '../../../../src/disk/index.js';
import { MemoryDisk } from '../../../../src/disk/index.js';
import { superblock, superblockOffset, superblockState } from '../../../../src/fs/ext/layout.js';
import { planGrowth } from '../../../../src/fs/index.js';
import { countCrashes, surviveCrashes } from '../../../support/crashes.js';
import { readAll } from '../../../support/gaits.js';
import { noise } from '../../../support/random.js';
import type { Crash } from '../../../support/recording-disk.js';
import { find } from '../../../support/tell.js';
import { needs } from '../../../support/tools.js';
import { openExt } from '../fixture.js';
import { makeImage, repairedByE2fsck } from '../write/images.js';

const contents = noise(150_000, 7);

/** A filesystem with files, at the beginning of a disk that is twice as long. */
function before(options: string): Uint8Array {
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

function check({ image }: Crash): void {
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

/** A superblock with a checksum must not be torn. */
const kinds: readonly (readonly [string, number])[] = [
  ['ext3 2k', 512],
  ['ext4 1k', 4096],
];

for (const [kind, sectorSize] of kinds) {
  test(`${kind}: e2fsck finds all files wherever growing ends`, needs('mke2fs', 'e2fsck'), (t) => {
    const bytes = before(kind);
    const { cuts, recording } = surviveCrashes(bytes, grow, check, { most: 16, sectorSize });
    t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
    const { s_blocks_count_lo: old } = superblock.decode(bytes, superblockOffset);
    const grown = new Uint8Array(superblock.size);
    recording.read(grown, superblockOffset);
    assert.ok(superblock.decode(grown).s_blocks_count_lo > old);
  });
}

/** What is said to be in order is as it was, or as it is to be. */
function checkMark(old: Uint8Array): (crash: Crash) => void {
  const made = new MemoryDisk(old.slice(), { writable: true });
  grow(made);
  const [was, after] = [old.subarray(0, old.length / 2), readAll(made)];
  return ({ image }) => {
    const bytes = readAll(image);
    if ((superblock.decode(bytes, superblockOffset).s_state & superblockState.error) !== 0) return;
    const isOld = Buffer.compare(bytes.subarray(0, was.length), was) === 0;
    assert.ok(isOld || Buffer.compare(bytes, after) === 0, 'it is said to be in order, and is not');
  };
}

test(
  'one that is half grown is never said to be in order, and a barrier that is left out is found',
  needs('mke2fs'),
  () => {
    const bytes = before('ext3 2k');
    const checked = checkMark(bytes);
    const options = { most: 40, sectorSize: 4096, untilWrong: true };
    surviveCrashes(bytes, grow, checked, options);
    // The first two stand before what was there already, and what is new lies behind it.
    for (const withoutBarriers of [[0, 1], [2]])
      assert.ok(countCrashes(bytes, grow, checked, { ...options, withoutBarriers }).wrong.length > 0);
  },
);
