/** The superblock of a new filesystem. */
import { crc32c } from '../../../base/index.js';
import { compat, type FeatureMasks, incompat, roCompat } from '../features.js';
import {
  extMagic,
  goodOldFirstInode,
  hashVersions,
  shortInodeSize,
  superblockFlags,
  superblockState,
  superblock as table,
} from '../layout.js';
import { has, type RawSuperblock, superblockChecksum } from '../superblock.js';
import type { Geometry } from './geometry.js';
import type { FormatOptions } from './options.js';

/** `s_default_mount_opts`: `user_xattr` and `acl`. */
const defaultMountOptions = 0x4 + 0x8;
/** What inodes use behind their first 128 bytes. */
export const extraInodeSize = 32;
/** `s_encoding` of UTF-8 as in Unicode 12.1. */
const utf8Encoding = 1;
/** `s_encrypt_algos`: AES-256 in the modes XTS for contents and CTS for names. */
const encryptionModes = Uint8Array.of(1, 4, 0, 0);

/** What an array of bytes holds as text, cut where it does not fit. */
function cut(text: string, most: number): string {
  let fits = '';
  let length = 0;
  for (const character of text) {
    length += new TextEncoder().encode(character).length;
    if (length > most) break;
    fits += character;
  }
  return fits;
}

export const strideOf = ({ stride = 0 }: FormatOptions): number => stride % 0x10000;

/** The fields that do not depend on what is written behind the superblock. */
export function newSuperblock(
  options: FormatOptions,
  geometry: Geometry,
  creator: number,
): Partial<RawSuperblock> {
  const { features, blockSize, blockCount, blocksPerCluster, inodeSize, groupCount } = geometry;
  const logBlockSize = Math.log2(blockSize / 1024);
  const long = inodeSize > shortInodeSize;
  const { uuid, hashSeed, time } = options;
  const wide = has(features.incompat, incompat.sixtyFourBit);
  const sums = has(features.roCompat, roCompat.metadataChecksums);
  return {
    s_inodes_count: geometry.inodesPerGroup * groupCount,
    s_blocks_count_lo: blockCount % 2 ** 32,
    s_blocks_count_hi: Math.floor(blockCount / 2 ** 32),
    s_r_blocks_count_lo: geometry.reservedBlocks % 2 ** 32,
    s_r_blocks_count_hi: Math.floor(geometry.reservedBlocks / 2 ** 32),
    s_first_data_block: geometry.firstDataBlock,
    s_log_block_size: logBlockSize,
    s_log_cluster_size: logBlockSize + Math.log2(blocksPerCluster),
    s_blocks_per_group: geometry.blocksPerGroup,
    s_clusters_per_group: geometry.blocksPerGroup / blocksPerCluster,
    s_inodes_per_group: geometry.inodesPerGroup,
    s_wtime: time % 2 ** 32,
    s_wtime_hi: Math.floor(time / 2 ** 32),
    s_max_mnt_count: -1,
    s_magic: extMagic,
    s_state: superblockState.valid,
    s_errors: 1,
    s_lastcheck: time % 2 ** 32,
    s_lastcheck_hi: Math.floor(time / 2 ** 32),
    s_creator_os: creator,
    s_rev_level: 1,
    s_first_ino: goodOldFirstInode,
    s_inode_size: inodeSize,
    s_feature_compat: features.compat,
    s_feature_incompat: features.incompat,
    s_feature_ro_compat: features.roCompat,
    s_uuid: uuid,
    s_volume_name: cut(options.label ?? '', table.fields.s_volume_name.length),
    s_last_mounted: cut(options.lastMounted ?? '', table.fields.s_last_mounted.length),
    s_reserved_gdt_blocks: geometry.reservedDescriptorBlocks,
    s_hash_seed: hashSeed,
    s_def_hash_version: hashVersions.halfMd4,
    s_desc_size: wide ? geometry.descriptorSize : 0,
    s_default_mount_opts: defaultMountOptions,
    s_mkfs_time: time % 2 ** 32,
    s_mkfs_time_hi: Math.floor(time / 2 ** 32),
    s_min_extra_isize: long ? extraInodeSize : 0,
    s_want_extra_isize: long ? extraInodeSize : 0,
    s_flags: superblockFlags.signedHash + (options.testFilesystem ? superblockFlags.testFilesystem : 0),
    s_raid_stride: strideOf(options),
    s_raid_stripe_width: options.stripeWidth ?? 0,
    s_log_groups_per_flex: Math.log2(geometry.groupsPerFlex),
    s_kbytes_written: countsWrites(features) ? 1n : 0n,
    s_checksum_type: sums ? 1 : 0,
    s_checksum_seed: has(features.incompat, incompat.checksumSeed) ? crc32c(0xffffffff, uuid) : 0,
    s_encoding: has(features.incompat, incompat.casefold) ? utf8Encoding : 0,
    s_backup_bgs_0: geometry.backupGroups[0],
    s_backup_bgs_1: geometry.backupGroups[1],
    ...(has(features.incompat, incompat.encrypt) && { s_encrypt_algos: encryptionModes }),
    ...(options.journal !== undefined && {
      s_journal_uuid: options.journal.uuid,
      s_journal_dev: options.journal.number,
    }),
    ...(has(features.compat, compat.hasJournal) && options.journal === undefined && { s_jnl_backup_type: 1 }),
  };
}

/** Whether the kilobytes that were ever written are counted: where ext4's features are. */
function countsWrites({ incompat: i, roCompat: r }: FeatureMasks): boolean {
  return (
    has(i, incompat.extents | incompat.flexGroups) ||
    has(r, roCompat.hugeFile | roCompat.groupChecksums | roCompat.dirNlink | roCompat.extraIsize)
  );
}

/** The 1024 bytes, with their checksum where there is one. */
export function encodeSuperblock(values: Partial<RawSuperblock>): Uint8Array {
  const bytes = table.encode(values);
  if (has(values.s_feature_ro_compat ?? 0, roCompat.metadataChecksums))
    table.encode({ s_checksum: superblockChecksum(bytes) }, bytes);
  return bytes;
}
