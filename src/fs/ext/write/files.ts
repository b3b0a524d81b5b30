/**
 * The blocks of files as they are changed: taken for a part of a file, given back, and counted in the inode. With
 * bigalloc whole clusters are taken, and blocks of one cluster of a file lie in one cluster of the disk, at the same
 * places.
 */
import { GuestfsError, LruMap } from '../../../base/index.js';
import { roCompat } from '../features.js';
import { type Inode, inodeName } from '../inode.js';
import { extentEntrySize, inodeFlags } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { ChangeableBlocks } from './blocks.js';
import { ExtentTree } from './extent-tree.js';
import type { FileMap, MappedRun, PlacedRange } from './file-map.js';
import { IndirectTable } from './indirect-table.js';
import { addBlocks, type InodeTable } from './inode-table.js';
import type { BlockRange, Space } from './space.js';

/** Maps that are kept, and extents of them. */
const keptMaps = 64;
const keptExtents = 200_000;

/** Blocks of a file that have no place on the disk yet, or are unwritten, and where they lie from now on. */
export interface NewRun extends BlockRange {
  readonly logical: number;
}

export class Files {
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #space: Space;
  readonly #inodes: InodeTable;
  #maps = new LruMap<number, FileMap>(keptMaps);
  #extents = 0;

  constructor(volume: ExtVolume, blocks: ChangeableBlocks, space: Space, inodes: InodeTable) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#space = space;
    this.#inodes = inodes;
  }

  /** The map of an inode that has blocks. */
  map(inode: Inode): FileMap {
    let map = this.#maps.get(inode.number);
    if (map === undefined) {
      if (this.#extents > keptExtents) {
        this.#maps.clear();
        this.#extents = 0;
      }
      const Kind = has(inode.flags, inodeFlags.EXT4_EXTENTS_FL) ? ExtentTree : IndirectTable;
      map = new Kind(this.#volume, this.#blocks, this.#space, this.#inodes, inode);
      this.#extents += map.size;
      this.#maps.set(inode.number, map);
    }
    return map;
  }

  /** Where a block of a file lies whose contents are to be changed. CorruptError where that is no place for a file. */
  at(inode: Inode, logical: number): MappedRun {
    const run = this.map(inode).at(logical);
    if (run.kind !== 'hole') this.#space.checkFile(run, inodeName(inode.number));
    return run;
  }

  /** How many blocks of metadata a change of `count` blocks of a file may concern besides the usual: those of its map. */
  metadataFor(inode: Inode, count: number): number {
    const { blockSize } = this.#volume.superblock;
    // An extent may move all behind it; a pointer of a table takes 4 bytes.
    const map = has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)
      ? this.map(inode).size * extentEntrySize
      : count * 4;
    return Math.ceil(map / blockSize) + Math.ceil(count / 128);
  }

  /** Before the map of an inode is changed: it is read anew if the change is undone. */
  #changing(inode: Inode): FileMap {
    const map = this.map(inode);
    this.#blocks.onUndo(() => this.#maps.delete(inode.number));
    return map;
  }

  /** An inode is gone, or has another kind of map. */
  forget(number: number): void {
    this.#maps.delete(number);
  }

  /**
   * Gives a place to all blocks of a part of a file that have none, and makes those written that are not. What is new, in
   * order: the caller has to store all of it. ENOSPC, EFBIG.
   */
  take(inode: Inode, logical: number, count: number, written: boolean): NewRun[] {
    const map = this.#changing(inode);
    if (logical + count > map.limit)
      throw new GuestfsError('EFBIG', `${inodeName(inode.number)}: would be larger than files can be`);
    const fresh: NewRun[] = [];
    let taken = 0;
    const end = logical + count;
    for (let at = logical; at < end; ) {
      const run = this.at(inode, at);
      let length = Math.min(run.count, end - at);
      if (run.kind === 'hole') {
        const range = this.#place(inode, map, at, length);
        taken += range.taken;
        length = range.count;
        map.set(at, range, written);
        fresh.push({ logical: at, block: range.block, count: length });
      } else if (run.kind === 'unwritten' && written) {
        map.set(at, { block: run.block, count: length }, true);
        fresh.push({ logical: at, block: run.block, count: length });
      }
      at += length;
    }
    this.#finish(inode.number, map, taken);
    return fresh;
  }

  /** Gives a file without blocks its contents. */
  fill(inode: Inode, contents: Uint8Array): void {
    const { blockSize } = this.#volume.superblock;
    for (const { logical, block, count } of this.take(
      inode,
      0,
      Math.ceil(contents.length / blockSize),
      true,
    )) {
      const stored = new Uint8Array(count * blockSize);
      stored.set(contents.subarray(logical * blockSize, (logical + count) * blockSize));
      this.#volume.disk.write(stored, block * blockSize);
    }
    this.#blocks.wroteData();
  }

  /** Puts blocks that are known already into a file, in place of what it had; nothing is taken or given back. */
  put(inode: Inode, logical: number, range: BlockRange, written: boolean): void {
    const map = this.#changing(inode);
    map.set(logical, range, written);
    map.store();
  }

  /** The reverse of {@link put}. */
  drop(inode: Inode, logical: number, count: number): void {
    const map = this.#changing(inode);
    map.remove(logical, count);
    map.store();
  }

  /** Takes blocks out of a file and gives them back. */
  release(inode: Inode, logical: number, count: number): void {
    const map = this.#changing(inode);
    const { blocksPerCluster } = this.#volume.superblock;
    const removed = map.remove(logical, count);
    let given = 0;
    if (blocksPerCluster > 1) given = this.#releaseClusters(map, removed);
    else
      for (const range of removed) {
        this.#space.freeBlocks(range);
        given += range.count;
      }
    this.#finish(inode.number, map, -given);
  }

  /** All blocks of a file and of its map. */
  *ranges(inode: Inode): Generator<BlockRange> {
    yield* this.map(inode).ranges();
  }

  /** A place for blocks that have none, from `logical` on; `taken`: what is new of it, in blocks, in whole clusters. */
  #place(
    inode: Inode,
    map: FileMap,
    logical: number,
    wanted: number,
  ): BlockRange & { readonly taken: number } {
    const { blocksPerCluster: size } = this.#volume.superblock;
    const goal = map.goal(logical) ?? this.#space.goalFor(inode.number);
    if (size === 1) {
      const range = this.#space.allocate(goal, wanted);
      return { ...range, taken: range.count };
    }
    const within = logical % size;
    const first = logical - within;
    const known = mappedIn(map, first, size);
    if (known !== undefined)
      return { block: known + within, count: Math.min(wanted, size - within), taken: 0 };
    // The last cluster may have a place already.
    const last = logical + wanted - 1 - ((logical + wanted - 1) % size);
    const most = last > first && mappedIn(map, last, size) !== undefined ? last - logical : wanted;
    const range = this.#space.allocate(goal, most + within);
    return { block: range.block + within, count: Math.min(most, range.count - within), taken: range.count };
  }

  /** Gives back the clusters of which a file has nothing any more. How many, in blocks. */
  #releaseClusters(map: FileMap, removed: readonly PlacedRange[]): number {
    const { blocksPerCluster: size } = this.#volume.superblock;
    let given = 0;
    let last = -1;
    for (const { block, count, logical } of removed) {
      let from = Math.floor(block / size);
      let end = Math.ceil((block + count) / size);
      const cluster = Math.floor(logical / size);
      if (from === last || mappedIn(map, cluster * size, size) !== undefined) from++;
      const final = Math.floor((logical + count - 1) / size);
      if (end > from && mappedIn(map, final * size, size) !== undefined) end--;
      if (end <= from) continue;
      this.#space.freeBlocks({ block: from * size, count: (end - from) * size });
      given += (end - from) * size;
      last = end - 1;
    }
    return given;
  }

  #finish(number: number, map: FileMap, blocks: number): void {
    const { blockSize, features } = this.#volume.superblock;
    const change = blocks + map.store();
    if (change === 0) return;
    const huge = has(features.roCompat, roCompat.hugeFile);
    this.#inodes.change(number, (record) => addBlocks(record, change, blockSize, huge));
  }
}

/** Where a cluster of a file lies; undefined if none of its blocks has a place. */
function mappedIn(map: FileMap, first: number, size: number): number | undefined {
  for (let at = first; at < first + size; ) {
    const run = map.at(at);
    if (run.kind !== 'hole') return run.block - (at - first);
    at += run.count;
  }
  return undefined;
}
