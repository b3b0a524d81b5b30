/**
 * On-disk structures of btrfs, with the names of the kernel's include/uapi/linux/btrfs_tree.h and
 * fs/btrfs/accessors.h; the developer documentation at btrfs.readthedocs.io describes them. Little-endian.
 */
import { bytes, struct, u8, u16, u32, u64 } from '../../base/index.js';

/** The superblock's copies: the first is what a mount reads. */
export const superblocksAt = [0x1_0000, 0x400_0000, 0x40_0000_0000] as const;
/** `_BHRfS_M`. */
export const superblockMagic = new Uint8Array([0x5f, 0x42, 0x48, 0x52, 0x66, 0x53, 0x5f, 0x4d]);
export const superblockSize = 4096;

export const superblock = struct('btrfs superblock', 'little', superblockSize, () => ({
  csum: bytes(0, 32),
  fsid: bytes(0x20, 16),
  bytenr: u64(0x30),
  magic: bytes(0x40, 8),
  generation: u64(0x48),
  root: u64(0x50),
  chunk_root: u64(0x58),
  log_root: u64(0x60),
  total_bytes: u64(0x70),
  bytes_used: u64(0x78),
  root_dir_objectid: u64(0x80),
  num_devices: u64(0x88),
  sectorsize: u32(0x90),
  nodesize: u32(0x94),
  sys_chunk_array_size: u32(0xa0),
  chunk_root_generation: u64(0xa4),
  compat_ro_flags_low: u32(0xb4),
  compat_ro_flags_high: u32(0xb8),
  incompat_flags_low: u32(0xbc),
  incompat_flags_high: u32(0xc0),
  csum_type: u16(0xc4),
  root_level: u8(0xc6),
  chunk_root_level: u8(0xc7),
  log_root_level: u8(0xc8),
  dev_item_devid: u64(0xc9),
  dev_item_total_bytes: u64(0xd1),
  dev_item_uuid: bytes(0x10b, 16),
  label: bytes(0x12b, 256),
  metadata_uuid: bytes(0x23b, 16),
  sys_chunk_array: bytes(0x32b, 2048),
}));
/** The checksum is that of all bytes from here on: of a superblock, and of a block of a tree. */
export const checksummedFrom = 32;

export const incompat = {
  mixedGroups: 0x4,
  metadataUuid: 0x400,
  noHoles: 0x200,
} as const;
/** Names by bit. */
export const incompatNames = [
  'mixed_backref',
  'default_subvol',
  'mixed_groups',
  'compress_lzo',
  'compress_zstd',
  'big_metadata',
  'extended_iref',
  'raid56',
  'skinny_metadata',
  'no_holes',
  'metadata_uuid',
  'raid1c34',
  'zoned',
  'extent_tree_v2',
  'raid_stripe_tree',
  'incompatible feature bit 15',
  'simple_quota',
  'remap_tree',
] as const;
/** The bits that a reader need not know, or that are read here: not `zoned`, the two after it, and `remap_tree`. */
export const readableIncompat = 0x1_0fff;
/** Beside the trees of old: block groups in a tree of their own. */
export const compatRo = { blockGroupTree: 0x8 } as const;

/** Numbers of trees, and of objects in the tree of trees. Those near 2^64 are negative here. */
export const objects = {
  rootTree: 1,
  extentTree: 2,
  chunkTree: 3,
  topLevel: 5,
  rootTreeDirectory: 6,
  csumTree: 7,
  quotaTree: 8,
  freeSpaceTree: 10,
  blockGroupTree: 11,
  devItems: 1,
  balance: -4,
  treeLog: -6,
  extentCsum: -10,
  firstChunkTree: 256,
  firstFree: 256,
  lastFree: -256,
  /** The directory that stands where a snapshot lacks a subvolume. */
  emptySubvolume: 2,
} as const;

/** Types of items, the middle part of a key. */
export const itemTypes = {
  inodeItem: 1,
  inodeRef: 12,
  inodeExtref: 13,
  xattrItem: 24,
  orphanItem: 48,
  dirLogItem: 60,
  dirLogIndex: 72,
  dirItem: 84,
  dirIndex: 96,
  extentData: 108,
  extentCsum: 128,
  rootItem: 132,
  rootBackref: 144,
  rootRef: 156,
  blockGroupItem: 192,
  devItem: 216,
  chunkItem: 228,
  qgroupInfo: 242,
  qgroupLimit: 244,
  temporaryItem: 248,
} as const;

/** `struct btrfs_disk_key`. */
export const keySize = 17;
export const keyAt = { objectid: 0, type: 8, offset: 9 } as const;

/** `struct btrfs_header`, before the items of a block of a tree. */
export const headerSize = 101;
export const headerAt = {
  csum: 0,
  fsid: 32,
  bytenr: 48,
  generation: 80,
  owner: 88,
  nritems: 96,
  level: 100,
} as const;
/** `struct btrfs_item`: where an item's bytes lie, from the end of the header. */
export const itemSize = 25;
export const itemAt = { offset: 17, size: 21 } as const;
/** `struct btrfs_key_ptr`. */
export const pointerSize = 33;
export const pointerAt = { blockptr: 17, generation: 25 } as const;
/** Trees have at most this many levels: the kernel's BTRFS_MAX_LEVEL. */
export const mostLevels = 8;

/** `struct btrfs_chunk`, followed by its stripes. */
export const chunkItem = struct('btrfs chunk', 'little', 48, () => ({
  length: u64(0),
  stripe_len: u64(16),
  type_low: u32(24),
  type_high: u32(28),
  num_stripes: u16(44),
  sub_stripes: u16(46),
}));
export const stripe = struct('btrfs stripe', 'little', 32, () => ({
  devid: u64(0),
  offset: u64(8),
  dev_uuid: bytes(16, 16),
}));

/** `type_low` of a chunk: what is in it, and its profile. */
export const chunkTypes = { data: 0x1, system: 0x2, metadata: 0x4, all: 0x7 } as const;
export const profileBits = {
  raid0: 0x8,
  raid1: 0x10,
  dup: 0x20,
  raid10: 0x40,
  raid5: 0x80,
  raid6: 0x100,
  raid1c3: 0x200,
  raid1c4: 0x400,
} as const;

/** `struct btrfs_dev_item`. */
export const devItem = struct('btrfs device', 'little', 98, () => ({
  devid: u64(0),
  total_bytes: u64(8),
  bytes_used: u64(16),
}));

/** `struct btrfs_block_group_item`. */
export const blockGroupItem = struct('btrfs block group', 'little', 24, () => ({ used: u64(0) }));

/** `struct btrfs_root_item`, of which filesystems of old have so much. */
export const oldRootItemSize = 239;
export const rootItem = struct('btrfs root', 'little', oldRootItemSize, () => ({
  generation: u64(160),
  root_dirid: u64(168),
  bytenr: u64(176),
  bytes_used: u64(192),
  flags_low: u32(208),
  refs: u32(216),
  level: u8(238),
}));
/** Its further fields; they hold where `generation_v2` is the generation. */
export const rootItemMore = struct('btrfs root', 'little', 439, () => ({
  generation_v2: u64(239),
  uuid: bytes(247, 16),
  parent_uuid: bytes(263, 16),
  received_uuid: bytes(279, 16),
  otransid: u64(303),
  stransid: u64(311),
  rtransid: u64(319),
  otime_sec: u64(339),
  rtime_sec: u64(363),
}));
export const rootFlags = { readOnly: 0x1 } as const;

/** `struct btrfs_qgroup_info_item`: a group of quotas, whose key's offset is its number. */
export const qgroupInfo = struct('btrfs quota group', 'little', 40, () => ({ rfer: u64(8), excl: u64(24) }));
/** `struct btrfs_qgroup_limit_item`. */
export const qgroupLimit = struct('btrfs quota limit', 'little', 40, () => ({
  max_rfer: u64(8),
  max_excl: u64(16),
}));
/** A group's number is its level and a number there, which for level 0 is that of a subvolume. */
export const qgroupLevelShift = 48n;

/** `struct btrfs_root_ref`, followed by the name. */
export const rootRef = struct('btrfs subvolume reference', 'little', 18, () => ({
  dirid: u64(0),
  name_len: u16(16),
}));

/** Offsets in `struct btrfs_inode_item`: a walk decodes hundreds of thousands. */
export const inodeItemSize = 160;
export const inodeAt = {
  generation: 0,
  size: 16,
  nbytes: 24,
  nlink: 40,
  uid: 44,
  gid: 48,
  mode: 52,
  rdev: 56,
  flags: 64,
  atime: 112,
  ctime: 124,
  mtime: 136,
  otime: 148,
} as const;
export const timeAt = { sec: 0, nsec: 8 } as const;
/** Devices are stored with this many bits of minor number, as the kernel has them in memory. */
export const deviceMinorSize = 2 ** 20;

/** `struct btrfs_inode_ref`, followed by the name. */
export const inodeRefAt = { index: 0, name_len: 8, name: 10 } as const;
/** `struct btrfs_inode_extref`, followed by the name. */
export const inodeExtrefAt = { parent: 0, index: 8, name_len: 16, name: 18 } as const;

/** `struct btrfs_dir_item`, followed by the name and, of an attribute, its value. */
export const dirItemAt = { location: 0, data_len: 25, name_len: 27, type: 29, name: 30 } as const;
/** File types by the number in an entry. */
export const entryTypes = [
  'unknown',
  'file',
  'directory',
  'character',
  'block',
  'fifo',
  'socket',
  'symlink',
] as const;
/** The hash of a name is a CRC-32C that begins with this. */
export const nameHashSeed = 0xffff_fffe;

/** `struct btrfs_file_extent_item`: contents in the item follow `type`. */
export const fileExtentAt = {
  ram_bytes: 8,
  compression: 16,
  encryption: 17,
  other_encoding: 18,
  type: 20,
  inline: 21,
  disk_bytenr: 21,
  disk_num_bytes: 29,
  offset: 37,
  num_bytes: 45,
} as const;
export const fileExtentSize = 53;
export const fileExtentTypes = { inline: 0, regular: 1, prealloc: 2 } as const;
export const compressions = { none: 0, zlib: 1, lzo: 2, zstd: 3 } as const;
/** Compressed extents are decoded as a whole: the kernel's BTRFS_MAX_UNCOMPRESSED. */
export const mostUncompressed = 128 * 1024;

/** Kinds of checksums by `csum_type`, and their lengths in bytes. */
export const checksumKinds = [
  { name: 'crc32c', length: 4 },
  { name: 'xxhash64', length: 8 },
  { name: 'sha256', length: 32 },
  { name: 'blake2b', length: 32 },
] as const;

/** The polynomial of the field in which the second parity of RAID 6 is computed, with its highest bit. */
export const fieldPolynomial = 0x11d;
