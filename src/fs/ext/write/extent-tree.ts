/**
 * Extent trees written anew from lists of extents: four extents lie in the inode, more in blocks of their own.
 * Specification: the kernel's Documentation/filesystems/ext4/ifork.rst, "Extent Tree".
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
  inodeFlags,
  maxInitializedLength,
  writtenInode,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { ExtentList, type ListedExtent } from './extent-list.js';
import type { Space } from './space.js';

/** The most extents in memory, of all files together. */
const extentLimit = 1_000_000;
/** Entries that an inode has room for. */
const rootEntries = inodeBlockAreaSize / extentEntrySize - 1;
/** An index entry: the first block of the file below it, and the node that it leads to. */
type Entry = { readonly logical: number; readonly block: number };

/** The extents of inodes that are being changed. */
export class ChangedExtents {
  readonly #volume: ExtVolume;
  readonly #space: Space;
  readonly #lists = new Map<number, ExtentList>();
  #count = 0;

  constructor(volume: ExtVolume, space: Space) {
    this.#volume = volume;
    this.#space = space;
  }

  /** The extents of an inode, in memory from now on; undefined if it has none. */
  of(inode: Inode): ExtentList | undefined {
    let list = this.#lists.get(inode.number);
    if (list === undefined && has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) {
      const extents: ListedExtent[] = [];
      for (const extent of new ExtentMap(this.#volume, inode).extents()) {
        extents.push(extent);
        if (++this.#count > extentLimit)
          throw new UnsupportedError(inodeName(inode.number), ['changing files with a million extents']);
      }
      list = new ExtentList(extents);
      this.set(inode.number, list);
    }
    return list;
  }

  set(number: number, list: ExtentList): void {
    this.#lists.set(number, list);
    this.#volume.changedMaps.set(number, list);
  }

  /** Writes the trees of inodes in use, and what they then occupy into their inodes. */
  store(find: (number: number) => Inode | undefined): void {
    for (const [number, list] of this.#lists) {
      this.#volume.changedMaps.delete(number);
      const inode = find(number);
      if (inode !== undefined) this.#store(inode, list);
    }
    this.#lists.clear();
  }

  #store(inode: Inode, list: ExtentList): void {
    const { blockSize, blocksPerCluster } = this.#volume.superblock;
    const extents = joined(list.extents);
    work.steps.spend(extents.length);
    const record = this.#volume.inodeRecord(inode.number);
    const seed = this.#volume.checksumSeedOf(inode);
    let clusters = 0;
    const near = extents[0]?.block ?? this.#volume.inodeOffset(inode.number) / blockSize;
    const perBlock = Math.floor(blockSize / extentEntrySize) - 1;
    let depth = 0;
    let entries: readonly (ListedExtent | Entry)[] = extents;
    while (entries.length > rootEntries) {
      const nodes: Entry[] = [];
      for (let from = 0; from < entries.length; from += perBlock) {
        const part = entries.slice(from, from + perBlock);
        const block = this.#space.allocate(Math.floor(near));
        clusters++;
        const bytes = new Uint8Array(blockSize);
        encodeNode(bytes, part, depth, perBlock);
        const tail = (perBlock + 1) * extentEntrySize;
        if (seed !== undefined) viewOf(bytes).setUint32(tail, crc32c(seed, bytes.subarray(0, tail)), true);
        this.#volume.storeBlock(block, bytes);
        nodes.push({ logical: part[0]?.logical ?? 0, block }); // safe: no part is empty
      }
      entries = nodes;
      depth++;
    }
    const area = new Uint8Array(inodeBlockAreaSize);
    encodeNode(area, entries, depth, rootEntries);
    record.set(area, at.i_block);
    if (inode.attributeBlock !== 0) clusters++;
    clusters += clustersOf(extents, blocksPerCluster);
    const units = clusters * blocksPerCluster * (blockSize / 512);
    setBlockCount(record, units, blockSize, inode.flags);
    this.#volume.storeInode(inode.number, record);
  }
}

/** `i_blocks`: in units of 512 bytes, or in blocks where the inode says so. */
function setBlockCount(record: Uint8Array, units: number, blockSize: number, flags: number): void {
  const stored = has(flags, inodeFlags.EXT4_HUGE_FILE_FL) ? units / (blockSize / 512) : units;
  writtenInode.encode(
    { i_blocks_lo: stored % 0x1_0000_0000, i_blocks_high: Math.floor(stored / 0x1_0000_0000) },
    record,
  );
}

/** How many clusters extents touch. Neighbours may share one. */
function clustersOf(extents: readonly ListedExtent[], blocksPerCluster: number): number {
  let clusters = 0;
  let last = -1;
  for (const { block, count } of extents) {
    const first = Math.floor(block / blocksPerCluster);
    const end = Math.floor((block + count - 1) / blocksPerCluster);
    clusters += end - first + (first === last ? 0 : 1);
    last = end;
  }
  return clusters;
}

/** Extents that go on where the one before ends are one, up to the length that an extent may have. */
function joined(extents: readonly ListedExtent[]): ListedExtent[] {
  const result: ListedExtent[] = [];
  for (const extent of extents) {
    const last = result.at(-1);
    const most = maxInitializedLength - (extent.written ? 0 : 1);
    if (
      last !== undefined &&
      last.written === extent.written &&
      last.logical + last.count === extent.logical &&
      last.block + last.count === extent.block &&
      last.count + extent.count <= most
    )
      result[result.length - 1] = { ...last, count: last.count + extent.count };
    else result.push(extent);
  }
  return result;
}

/** Puts a node's header and entries into `bytes`. */
function encodeNode(
  bytes: Uint8Array,
  entries: readonly (ListedExtent | Entry)[],
  depth: number,
  most: number,
): void {
  extentHeader.encode(
    { eh_magic: extentMagic, eh_entries: entries.length, eh_max: most, eh_depth: depth },
    bytes,
  );
  const view = viewOf(bytes);
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
