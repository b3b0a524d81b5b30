/**
 * Structures of the log, with the names of the kernel's fs/xfs/libxfs/xfs_log_format.h. Headers of records and
 * operations are big-endian; the items within have the byte order of the machine that wrote them.
 */
import { bits64, bytes, type Endian, i32, struct, u8, u16, u32, u64 } from '../../../base/index.js';

/** The log's own unit, whatever the sectors are: XFS's basic block. */
export const logUnit = 512;
export const logRecordMagic = 0xfeedbabe;
export const logRecord = struct('XFS log record', 'big', logUnit, () => ({
  h_magicno: u32(0),
  h_cycle: u32(4),
  h_version: u32(8),
  h_len: u32(12),
  h_lsn: bits64(16),
  h_tail_lsn: bits64(24),
  h_num_logops: u32(40),
  h_fmt: u32(300),
  h_fs_uuid: bytes(304, 16),
  h_size: u32(320),
}));
export const recordMagicAt = 0;
export const recordCycleAt = 4;
/** Little-endian; the sum is of these many bytes of the header, and of all that follows. */
export const recordChecksumAt = 32;
/** `sizeof(struct xlog_rec_header)`, which was 4 bytes less on 32-bit x86. */
export const recordChecksumSizes = [328, 324] as const;
/** The first words of the sectors of data, in whose places lie the cycles. */
export const recordCycleDataAt = 44;
export const cyclesPerHeader = 64;
/** Further headers, one for each 32 KiB of data: a cycle, and more first words. */
export const extendedCycleDataAt = 4;
export const extendedChecksumSize = 260;
export const logVersion2 = 2;
/** XLOG_HEADER_CYCLE_SIZE and XLOG_MAX_RECORD_BSIZE. */
export const headerCovers = 32 * 1024;
export const greatestRecord = 256 * 1024;
/** XLOG_MAX_ICLOGS: so many records may have been written at once when the machine stopped. */
export const mostRecordsAtOnce = 8;
/** The byte order of what is in the log. */
export const logFormats = { linuxLittleEndian: 1, linuxBigEndian: 2, irixBigEndian: 3 } as const;

export const operation = struct('XFS log operation', 'big', 12, () => ({
  oh_tid: u32(0),
  oh_len: u32(4),
  oh_clientid: u8(8),
  oh_flags: u8(9),
}));
export const clients = { transaction: 0x69, log: 0xaa } as const;
export const operationFlags = {
  start: 0x1,
  commit: 0x2,
  continues: 0x4,
  continued: 0x8,
  end: 0x10,
  unmount: 0x20,
} as const;
export const unmountFlagsAt = 9;

export const transactionHeaderSize = 16;

export const itemTypes = {
  efi: 0x1236,
  efd: 0x1237,
  inode: 0x123b,
  buffer: 0x123c,
  dquot: 0x123d,
  quotaOff: 0x123e,
  icreate: 0x123f,
  rui: 0x1240,
  rud: 0x1241,
  cui: 0x1242,
  cud: 0x1243,
  bui: 0x1244,
  bud: 0x1245,
  attri: 0x1246,
  attrd: 0x1247,
  xmi: 0x1248,
  xmd: 0x1249,
} as const;
/** Regions of one item, by what the kernel lets a log hold (XLOG_MAX_REGIONS_IN_ITEM). */
export const mostRegions = 2 ** 16;
/** The beginning of each item. */
export const itemHead = (endian: Endian) =>
  struct('XFS log item', endian, 4, () => ({ type: u16(0), size: u16(2) }));

/** `struct xfs_buf_log_format`. */
export const bufferFormat = (endian: Endian) =>
  struct('XFS log buffer item', endian, 20, () => ({
    blf_type: u16(0),
    blf_size: u16(2),
    blf_flags: u16(4),
    blf_len: u16(6),
    blf_blkno: bits64(8),
    blf_map_size: u32(16),
  }));
export const bufferMapAt = 20;
export const bufferFlags = {
  inode: 0x1,
  cancel: 0x2,
  userQuota: 0x4,
  projectQuota: 0x8,
  groupQuota: 0x10,
} as const;
/** Bytes for which a bit of the map stands. */
export const bufferChunk = 128;

/** `struct xfs_inode_log_format`, and as 32-bit machines wrote it. */
export const inodeFormat = (endian: Endian) =>
  struct('XFS log inode item', endian, 56, () => ({
    ilf_size: u16(2),
    ilf_fields: u32(4),
    ilf_asize: u16(8),
    ilf_dsize: u16(10),
    ilf_ino: bits64(16),
    ilf_rdev: u32(24),
    ilf_blkno: bits64(40),
    ilf_len: i32(48),
    ilf_boffset: i32(52),
  }));
export const inodeFormat32 = (endian: Endian) =>
  struct('XFS log inode item', endian, 52, () => ({
    ilf_size: u16(2),
    ilf_fields: u32(4),
    ilf_asize: u16(8),
    ilf_dsize: u16(10),
    ilf_ino: bits64(12),
    ilf_rdev: u32(20),
    ilf_blkno: bits64(36),
    ilf_len: i32(44),
    ilf_boffset: i32(48),
  }));
/** What of an inode is in the log. */
export const inodeParts = {
  core: 0x1,
  dataLocal: 0x2,
  dataExtents: 0x4,
  dataRoot: 0x8,
  device: 0x10,
  attributesLocal: 0x40,
  attributesExtents: 0x80,
  attributesRoot: 0x100,
  dataOwner: 0x200,
  attributesOwner: 0x400,
} as const;
/**
 * The words of an inode in the log, which are those on the disk in the byte order of the machine: offset and size.
 * Left out are bytes and texts, `di_next_unlinked`, the checksum and the LSN, which the log does not bring back.
 */
export const loggedInodeWords: readonly (readonly [at: number, size: 2 | 4 | 8])[] = [
  [0, 2],
  [2, 2],
  [6, 2],
  [8, 4],
  [12, 4],
  [16, 4],
  [20, 2],
  [22, 2],
  [56, 8],
  [64, 8],
  [72, 4],
  [84, 4],
  [88, 2],
  [90, 2],
  [92, 4],
];
export const loggedInodeBytes = [4, 5, 82, 83] as const;
/** Counts of extents: 32 and 16 bits, or with nrext64 64 and 32. */
export const loggedCounts: typeof loggedInodeWords = [
  [76, 4],
  [80, 2],
];
export const loggedLargeCounts: typeof loggedInodeWords = [
  [24, 8],
  [76, 4],
  [80, 2],
];
/** Each time: two words, or with bigtime one of 64 bits. */
export const loggedTimes = [32, 40, 48] as const;
export const loggedCreationTime = 144;
export const loggedInodeWords3: typeof loggedInodeWords = [
  [104, 8],
  [120, 8],
  [128, 4],
  [152, 8],
];
export const loggedUuidAt = 160;
export const flushCountAt = 30;
export const greatestFlushCount = 0xffff;
export const lsnOfInodeAt = 112;

/** `struct xfs_icreate_log`: all but its beginning is big-endian. */
export const icreate = struct('XFS log inode creation item', 'big', 28, () => ({
  icl_ag: u32(4),
  icl_agbno: u32(8),
  icl_count: u32(12),
  icl_isize: u32(16),
  icl_length: u32(20),
  icl_gen: u32(24),
}));
/** What a new inode has. */
export const newInode = struct('XFS inode', 'big', 176, () => ({
  di_magic: u16(0),
  di_version: u8(4),
  di_gen: u32(92),
  di_next_unlinked: u32(96),
  di_ino: bits64(152),
  di_uuid: bytes(160, 16),
}));
/** No inode of a group. */
export const noInode = 0xffffffff;

/** Intents, and what says that they are done, have the intent's number here; 64 bits. */
export const intentIdAt = 8;

/** `struct xfs_bui_log_format`, with the one `struct xfs_map_extent` that it may have. */
export const mappingIntent = (endian: Endian) =>
  struct('XFS log intent of a mapping', endian, 48, () => ({
    bui_nextents: u32(4),
    me_owner: u64(16),
    me_startblock: u64(24),
    me_startoff: u64(32),
    me_len: u32(40),
    me_flags: u32(44),
  }));
export const mappingKind = 0xff;
export const mappingKinds = { map: 1, unmap: 2 } as const;
export const mappingFlags = {
  attributeFork: 0x8000_0000,
  unwritten: 0x4000_0000,
  realtime: 0x2000_0000,
} as const;
export const knownMappingFlags =
  mappingKind | mappingFlags.attributeFork | mappingFlags.unwritten | mappingFlags.realtime;
/** XFS_MAX_FILEOFF: offsets in forks have 54 bits; this is what a size of 2^53 bytes can reach. */
export const forkEnd = Number.MAX_SAFE_INTEGER;

/** `struct xfs_xmi_log_format`. */
export const exchangeIntent = (endian: Endian) =>
  struct('XFS log intent of an exchange', endian, 88, () => ({
    xmi_inode1: u64(16),
    xmi_inode2: u64(24),
    xmi_igen1: u32(32),
    xmi_igen2: u32(36),
    xmi_startoff1: u64(40),
    xmi_startoff2: u64(48),
    xmi_blockcount: u64(56),
    xmi_flags: u64(64),
    xmi_isize1: bits64(72),
    xmi_isize2: bits64(80),
  }));
/** XFS_EXCHMAPS_*. */
export const exchangeFlags = {
  attributeFork: 0x1,
  setSizes: 0x2,
  writtenOnly: 0x4,
  clearShared1: 0x8,
  clearShared2: 0x10,
  shortForm2: 0x20,
} as const;
export const mostExchangeFlags = 0x3f;

/** `struct xfs_attri_log_format`. Names and values are regions of their own, whose lengths are multiples of 4. */
export const attributeIntent = (endian: Endian) =>
  struct('XFS log intent of an attribute', endian, 40, () => ({
    alfi_ino: u64(16),
    alfi_op_flags: u32(24),
    alfi_name_len: u32(28),
    alfi_value_len: u32(32),
    alfi_attr_filter: u32(36),
  }));
export const attributeOperations = {
  set: 1,
  remove: 2,
  replace: 3,
  setParent: 4,
  removeParent: 5,
  replaceParent: 6,
} as const;
/** XFS_ATTR_SF_ENTSIZE_MAX: longer values do not lie in inodes. */
export const longestShortAttribute = 255;
/** Of an operation that replaces a pointer to a parent, the lengths of both names. */
export const oldNameLength = 0xffff;
export const newNameShift = 16;

/** Where blocks have their LSN and the filesystem's UUID, by their magic number of 32 bits. */
export const lsnPlaces: ReadonlyMap<number, { readonly lsnAt: number; readonly uuidAt: number }> = new Map([
  ...[
    0x41423342,
    0x41423343,
    0x49414233,
    0x46494233,
    0x524d4233,
    0x52334643, // AB3B AB3C IAB3 FIB3 RMB3 R3FC
  ].map((magic) => [magic, { lsnAt: 24, uuidAt: 32 }] as const),
  [0x424d4133, { lsnAt: 32, uuidAt: 40 }], // BMA3
  [0x58414746, { lsnAt: 208, uuidAt: 64 }], // XAGF
  [0x5841464c, { lsnAt: 24, uuidAt: 8 }], // XAFL
  [0x58414749, { lsnAt: 320, uuidAt: 296 }], // XAGI
  [0x58534c4d, { lsnAt: 48, uuidAt: 16 }], // XSLM
  // XDB3 XDD3 XDF3
  ...[0x58444233, 0x58444433, 0x58444633].map((magic) => [magic, { lsnAt: 16, uuidAt: 24 }] as const),
]);
/** The same for blocks of indexes, whose magic number has 16 bits. */
export const indexLsnPlace = { lsnAt: 24, uuidAt: 32 } as const;
export const indexMagicAt = 8;
export const indexMagics: ReadonlySet<number> = new Set([0x3ebe, 0x3df1, 0x3dff, 0x3bee]);
