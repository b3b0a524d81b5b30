/**
 * On-disk structures of XFS, with the names of the kernel's fs/xfs/libxfs/xfs_format.h and xfs_da_format.h, described
 * in "XFS Algorithms & Data Structures", 3rd edition. Big-endian, but for the checksums of version 5, which are
 * little-endian.
 */
import { bytes, struct, text, u8, u16, u32, u64 } from '../../base/index.js';

/** `XFSB`. */
export const superblockMagic = 0x58465342;
/** The bytes of a superblock that mean something: fewer than in the smallest sector. */
export const superblockSize = 304;
export const leastSectorSize = 512;

export const superblock = struct('XFS superblock', 'big', superblockSize, () => ({
  sb_magicnum: u32(0),
  sb_blocksize: u32(4),
  sb_dblocks: u64(8),
  sb_rblocks: u64(16),
  sb_rextents: u64(24),
  sb_uuid: bytes(32, 16),
  sb_logstart: u64(48),
  sb_rootino: u64(56),
  sb_rextsize: u32(80),
  sb_agblocks: u32(84),
  sb_agcount: u32(88),
  sb_rbmblocks: u32(92),
  sb_logblocks: u32(96),
  sb_versionnum: u16(100),
  sb_sectsize: u16(102),
  sb_inodesize: u16(104),
  sb_inopblock: u16(106),
  sb_fname: text(108, 12),
  sb_blocklog: u8(120),
  sb_sectlog: u8(121),
  sb_inodelog: u8(122),
  sb_inopblog: u8(123),
  sb_agblklog: u8(124),
  sb_inprogress: u8(126),
  sb_imax_pct: u8(127),
  sb_icount: u64(128),
  sb_ifree: u64(136),
  sb_fdblocks: u64(144),
  sb_qflags: u16(176),
  sb_flags: u8(178),
  sb_shared_vn: u8(179),
  sb_inoalignmt: u32(180),
  sb_unit: u32(184),
  sb_width: u32(188),
  sb_dirblklog: u8(192),
  sb_logsectlog: u8(193),
  sb_logsectsize: u16(194),
  sb_logsunit: u32(196),
  sb_features2: u32(200),
  sb_bad_features2: u32(204),
  sb_features_compat: u32(208),
  sb_features_ro_compat: u32(212),
  sb_features_incompat: u32(216),
  sb_features_log_incompat: u32(220),
  sb_spino_align: u32(228),
  sb_meta_uuid: bytes(248, 16),
}));

/**
 * Numbers of internal inodes, as halves: all ones where there is none, which no 64-bit number may be. In the order
 * real-time bitmap, its summary, quotas of users, groups and projects.
 */
export const internalInodesAt = [64, 72, 160, 168, 232] as const;

/** `sb_versionnum`: the version in the low bits, and flags. */
export const versionMask = 0xf;
export const versionFlags = {
  attributes: 0x10,
  nlink: 0x20,
  quota: 0x40,
  alignment: 0x80,
  stripes: 0x100,
  shared: 0x200,
  logVersion2: 0x400,
  sectors: 0x800,
  unwrittenExtents: 0x1000,
  directoryVersion2: 0x2000,
  asciiCaseInsensitive: 0x4000,
  moreBits: 0x8000,
} as const;

/** Version 4's `sb_features2`. */
export const features2 = {
  lazyCounters: 0x2,
  attr2: 0x8,
  parent: 0x10,
  projid32: 0x80,
  crc: 0x100,
  ftype: 0x200,
} as const;

export const roCompat = {
  finobt: 0x1,
  rmapbt: 0x2,
  reflink: 0x4,
  inobtCounts: 0x8,
} as const;

export const incompat = {
  ftype: 0x1,
  sparseInodes: 0x2,
  metaUuid: 0x4,
  bigtime: 0x8,
  needsRepair: 0x10,
  nrext64: 0x20,
  exchangeRange: 0x40,
  parentPointers: 0x80,
  metadir: 0x100,
  zoned: 0x200,
  zoneGaps: 0x400,
} as const;

/** What a log may hold that older kernels do not replay. */
export const logIncompat = { attributes: 0x1 } as const;

/** Sectors of a group's headers: superblock, AGF, AGI, AGFL. */
export const groupHeaders = { agf: 1, agi: 2, agfl: 3 } as const;

/** `XAGF`. */
export const agfMagic = 0x58414746;
export const agf = struct('XFS AGF', 'big', 224, () => ({
  agf_magicnum: u32(0),
  agf_versionnum: u32(4),
  agf_seqno: u32(8),
  agf_length: u32(12),
  agf_flcount: u32(48),
  agf_freeblks: u32(52),
  agf_longest: u32(56),
  agf_btreeblks: u32(60),
  agf_rmap_blocks: u32(80),
}));

/** `XAGI`. */
export const agiMagic = 0x58414749;
export const agi = struct('XFS AGI', 'big', 344, () => ({
  agi_magicnum: u32(0),
  agi_versionnum: u32(4),
  agi_seqno: u32(8),
  agi_length: u32(12),
  agi_count: u32(16),
  agi_freecount: u32(28),
}));

/** Where a block's self-description lies; offsets in bytes. */
export interface SelfDescription {
  readonly crcAt: number;
  readonly uuidAt: number;
  /** The block's own place in units of 512 bytes; 64 bits. */
  readonly blknoAt?: number;
  /** The inode that the block belongs to; 64 bits. */
  readonly ownerAt?: number;
}

/** The superblock's sector has its checksum here; its UUID is not compared. */
export const superblockCrcAt = 224;
export const agfSelf: SelfDescription = { crcAt: 216, uuidAt: 64 };
export const agiSelf: SelfDescription = { crcAt: 312, uuidAt: 296 };
/** Blocks of B-trees of extents: `struct xfs_btree_block_lhdr`. */
export const longBtreeSelf: SelfDescription = { crcAt: 64, uuidAt: 40, blknoAt: 24, ownerAt: 56 };
/** Data blocks of directories: `struct xfs_dir3_blk_hdr`. */
export const directorySelf: SelfDescription = { crcAt: 4, uuidAt: 24, blknoAt: 8, ownerAt: 40 };
/** Blocks that index directories and attributes: `struct xfs_da3_blkinfo`. */
export const dabtreeSelf: SelfDescription = { crcAt: 12, uuidAt: 32, blknoAt: 16, ownerAt: 48 };
/** Long values of attributes and targets of links: `struct xfs_attr3_rmt_hdr`, `struct xfs_dsymlink_hdr`. */
export const remoteSelf: SelfDescription = { crcAt: 12, uuidAt: 16, blknoAt: 40, ownerAt: 32 };
export const remoteHeaderSize = 56;
export const remoteAt = { magic: 0, offset: 4, bytes: 8 } as const;
/** `XARM`. */
export const remoteValueMagic = 0x5841524d;
/** `XSLM`. */
export const symlinkMagic = 0x58534c4d;

/** `IN`. */
export const inodeMagic = 0x494e;
/** Offsets in an inode: a walk decodes hundreds of thousands. */
export const inodeAt = {
  di_magic: 0,
  di_mode: 2,
  di_version: 4,
  di_format: 5,
  di_onlink: 6,
  di_uid: 8,
  di_gid: 12,
  di_nlink: 16,
  di_projid_lo: 20,
  di_projid_hi: 22,
  di_big_nextents: 24,
  di_atime: 32,
  di_mtime: 40,
  di_ctime: 48,
  di_size: 56,
  di_nblocks: 64,
  di_nextents: 76,
  di_big_anextents: 76,
  di_anextents: 80,
  di_forkoff: 82,
  di_aformat: 83,
  di_flags: 90,
  di_gen: 92,
  di_next_unlinked: 96,
  di_crc: 100,
  di_flags2: 120,
  di_ino: 152,
  di_uuid: 160,
} as const;
/** The fields before the data fork: of versions 1 and 2, and of version 3. */
export const shortInodeSize = 100;
export const inodeSize3 = 176;
/** The fork's offset counts in this many bytes. */
export const forkUnit = 8;
export const leastInodeSize = 256;
export const greatestInodeSize = 2048;

export const forkFormats = { device: 0, local: 1, extents: 2, btree: 3, uuid: 4, metaBtree: 5 } as const;
export const inodeFlags = { realtime: 0x1 } as const;
/** Of the 64 bits of `di_flags2`, the low 32. */
export const inodeFlags2 = { reflink: 0x2, bigtime: 0x8, nrext64: 0x10, metadata: 0x20 } as const;

/** A device number in a data fork: 14 bits of major number, 18 of minor. */
export const deviceMinorBits = 18;
export const deviceMajorMask = 0x3fff;

/** With bigtime, nanoseconds are counted from this many seconds before 1970. */
export const bigtimeEpoch = 2 ** 31;
export const nanosecondsPerSecond = 1_000_000_000;

/** A mapping of a fork: 128 bits. */
export const extentSize = 16;
/**
 * The fields of a mapping lie across four words: a flag, 54 bits of the place in the file, 52 of the place in the
 * filesystem, and 21 of length.
 */
export const extentBits = {
  unwritten: 0x8000_0000,
  offsetHigh: 0x7fff_ffff,
  offsetLowShift: 9,
  offsetLowSize: 2 ** 23,
  blockHigh: 0x1ff,
  blockHighSize: 2 ** 43,
  blockMiddleSize: 2 ** 11,
  blockLowShift: 21,
  count: 0x1f_ffff,
} as const;

/** The root of a B-tree in an inode: `struct xfs_bmdr_block`, then keys, then pointers. */
export const btreeRoot = struct('XFS extent B-tree root', 'big', 4, () => ({
  bb_level: u16(0),
  bb_numrecs: u16(2),
}));
/** Blocks of a B-tree of extents: `BMAP`, and with checksums `BMA3`. */
export const btreeMagic = 0x424d4150;
export const btreeMagic5 = 0x424d4133;
export const btreeBlock = struct('XFS extent B-tree block', 'big', 24, () => ({
  bb_magic: u32(0),
  bb_level: u16(4),
  bb_numrecs: u16(6),
}));
/** Of a block, the bytes before its records. */
export const btreeHeaderSize = 24;
export const btreeHeaderSize5 = 72;
export const btreeKeySize = 8;
export const btreePointerSize = 8;
/** No tree is deeper: 9 levels of the smallest blocks hold more extents than a file may have. */
export const mostBtreeLevels = 16;

/** Spaces of a directory begin at these bytes: entries, the index by hash, and the list of free space. */
export const directorySpace = 2 ** 35;

/** Magic numbers of 32 bits stand at the beginning. */
export const magicAt = 0;

/** `XD2B` and `XDB3`: all of a directory in one block. */
export const blockFormMagics = [0x58443242, 0x58444233] as const;
/** `XD2D` and `XDD3`: a block of entries. */
export const dataMagics = [0x58443244, 0x58444433] as const;
/** The header before the entries. */
export const dataHeaderSize = 16;
export const dataHeaderSize5 = 64;
/** Entries begin and end at multiples of this, and their addresses count in it. */
export const entryUnit = 8;
export const entryAt = { inumber: 0, namelen: 8, name: 9 } as const;
/** The shortest entry: an inode number, a name of one byte, and the tag. */
export const leastEntrySize = 16;
export const entryTagSize = 2;
/** Space that is not in use begins with this tag, and its length. */
export const freeTag = 0xffff;
export const unusedAt = { freetag: 0, length: 2 } as const;
/** The end of a block-form directory: how many index entries lie before it. */
export const blockTail = struct('XFS directory block tail', 'big', 8, () => ({
  count: u32(0),
  stale: u32(4),
}));
/** An index entry: hash, and address in units of 8 bytes. Address 0 is stale. */
export const leafEntrySize = 8;
export const leafEntryAt = { hashval: 0, address: 4 } as const;

/** Types in entries, by number. */
export const entryTypes = [
  'unknown',
  'file',
  'directory',
  'character',
  'block',
  'fifo',
  'socket',
  'symlink',
  'unknown', // whiteout
] as const;

/** `struct xfs_dir2_sf_hdr` and its entries. */
export const shortFormAt = { count: 0, i8count: 1, parent: 2 } as const;
export const shortEntryAt = { namelen: 0, offset: 1, name: 3 } as const;

/** Blocks of the index: leaf alone, leaf under nodes, node. */
export const leaf1Magics = [0xd2f1, 0x3df1] as const;
export const leafnMagics = [0xd2ff, 0x3dff] as const;
export const nodeMagics = [0xfebe, 0x3ebe] as const;
export const dabtreeAt = { forw: 0, magic: 8 } as const;
/** Header of index blocks: of the block information, and with counts. */
export const dabtreeInfoSize = 12;
export const dabtreeInfoSize5 = 56;
export const leafHeaderSize = 16;
export const leafHeaderSize5 = 64;
/** After the block information. */
export const leafCountAt = 0;
export const nodeCountAt = 0;
export const nodeLevelAt = 2;
export const nodeEntrySize = 8;
export const nodeEntryAt = { hashval: 0, before: 4 } as const;
/** The kernel's XFS_DA_NODE_MAXDEPTH. */
export const mostDabtreeLevels = 5;

/** The short form of attributes: `struct xfs_attr_sf_hdr` and its entries. */
export const shortAttributesAt = { totsize: 0, count: 2, list: 4 } as const;
export const shortAttributeAt = { namelen: 0, valuelen: 1, flags: 2, nameval: 3 } as const;
export const attributeLeafMagics = [0xfbee, 0x3bee] as const;
/** Offsets after the block information; and the size of the header with its table of free space. */
export const attributeLeafAt = { count: 0 } as const;
export const attributeLeafHeaderSize = 32;
export const attributeLeafHeaderSize5 = 80;
export const attributeEntrySize = 8;
export const attributeEntryAt = { hashval: 0, nameidx: 4, flags: 6 } as const;
export const localAttributeAt = { valuelen: 0, namelen: 2, nameval: 3 } as const;
export const remoteAttributeAt = { valueblk: 0, valuelen: 4, namelen: 8, name: 9 } as const;
export const attributeFlags = { local: 0x1, root: 0x2, secure: 0x4, parent: 0x8, incomplete: 0x80 } as const;

/** Access control lists as stored: `struct xfs_acl`. */
export const storedAcl = struct('XFS access control list', 'big', 4, () => ({ acl_cnt: u32(0) }));
export const storedAclEntry = struct('XFS access control entry', 'big', 12, () => ({
  ae_tag: u32(0),
  ae_id: u32(4),
  ae_perm: u16(8),
}));
