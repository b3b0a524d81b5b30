/**
 * Extent trees that are changed: the extents of a file are a list in memory, and the tree is written anew from the first
 * node that differs. Four extents lie in the inode, more in nodes, each of which but the last is full: that is the least
 * tree, which e2fsck asks for. Specification: the kernel's Documentation/filesystems/ext4/ifork.rst, "Extent Tree".
 */
import { crc32c, UnsupportedError, viewOf, work } from '../../../base/index.js';
import { ExtentMap } from '../extents.js';
import { type Inode, inodeName } from '../inode.js';
import {
  inodeAt as at,
  extentAt,
  extentEntrySize,
  extentHeader,
  extentIndexAt,
  extentMagic,
  inodeBlockAreaSize,
  maxInitializedLength,
} from '../layout.js';
import type { ExtVolume } from '../volume.js';
import type { ChangeableBlocks } from './blocks.js';
import { ExtentList, type ListedExtent } from './extent-list.js';
import type { FileMap, MappedRun, PlacedRange } from './file-map.js';
import type { InodeTable } from './inode-table.js';
import type { BlockRange, Space } from './space.js';

/** The most extents of a file in memory. */
const extentLimit = 1_000_000;
/** Entries that an inode has room for. */
export const rootEntries = inodeBlockAreaSize / extentEntrySize - 1;
/** An index entry: the first block of the file below it, and the node that it leads to. */
type Entry = { readonly logical: number; readonly block: number };

/** A node that differs from what is in its place. */
interface ChangedNode {
  /** In its level. */
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly isNew: boolean;
  /** Whether all of its entries are there already, and at most more of them behind. */
  readonly isCut: boolean;
}

const header = extentHeader.fields;

const emptyRoot: Readonly<Uint8Array> = extentHeader.encode(
  { eh_magic: extentMagic, eh_max: rootEntries },
  new Uint8Array(inodeBlockAreaSize),
);

/** `i_block` of a file with an extent tree and nothing in it: to be copied. */
export function emptyTree(): Readonly<Uint8Array> {
  return emptyRoot;
}

export class ExtentTree implements FileMap {
  /** Logical block numbers have 32 bits, and the last one is kept free, as in the kernel. */
  readonly limit = 0xffff_ffff;
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #space: Space;
  readonly #inodes: InodeTable;
  readonly #number: number;
  readonly #seed: number | undefined;
  readonly #list: ExtentList;
  /** The blocks of the nodes, in order, level by level from the leaves. */
  readonly #levels: number[][] = [];
  #nodes: number;
  /** Whether the tree is known to be the least one, as others do not leave it. */
  #isLeast: boolean;

  constructor(volume: ExtVolume, blocks: ChangeableBlocks, space: Space, inodes: InodeTable, inode: Inode) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#space = space;
    this.#inodes = inodes;
    this.#number = inode.number;
    this.#seed = volume.checksumSeedOf(inode);
    this.#isLeast = true;
    this.#nodes = 0;
    if (isEmpty(inode.blockView)) {
      this.#list = new ExtentList([]);
      return;
    }
    const map = new ExtentMap(volume, inode);
    const extents: ListedExtent[] = [];
    for (const extent of map.extents()) {
      if (extents.push(extent) > extentLimit)
        throw new UnsupportedError(inodeName(inode.number), ['changing a file with a million extents'], {
          elsewhere: 'appliance',
        });
      work.lookups.spend(1);
    }
    this.#list = new ExtentList(extents);
    for (const { block, level } of map.treeBlocks()) {
      while (this.#levels.length <= level) this.#levels.push([]);
      this.#levels[level]?.push(block);
    }
    this.#nodes = this.#levels.reduce((sum, { length }) => sum + length, 0);
    this.#isLeast = this.#nodes === 0;
  }

  /** How many extents it has in memory. */
  get size(): number {
    return this.#list.extents.length;
  }

  at(logical: number): MappedRun {
    const extent = this.#list.from(logical);
    if (extent === undefined) return { kind: 'hole', block: 0, count: this.limit - logical };
    if (extent.logical > logical) return { kind: 'hole', block: 0, count: extent.logical - logical };
    const skip = logical - extent.logical;
    return {
      kind: extent.written ? 'written' : 'unwritten',
      block: extent.block + skip,
      count: extent.count - skip,
    };
  }

  end(): number {
    const last = this.#list.extents.at(-1);
    return last === undefined ? 0 : last.logical + last.count;
  }

  goal(logical: number): number | undefined {
    const extent = this.#list.before(logical);
    if (extent !== undefined) return extent.block + (logical - extent.logical);
    const next = this.#list.from(logical);
    return next === undefined ? undefined : Math.max(0, next.block - (next.logical - logical));
  }

  set(logical: number, range: BlockRange, written: boolean): void {
    this.#list.set({ logical, block: range.block, count: range.count, written });
  }

  remove(logical: number, count: number): PlacedRange[] {
    return this.#list.remove(logical, count);
  }

  *ranges(): Generator<BlockRange> {
    yield* this.#list.extents;
    for (const blocks of this.#levels) for (const block of blocks) yield { block, count: 1 };
  }

  /** Writes what differs. How many blocks more the tree itself has now. */
  store(): number {
    const firstChanged = this.#list.takeChanged();
    if (firstChanged === undefined) return 0;
    const { blockSize, blocksPerCluster } = this.#volume.superblock;
    const perBlock = Math.floor(blockSize / extentEntrySize) - 1;
    let from = this.#isLeast ? firstChanged : 0;
    this.#isLeast = true;
    let depth = 0;
    let entries: readonly (ListedExtent | Entry)[] = this.#list.extents;
    while (entries.length > rootEntries) {
      const count = Math.ceil(entries.length / perBlock);
      work.steps.spend(count);
      const old = this.#levels[depth]?.length ?? 0;
      const blocks = this.#fit(depth, count);
      from = Math.floor(Math.min(from, entries.length) / perBlock);
      const nodes: Entry[] = [];
      const changed: ChangedNode[] = [];
      for (let index = 0; index < count; index++) {
        const part = entries.slice(index * perBlock, (index + 1) * perBlock);
        const block = blocks[index] as number; // safe: there are `count`
        nodes.push({ logical: part[0]?.logical ?? 0, block }); // safe: no part is empty
        const node =
          index < from
            ? undefined
            : this.#nodeOf(block, part, depth, { most: perBlock, isNew: index >= old });
        if (node !== undefined) changed.push({ index, ...node });
      }
      const isOne = changed.length === 1 && count >= old;
      for (const { index, bytes, isNew, isCut } of changed) {
        const { logical, block } = nodes[index] as Entry; // safe: an index of them
        // What moves from one node to another must not be in none of them, or in both.
        const isMoved = this.#blocks.isOrdered && !isNew && !isCut && !isOne;
        const place = isMoved ? this.#move(blocks, index) : block;
        this.#blocks.change(place, isNew || isMoved).bytes.set(bytes);
        nodes[index] = { logical, block: place };
      }
      entries = nodes;
      depth++;
    }
    while (this.#levels.length > depth) {
      this.#fit(this.#levels.length - 1, 0);
      this.#levels.pop();
    }
    this.#inodes.change(this.#number, ({ bytes }) => {
      const area = bytes.subarray(at.i_block, at.i_block + inodeBlockAreaSize);
      area.fill(0);
      encodeNode(area, entries, depth, rootEntries);
    });
    const before = this.#nodes;
    this.#nodes = this.#levels.reduce((sum, { length }) => sum + length, 0);
    return (this.#nodes - before) * blocksPerCluster;
  }

  /** Takes or gives back blocks at the end of a level, until it has `count`. */
  #fit(level: number, count: number): number[] {
    while (this.#levels.length <= level) this.#levels.push([]);
    const blocks = this.#levels[level] as number[]; // safe: made above
    while (blocks.length < count) {
      const near = blocks.at(-1) ?? this.#list.extents[0]?.block ?? this.#space.goalFor(this.#number);
      blocks.push(this.#space.allocate(near, 1).block);
    }
    while (blocks.length > count) this.#space.freeBlocks({ block: blocks.pop() as number, count: 1 }); // safe: not empty
    return blocks;
  }

  /** Gives a node of a level another block. */
  #move(blocks: number[], index: number): number {
    const old = blocks[index] as number; // safe: the caller's
    const { block } = this.#space.allocate(old, 1);
    this.#space.freeBlocks({ block: old, count: 1 });
    blocks[index] = block;
    return block;
  }

  /** The bytes of a node; undefined for one that is there already as it is to be. */
  #nodeOf(
    block: number,
    entries: readonly (ListedExtent | Entry)[],
    depth: number,
    { most, isNew }: { readonly most: number; readonly isNew: boolean },
  ): Omit<ChangedNode, 'index'> | undefined {
    const bytes = new Uint8Array(this.#volume.superblock.blockSize);
    encodeNode(bytes, entries, depth, most);
    const tail = (most + 1) * extentEntrySize;
    if (this.#seed !== undefined)
      viewOf(bytes).setUint32(tail, crc32c(this.#seed, bytes.subarray(0, tail)), true);
    if (isNew) return { bytes, isNew, isCut: false };
    const old = this.#blocks.peek(block).bytes;
    const end = (entries.length + 1) * extentEntrySize;
    if (isAlike(old, bytes, 0, this.#seed === undefined ? end : tail + 4)) return undefined;
    return { bytes, isNew, isCut: isAlike(old, bytes, extentEntrySize, end) };
  }
}

/** Whether `i_block` is that of {@link emptyTree}, as most files are new ones. */
function isEmpty(view: DataView): boolean {
  return (
    header.eh_magic.read(view, 0, true) === extentMagic &&
    header.eh_entries.read(view, 0, true) === 0 &&
    header.eh_max.read(view, 0, true) === rootEntries &&
    header.eh_depth.read(view, 0, true) === 0
  );
}

function isAlike(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Puts a node's header and entries into `bytes`. */
export function encodeNode(
  bytes: Uint8Array,
  entries: readonly (ListedExtent | Entry)[],
  depth: number,
  most: number,
): void {
  const view = viewOf(bytes);
  header.eh_magic.write(view, 0, extentMagic, true);
  header.eh_entries.write(view, 0, entries.length, true);
  header.eh_max.write(view, 0, most, true);
  header.eh_depth.write(view, 0, depth, true);
  for (const [index, entry] of entries.entries()) {
    const base = (index + 1) * extentEntrySize;
    const low = entry.block % 0x1_0000_0000;
    const high = Math.floor(entry.block / 0x1_0000_0000);
    view.setUint32(base + extentAt.ee_block, entry.logical, true);
    if ('count' in entry) {
      view.setUint16(base + extentAt.ee_len, entry.count + (entry.written ? 0 : maxInitializedLength), true);
      view.setUint16(base + extentAt.ee_start_hi, high, true);
      view.setUint32(base + extentAt.ee_start_lo, low, true);
    } else {
      view.setUint32(base + extentIndexAt.ei_leaf_lo, low, true);
      view.setUint16(base + extentIndexAt.ei_leaf_hi, high, true);
    }
  }
}
