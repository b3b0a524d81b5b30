/**
 * The on-disk structures of ext2, ext3 and ext4: offsets, magic numbers and flags; no logic. Little-endian.
 * Specification: the kernel's Documentation/filesystems/ext4 and fs/ext4/ext4.h. The journal, which is big-endian, is
 * in journal-layout.ts.
 */
import { bits64, bytes, i16, struct, text, u8, u16, u32, u64 } from '../../base/index.js';

/** The place and the length of the superblock on the disk, in bytes. */
export const superblockOffset = 1024;
export const superblockSize = 1024;
export const extMagic = 0xef53;

/** `struct ext4_super_block`. */
export const superblock = struct('ext4 superblock', 'little', superblockSize, () => ({
  s_inodes_count: u32(0x0),
  s_blocks_count_lo: u32(0x4),
  s_r_blocks_count_lo: u32(0x8),
  s_free_blocks_count_lo: u32(0xc),
  s_free_inodes_count: u32(0x10),
  s_first_data_block: u32(0x14),
  s_log_block_size: u32(0x18),
  s_log_cluster_size: u32(0x1c),
  s_blocks_per_group: u32(0x20),
  s_clusters_per_group: u32(0x24),
  s_inodes_per_group: u32(0x28),
  s_mtime: u32(0x2c),
  s_wtime: u32(0x30),
  s_mnt_count: u16(0x34),
  s_max_mnt_count: i16(0x36),
  s_magic: u16(0x38),
  s_state: u16(0x3a),
  s_errors: u16(0x3c),
  s_minor_rev_level: u16(0x3e),
  s_lastcheck: u32(0x40),
  s_checkinterval: u32(0x44),
  s_creator_os: u32(0x48),
  s_rev_level: u32(0x4c),
  s_def_resuid: u16(0x50),
  s_def_resgid: u16(0x52),
  // From here on only where s_rev_level ≥ 1.
  s_first_ino: u32(0x54),
  s_inode_size: u16(0x58),
  s_block_group_nr: u16(0x5a),
  s_feature_compat: u32(0x5c),
  s_feature_incompat: u32(0x60),
  s_feature_ro_compat: u32(0x64),
  s_uuid: bytes(0x68, 16),
  s_volume_name: text(0x78, 16),
  s_last_mounted: text(0x88, 64),
  s_algorithm_usage_bitmap: u32(0xc8),
  s_prealloc_blocks: u8(0xcc),
  s_prealloc_dir_blocks: u8(0xcd),
  s_reserved_gdt_blocks: u16(0xce),
  s_journal_uuid: bytes(0xd0, 16),
  s_journal_inum: u32(0xe0),
  s_journal_dev: u32(0xe4),
  s_last_orphan: u32(0xe8),
  s_hash_seed: bytes(0xec, 16),
  s_def_hash_version: u8(0xfc),
  s_jnl_backup_type: u8(0xfd),
  s_desc_size: u16(0xfe),
  s_default_mount_opts: u32(0x100),
  s_first_meta_bg: u32(0x104),
  s_mkfs_time: u32(0x108),
  s_jnl_blocks: bytes(0x10c, 68),
  s_blocks_count_hi: u32(0x150),
  s_r_blocks_count_hi: u32(0x154),
  s_free_blocks_count_hi: u32(0x158),
  s_min_extra_isize: u16(0x15c),
  s_want_extra_isize: u16(0x15e),
  s_flags: u32(0x160),
  s_raid_stride: u16(0x164),
  s_mmp_update_interval: u16(0x166),
  s_mmp_block: bits64(0x168),
  s_raid_stripe_width: u32(0x170),
  s_log_groups_per_flex: u8(0x174),
  s_checksum_type: u8(0x175),
  s_encryption_level: u8(0x176),
  s_kbytes_written: bits64(0x178),
  s_snapshot_inum: u32(0x180),
  s_snapshot_id: u32(0x184),
  s_snapshot_r_blocks_count: bits64(0x188),
  s_snapshot_list: u32(0x190),
  s_error_count: u32(0x194),
  s_first_error_time: u32(0x198),
  s_first_error_ino: u32(0x19c),
  s_first_error_block: bits64(0x1a0),
  s_first_error_func: text(0x1a8, 32),
  s_first_error_line: u32(0x1c8),
  s_last_error_time: u32(0x1cc),
  s_last_error_ino: u32(0x1d0),
  s_last_error_line: u32(0x1d4),
  s_last_error_block: bits64(0x1d8),
  s_last_error_func: text(0x1e0, 32),
  s_mount_opts: text(0x200, 64),
  s_usr_quota_inum: u32(0x240),
  s_grp_quota_inum: u32(0x244),
  s_overhead_clusters: u32(0x248),
  s_backup_bgs_0: u32(0x24c),
  s_backup_bgs_1: u32(0x250),
  s_encrypt_algos: bytes(0x254, 4),
  s_encrypt_pw_salt: bytes(0x258, 16),
  s_lpf_ino: u32(0x268),
  s_prj_quota_inum: u32(0x26c),
  s_checksum_seed: u32(0x270),
  s_wtime_hi: u8(0x274),
  s_mtime_hi: u8(0x275),
  s_mkfs_time_hi: u8(0x276),
  s_lastcheck_hi: u8(0x277),
  s_first_error_time_hi: u8(0x278),
  s_last_error_time_hi: u8(0x279),
  s_first_error_errcode: u8(0x27a),
  s_last_error_errcode: u8(0x27b),
  s_encoding: u16(0x27c),
  s_encoding_flags: u16(0x27e),
  s_orphan_file_inum: u32(0x280),
  s_checksum: u32(0x3fc),
}));

/** `struct ext4_group_desc`; the second half only where `s_desc_size` > 32. */
export const groupDescriptor = struct('ext4 group descriptor', 'little', 64, () => ({
  bg_block_bitmap_lo: u32(0x0),
  bg_inode_bitmap_lo: u32(0x4),
  bg_inode_table_lo: u32(0x8),
  bg_free_blocks_count_lo: u16(0xc),
  bg_free_inodes_count_lo: u16(0xe),
  bg_used_dirs_count_lo: u16(0x10),
  bg_flags: u16(0x12),
  bg_block_bitmap_csum_lo: u16(0x18),
  bg_inode_bitmap_csum_lo: u16(0x1a),
  bg_itable_unused_lo: u16(0x1c),
  bg_checksum: u16(0x1e),
  bg_block_bitmap_hi: u32(0x20),
  bg_inode_bitmap_hi: u32(0x24),
  bg_inode_table_hi: u32(0x28),
  bg_free_blocks_count_hi: u16(0x2c),
  bg_free_inodes_count_hi: u16(0x2e),
  bg_used_dirs_count_hi: u16(0x30),
  bg_itable_unused_hi: u16(0x32),
  bg_block_bitmap_csum_hi: u16(0x38),
  bg_inode_bitmap_csum_hi: u16(0x3a),
}));
export const shortDescriptorSize = 32;
/** `bg_flags`: bitmaps that were never written, and an inode table that was. */
export const groupFlags = {
  EXT4_BG_INODE_UNINIT: 0x1,
  EXT4_BG_BLOCK_UNINIT: 0x2,
  EXT4_BG_INODE_ZEROED: 0x4,
} as const;

/**
 * `struct ext4_inode`: plain offsets, because hundreds of thousands of inodes are read. Fields from `i_extra_isize`
 * on are after the first 128 bytes, and exist only as far as `i_extra_isize` reaches.
 */
export const inodeAt = {
  i_mode: 0x0,
  i_uid: 0x2,
  i_size_lo: 0x4,
  i_atime: 0x8,
  i_ctime: 0xc,
  i_mtime: 0x10,
  i_dtime: 0x14,
  i_gid: 0x18,
  i_links_count: 0x1a,
  i_blocks_lo: 0x1c,
  i_flags: 0x20,
  i_version: 0x24,
  i_block: 0x28,
  i_generation: 0x64,
  i_file_acl_lo: 0x68,
  i_size_high: 0x6c,
  i_obso_faddr: 0x70,
  i_blocks_high: 0x74,
  i_file_acl_high: 0x76,
  i_uid_high: 0x78,
  i_gid_high: 0x7a,
  i_checksum_lo: 0x7c,
  i_extra_isize: 0x80,
  i_checksum_hi: 0x82,
  i_ctime_extra: 0x84,
  i_mtime_extra: 0x88,
  i_atime_extra: 0x8c,
  i_crtime: 0x90,
  i_crtime_extra: 0x94,
  i_version_hi: 0x98,
  i_projid: 0x9c,
} as const;
/** `s_jnl_blocks`: the map and the size of the journal's inode. */
export const journalBackup = struct('copy of the journal inode', 'little', 68, () => ({
  i_block: bytes(0, 60),
  i_size_high: u32(60),
  i_size_lo: u32(64),
}));
/** What checksums begin with after their seed: for structures of an inode, of a group, for a block. */
export const inodeIdentity = struct('inode in a checksum', 'little', 8, () => ({
  number: u32(0),
  generation: u32(4),
}));
export const groupIdentity = struct('group in a checksum', 'little', 4, () => ({ number: u32(0) }));
export const blockIdentity = struct('block in a checksum', 'little', 8, () => ({ number: u64(0) }));

/** `i_extra_isize` where the superblock does not say: all fields that the kernel knows. */
export const usualExtraSize = 32;

/** The size of an inode in revision 0, and of the part that every inode has; in bytes. */
export const shortInodeSize = 128;
/** The size of `i_block`: 15 block numbers, an extent root, a short symlink or inline data; in bytes. */
export const inodeBlockAreaSize = 60;

/** `i_flags`. */
export const inodeFlags = {
  EXT4_IMMUTABLE_FL: 0x10,
  EXT4_APPEND_FL: 0x20,
  EXT4_ENCRYPT_FL: 0x800,
  EXT4_INDEX_FL: 0x1000,
  EXT4_HUGE_FILE_FL: 0x40000,
  EXT4_EXTENTS_FL: 0x80000,
  EXT4_VERITY_FL: 0x100000,
  EXT4_EA_INODE_FL: 0x200000,
  EXT4_INLINE_DATA_FL: 0x10000000,
  EXT4_PROJINHERIT_FL: 0x20000000,
  EXT4_CASEFOLD_FL: 0x40000000,
} as const;

/** Flags that need no feature but extents and indexes, and change nothing else of how an inode is stored. */
export const plainFlags = 0xfd0fb;

/** Flags that new files have from their directory, by the kind of file. */
export const inheritedFlags = { directory: 0x6001c4cf, file: 0x0000c4cf, other: 0x000000c0 } as const;
/** Flags that chattr changes. */
export const changeableFlags = 0x604bc0ff;
/** The most links of an inode; directories with an index may have more, and are then counted as 1. */
export const linkLimit = 65000;

/** Reserved inode numbers. */
export const reservedInodes = { root: 2, resize: 7, journal: 8 } as const;
/** The first inode for users in revision 0, and the least in later ones. */
export const goodOldFirstInode = 11;

/** `s_creator_os` of GNU/Hurd, whose inodes use some fields otherwise. */
export const creatorHurd = 1;

/** `s_flags`. */
export const superblockFlags = { signedHash: 0x1, unsignedHash: 0x2, testFilesystem: 0x4 } as const;
/** `s_state`. */
export const superblockState = { valid: 0x1, error: 0x2, orphan: 0x4, fastCommitReplay: 0x20 } as const;

/** `struct ext4_extent_header`, 12 bytes; `ext4_extent_idx` and `ext4_extent`, 12 bytes each. */
export const extentHeader = struct('ext4 extent header', 'little', 12, () => ({
  eh_magic: u16(0),
  eh_entries: u16(2),
  eh_max: u16(4),
  eh_depth: u16(6),
  eh_generation: u32(8),
}));
export const extentMagic = 0xf30a;
export const extentEntrySize = 12;
export const extentAt = { ee_block: 0, ee_len: 4, ee_start_hi: 6, ee_start_lo: 8 } as const;
export const extentIndexAt = { ei_block: 0, ei_leaf_lo: 4, ei_leaf_hi: 8 } as const;
/** `ee_len` above this marks an extent as unwritten; its length is then `ee_len` less this. */
export const maxInitializedLength = 32768;
/** The kernel's EXT4_MAX_EXTENT_DEPTH: five levels address 2^32 blocks with the smallest nodes. */
export const maxExtentDepth = 5;

/** `struct ext4_dir_entry_2`: 8 bytes and the name. */
export const direntAt = { inode: 0, rec_len: 4, name_len: 6, file_type: 7, name: 8 } as const;
export const direntHeaderSize = 8;
/** `struct ext4_dir_entry_tail`: looks like an unused entry with this type. */
export const direntTailSize = 12;
export const direntTailType = 0xde;
/** Name hashes after the name in directories that are both encrypted and case-folded. */
export const direntHashSize = 8;

/** Offsets in `struct dx_root` and `struct dx_node`. */
export const hashTreeAt = {
  info_reserved_zero: 24,
  info_hash_version: 28,
  info_length: 29,
  info_indirect_levels: 30,
  root_entries: 32,
  node_entries: 8,
  /** In the first entry of a block: the count of entries, behind the limit. */
  count: 2,
  /** In each entry. */
  entry_block: 4,
} as const;
export const hashTreeEntrySize = 8;
export const hashTreeTailSize = 8;
/** `hash_version` values; the unsigned kinds are these plus 3. */
export const hashVersions = {
  legacy: 0,
  halfMd4: 1,
  tea: 2,
  legacyUnsigned: 3,
  halfMd4Unsigned: 4,
  teaUnsigned: 5,
  sipHash: 6,
} as const;

/** `struct ext4_xattr_header` (in a block) and `ext4_xattr_entry`. */
export const xattrHeader = struct('ext4 xattr header', 'little', 32, () => ({
  h_magic: u32(0),
  h_refcount: u32(4),
  h_blocks: u32(8),
  h_hash: u32(12),
  h_checksum: u32(16),
}));
export const xattrHeaderChecksumAt = 16;
export const xattrMagic = 0xea020000;
export const xattrEntryAt = {
  e_name_len: 0,
  e_name_index: 1,
  e_value_offs: 2,
  e_value_inum: 4,
  e_value_size: 8,
  e_hash: 12,
  e_name: 16,
} as const;
export const xattrEntrySize = 16;
/** The prefixes that `e_name_index` stands for, of those that are listed; ext4 keeps 7 (`system.`) and 9 to itself. */
export const xattrPrefixes: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  10: 'gnu.',
};
export const xattrIndex = { aclAccess: 2, aclDefault: 3, system: 7 } as const;

/** The version of the access control lists that ext4 stores: entries without an id have only their first half. */
export const storedAclVersion = 1;
export const shortAclEntrySize = 4;

/** `struct ext4_orphan_block_tail`. */
export const orphanBlockTail = struct('ext4 orphan block tail', 'little', 8, () => ({
  ob_magic: u32(0),
  ob_checksum: u32(4),
}));
export const orphanBlockMagic = 0x0b10ca04;

/** What the shown form of a name in an encrypted directory begins with: struct fscrypt_nokey_name. */
export const nokeyHashes = struct('hashes of a name without its key', 'little', 8, () => ({
  major: u32(0),
  minor: u32(4),
}));
