/**
 * The descriptors and the bitmaps of the groups of a new filesystem. Where groups have checksums, the bitmaps of those
 * without files are not written: a flag says so. Specification: the kernel's
 * Documentation/filesystems/ext4/blockgroup.rst.
 */
import { crc32c, viewOf, work } from '../../../base/index.js';
import { roCompat } from '../features.js';
import { descriptorChecksum } from '../groups.js';
import { groupDescriptor, groupFlags, shortDescriptorSize } from '../layout.js';
import { has, type RawSuperblock } from '../superblock.js';
import { setBits } from '../write/bits.js';
import type { BlockRange } from '../write/space.js';
import { firstDirectories, type NewVolume, usedInodes } from './first-inodes.js';
import type { Geometry } from './geometry.js';
import type { NewGroup } from './group-tables.js';

/** Whether groups have checksums, and so may have bitmaps that were never written. */
export function hasSums({ features }: Geometry): boolean {
  return has(features.roCompat, roCompat.groupChecksums | roCompat.metadataChecksums);
}

/** The inodes in use of a group. They are its first ones. */
function inodesInUse({ inodesPerGroup }: Geometry, { number }: NewGroup): number {
  return Math.min(inodesPerGroup, Math.max(0, usedInodes - number * inodesPerGroup));
}

/** Inode tables that have to be cleared; if the kernel will clear them, only what is in use of them. */
export function* tablesToClear({ geometry, tables }: NewVolume, lazy: boolean): Generator<BlockRange> {
  const { inodeSize, blockSize, tableBlocks } = geometry;
  for (const group of tables.groups) {
    const used = Math.ceil((inodesInUse(geometry, group) * inodeSize) / blockSize);
    const count = lazy ? used : tableBlocks;
    if (count > 0) yield { block: group.inodeTable, count };
  }
}

interface GroupTable {
  /** All descriptors, in whole blocks. */
  readonly bytes: Uint8Array;
  readonly totals: Partial<RawSuperblock>;
}

/** Puts the bitmaps into the blocks to be written, and encodes the descriptors. */
export function encodeGroups(volume: NewVolume, descriptorsAlone: boolean, lazy: boolean): GroupTable {
  const { geometry, tables } = volume;
  const { blockSize, descriptorBlocks, descriptorSize, blocksPerCluster } = geometry;
  const bytes = new Uint8Array(descriptorBlocks * blockSize);
  let freeClusters = 0;
  let freeInodes = 0;
  for (const group of tables.groups) {
    work.steps.spend(1);
    const place = bytes.subarray(group.number * descriptorSize);
    const free = encodeGroup(volume, group, place, descriptorsAlone, lazy);
    freeClusters += free.clusters;
    freeInodes += free.inodes;
  }
  const freeBlocks = freeClusters * blocksPerCluster;
  return {
    bytes,
    totals: {
      s_free_blocks_count_lo: freeBlocks % 2 ** 32,
      s_free_blocks_count_hi: Math.floor(freeBlocks / 2 ** 32),
      s_free_inodes_count: freeInodes,
    },
  };
}

/** Puts the bitmaps of a group into the blocks to be written, and its descriptor into `bytes`; what is free in it. */
export function encodeGroup(
  volume: NewVolume,
  group: NewGroup,
  bytes: Uint8Array,
  descriptorsAlone: boolean,
  lazy: boolean,
): { clusters: number; inodes: number } {
  const { geometry } = volume;
  const { inodesPerGroup } = geometry;
  const free = descriptorsAlone
    ? { ...freeIn(volume, group), inodes: inodesPerGroup }
    : freeIn(volume, group);
  encodeDescriptor(volume, group, bytes, {
    free,
    sums: descriptorsAlone ? { blocks: 0, inodes: 0 } : encodeBitmaps(volume, group),
    flags: flagsOf(volume, group, descriptorsAlone, lazy),
    unused: descriptorsAlone || !hasSums(geometry) ? 0 : inodesPerGroup - inodesInUse(geometry, group),
    directories: descriptorsAlone ? 0 : directoriesIn(geometry, group),
  });
  return free;
}

export function freeIn(
  { geometry, tables }: NewVolume,
  group: NewGroup,
): { clusters: number; inodes: number } {
  const { blocksPerCluster, inodesPerGroup } = geometry;
  const end = group.last + 1;
  return {
    clusters: (end - group.first - tables.used.countUsed(group.first, end)) / blocksPerCluster,
    inodes: inodesPerGroup - inodesInUse(geometry, group),
  };
}

function directoriesIn({ inodesPerGroup }: Geometry, { number }: NewGroup): number {
  return firstDirectories.filter((inode) => Math.floor((inode - 1) / inodesPerGroup) === number).length;
}

function flagsOf({ geometry, tables }: NewVolume, group: NewGroup, alone: boolean, lazy: boolean): number {
  const {
    EXT4_BG_BLOCK_UNINIT: blocks,
    EXT4_BG_INODE_UNINIT: inodes,
    EXT4_BG_INODE_ZEROED: zeroed,
  } = groupFlags;
  let flags = lazy || alone ? 0 : zeroed;
  if (!hasSums(geometry)) return flags;
  if (alone || inodesInUse(geometry, group) === 0) flags |= inodes;
  if (!group.touched && group.number !== tables.groups.length - 1) flags |= blocks;
  return flags;
}

/** Writes the bitmaps of a group that are not left out; their checksums. */
function encodeBitmaps(volume: NewVolume, group: NewGroup): { blocks: number; inodes: number } {
  const { geometry, writes, superblock } = volume;
  const { inodesPerGroup } = geometry;
  const flags = flagsOf(volume, group, false, false);
  const seed = superblock.checksumSeed;
  const sums = { blocks: 0, inodes: 0 };
  if (!has(flags, groupFlags.EXT4_BG_BLOCK_UNINIT)) sums.blocks = encodeBlockBitmap(volume, group);
  if (!has(flags, groupFlags.EXT4_BG_INODE_UNINIT)) {
    const bitmap = writes.block(group.inodeBitmap);
    setBits(bitmap, 0, inodesInUse(geometry, group), true);
    setBits(bitmap, inodesPerGroup, bitmap.length * 8, true);
    if (seed !== undefined) sums.inodes = crc32c(seed, bitmap.subarray(0, inodesPerGroup / 8));
  }
  return sums;
}

/** Writes the block bitmap of a group; its checksum, 0 without one. */
export function encodeBlockBitmap(volume: NewVolume, group: NewGroup): number {
  const { geometry, tables, writes, superblock } = volume;
  const { blocksPerGroup, blocksPerCluster } = geometry;
  const seed = superblock.checksumSeed;
  const bitmap = writes.block(group.blockBitmap);
  const clusters = blocksPerGroup / blocksPerCluster;
  const end = (group.last + 1 - group.first) / blocksPerCluster;
  for (const { block, count } of tables.used.runsIn(group.first, group.last + 1)) {
    const from = (block - group.first) / blocksPerCluster;
    setBits(bitmap, from, from + count / blocksPerCluster, true);
  }
  setBits(bitmap, end, bitmap.length * 8, true);
  return seed === undefined ? 0 : crc32c(seed, bitmap.subarray(0, clusters / 8));
}

interface DescriptorValues {
  readonly free: { readonly clusters: number; readonly inodes: number };
  readonly sums: { readonly blocks: number; readonly inodes: number };
  readonly flags: number;
  readonly unused: number;
  readonly directories: number;
}

function encodeDescriptor(
  { geometry, superblock }: NewVolume,
  group: NewGroup,
  bytes: Uint8Array,
  { free, sums, flags, unused, directories }: DescriptorValues,
): void {
  const halves = (value: number, size: number): [low: number, high: number] => [
    value % size,
    Math.floor(value / size),
  ];
  const [blockBitmap, blockBitmapHigh] = halves(group.blockBitmap, 2 ** 32);
  const [inodeBitmap, inodeBitmapHigh] = halves(group.inodeBitmap, 2 ** 32);
  const [inodeTable, inodeTableHigh] = halves(group.inodeTable, 2 ** 32);
  const [clusters, clustersHigh] = halves(free.clusters, 2 ** 16);
  const [inodes, inodesHigh] = halves(free.inodes, 2 ** 16);
  const [unusedLow, unusedHigh] = halves(unused, 2 ** 16);
  const [blockSum, blockSumHigh] = halves(sums.blocks, 2 ** 16);
  const [inodeSum, inodeSumHigh] = halves(sums.inodes, 2 ** 16);
  const view = viewOf(bytes);
  const set = (values: Partial<Record<keyof typeof groupDescriptor.fields, number>>): void => {
    for (const [name, value] of Object.entries(values))
      groupDescriptor.set(view, 0, name as keyof typeof groupDescriptor.fields, value); // safe: names of the record
  };
  set({
    bg_block_bitmap_lo: blockBitmap,
    bg_inode_bitmap_lo: inodeBitmap,
    bg_inode_table_lo: inodeTable,
    bg_free_blocks_count_lo: clusters,
    bg_free_inodes_count_lo: inodes,
    bg_used_dirs_count_lo: directories,
    bg_flags: flags,
    bg_block_bitmap_csum_lo: blockSum,
    bg_inode_bitmap_csum_lo: inodeSum,
    bg_itable_unused_lo: unusedLow,
  });
  if (geometry.descriptorSize > shortDescriptorSize) {
    set({
      bg_block_bitmap_hi: blockBitmapHigh,
      bg_inode_bitmap_hi: inodeBitmapHigh,
      bg_inode_table_hi: inodeTableHigh,
      bg_free_blocks_count_hi: clustersHigh,
      bg_free_inodes_count_hi: inodesHigh,
      bg_itable_unused_hi: unusedHigh,
      bg_block_bitmap_csum_hi: blockSumHigh,
      bg_inode_bitmap_csum_hi: inodeSumHigh,
    });
  }
  const sum = descriptorChecksum(superblock, group.number, view, 0);
  if (sum !== undefined) groupDescriptor.set(view, 0, 'bg_checksum', sum);
}
