/**
 * The bitmaps of inodes and blocks in use. Specification: the kernel's Documentation/filesystems/ext4/bitmaps.rst.
 */
import { CorruptError, crc32c, work } from '../../base/index.js';
import { roCompat } from './features.js';
import { groupFlags } from './layout.js';
import { descriptorBlocksIn } from './report/usage.js';
import { has, hasSuperblockCopy } from './superblock.js';
import type { ExtVolume } from './volume.js';
import { runFrom, setBits } from './write/bits.js';

function bit(bytes: Uint8Array, index: number): boolean {
  return (((bytes[index >>> 3] ?? 0) >>> (index & 7)) & 1) !== 0;
}

/** Whether a group's bitmap was never written; only filesystems with checksums record that. */
function isUnwritten(volume: ExtVolume, flags: number, flag: number): boolean {
  const { roCompat: features } = volume.superblock.features;
  return has(features, roCompat.groupChecksums | roCompat.metadataChecksums) && has(flags, flag);
}

/** Whether an inode is in use. `number` must name one. */
export function isInodeInUse(volume: ExtVolume, number: number): boolean {
  const { inodesPerGroup } = volume.superblock;
  const index = (number - 1) % inodesPerGroup;
  const group = volume.groups.get((number - 1 - index) / inodesPerGroup);
  if (isUnwritten(volume, group.flags, groupFlags.EXT4_BG_INODE_UNINIT)) return false;
  return bit(volume.peekBlock(group.inodeBitmap, 'ext4 inode bitmap'), index);
}

/** Whether block `number` of the filesystem belongs to a file or to the filesystem itself. */
export function isBlockInUse(volume: ExtVolume, number: number): boolean {
  const { firstDataBlock, blocksPerGroup, blocksPerCluster } = volume.superblock;
  if (number < firstDataBlock) return true; // the boot block
  const index = (number - firstDataBlock) % blocksPerGroup;
  const group = volume.groups.get((number - firstDataBlock - index) / blocksPerGroup);
  if (isUnwritten(volume, group.flags, groupFlags.EXT4_BG_BLOCK_UNINIT))
    return isStructure(volume, group.number, number);
  return bit(volume.peekBlock(group.blockBitmap, 'ext4 block bitmap'), Math.floor(index / blocksPerCluster));
}

/**
 * Whether a block is a structure of its group, for a group without data. The bitmaps of such a group are in the group
 * itself.
 */
function isStructure(volume: ExtVolume, groupNumber: number, block: number): boolean {
  const { superblock } = volume;
  const { firstDataBlock, blocksPerGroup, inodesPerGroup, inodeSize, blockSize, raw } = superblock;
  const group = volume.groups.get(groupNumber);
  const start = firstDataBlock + groupNumber * blocksPerGroup;
  const copy = hasSuperblockCopy(superblock, groupNumber);
  const front = (copy ? 1 + raw.s_reserved_gdt_blocks : 0) + descriptorBlocksIn(superblock, groupNumber);
  const table = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
  return (
    block < start + front ||
    block === group.blockBitmap ||
    block === group.inodeBitmap ||
    (block >= group.inodeTable && block < group.inodeTable + table)
  );
}

/** Marks in the bitmap of a group without data what is in use: its own structures, and what lies beyond the end. */
export function markStructures(volume: ExtVolume, number: number, bytes: Uint8Array): void {
  const { superblock } = volume;
  const { firstDataBlock, blocksPerGroup, blocksPerCluster, blockCount } = superblock;
  const { inodesPerGroup, inodeSize, blockSize, raw } = superblock;
  const group = volume.groups.get(number);
  const first = firstDataBlock + number * blocksPerGroup;
  const end = Math.min(first + blocksPerGroup, blockCount);
  const mark = (start: number, count: number): void => {
    const from = Math.max(start, first) - first;
    const to = Math.min(start + count, end) - first;
    if (to > from)
      setBits(bytes, Math.floor(from / blocksPerCluster), Math.ceil(to / blocksPerCluster), true);
  };
  const front = hasSuperblockCopy(superblock, number) ? 1 + raw.s_reserved_gdt_blocks : 0;
  mark(first, front + descriptorBlocksIn(superblock, number));
  mark(group.blockBitmap, 1);
  mark(group.inodeBitmap, 1);
  mark(group.inodeTable, Math.ceil((inodesPerGroup * inodeSize) / blockSize));
  setBits(bytes, Math.ceil((end - first) / blocksPerCluster), bytes.length * 8, true);
}

/** The bitmap of a group's clusters, with what is in use. CorruptError for one whose checksum is wrong. */
function blockBitmapOf(volume: ExtVolume, number: number): Uint8Array {
  const { blockSize, checksumSeed, blocksPerGroup, blocksPerCluster } = volume.superblock;
  const { blockBitmap, flags } = volume.groups.get(number);
  if (isUnwritten(volume, flags, groupFlags.EXT4_BG_BLOCK_UNINIT)) {
    const bytes = new Uint8Array(blockSize);
    markStructures(volume, number, bytes);
    return bytes;
  }
  const bytes = volume.block(blockBitmap, 'ext4 block bitmap');
  if (checksumSeed === undefined) return bytes;
  const sum = crc32c(checksumSeed, bytes.subarray(0, blocksPerGroup / blocksPerCluster / 8));
  if (!volume.groups.bitmapSumHolds(number, sum))
    throw new CorruptError('ext4 block bitmap', 'has a bad checksum', { group: number, block: blockBitmap });
  return bytes;
}

/** The runs of blocks that nothing uses, in order; none reaches over the end of a group. */
export function* freeRuns(volume: ExtVolume): Generator<{ readonly block: number; readonly count: number }> {
  const { firstDataBlock, blocksPerGroup, blocksPerCluster, blockCount, groupCount } = volume.superblock;
  for (let number = 0; number < groupCount; number++) {
    const bitmap = blockBitmapOf(volume, number);
    const first = firstDataBlock + number * blocksPerGroup;
    const end = Math.floor((Math.min(first + blocksPerGroup, blockCount) - first) / blocksPerCluster);
    for (let from = 0; ; ) {
      work.steps.spend(1);
      const [at, after] = runFrom(bitmap, undefined, from, end, 1, end);
      if (at === undefined || after === undefined) break;
      yield { block: first + at * blocksPerCluster, count: (after - at) * blocksPerCluster };
      from = after;
    }
  }
}
