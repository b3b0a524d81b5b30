/**
 * The answer of `statvfs`, as the kernel computes it (fs/ext4/super.c, ext4_statfs): the filesystem's own structures
 * do not count, free space comes from the groups, and a second reserve beside root's is kept.
 */
import { viewOf } from '../../../base/index.js';
import type { FileSystemUsage } from '../../driver.js';
import { compat, incompat, roCompat } from '../features.js';
import { has, hasSuperblockCopy, reservedBlockCount, type Superblock } from '../superblock.js';
import type { ExtVolume } from '../volume.js';

/** With extents, the kernel keeps a fiftieth of the clusters for them, but at most this many. */
const keptBackLimit = 4096;
const nameMax = 255;

/** Blocks of descriptors in a group, in the older layout or with meta_bg. */
export function descriptorBlocksIn(superblock: Superblock, group: number): number {
  const { blockSize, descriptorSize, firstMetaGroup } = superblock;
  const perBlock = blockSize / descriptorSize;
  if (Math.floor(group / perBlock) < firstMetaGroup)
    return hasSuperblockCopy(superblock, group) ? firstMetaGroup : 0;
  // One block has the descriptors of as many groups as fit, and is in the first, second and last of them.
  const place = group % perBlock;
  return place === 0 || place === 1 || place === perBlock - 1 ? 1 : 0;
}

/** The number of distinct clusters that the runs `[first, end)` of block offsets touch. */
function distinctClusters(runs: readonly (readonly [number, number])[], blocksPerCluster: number): number {
  let total = 0;
  let counted = 0; // clusters below this have been counted
  for (const [first, end] of [...runs].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(counted, Math.floor(first / blocksPerCluster));
    const to = Math.ceil(end / blocksPerCluster);
    if (to > from) total += to - from;
    counted = Math.max(counted, to);
  }
  return total;
}

/** With bigalloc several structures may share a cluster, so each one must be examined. */
function bigallocStructures(volume: ExtVolume, tableBlocks: number): number {
  const { superblock } = volume;
  const { firstDataBlock, blocksPerGroup, groupCount, blocksPerCluster } = superblock;
  const runs: [number, number][] = [];
  for (let number = 0; number < groupCount; number++) {
    const group = volume.groups.get(number);
    for (const [block, count] of [
      [group.blockBitmap, 1],
      [group.inodeBitmap, 1],
      [group.inodeTable, tableBlocks],
    ] as const)
      runs.push([block - firstDataBlock, block - firstDataBlock + count]);
    const front = (hasSuperblockCopy(superblock, number) ? 1 : 0) + descriptorBlocksIn(superblock, number);
    runs.push([number * blocksPerGroup, number * blocksPerGroup + front]);
  }
  return distinctClusters(runs, blocksPerCluster);
}

/** The clusters of the filesystem's own structures. */
function overheadClusters(volume: ExtVolume): number {
  const { superblock } = volume;
  const { raw, features, blocksPerCluster, blockSize, groupCount } = superblock;
  const bigalloc = has(features.roCompat, roCompat.bigalloc);
  // The kernel uses the stored number only if computing it would take long.
  if (bigalloc && raw.s_overhead_clusters > 0 && raw.s_overhead_clusters <= superblock.blockCount)
    return raw.s_overhead_clusters;
  let clusters = Math.floor(superblock.firstDataBlock / blocksPerCluster);
  const tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / blockSize);
  if (bigalloc) clusters += bigallocStructures(volume, tableBlocks);
  else {
    for (let group = 0; group < groupCount; group++) {
      const front = hasSuperblockCopy(superblock, group) ? 1 + raw.s_reserved_gdt_blocks : 0;
      clusters += front + descriptorBlocksIn(superblock, group) + 2 + tableBlocks;
    }
  }
  if (has(features.compat, compat.hasJournal) && raw.s_journal_inum !== 0) {
    const { sizeInBytes } = volume.anyInode(raw.s_journal_inum).stat;
    clusters += Math.ceil(Math.floor(sizeInBytes / blockSize) / blocksPerCluster);
  }
  return clusters;
}

/** `f_fsid`: the two halves of the UUID, joined. */
function idOf({ raw }: Superblock): bigint {
  const uuid = viewOf(raw.s_uuid);
  return uuid.getBigUint64(0, true) ^ uuid.getBigUint64(8, true);
}

/** The space that cleaning up after a crash returns, beyond the groups' counts. */
interface Reclaimed {
  readonly clusters: number;
  readonly inodes: number;
}

/** `withOverhead` is the mount option `minixdf`: the structures count as space. */
export function readUsage(volume: ExtVolume, reclaimed: Reclaimed, withOverhead: boolean): FileSystemUsage {
  const { superblock } = volume;
  const { blockSize, blockCount, blocksPerCluster, inodeCount, features } = superblock;
  const free = volume.groups.free();
  const freeBlocks = (free.clusters + reclaimed.clusters) * blocksPerCluster;
  const keptBack = has(features.incompat, incompat.extents)
    ? Math.min(keptBackLimit, Math.floor(Math.floor(blockCount / blocksPerCluster) / 50)) * blocksPerCluster
    : 0;
  const reserved = reservedBlockCount(superblock) + keptBack;
  const overhead = withOverhead ? 0 : overheadClusters(volume) * blocksPerCluster;
  return {
    blockSize,
    fragmentSize: blockSize,
    blocks: Math.max(0, blockCount - overhead),
    freeBlocks,
    availableBlocks: Math.max(0, freeBlocks - reserved),
    inodes: inodeCount,
    freeInodes: free.inodes + reclaimed.inodes,
    nameMax,
    id: idOf(superblock),
  };
}
