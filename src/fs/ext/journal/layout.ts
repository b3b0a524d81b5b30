/**
 * The on-disk structures of the journal, jbd2: offsets, numbers and flags; no logic. Big-endian, unlike the
 * filesystem; fast commits (at the end) are little-endian again. Specification: the kernel's
 * Documentation/filesystems/ext4/journal.rst, include/linux/jbd2.h and fs/ext4/fast_commit.h.
 */
import { bytes, struct, u8, u16, u32 } from '../../../base/index.js';

export const journalMagic = 0xc03b3998;

/** `journal_header_t`: in front of every block of the journal that is not data. */
export const journalHeader = struct('ext4 journal block', 'big', 12, () => ({
  h_magic: u32(0),
  h_blocktype: u32(4),
  h_sequence: u32(8),
}));
export const journalBlockTypes = {
  descriptor: 1,
  commit: 2,
  superblockV1: 3,
  superblockV2: 4,
  revoke: 5,
} as const;

/** The checksum of a data block begins with its seed and this. */
export const transactionIdentity = struct('transaction in a checksum', 'big', 4, () => ({
  sequence: u32(0),
}));

/** `journal_superblock_t`. */
export const journalSuperblock = struct('ext4 journal superblock', 'big', 1024, () => ({
  h_magic: u32(0x0),
  h_blocktype: u32(0x4),
  s_blocksize: u32(0xc),
  s_maxlen: u32(0x10),
  s_first: u32(0x14),
  s_sequence: u32(0x18),
  s_start: u32(0x1c),
  s_errno: u32(0x20),
  // From here on only in version 2.
  s_feature_compat: u32(0x24),
  s_feature_incompat: u32(0x28),
  s_feature_ro_compat: u32(0x2c),
  s_uuid: bytes(0x30, 16),
  s_nr_users: u32(0x40),
  s_checksum_type: u8(0x50),
  s_num_fc_blks: u32(0x54),
  s_checksum: u32(0xfc),
}));
/** `s_users`: behind the superblock's own fields, the UUIDs of the filesystems that have a journal of its own disk. */
export const journalUsers = { at: 0x100, size: 16, most: 48 } as const;
export const journalCompat = { checksum: 0x1 } as const;
export const journalIncompat = {
  revoke: 0x1,
  sixtyFourBit: 0x2,
  asyncCommit: 0x4,
  checksumV2: 0x8,
  checksumV3: 0x10,
  fastCommit: 0x20,
} as const;
/** `s_checksum_type` and `h_chksum_type`. */
export const journalChecksumTypes = { crc32: 1, crc32c: 4 } as const;
/** Blocks for fast commits where `s_num_fc_blks` is 0. */
export const defaultFastCommitBlocks = 256;
/** The least journal length, in blocks, with room for fast commits. */
export const leastJournalBlocks = 1024;

/** `journal_block_tag_t`, whose size depends on the features, and `journal_block_tag3_t`. */
export const tagAt = { t_blocknr: 0, t_checksum: 4, t_flags: 6, t_blocknr_high: 8 } as const;
export const tag3At = { t_blocknr: 0, t_flags: 4, t_blocknr_high: 8, t_checksum: 12 } as const;
export const tag3Size = 16;
export const tagFlags = { escape: 0x1, sameUuid: 0x2, lastTag: 0x8 } as const;
/** The checksum at the end of a descriptor or revoke block, in bytes. */
export const journalTailSize = 4;

/** `commit_header`. */
export const commitHeader = struct('ext4 journal commit block', 'big', 60, () => ({
  h_chksum_type: u8(12),
  h_chksum_size: u8(13),
  h_chksum: u32(16),
  h_commit_sec_high: u32(48),
  h_commit_sec_low: u32(52),
}));

/** `jbd2_journal_revoke_header_t`. */
export const revokeHeader = struct('ext4 journal revoke block', 'big', 16, () => ({ r_count: u32(12) }));

/** `struct ext4_fc_tl`, in front of every record of a fast commit. */
export const fastCommitTag = struct('ext4 fast commit record', 'little', 4, () => ({
  fc_tag: u16(0),
  fc_len: u16(2),
}));
export const fastCommitTags = {
  addRange: 1,
  delRange: 2,
  create: 3,
  link: 4,
  unlink: 5,
  inode: 6,
  pad: 7,
  tail: 8,
  head: 9,
} as const;
/** The values: `ext4_fc_head`, `_tail`, `_add_range`, `_del_range`, `_dentry_info` and `_inode`. */
export const fastCommitHead = struct('ext4 fast commit head', 'little', 8, () => ({
  fc_features: u32(0),
  fc_tid: u32(4),
}));
export const fastCommitTail = struct('ext4 fast commit tail', 'little', 8, () => ({
  fc_tid: u32(0),
  fc_crc: u32(4),
}));
export const fastCommitAddRange = struct('ext4 fast commit range', 'little', 16, () => ({
  fc_ino: u32(0),
  ee_block: u32(4),
  ee_len: u16(8),
  ee_start_hi: u16(10),
  ee_start_lo: u32(12),
}));
export const fastCommitDelRange = struct('ext4 fast commit range', 'little', 12, () => ({
  fc_ino: u32(0),
  fc_lblk: u32(4),
  fc_len: u32(8),
}));
export const fastCommitEntry = struct('ext4 fast commit entry', 'little', 8, () => ({
  fc_parent_ino: u32(0),
  fc_ino: u32(4),
}));
export const fastCommitInode = struct('ext4 fast commit inode', 'little', 4, () => ({ fc_ino: u32(0) }));
