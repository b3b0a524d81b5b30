/**
 * How many groups a new filesystem has, and what is in each: mke2fs's arithmetic (lib/ext2fs/initialize.c), by which a
 * last group without room for its tables is left out.
 */
import { GuestfsError } from '../../../base/index.js';
import { compat, type FeatureMasks, incompat, roCompat } from '../features.js';
import { goodOldFirstInode, shortDescriptorSize } from '../layout.js';
import { has } from '../superblock.js';
import type { FormatOptions } from './options.js';
import { defaultClusterBlocks, type Profile } from './profile.js';

const longDescriptorSize = 64;

export interface Geometry {
  readonly features: FeatureMasks;
  readonly blockSize: number;
  readonly blockCount: number;
  readonly firstDataBlock: number;
  readonly blocksPerCluster: number;
  readonly blocksPerGroup: number;
  readonly groupCount: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  /** Blocks of one group's inode table. */
  readonly tableBlocks: number;
  readonly descriptorSize: number;
  readonly descriptorBlocks: number;
  readonly reservedDescriptorBlocks: number;
  readonly reservedBlocks: number;
  readonly groupsPerFlex: number;
  /** With sparse_super2: the groups that hold copies of the superblock; 0 for none. */
  readonly backupGroups: readonly [number, number];
}

function refuse(problem: string): never {
  throw new GuestfsError('EINVAL', problem);
}

/** Whether a group holds a copy of the superblock and of the descriptors. */
export function holdsCopy(
  { features, backupGroups }: Pick<Geometry, 'features' | 'backupGroups'>,
  group: number,
): boolean {
  if (group === 0) return true;
  if (has(features.compat, compat.sparseSuper2)) return backupGroups.includes(group);
  if (group === 1 || !has(features.roCompat, roCompat.sparseSuper)) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

/** The groups with sparse_super2's copies: the second, and the last. */
function backupGroupsOf(features: FeatureMasks, groupCount: number): [number, number] {
  if (!has(features.compat, compat.sparseSuper2)) return [0, 0];
  return [groupCount > 1 ? 1 : 0, groupCount > 2 ? groupCount - 1 : 0];
}

/** Blocks behind the descriptors that are kept for those of later groups. */
function reservedDescriptors(
  { features, blockSize }: Profile,
  blocks: { count: number; first: number; perGroup: number },
  descriptors: { perBlock: number; blocks: number },
  growsTo: number | undefined,
): number {
  if (!has(features.compat, compat.resizeInode)) return 0;
  const most = growsTo ?? Math.min(0xffff_ffff, blocks.count * 1024);
  const first = growsTo === undefined ? blocks.first : 0;
  const groups = Math.ceil((most - first) / blocks.perGroup);
  const wanted = Math.ceil(groups / descriptors.perBlock) - descriptors.blocks;
  return Math.max(0, Math.min(wanted, blockSize / 4));
}

/** Blocks of a group, with and without clusters. EINVAL. */
function groupSizeOf(options: FormatOptions, profile: Profile, blocksPerCluster: number): number {
  const { blockSize } = profile;
  const asked = options.blocksPerGroup;
  if (asked !== undefined && asked !== 0) {
    if (asked % 8 !== 0) refuse('blocks per group must be a multiple of 8');
    if (asked < 256 || asked > 8 * blockSize * blocksPerCluster)
      refuse('blocks per group count out of range');
    return asked;
  }
  // Counts of descriptors have 16 bits without a second half.
  return Math.min(blockSize * 8, 65528) * blocksPerCluster;
}

/** EINVAL where it cannot be: too small, too many inodes. */
export function computeGeometry(options: FormatOptions, profile: Profile): Geometry {
  const { features, blockSize, inodeSize, groupsPerFlex } = profile;
  const bigalloc = has(features.roCompat, roCompat.bigalloc);
  const blocksPerCluster = bigalloc ? defaultClusterBlocks : 1;
  const firstDataBlock = blockSize === 1024 && !bigalloc ? 1 : 0;
  const whole = profile.blockCount - (profile.blockCount % blocksPerCluster);
  const descriptorSize = has(features.incompat, incompat.sixtyFourBit)
    ? longDescriptorSize
    : shortDescriptorSize;
  const perBlock = blockSize / descriptorSize;
  if (options.growsTo !== undefined && options.growsTo <= profile.blockCount)
    refuse('the resize maximum must be greater than the filesystem size');
  let perGroup = groupSizeOf(options, profile, blocksPerCluster);
  let blockCount = whole;
  for (;;) {
    const groupCount = Math.ceil((blockCount - firstDataBlock) / perGroup);
    if (!(groupCount > 0)) refuse('the device is too small for a filesystem');
    const descriptorBlocks = Math.ceil(groupCount / perBlock);
    const inodes = Math.max(profile.inodeCount, goodOldFirstInode + 1);
    const wanted = Math.ceil(inodes / groupCount);
    if (wanted > blockSize * 8) {
      if (bigalloc || perGroup < 256) refuse('too many inodes for the filesystem');
      perGroup -= 8;
      blockCount = whole;
      continue;
    }
    const { inodesPerGroup, tableBlocks } = inodesOf(wanted, groupCount, blockSize, inodeSize);
    if (inodesPerGroup * groupCount < goodOldFirstInode)
      refuse('the device is too small for the first inodes');
    const blocks = { count: blockCount, first: firstDataBlock, perGroup };
    const descriptors = { perBlock, blocks: descriptorBlocks };
    const reserved = reservedDescriptors(profile, blocks, descriptors, options.growsTo);
    let masks = features;
    if (reserved + descriptorBlocks > (perGroup * 3) / 4)
      masks = { ...features, incompat: features.incompat | incompat.metaGroups };
    const front = has(masks.incompat, incompat.metaGroups) ? 1 : descriptorBlocks;
    if (3 + tableBlocks + reserved + front > perGroup) refuse('too many inodes for the filesystem');
    const backupGroups = backupGroupsOf(masks, groupCount);
    const copy = holdsCopy({ features: masks, backupGroups }, groupCount - 1);
    const overhead = 2 + tableBlocks + (copy ? 1 + descriptorBlocks + reserved : 0);
    const rest = (blockCount - firstDataBlock) % perGroup;
    if (groupCount === 1 && rest > 0 && rest < overhead) refuse('the device is too small for a filesystem');
    if (rest > 0 && rest < overhead + 50) {
      blockCount -= rest;
      continue;
    }
    const share = profile.reservedBlocks / profile.blockCount;
    return {
      features: masks,
      blockSize,
      blockCount,
      firstDataBlock,
      blocksPerCluster,
      blocksPerGroup: perGroup,
      groupCount,
      inodesPerGroup,
      inodeSize,
      tableBlocks,
      descriptorSize,
      descriptorBlocks,
      reservedDescriptorBlocks: reserved,
      reservedBlocks: blockCount === whole ? profile.reservedBlocks : Math.floor(share * blockCount),
      groupsPerFlex,
      backupGroups,
    };
  }
}

/** Inodes of a group that fill their table's blocks, in eights. */
function inodesOf(
  wanted: number,
  groupCount: number,
  blockSize: number,
  inodeSize: number,
): { inodesPerGroup: number; tableBlocks: number } {
  // Counts of descriptors have 16 bits without a second half, and inode numbers 32.
  for (let least = Math.min(wanted, 65536 - blockSize / inodeSize); ; least--) {
    const filled = Math.floor((Math.ceil((least * inodeSize) / blockSize) * blockSize) / inodeSize);
    const inodesPerGroup = Math.max(8, filled - (filled % 8));
    if (inodesPerGroup * groupCount > 0xffff_ffff && least > 8) continue;
    return { inodesPerGroup, tableBlocks: Math.ceil((inodesPerGroup * inodeSize) / blockSize) };
  }
}

/** Of a disk that is nothing but a journal: no groups at all. */
export const emptyGeometry: Omit<
  Geometry,
  'features' | 'blockSize' | 'blockCount' | 'firstDataBlock' | 'blocksPerGroup' | 'inodeSize'
> = {
  blocksPerCluster: 1,
  groupCount: 0,
  inodesPerGroup: 0,
  tableBlocks: 0,
  descriptorSize: 0,
  descriptorBlocks: 0,
  reservedDescriptorBlocks: 0,
  reservedBlocks: 0,
  groupsPerFlex: 1,
  backupGroups: [0, 0],
};
