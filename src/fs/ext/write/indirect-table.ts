/**
 * The block maps of ext2 and ext3 that are changed in place: twelve direct block numbers, then one, two and three
 * levels of blocks of block numbers. Specification: the kernel's Documentation/filesystems/ext4/ifork.rst,
 * "Direct/Indirect Block Addressing".
 */
import { CorruptError, GuestfsError, work } from '../../../base/index.js';
import { type Inode, inodeName } from '../inode.js';
import { inodeAt as at } from '../layout.js';
import type { ExtVolume } from '../volume.js';
import type { ChangeableBlocks } from './blocks.js';
import type { FileMap, MappedRun, PlacedRange } from './file-map.js';
import type { InodeTable } from './inode-table.js';
import type { BlockRange, Space } from './space.js';

const directCount = 12;
const levelCount = 3;

/** What lies in the way of a block: a table of the inode or a block, and the place of the pointer in it. */
interface Step {
  /** Undefined for the inode. */
  readonly table: number | undefined;
  readonly index: number;
}

export class IndirectTable implements FileMap {
  readonly limit: number;
  readonly size = 1;
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #space: Space;
  readonly #inodes: InodeTable;
  readonly #number: number;
  readonly #perBlock: number;
  /** Tables that were made less those that were given back, since the last {@link store}. */
  #made = 0;

  constructor(volume: ExtVolume, blocks: ChangeableBlocks, space: Space, inodes: InodeTable, inode: Inode) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#space = space;
    this.#inodes = inodes;
    this.#number = inode.number;
    this.#perBlock = volume.superblock.blockSize / 4;
    const n = this.#perBlock;
    this.limit = Math.min(directCount + n + n * n + n * n * n, 0xffff_ffff);
  }

  at(logical: number): MappedRun {
    const path = this.#path(logical);
    let table: number | undefined;
    for (const [depth, step] of path.entries()) {
      const pointer = this.#pointer(table, step.index);
      if (pointer === 0) {
        // Everything below is missing, up to where the pointer's part ends.
        const reach = this.#perBlock ** (path.length - 1 - depth);
        const within = depth === path.length - 1 ? 0 : this.#within(logical, path.length - 1) % reach;
        return { kind: 'hole', block: 0, count: Math.max(1, reach - within) };
      }
      table = pointer;
    }
    return { kind: 'written', block: table ?? 0, count: this.#together(path, table ?? 0) }; // safe: a path has a step
  }

  end(): number {
    for (let levels = levelCount; levels >= 1; levels--) {
      const last = this.#lastBelow(this.#pointer(undefined, directCount + levels - 1), levels);
      if (last > 0) return this.#beginOf(levels) + last;
    }
    for (let index = directCount - 1; index >= 0; index--)
      if (this.#pointer(undefined, index) !== 0) return index + 1;
    return 0;
  }

  /** The first block below the root pointer of a level. */
  #beginOf(levels: number): number {
    let first = directCount;
    for (let level = 1; level < levels; level++) first += this.#perBlock ** level;
    return first;
  }

  /** How far blocks below a pointer reach; 0 for none. */
  #lastBelow(pointer: number, levels: number): number {
    if (pointer === 0) return 0;
    if (levels === 0) return 1;
    work.lookups.spend(this.#perBlock);
    const step = this.#perBlock ** (levels - 1);
    for (let index = this.#perBlock - 1; index >= 0; index--) {
      const last = this.#lastBelow(this.#pointer(pointer, index), levels - 1);
      if (last > 0) return index * step + last;
    }
    return 0;
  }

  goal(logical: number): number | undefined {
    for (let before = logical - 1; before >= 0 && before >= logical - directCount; before--) {
      const { kind, block } = this.at(before);
      if (kind === 'written') return block + (logical - before);
    }
    const first = this.at(0);
    return first.kind === 'written' ? first.block : undefined;
  }

  set(logical: number, range: BlockRange): void {
    for (let i = 0; i < range.count; i++) this.#set(logical + i, range.block + i);
  }

  remove(logical: number, count: number): PlacedRange[] {
    const removed: PlacedRange[] = [];
    const take = (block: number, at: number): void => {
      const last = removed.at(-1);
      if (last !== undefined && last.block + last.count === block && last.logical + last.count === at)
        removed[removed.length - 1] = { ...last, count: last.count + 1 };
      else removed.push({ logical: at, block, count: 1 });
    };
    const end = Math.min(logical + count, this.limit);
    for (let index = Math.min(logical, directCount); index < Math.min(end, directCount); index++)
      this.#clear(undefined, index, (block) => take(block, index));
    let first = directCount;
    for (let levels = 1; levels <= levelCount; levels++) {
      const reach = this.#perBlock ** levels;
      this.#removeBelow(undefined, directCount + levels - 1, levels, first, logical, end, take);
      first += reach;
    }
    return removed;
  }

  *ranges(): Generator<BlockRange> {
    for (let index = 0; index < directCount; index++) {
      const block = this.#pointer(undefined, index);
      if (block !== 0) yield { block, count: 1 };
    }
    for (let levels = 1; levels <= levelCount; levels++)
      yield* this.#rangesBelow(this.#pointer(undefined, directCount + levels - 1), levels);
  }

  store(): number {
    const made = this.#made;
    this.#made = 0;
    return made;
  }

  *#rangesBelow(table: number, levels: number): Generator<BlockRange> {
    if (table === 0) return;
    work.lookups.spend(this.#perBlock);
    yield { block: table, count: 1 };
    for (let index = 0; index < this.#perBlock; index++) {
      const block = this.#pointer(table, index);
      if (levels > 1) yield* this.#rangesBelow(block, levels - 1);
      else if (block !== 0) yield { block, count: 1 };
    }
  }

  /** Removes the part `from` to `end` of what lies below a pointer, whose first block is `first`; then the tables. */
  #removeBelow(
    table: number | undefined,
    index: number,
    levels: number,
    first: number,
    from: number,
    end: number,
    take: (block: number, at: number) => void,
  ): void {
    const reach = this.#perBlock ** levels;
    const block = this.#pointer(table, index);
    if (block === 0 || end <= first || from >= first + reach) return;
    work.lookups.spend(1);
    if (from <= first && end >= first + reach) {
      // All of it goes: its tables need not be cleared.
      this.#takeBelow(block, levels, first, take);
      this.#point(table, index, 0);
      return;
    }
    const step = reach / this.#perBlock;
    const begin = Math.max(0, Math.floor((from - first) / step));
    const stop = Math.min(this.#perBlock, Math.ceil((end - first) / step));
    for (let each = begin; each < stop; each++) {
      if (levels === 1) this.#clear(block, each, (gone) => take(gone, first + each));
      else this.#removeBelow(block, each, levels - 1, first + each * step, from, end, take);
    }
    if (!this.#isEmpty(block)) return;
    this.#point(table, index, 0);
    this.#space.freeBlocks({ block, count: 1 });
    this.#made--;
  }

  /** Gives a table back, with all below it. */
  #takeBelow(table: number, levels: number, first: number, take: (block: number, at: number) => void): void {
    const step = this.#perBlock ** (levels - 1);
    for (let index = 0; index < this.#perBlock; index++) {
      const block = this.#pointer(table, index);
      if (block === 0) continue;
      if (levels === 1) take(block, first + index);
      else this.#takeBelow(block, levels - 1, first + index * step, take);
    }
    this.#space.freeBlocks({ block: table, count: 1 });
    this.#made--;
  }

  #clear(table: number | undefined, index: number, take: (block: number) => void): void {
    const block = this.#pointer(table, index);
    if (block === 0) return;
    this.#point(table, index, 0);
    take(block);
  }

  #isEmpty(table: number): boolean {
    const { view } = this.#blocks.peek(table);
    for (let index = 0; index < this.#perBlock; index++)
      if (view.getUint32(index * 4, true) !== 0) return false;
    return true;
  }

  #set(logical: number, block: number): void {
    const path = this.#path(logical);
    let table: number | undefined;
    for (const [depth, { index }] of path.entries()) {
      if (depth === path.length - 1) {
        this.#point(table, index, block);
        return;
      }
      let next = this.#pointer(table, index);
      if (next === 0) {
        next = this.#space.allocate(block, 1).block;
        this.#blocks.change(next, true);
        this.#point(table, index, next);
        this.#made++;
      }
      table = next;
    }
  }

  /** How far a block is inside the part of its level. */
  #within(logical: number, levels: number): number {
    return levels === 0 ? logical : logical - this.#beginOf(levels);
  }

  #path(logical: number): Step[] {
    if (logical < directCount) return [{ table: undefined, index: logical }];
    let rest = logical - directCount;
    for (let levels = 1, reach = this.#perBlock; levels <= levelCount; levels++, reach *= this.#perBlock) {
      if (rest < reach) {
        const path: Step[] = [{ table: undefined, index: directCount + levels - 1 }];
        for (let step = reach / this.#perBlock; path.length <= levels; step /= this.#perBlock) {
          path.push({ table: undefined, index: Math.floor(rest / step) });
          rest %= step;
        }
        return path;
      }
      rest -= reach;
    }
    throw new GuestfsError('EFBIG', `${inodeName(this.#number)}: is larger than a block map can be`);
  }

  /** How many blocks from one on lie together, as far as its table goes. */
  #together(path: readonly Step[], block: number): number {
    const last = path[path.length - 1] as Step; // safe: a path has a step
    let table: number | undefined;
    for (const { index } of path.slice(0, -1)) table = this.#pointer(table, index);
    const end = table === undefined ? directCount : this.#perBlock;
    let count = 1;
    while (last.index + count < end && this.#pointer(table, last.index + count) === block + count) count++;
    return count;
  }

  #pointer(table: number | undefined, index: number): number {
    if (table === undefined) {
      const { blockSize } = this.#volume.superblock;
      const offset = this.#volume.inodeOffset(this.#number) + at.i_block + index * 4;
      return this.#checked(
        this.#blocks.peek(Math.floor(offset / blockSize)).view.getUint32(offset % blockSize, true),
      );
    }
    return this.#checked(this.#blocks.peek(table).view.getUint32(index * 4, true));
  }

  #checked(block: number): number {
    if (block !== 0 && !this.#volume.containsBlocks(block, 1))
      throw new CorruptError(inodeName(this.#number), 'a block lies outside the filesystem', { block });
    return block;
  }

  #point(table: number | undefined, index: number, block: number): void {
    if (block > 0xffff_ffff)
      throw new GuestfsError('ENOSPC', `${inodeName(this.#number)}: has no block that its map could tell`);
    if (table === undefined)
      this.#inodes.change(this.#number, ({ view }) => view.setUint32(at.i_block + index * 4, block, true));
    else this.#blocks.change(table).view.setUint32(index * 4, block, true);
  }
}
