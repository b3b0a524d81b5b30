/**
 * The block maps of ext2 and ext3: twelve direct block numbers, then one, two and three levels of blocks of block
 * numbers. Specification: the kernel's Documentation/filesystems/ext4/ifork.rst, "Direct/Indirect Block Addressing".
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { type Inode, inodeName } from './inode.js';
import type { BlockMap, BlockRun } from './run.js';
import type { ExtVolume } from './volume.js';

const directCount = 12;

export class IndirectMap implements BlockMap {
  readonly #volume: ExtVolume;
  readonly #name: string;
  readonly #root: DataView;
  /** Block numbers in one block: 256 to 16384. */
  readonly #perBlock: number;

  constructor(volume: ExtVolume, inode: Inode) {
    this.#volume = volume;
    this.#name = inodeName(inode.number);
    this.#root = inode.blockView;
    this.#perBlock = volume.superblock.blockSize / 4;
  }

  find(logical: number, wanted: number): BlockRun {
    if (logical < directCount) return this.#run(this.#root, logical, directCount, wanted);
    const perBlock = this.#perBlock;
    let index = logical - directCount;
    let reach = perBlock; // blocks below the root pointer of this level
    for (let levels = 1; levels <= 3; levels++, reach *= perBlock) {
      if (index < reach)
        return this.#descend(this.#root.getUint32((11 + levels) * 4, true), levels, index, wanted);
      index -= reach;
    }
    throw new CorruptError(this.#name, 'is larger than a block map can be', { block: logical });
  }

  #descend(pointer: number, levels: number, index: number, wanted: number): BlockRun {
    const perBlock = this.#perBlock;
    let block = pointer;
    let rest = index;
    for (let reach = perBlock ** levels; ; ) {
      if (block === 0) return { block: undefined, count: reach - rest };
      const table = viewOf(this.#volume.peekBlock(block, `${this.#name}: indirect block`));
      reach /= perBlock;
      if (reach === 1) return this.#run(table, rest, perBlock, wanted);
      block = table.getUint32(Math.floor(rest / reach) * 4, true);
      rest %= reach;
    }
  }

  /** The run that begins at entry `index` of a table of `count` block numbers. */
  #run(table: DataView, index: number, count: number, wanted: number): BlockRun {
    const end = Math.min(count, index + wanted);
    const first = table.getUint32(index * 4, true);
    let at = index + 1;
    if (first === 0) {
      while (at < end && table.getUint32(at * 4, true) === 0) at++;
      return { block: undefined, count: at - index };
    }
    while (at < end && table.getUint32(at * 4, true) === first + (at - index)) at++;
    if (!this.#volume.containsBlocks(first, at - index))
      throw new CorruptError(this.#name, 'a block lies outside the filesystem', {
        block: first,
        count: at - index,
      });
    return { block: first, count: at - index };
  }

  /** Counts the blocks from logical block `from` on, including the indirect blocks that serve only them. */
  blocksFrom(from: number): number {
    const perBlock = this.#perBlock;
    let total = 0;
    for (let index = Math.min(from, directCount); index < directCount; index++)
      if (this.#root.getUint32(index * 4, true) !== 0) total++;
    const seen = new Set<number>();
    let first = directCount; // the first logical block below the root pointer of this level
    for (let levels = 1; levels <= 3; levels++) {
      total += this.#blocksBelow(this.#root.getUint32((11 + levels) * 4, true), levels, first, from, seen);
      first += perBlock ** levels;
    }
    return total;
  }

  /** `seen` holds the indirect blocks so far: each has one place. At most three levels deep. */
  #blocksBelow(block: number, levels: number, first: number, from: number, seen: Set<number>): number {
    const reach = this.#perBlock ** levels;
    if (block === 0 || first + reach <= from) return 0;
    if (seen.has(block)) throw new CorruptError(this.#name, 'an indirect block is used twice', { block });
    seen.add(block);
    const table = viewOf(this.#volume.block(block, `${this.#name}: indirect block`));
    let total = first >= from ? 1 : 0;
    const step = reach / this.#perBlock;
    for (let index = 0; index < this.#perBlock; index++) {
      const pointer = table.getUint32(index * 4, true);
      const at = first + index * step;
      if (levels > 1) total += this.#blocksBelow(pointer, levels - 1, at, from, seen);
      else if (pointer !== 0 && at >= from) total++;
    }
    return total;
  }
}
