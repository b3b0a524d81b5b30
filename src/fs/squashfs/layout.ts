/**
 * The structures of squashfs 4.0, all little-endian. Specification: the kernel's fs/squashfs/squashfs_fs.h and
 * Documentation/filesystems/squashfs.rst.
 */
import { i16, struct, u16, u32, u64 } from '../../base/index.js';
import type { Codec } from '../../disk/index.js';

export const SQUASHFS_MAGIC = 0x73717368;
/** Versions before 4 may be big-endian, and none of them has a number here. */
export const SQUASHFS_MAJOR = 4;
export const SQUASHFS_MINOR = 0;

/** `struct squashfs_super_block`. Starts of tables are in bytes; one that is missing is {@link missingTable}. */
export const superblock = struct('squashfs superblock', 'little', 96, () => ({
  s_magic: u32(0),
  inodes: u32(4),
  mkfs_time: u32(8),
  block_size: u32(12),
  fragments: u32(16),
  compression: u16(20),
  block_log: u16(22),
  flags: u16(24),
  no_ids: u16(26),
  s_major: u16(28),
  s_minor: u16(30),
}));

/** The second half of the superblock. A table's start may be all ones, which is no number of this program. */
export const superblockTables = {
  root_inode: 32,
  bytes_used: 40,
  id_table_start: 48,
  xattr_id_table_start: 56,
  inode_table_start: 64,
  directory_table_start: 72,
  fragment_table_start: 80,
  lookup_table_start: 88,
} as const;

/** All ones, for what is not there: tables, fragments, attributes, references. */
export const missingTable = 0xffff_ffff_ffff_ffffn;
export const SQUASHFS_INVALID_FRAG = 0xffff_ffff;
export const SQUASHFS_INVALID_XATTR = 0xffff_ffff;

export const SQUASHFS_FILE_MAX_LOG = 20;
/** The smallest blocks that mksquashfs makes. */
export const leastBlockLog = 12;

/** `super_block.compression`. */
export const codecs: ReadonlyMap<number, Codec> = new Map<number, Codec>([
  [1, 'zlib'],
  [2, 'lzma'],
  [3, 'lzo'],
  [4, 'xz-file'],
  [5, 'lz4'],
  [6, 'zstd'],
]);

/** Bytes that a metadata block holds, once decoded. */
export const SQUASHFS_METADATA_SIZE = 8192;
/** The length in front of a metadata block, whose highest bit says that the block is not compressed. */
export const metadataHead = struct('squashfs metadata', 'little', 2, () => ({ length: u16(0) }));
export const SQUASHFS_COMPRESSED_BIT = 0x8000;

/** The length of a block of data, whose highest bit says that the block is not compressed. */
export const blockLengthSize = 4;
const SQUASHFS_COMPRESSED_BIT_BLOCK = 0x100_0000;
export const storedLength = (word: number): number => (word & ~SQUASHFS_COMPRESSED_BIT_BLOCK) >>> 0;
export const isCompressed = (word: number): boolean => (word & SQUASHFS_COMPRESSED_BIT_BLOCK) === 0;

/** `inode_type` of a basic inode; the same with {@link extendedTypes} added is extended. */
export const inodeTypes = {
  SQUASHFS_DIR_TYPE: 1,
  SQUASHFS_REG_TYPE: 2,
  SQUASHFS_SYMLINK_TYPE: 3,
  SQUASHFS_BLKDEV_TYPE: 4,
  SQUASHFS_CHRDEV_TYPE: 5,
  SQUASHFS_FIFO_TYPE: 6,
  SQUASHFS_SOCKET_TYPE: 7,
} as const;
export const extendedTypes = 7;
export const permissionBits = 0o7777;

export const baseInode = struct('squashfs inode', 'little', 16, () => ({
  inode_type: u16(0),
  mode: u16(2),
  uid: u16(4),
  guid: u16(6),
  mtime: u32(8),
  inode_number: u32(12),
}));

// What follows the base, each from its own beginning.
export const dirInode = struct('squashfs directory', 'little', 16, () => ({
  start_block: u32(0),
  nlink: u32(4),
  file_size: u16(8),
  offset: u16(10),
  parent_inode: u32(12),
}));
export const ldirInode = struct('squashfs directory', 'little', 24, () => ({
  nlink: u32(0),
  file_size: u32(4),
  start_block: u32(8),
  parent_inode: u32(12),
  i_count: u16(16),
  offset: u16(18),
  xattr: u32(20),
}));
export const regInode = struct('squashfs file', 'little', 16, () => ({
  start_block: u32(0),
  fragment: u32(4),
  offset: u32(8),
  file_size: u32(12),
}));
export const lregInode = struct('squashfs file', 'little', 40, () => ({
  start_block: u64(0),
  file_size: u64(8),
  sparse: u64(16),
  nlink: u32(24),
  fragment: u32(28),
  offset: u32(32),
  xattr: u32(36),
}));
export const symlinkInode = struct('squashfs symbolic link', 'little', 8, () => ({
  nlink: u32(0),
  symlink_size: u32(4),
}));
export const devInode = struct('squashfs device node', 'little', 8, () => ({ nlink: u32(0), rdev: u32(4) }));
/** Linux's new_decode_dev. */
export function deviceNumbersOf(rdev: number): {
  readonly deviceMajor: number;
  readonly deviceMinor: number;
} {
  return { deviceMajor: (rdev & 0xfff00) >>> 8, deviceMinor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

export const ipcInode = struct('squashfs inode', 'little', 4, () => ({ nlink: u32(0) }));
/** Behind an extended inode of the last three kinds; behind the target of a link. */
export const xattrIndex = struct('squashfs inode', 'little', 4, () => ({ xattr: u32(0) }));

/** A directory's size counts `.` and `..`, which are not stored, as so many bytes. */
export const dotsSize = 3;
/** `struct squashfs_dir_index`, followed by the first name of a run. `size` and `count` are one less than the number. */
export const dirIndex = struct('squashfs directory index', 'little', 12, () => ({
  index: u32(0),
  start_block: u32(4),
  size: u32(8),
}));
export const dirHeader = struct('squashfs directory', 'little', 12, () => ({
  count: u32(0),
  start_block: u32(4),
  inode_number: u32(8),
}));
export const dirEntry = struct('squashfs directory', 'little', 8, () => ({
  offset: u16(0),
  inode_number: i16(2),
  type: u16(4),
  size: u16(6),
}));
export const SQUASHFS_DIR_COUNT = 256;
export const SQUASHFS_NAME_LEN = 256;
export const dot = 0x2e;
/** A slash, which no name has. */
export const slash = 0x2f;

export const fragmentEntry = struct('squashfs fragment table', 'little', 16, () => ({
  start_block: u64(0),
  size: u32(8),
}));
export const id = struct('squashfs id table', 'little', 4, () => ({ id: u32(0) }));
/** References and places of metadata blocks. */
export const reference = struct('squashfs table', 'little', 8, () => ({ at: u64(0) }));

export const xattrIdTable = struct('squashfs attribute table', 'little', 16, () => ({
  xattr_table_start: u64(0),
  xattr_ids: u32(8),
}));
export const xattrId = struct('squashfs attribute table', 'little', 16, () => ({
  xattr: u64(0),
  count: u32(8),
  size: u32(12),
}));
export const xattrEntry = struct('squashfs attribute', 'little', 4, () => ({ type: u16(0), size: u16(2) }));
export const xattrValue = struct('squashfs attribute', 'little', 4, () => ({ vsize: u32(0) }));
/** The value is a reference to where the value lies. */
export const SQUASHFS_XATTR_VALUE_OOL = 0x100;
export const SQUASHFS_XATTR_PREFIX_MASK = 0xff;
/** By number. Linux leaves out attributes of other numbers. */
export const xattrPrefixes: readonly string[] = ['user.', 'trusted.', 'security.'];
