/**
 * The bitmaps of inodes and blocks in use. Specification: the kernel's Documentation/filesystems/ext4/bitmaps.rst.
 */
import { roCompat } from './features.js';
import { groupFlags } from './layout.js';
import { descriptorBlocksIn } from './report/usage.js';
import { has, hasSuperblockCopy } from './superblock.js';
import type { ExtVolume } from './volume.js';

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
