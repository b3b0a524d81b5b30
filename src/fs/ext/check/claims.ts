/** Which blocks something uses: each has one user. The structures of the groups are the first. */
import { CorruptError, UnsupportedError, work } from '../../../base/index.js';
import { descriptorBlocksIn } from '../report/usage.js';
import { hasSuperblockCopy } from '../superblock.js';
import type { ExtVolume } from '../volume.js';

/** Bits of 4 TiB with blocks of 4 KiB: 128 MiB of memory. */
const mostBlocks = 2 ** 30;

export class Claims {
  readonly #bits: Uint8Array;
  readonly #first: number;
  readonly #end: number;

  constructor({ superblock }: ExtVolume) {
    const { firstDataBlock, blockCount } = superblock;
    if (blockCount > mostBlocks)
      throw new UnsupportedError('checking an ext filesystem', [`more than ${mostBlocks} blocks`], {
        elsewhere: 'appliance',
      });
    this.#first = firstDataBlock;
    this.#end = blockCount;
    this.#bits = new Uint8Array(Math.ceil((blockCount - firstDataBlock) / 8));
  }

  /** CorruptError for blocks that lie outside, or that something has already. `what` is the new user. */
  take(first: number, count: number, what: string): void {
    work.lookups.spend(1 + count / 8);
    if (first < this.#first || first + count > this.#end)
      throw new CorruptError(what, 'a block lies outside the filesystem', { block: first, count });
    const bits = this.#bits;
    for (let at = first - this.#first, end = at + count; at < end; ) {
      const byte = at >>> 3;
      const isWhole = (at & 7) === 0 && end - at >= 8;
      const mask = isWhole ? 0xff : 1 << (at & 7);
      const before = bits[byte] as number; // safe: the range was checked
      if ((before & mask) !== 0)
        throw new CorruptError(what, 'a block is used twice', { block: this.#first + at });
      bits[byte] = before | mask;
      at += isWhole ? 8 : 1;
    }
  }

  /** The bits of `count` blocks of a group: a group begins with a byte. */
  ofGroup(firstBit: number, count: number): Uint8Array {
    return this.#bits.subarray(firstBit / 8, Math.ceil((firstBit + count) / 8));
  }
}

/** Superblocks, descriptors and the room kept for more, bitmaps and inode tables. */
export function claimStructures(volume: ExtVolume, claims: Claims): void {
  const { superblock, groups } = volume;
  const { groupCount, firstDataBlock, blocksPerGroup, inodesPerGroup, inodeSize, blockSize, raw } =
    superblock;
  const tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
  for (let number = 0; number < groupCount; number++) {
    const what = `ext4 group ${number}`;
    const copy = hasSuperblockCopy(superblock, number) ? 1 + raw.s_reserved_gdt_blocks : 0;
    const front = copy + descriptorBlocksIn(superblock, number);
    if (front > 0) claims.take(firstDataBlock + number * blocksPerGroup, front, what);
    const { blockBitmap, inodeBitmap, inodeTable } = groups.get(number);
    claims.take(blockBitmap, 1, what);
    claims.take(inodeBitmap, 1, what);
    claims.take(inodeTable, tableBlocks, what);
  }
}
