/**
 * The superblock: geometry and features, decoded and checked by the kernel's rules for a mount (fs/ext4/super.c,
 * ext4_fill_super). All values that later code divides by, shifts by or indexes with are bounded here.
 */
import {
  CorruptError,
  checksumHolds,
  crc32c,
  type Decoded,
  isPowerOfTwo,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { checkReadable, compat, type FeatureMasks, incompat, roCompat } from './features.js';
import {
  creatorHurd,
  extMagic,
  goodOldFirstInode,
  shortDescriptorSize,
  shortInodeSize,
  superblockFlags,
  superblock as superblockLayout,
  superblockOffset,
  superblockSize,
} from './layout.js';

const where = 'ext4 superblock';

/** A bound on work that visits all groups: 1 PiB with blocks of 4 KiB. */
const groupLimit = 2 ** 23;

/** Every field as stored. */
export type RawSuperblock = Decoded<typeof superblockLayout.fields>;

/** The checked values of the superblock that the rest of the driver needs. */
export interface Superblock {
  readonly raw: RawSuperblock;
  /** The 1024 bytes as stored. */
  readonly bytes: Uint8Array;
  readonly features: FeatureMasks;
  /** In bytes: a power of two, 1024 to 65536. */
  readonly blockSize: number;
  /** Blocks in an allocation cluster: a power of two; 1 without bigalloc. */
  readonly blocksPerCluster: number;
  readonly blockCount: number;
  /** The block that holds the superblock of group 0, or 0 where blocks are larger than 1024 bytes. */
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly groupCount: number;
  readonly inodeCount: number;
  readonly inodesPerGroup: number;
  /** In bytes: a power of two, 128 to the block size. */
  readonly inodeSize: number;
  /** The first inode number that is not reserved. */
  readonly firstInode: number;
  /** Bytes of a group descriptor: 32, or a power of two from 64 to the block size. */
  readonly descriptorSize: number;
  /**
   * Groups below this (in units of descriptor blocks) have their descriptors after the superblock, even with meta_bg.
   */
  readonly firstMetaGroup: number;
  /** Seed of metadata checksums; undefined without metadata_csum. */
  readonly checksumSeed: number | undefined;
  /** Seed of the hashes of attribute values (ea_inode); set even without metadata_csum. */
  readonly valueSeed: number;
  /** Whether names are hashed as unsigned bytes. */
  readonly unsignedHash: boolean;
  readonly createdByHurd: boolean;
}

/** The features of a stored superblock; revision 0 has none, whatever its bytes are. */
function featuresOf(raw: RawSuperblock): FeatureMasks {
  if (raw.s_rev_level === 0) return { compat: 0, incompat: 0, roCompat: 0 };
  return {
    compat: raw.s_feature_compat,
    incompat: raw.s_feature_incompat,
    roCompat: raw.s_feature_ro_compat,
  };
}

export function has(mask: number, flag: number): boolean {
  return (mask & flag) !== 0;
}

/** The 1024 bytes at `offset`; undefined if the disk is too small. */
export function readSuperblockBytes(disk: Disk, offset = superblockOffset): Uint8Array | undefined {
  if (offset + superblockSize > disk.size) return undefined;
  const bytes = new Uint8Array(superblockSize);
  disk.read(bytes, offset);
  return bytes;
}

/** Whether a superblock's own checksum is right; true if it has none. */
export function superblockChecksumHolds(bytes: Uint8Array, raw: RawSuperblock): boolean {
  if (!has(featuresOf(raw).roCompat, roCompat.metadataChecksums)) return true;
  return checksumHolds(superblockChecksum(bytes), raw.s_checksum);
}

/** The checksum of a superblock: of all bytes before its last field. */
export function superblockChecksum(bytes: Uint8Array): number {
  return crc32c(0xffffffff, bytes.subarray(0, superblockLayout.fields.s_checksum.at));
}

function refuse(problem: string, details: Record<string, number> = {}): never {
  throw new CorruptError(where, problem, details);
}

function count64(low: number, high: number, features: FeatureMasks, name: string): number {
  if (!has(features.incompat, incompat.sixtyFourBit)) return low;
  // Block numbers have 48 bits in extents; 2^53 / 65536 bytes would even allow no more than 2^37 of the largest.
  if (high > 0xffff) refuse(`${name} is too large`, { high, low });
  return high * 0x1_0000_0000 + low;
}

/** The seed of metadata checksums: the stored one, or one made from the UUID. */
function seedOf(raw: RawSuperblock, features: FeatureMasks): number {
  return has(features.incompat, incompat.checksumSeed) ? raw.s_checksum_seed : crc32c(0xffffffff, raw.s_uuid);
}

interface InodeGeometry {
  inodeSize: number;
  firstInode: number;
}

function inodeGeometry(raw: RawSuperblock, blockSize: number): InodeGeometry {
  if (raw.s_rev_level === 0) return { inodeSize: shortInodeSize, firstInode: goodOldFirstInode };
  const inodeSize = raw.s_inode_size;
  if (inodeSize < shortInodeSize || inodeSize > blockSize || !isPowerOfTwo(inodeSize))
    refuse('the inode size is invalid', { inodeSize });
  const firstInode = raw.s_first_ino;
  if (firstInode < goodOldFirstInode) refuse('the first inode is invalid', { firstInode });
  return { inodeSize, firstInode };
}

function descriptorSizeOf(raw: RawSuperblock, features: FeatureMasks, blockSize: number): number {
  if (!has(features.incompat, incompat.sixtyFourBit)) return shortDescriptorSize;
  const size = raw.s_desc_size;
  if (size < 64 || size > blockSize || !isPowerOfTwo(size))
    refuse('the group descriptor size is invalid', { descriptorSize: size });
  return size;
}

/** The number of blocks in a cluster, from two logarithms that are each at most 30. */
function clusterOf(raw: RawSuperblock, features: FeatureMasks): number {
  const blocksPerCluster = 2 ** (raw.s_log_cluster_size - raw.s_log_block_size);
  if (has(features.roCompat, roCompat.bigalloc)) {
    if (raw.s_log_cluster_size > 20 || blocksPerCluster < 1)
      refuse('the cluster size is invalid', { logarithm: raw.s_log_cluster_size });
    return blocksPerCluster;
  }
  // Other systems have stored a fragment size here in revision 0; the kernel requires the block size.
  if (blocksPerCluster !== 1) refuse('the fragment size differs from the block size', { blocksPerCluster });
  return 1;
}

/**
 * Checks and decodes. `diskSize` is in bytes. As in the kernel, a filesystem larger than its disk is refused. Throws
 * CorruptError, and UnsupportedError for unknown features that readers cannot ignore.
 */
export function decodeSuperblock(bytes: Uint8Array, diskSize: number): Superblock {
  const raw = superblockLayout.decode(viewOf(bytes));
  if (raw.s_magic !== extMagic) refuse('has no magic number', { found: raw.s_magic });
  const features = featuresOf(raw);
  if (has(features.incompat, incompat.journalDevice))
    throw new UnsupportedError('ext4 filesystem', ['journal_dev (an external journal, not a filesystem)']);
  checkReadable(features);
  if (has(features.roCompat, roCompat.metadataChecksums) && raw.s_checksum_type !== 1)
    throw new UnsupportedError('ext4 filesystem', [`checksum type ${raw.s_checksum_type}`]);
  if (!superblockChecksumHolds(bytes, raw)) refuse('has a bad checksum', { stored: raw.s_checksum });

  if (raw.s_log_block_size > 6) refuse('the block size is invalid', { logarithm: raw.s_log_block_size });
  const blockSize = 1024 << raw.s_log_block_size;
  const { inodeSize, firstInode } = inodeGeometry(raw, blockSize);
  const descriptorSize = descriptorSizeOf(raw, features, blockSize);
  const blocksPerCluster = clusterOf(raw, features);

  const blocksPerGroup = raw.s_blocks_per_group;
  const bitsInBlock = 8 * blockSize;
  if (blocksPerGroup === 0) refuse('has no blocks in a group');
  if (has(features.roCompat, roCompat.bigalloc)) {
    const clusters = raw.s_clusters_per_group;
    if (clusters > bitsInBlock || clusters * blocksPerCluster !== blocksPerGroup)
      refuse('blocks and clusters of a group differ', { blocksPerGroup, clusters, blocksPerCluster });
  } else if (blocksPerGroup > bitsInBlock) {
    refuse('has too many blocks in a group', { blocksPerGroup });
  }
  const inodesPerGroup = raw.s_inodes_per_group;
  if (inodesPerGroup < blockSize / inodeSize || inodesPerGroup > bitsInBlock)
    refuse('the inodes of a group are out of range', { inodesPerGroup });
  if (raw.s_reserved_gdt_blocks > blockSize / 4)
    refuse('has too many reserved descriptor blocks', { found: raw.s_reserved_gdt_blocks });

  const blockCount = count64(raw.s_blocks_count_lo, raw.s_blocks_count_hi, features, 'block count');
  const firstDataBlock = raw.s_first_data_block;
  if (blockCount * blockSize > diskSize)
    refuse('the filesystem is larger than its disk', { blockCount, blockSize, diskSize });
  if (firstDataBlock >= blockCount) refuse('the first block is past the end', { firstDataBlock, blockCount });
  if (firstDataBlock === 0 && blockSize === 1024 && blocksPerCluster === 1)
    refuse('the first block is 0 with blocks of 1024 bytes');
  const groupCount = Math.ceil((blockCount - firstDataBlock) / blocksPerGroup);
  if (groupCount > groupLimit)
    throw new UnsupportedError('ext4 filesystem', [`more than ${groupLimit} block groups`]);
  if (groupCount * inodesPerGroup !== raw.s_inodes_count)
    refuse('inode count and groups disagree', { inodes: raw.s_inodes_count, groupCount, inodesPerGroup });
  const descriptorBlocks = Math.ceil(groupCount / (blockSize / descriptorSize));
  const metaGroups = has(features.incompat, incompat.metaGroups);
  if (metaGroups && raw.s_first_meta_bg > descriptorBlocks)
    refuse('the first meta block group is out of range', { found: raw.s_first_meta_bg, descriptorBlocks });

  return {
    raw,
    bytes,
    features,
    blockSize,
    blocksPerCluster,
    blockCount,
    firstDataBlock,
    blocksPerGroup,
    groupCount,
    inodeCount: raw.s_inodes_count,
    inodesPerGroup,
    inodeSize,
    firstInode,
    descriptorSize,
    firstMetaGroup: metaGroups ? raw.s_first_meta_bg : descriptorBlocks,
    checksumSeed: has(features.roCompat, roCompat.metadataChecksums) ? seedOf(raw, features) : undefined,
    valueSeed: seedOf(raw, features),
    unsignedHash: has(raw.s_flags, superblockFlags.unsignedHash),
    createdByHurd: raw.s_creator_os === creatorHurd,
  };
}

/** Whether group `group` holds a copy of the superblock and of the descriptors. */
export function hasSuperblockCopy(superblock: Superblock, group: number): boolean {
  if (group === 0) return true;
  const { raw, features } = superblock;
  if (has(features.compat, compat.sparseSuper2))
    return group === raw.s_backup_bgs_0 || group === raw.s_backup_bgs_1;
  if (group === 1 || !has(features.roCompat, roCompat.sparseSuper)) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

/** The blocks of the copies, each of which begins with one. */
export function* superblockCopies(superblock: Superblock): Generator<number, void> {
  const { firstDataBlock, blocksPerGroup, groupCount } = superblock;
  for (let group = 1; group < groupCount; group++) {
    work.steps.spend(1);
    if (hasSuperblockCopy(superblock, group)) yield firstDataBlock + group * blocksPerGroup;
  }
}

/** Stored 64-bit counts beside {@link Superblock.blockCount}. */
export function reservedBlockCount({ raw, features }: Superblock): number {
  return count64(raw.s_r_blocks_count_lo, raw.s_r_blocks_count_hi, features, 'reserved block count');
}
export function freeBlockCount({ raw, features }: Superblock): number {
  return count64(raw.s_free_blocks_count_lo, raw.s_free_blocks_count_hi, features, 'free block count');
}
