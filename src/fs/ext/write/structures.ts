/**
 * Where the filesystem's own structures lie: superblocks, group descriptors, bitmaps and tables of inodes. No file has a
 * block there, whatever a damaged bitmap or map says: the kernel asks the same (fs/ext4/block_validity.c).
 */
import { CorruptError } from '../../../base/index.js';
import { descriptorBlocksIn } from '../report/usage.js';
import { hasSuperblockCopy } from '../superblock.js';
import type { ExtVolume } from '../volume.js';

export class Structures {
  readonly #volume: ExtVolume;
  /** In order, and apart from each other: where each range begins, and ends. Made when first asked for. */
  #starts: readonly number[] | undefined;
  #ends: readonly number[] = [];

  constructor(volume: ExtVolume) {
    this.#volume = volume;
  }

  /** CorruptError where one of these blocks is a structure's. `what` names who has them as a file's, or as free. */
  check(block: number, count: number, what: string): void {
    const starts = this.#starts ?? this.#find();
    let low = 0; // ranges below this begin before the end of the blocks
    for (let high = starts.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if ((starts[middle] ?? 0) < block + count) low = middle + 1;
      else high = middle;
    }
    if (low > 0 && (this.#ends[low - 1] ?? 0) > block)
      throw new CorruptError(what, 'has blocks of the filesystem itself', { block, count });
  }

  #find(): readonly number[] {
    const { superblock, groups } = this.#volume;
    const { firstDataBlock, blocksPerGroup, groupCount, inodesPerGroup, inodeSize, blockSize } = superblock;
    const table = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
    const found: { readonly from: number; readonly to: number }[] = [];
    for (let number = 0; number < groupCount; number++) {
      const { blockBitmap, inodeBitmap, inodeTable } = groups.get(number);
      const start = firstDataBlock + number * blocksPerGroup;
      // With bigalloc and blocks of 1 KiB the first superblock is in block 1 of a group that begins at 0.
      const boot = number === 0 && firstDataBlock === 0 && blockSize === 1024 ? 1 : 0;
      const copy = hasSuperblockCopy(superblock, number) ? 1 : 0;
      const front = boot + copy + descriptorBlocksIn(superblock, number);
      found.push(
        { from: start, to: start + front },
        { from: blockBitmap, to: blockBitmap + 1 },
        { from: inodeBitmap, to: inodeBitmap + 1 },
        { from: inodeTable, to: inodeTable + table },
      );
    }
    found.sort((one, other) => one.from - other.from);
    const starts: number[] = [];
    const ends: number[] = [];
    for (const { from, to } of found) {
      const end = ends.at(-1);
      if (end !== undefined && from <= end) ends[ends.length - 1] = Math.max(end, to);
      else if (to > from) {
        starts.push(from);
        ends.push(to);
      }
    }
    this.#ends = ends;
    this.#starts = starts;
    return starts;
  }
}
