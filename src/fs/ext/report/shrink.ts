/**
 * The size to which a filesystem could be shrunk, as resize2fs estimates it (`resize2fs -P`): enough groups for the
 * inodes in use, enough blocks for the data, and room for moving. It is only an estimate, but tools rely on exactly
 * this number.
 */
import { incompat, roCompat } from '../features.js';
import { has, hasSuperblockCopy, type Superblock } from '../superblock.js';
import type { ExtVolume } from '../volume.js';

/** The least number of blocks after the structures of the last group: mke2fs and resize2fs make none with fewer. */
const leastInLastGroup = 50;
/** Bytes of an extent; the head of a block of them takes as much as one. */
const extentSize = 12;
/** One in this many of the released blocks is kept for extents that are split when they are moved. */
const blocksPerMargin = 500;

interface Geometry {
  /** Blocks that a group's own structures take: copies of the superblock and descriptors, bitmaps, inode table. */
  structures(group: number): number;
  /** The first group of the flex group that a group is in. */
  flexStart(group: number): number;
  /**
   * The end of the range in which inode tables may have to be moved: the end of the flex group in which `groups`
   * ends.
   */
  flexEnd(groups: number): number;
}

function geometryOf(superblock: Superblock): Geometry {
  const { raw, features, blockSize, descriptorSize, inodesPerGroup, inodeSize, groupCount } = superblock;
  const tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
  const perBlock = blockSize / descriptorSize;
  const metaGroups = has(features.incompat, incompat.metaGroups);
  const oldDescriptors = metaGroups
    ? raw.s_first_meta_bg
    : Math.ceil(groupCount / perBlock) + raw.s_reserved_gdt_blocks;
  const flexible = has(features.incompat, incompat.flexGroups);
  const flexSize = flexible ? 2 ** raw.s_log_groups_per_flex : 1;
  return {
    structures(group) {
      const copy = hasSuperblockCopy(superblock, group);
      let blocks = tableBlocks + 2 + (copy ? 1 : 0);
      if (!metaGroups || group < raw.s_first_meta_bg * perBlock) blocks += copy ? oldDescriptors : 0;
      else if ([0, 1, perBlock - 1].includes(group % perBlock)) blocks += 1;
      return blocks;
    },
    flexStart: (group) => group - (group % flexSize),
    flexEnd: (groups) => (flexible ? Math.min(groupCount, groups + flexSize - (groups % flexSize)) : groups),
  };
}

/** The blocks of files and directories: neither free nor a group's own. Undefined if the counts disagree. */
function dataBlocks(volume: ExtVolume, geometry: Geometry): number | undefined {
  const { blockCount, groupCount } = volume.superblock;
  // With bigalloc, resize2fs takes free clusters for free blocks, so it counts far too many in use.
  let blocks = blockCount - volume.groups.free().clusters;
  for (let group = 0; group < groupCount && blocks >= 0; group++) blocks -= geometry.structures(group);
  return blocks < 0 ? undefined : blocks;
}

/** With bigalloc, the blocks of two clusters are added. */
const spareClusters = ({ features, blocksPerCluster }: Superblock): number =>
  has(features.roCompat, roCompat.bigalloc) ? 2 * blocksPerCluster : 0;

/** The estimate, in blocks; at most the blocks that there are. */
export function minimumBlockCount(volume: ExtVolume): number {
  const { superblock } = volume;
  const { blockCount, blocksPerGroup, blockSize, firstDataBlock, inodeCount, inodesPerGroup, features } =
    superblock;
  const geometry = geometryOf(superblock);
  const data = dataBlocks(volume, geometry);
  if (data === undefined) return blockCount;
  const usedInodes = inodeCount - volume.groups.free().inodes;

  let groups = Math.max(1, Math.ceil(usedInodes / inodesPerGroup));
  let flexEnd = geometry.flexEnd(groups);
  // Room for data in `groups`, and in all of them but the last.
  let room = groups * blocksPerGroup;
  let roomBeforeLast = 0;
  const take = (from: number, to: number): void => {
    for (let group = from; group < to; group++) {
      const structures = geometry.structures(group);
      if (group < groups - 1) roomBeforeLast += blocksPerGroup - structures;
      room -= structures;
    }
  };
  take(0, flexEnd);
  room = Math.max(0, room);
  while (data > room) {
    const more = Math.ceil((data - room) / blocksPerGroup);
    room += more * blocksPerGroup;
    roomBeforeLast += blocksPerGroup - geometry.structures(groups - 1);
    groups += more;
    // Only contradictory counts need more groups than there are.
    if (groups > superblock.groupCount) return blockCount;
    const from = flexEnd;
    if (groups > flexEnd || !has(features.incompat, incompat.flexGroups)) flexEnd = geometry.flexEnd(groups);
    take(from, flexEnd);
  }

  let inLast = 0;
  for (let group = geometry.flexStart(groups - 1); group < flexEnd; group++)
    inLast += geometry.structures(group);
  const dataInLast = data - roomBeforeLast;
  const front = (groups - 1) * blocksPerGroup + firstDataBlock;
  let needed = front + inLast + Math.max(leastInLastGroup, dataInLast) + spareClusters(superblock);
  // The inode table of the last group may lie anywhere, and is kept where it is.
  const tableBlocks = Math.ceil((inodesPerGroup * superblock.inodeSize) / blockSize);
  needed = Math.max(needed, volume.groups.get(groups - 1).inodeTable + tableBlocks);
  if (needed >= blockCount) return blockCount;
  if (!has(features.incompat, incompat.extents)) return needed;
  // In the worst case each block is an extent of its own, and each file needs a block of extents.
  const worst = Math.max(usedInodes, Math.ceil(data / (Math.floor(blockSize / extentSize) - 1)));
  return needed + Math.min(worst, Math.floor((blockCount - needed) / blocksPerMargin));
}
