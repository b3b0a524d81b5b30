/** Filesystems that are made and tuned on a disk that loses power, and what may be there then. */
import assert from 'node:assert/strict';
import type { Disk } from '../../src/disk/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import { decodeSuperblock, readSuperblockBytes, superblockCopies } from '../../src/fs/ext/superblock.js';
import { planExt, planFat, planTuning } from '../../src/fs/index.js';
import { type CrashCount, countCrashes } from '../support/crashes.js';
import { readAll } from '../support/gaits.js';

const id = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const time = 1_700_000_000;
const MiB = 1024 * 1024;

/** Something else was there: of nothing of what is made it is known that it is there already. */
const used = (mebibytes = 12): Uint8Array => new Uint8Array(mebibytes * MiB).fill(0xa5);

function make(work: (disk: Disk) => void, bytes: Uint8Array): Uint8Array {
  work(new MemoryDisk(bytes, { writable: true }));
  return bytes;
}

const makeExt =
  (type: 'ext2' | 'ext4') =>
  (disk: Disk): void =>
    planExt(disk, { type, blockSize: 4096, blocksPerGroup: 1024, uuid: id, hashSeed: id, time })();

const makeFat =
  (bits: 12 | 32, sectorsPerCluster: number) =>
  (disk: Disk): void =>
    planFat(disk, {
      bits,
      sectorSize: 512,
      sectorsPerCluster,
      label: 'A LABEL',
      serial: 0x12345678,
      now: { seconds: time, nanoseconds: 0 },
    })();

const tune = (disk: Disk): void => planTuning(disk, { label: 'tuned' }, time)();

interface Making {
  readonly before: () => Uint8Array;
  readonly work: (disk: Disk) => void;
  /** Where the bytes lie by which what is made is recognised: the last that is written. */
  readonly mark: readonly [start: number, length: number];
  /** What has to be there if those are. */
  readonly needs: (bytes: Uint8Array) => readonly Uint8Array[];
}

const all = (bytes: Uint8Array): readonly Uint8Array[] => [bytes];
const inSuperblock = [1024, 1024] as const;
const inBootSector = [0, 512] as const;

/** The copies of the superblock, one of which is whole while the first is written. */
function copiesIn(bytes: Uint8Array): Uint8Array[] {
  const disk = new MemoryDisk(bytes);
  const superblock = decodeSuperblock(readSuperblockBytes(disk) ?? assert.fail(), disk.size);
  const copies = [...superblockCopies(superblock)].map((block) => block * superblock.blockSize);
  assert.ok(copies.length > 0);
  return copies.map((place) => bytes.slice(place, place + 1024));
}

export const makings: Readonly<Record<string, Making>> = {
  'ext2 is made': { before: () => used(), work: makeExt('ext2'), mark: inSuperblock, needs: all },
  'ext4 is made': { before: () => used(), work: makeExt('ext4'), mark: inSuperblock, needs: all },
  'ext4 is tuned': {
    before: () => make(makeExt('ext4'), used()),
    work: tune,
    mark: inSuperblock,
    needs: copiesIn,
  },
  'FAT12 is made': { before: () => used(), work: makeFat(12, 16), mark: inBootSector, needs: all },
  'FAT32 is made': { before: () => used(36), work: makeFat(32, 1), mark: inBootSector, needs: all },
};

/** What is made is there as a whole, or nobody takes it for made; and when that has been told, it is there. */
export function crashMaking(
  { before, work, mark: [start, length], needs }: Making,
  options: { readonly most: number; readonly untilWrong?: boolean },
): CrashCount {
  const bytes = before();
  const made = make(work, bytes.slice());
  const markIn = (from: Uint8Array): Uint8Array => from.subarray(start, start + length);
  assert.notDeepEqual(markIn(bytes), markIn(made));
  return countCrashes(
    bytes,
    (disk) => {
      disk.mark('begun', true);
      work(disk);
      disk.mark('done', true);
    },
    ({ image, allowed }) => {
      const left = readAll(image);
      if (Buffer.compare(markIn(left), markIn(made)) !== 0) {
        assert.ok(allowed.includes('begun'), 'what was said to be made is not there');
        return;
      }
      const [here, wanted] = [needs(left), needs(made)];
      const missing = wanted.filter(
        (each, index) => Buffer.compare(each, here[index] ?? new Uint8Array(0)) !== 0,
      );
      assert.equal(missing.length, 0, 'it is there, and what belongs to it is not');
    },
    // Half of a superblock is neither as it was nor as it is to be.
    { ...options, sectorSize: 4096 },
  );
}
