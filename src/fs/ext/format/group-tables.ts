/**
 * The places of bitmaps and inode tables, as mke2fs chooses them: each group's in the group, or with flex_bg those of
 * several groups together (lib/ext2fs/alloc_tables.c).
 */
import { GuestfsError, work } from '../../../base/index.js';
import { incompat } from '../features.js';
import { has } from '../superblock.js';
import { type Geometry, holdsCopy } from './geometry.js';
import { UsedBlocks } from './used-blocks.js';

/** A group that is being made. */
export interface NewGroup {
  readonly number: number;
  readonly first: number;
  /** The last block. */
  readonly last: number;
  /** Whether a superblock is in it. */
  readonly copy: boolean;
  /** The first of the blocks with descriptors, and how many there are; 0 for none. */
  readonly descriptors: number;
  readonly descriptorCount: number;
  blockBitmap: number;
  inodeBitmap: number;
  inodeTable: number;
  /** Whether a block was taken that is neither a structure of this group nor accounted for by being one. */
  touched: boolean;
}

export interface Tables {
  readonly used: UsedBlocks;
  readonly groups: readonly NewGroup[];
}

function noRoom(): never {
  throw new GuestfsError('ENOSPC', 'no room for the bitmaps and the inode tables of a group');
}

/** Marks the blocks as taken, and the groups that they lie in as touched. */
export function takeBlocks({ used, groups }: Tables, geometry: Geometry, block: number, count: number): void {
  used.mark(block, count);
  const { firstDataBlock, blocksPerGroup } = geometry;
  const end = Math.floor((block + count - 1 - firstDataBlock) / blocksPerGroup);
  for (let number = Math.floor((block - firstDataBlock) / blocksPerGroup); number <= end; number++)
    (groups[number] as NewGroup).touched = true; // safe: the block lies in the filesystem
}

/** The groups of a geometry, with superblocks and descriptors marked as taken. */
export function makeGroups(geometry: Geometry): Tables {
  const { blockSize, firstDataBlock, blocksPerGroup, blockCount, groupCount, descriptorSize } = geometry;
  const used = new UsedBlocks(firstDataBlock, blockCount);
  const perBlock = blockSize / descriptorSize;
  const metaGroups = has(geometry.features.incompat, incompat.metaGroups);
  const groups: NewGroup[] = [];
  // With blocks of 1024 bytes and clusters, the boot block and the superblock's are of the first group.
  const boot = blockSize === 1024 && firstDataBlock === 0 ? 1 : 0;
  if (boot > 0) used.mark(0, 1);
  for (let number = 0; number < groupCount; number++) {
    work.steps.spend(1);
    const first = firstDataBlock + number * blocksPerGroup;
    const copy = holdsCopy(geometry, number);
    const behind = first + (copy ? 1 : 0) + (number === 0 ? boot : 0);
    const placeInMeta = number % perBlock;
    const count = metaGroups
      ? Number(placeInMeta === 0 || placeInMeta === 1 || placeInMeta === perBlock - 1)
      : copy
        ? geometry.descriptorBlocks
        : 0;
    if (copy) used.mark(behind - 1, 1);
    const reserved = copy && !metaGroups ? geometry.reservedDescriptorBlocks : 0;
    if (count + reserved > 0) used.mark(behind, count + reserved);
    groups.push({
      number,
      first,
      last: Math.min(first + blocksPerGroup, blockCount) - 1,
      copy,
      descriptors: behind,
      descriptorCount: count,
      blockBitmap: 0,
      inodeBitmap: 0,
      inodeTable: 0,
      touched: false,
    });
  }
  return { used, groups };
}

/** Places all bitmaps and inode tables. `stride`: blocks of a RAID's chunk, by which bitmaps are spread; 0 for none. */
export function placeTables(geometry: Geometry, stride: number): Tables {
  const tables = makeGroups(geometry);
  for (const group of tables.groups) placeTablesOf(tables, geometry, group, stride);
  return tables;
}

/** Places those of one group; the groups before it have theirs. */
export function placeTablesOf(tables: Tables, geometry: Geometry, group: NewGroup, stride: number): void {
  work.steps.spend(1);
  if (geometry.groupsPerFlex > 1) placeTogether(tables, geometry, group);
  else placeInGroup(tables, geometry, group, stride);
}

function placeInGroup({ used }: Tables, { tableBlocks }: Geometry, group: NewGroup, stride: number): void {
  const { first, last, number } = group;
  const find = (start: number, count: number): number => {
    const block = used.findTogether(start, last, count) ?? used.findTogether(first, last, count) ?? noRoom();
    used.mark(block, count);
    return block;
  };
  let start = first;
  if (stride > 0) {
    start = (used.findTogether(first, last, 1) ?? noRoom()) + tableBlocks;
    start += (stride * number) % (last - start + 1);
    if (!(start < last)) start = first;
  }
  group.blockBitmap = find(start, 1);
  group.inodeBitmap = find(start, 1);
  group.inodeTable = find(first, tableBlocks);
}

/** With the tables of other groups: all block bitmaps, all inode bitmaps, all inode tables. */
function placeTogether(tables: Tables, geometry: Geometry, group: NewGroup): void {
  const { used, groups } = tables;
  const { groupsPerFlex, groupCount, tableBlocks, blocksPerGroup } = geometry;
  const place = group.number % groupsPerFlex;
  const begin = (groups[group.number - place] as NewGroup).first; // safe: a group before this one, or this one
  const lastGroup = Math.min(group.number - place + groupsPerFlex, groupCount) - 1;
  const { last } = groups[lastGroup] as NewGroup; // safe: below groupCount
  const rest = lastGroup - group.number + 1;
  // As mke2fs, which keeps room for all when there is one.
  const together = rest + place === 1 ? groupsPerFlex : rest + place;
  const before = place > 0 ? groups[group.number - 1] : undefined;
  const find = (wish: number, count: number): number => {
    let start = wish;
    if (wish === 0 || !used.isFree(wish, count)) {
      const all = Math.min(rest * count, Math.floor(blocksPerGroup / 4));
      start =
        used.findTogether(begin, last, all) ??
        used.findTogether(begin, last, count) ??
        used.findTogether(0, last, count) ??
        noRoom();
    }
    const block =
      used.findTogether(start, last, count) ?? used.findTogether(group.first, last, count) ?? noRoom();
    takeBlocks(tables, geometry, block, count);
    return block;
  };
  group.blockBitmap = find(before === undefined ? 0 : before.blockBitmap + 1, 1);
  group.inodeBitmap = find((before?.inodeBitmap ?? group.blockBitmap + together - 1) + 1, 1);
  group.inodeTable = find(
    before === undefined ? group.inodeBitmap + together : before.inodeTable + tableBlocks,
    tableBlocks,
  );
}
