/**
 * On-disk structures of NTFS. Names and offsets: the documentation of the Linux-NTFS project, which the kernel's
 * fs/ntfs/layout.h and libntfs-3g share. Little-endian. Times are 100 ns since 1601-01-01.
 */
import { bits64, bytes, struct, u8, u16, u32, u64 } from '../../base/index.js';

/** `NTFS    `, the name of who formatted it. */
export const oemId = 'NTFS    ';

export const bootSector = struct('NTFS boot sector', 'little', 512, () => ({
  oem_id: bytes(3, 8),
  bytes_per_sector: u16(11),
  sectors_per_cluster: u8(13),
  reserved_sectors: u16(14),
  fats: u8(16),
  root_entries: u16(17),
  sectors: u16(19),
  sectors_per_fat: u16(22),
  large_sectors: u32(32),
  number_of_sectors: bits64(40),
  mft_lcn: bits64(48),
  mftmirr_lcn: bits64(56),
  clusters_per_mft_record: u8(64),
  clusters_per_index_record: u8(68),
  volume_serial_number: bits64(72),
}));

/** Larger counts are negative logarithms: of the sectors of a cluster, and of the bytes of a record. */
export const greatestCount = { sectorsPerCluster: 128, clustersPerRecord: 64 } as const;
/** The negative logarithms that occur, as bytes without a sign. */
export const logarithms = { sectorsPerCluster: [240, 249], clustersPerRecord: [0xe1, 0xf7] } as const;
export const greatestClusterSize = 2 * 1024 * 1024;
/** Larger records do not occur. */
export const greatestRecordSize = 64 * 1024;
export const leastSectorSize = 256;
export const greatestSectorSize = 4096;

/** Structures that are protected have the last two bytes of each so many bytes replaced. */
export const fixupUnit = 512;

/** Fixed numbers of files. */
export const fileNumbers = {
  mft: 0,
  logFile: 2,
  volume: 3,
  root: 5,
  bitmap: 6,
  secure: 9,
  upcase: 10,
  extend: 11,
  /** The first one that is not the filesystem's own. */
  firstUser: 24,
} as const;

export const fileMagic = 0x454c4946;
export const indexMagic = 0x58444e49;

export const fileRecord = struct('NTFS file record', 'little', 42, () => ({
  magic: u32(0),
  usa_ofs: u16(4),
  usa_count: u16(6),
  sequence_number: u16(16),
  link_count: u16(18),
  attrs_offset: u16(20),
  flags: u16(22),
  bytes_in_use: u32(24),
  bytes_allocated: u32(28),
  base_mft_record: bits64(32),
}));

export const recordFlags = { inUse: 0x0001, directory: 0x0002 } as const;

/** A reference to a file: 48 bits of its number, and 16 of how often that was used. */
export const referenceHighMask = 0xffff;

export const attributeTypes = {
  standardInformation: 0x10,
  attributeList: 0x20,
  fileName: 0x30,
  objectId: 0x40,
  securityDescriptor: 0x50,
  volumeName: 0x60,
  volumeInformation: 0x70,
  data: 0x80,
  indexRoot: 0x90,
  indexAllocation: 0xa0,
  bitmap: 0xb0,
  reparsePoint: 0xc0,
  extendedAttributes: 0xe0,
  end: 0xffffffff,
} as const;

/** Offsets in an attribute. */
export const attributeAt = {
  type: 0,
  length: 4,
  non_resident: 8,
  name_length: 9,
  name_offset: 10,
  flags: 12,
  instance: 14,
  value_length: 16,
  value_offset: 20,
  lowest_vcn: 16,
  highest_vcn: 24,
  mapping_pairs_offset: 32,
  compression_unit: 34,
  allocated_size: 40,
  data_size: 48,
  initialized_size: 56,
  compressed_size: 64,
} as const;

export const residentHeaderSize = 24;
export const nonResidentHeaderSize = 64;
export const compressedHeaderSize = 72;

/** The lower byte of an attribute's flags is the method of compression, of which there is one. */
export const attributeFlags = {
  compressionMask: 0x00ff,
  lznt1: 0x0001,
  encrypted: 0x4000,
  sparse: 0x8000,
} as const;
/** The logarithm of the clusters of a unit of compression; larger ones do not occur. */
export const greatestCompressionUnit = 8;

/** One byte in front of each run: the lengths of the two numbers that follow, in bytes. */
export const runLengthMask = 0x0f;
export const runOffsetShift = 4;

export const attributeListEntry = struct('NTFS attribute list entry', 'little', 26, () => ({
  type: u32(0),
  length: u16(4),
  name_length: u8(6),
  name_offset: u8(7),
  lowest_vcn: u64(8),
  mft_low: u32(16),
  mft_high: u16(20),
  mft_sequence: u16(22),
  instance: u16(24),
}));
/** What ntfs-3g and Windows keep to. */
export const greatestAttributeList = 256 * 1024;

/** Offsets in `$STANDARD_INFORMATION`; what stands behind `security_id` is in version 3 alone. */
export const standardInformationAt = {
  creation_time: 0,
  last_data_change_time: 8,
  last_mft_change_time: 16,
  last_access_time: 24,
  file_attributes: 32,
  security_id: 52,
} as const;
export const standardInformationSize = 48;
export const standardInformationSize3 = 72;

export const fileAttributes = {
  hidden: 0x0000_0002,
  system: 0x0000_0004,
  directory: 0x0000_0010,
  normal: 0x0000_0080,
  reparsePoint: 0x0000_0400,
  offline: 0x0000_1000,
  encrypted: 0x0000_4000,
  recallOnOpen: 0x0004_0000,
  recallOnDataAccess: 0x0040_0000,
  /** In directory entries alone: the file is a directory. */
  directoryIndex: 0x1000_0000,
} as const;

/** Offsets in `$FILE_NAME`, which is also the key of a directory's entries. */
export const fileNameAt = {
  parent_low: 0,
  parent_high: 4,
  parent_sequence: 6,
  file_attributes: 56,
  file_name_length: 64,
  file_name_type: 65,
  file_name: 66,
} as const;

/** The namespace of the short name beside a long one. */
export const dosNamespace = 2;
/** The bit of namespaces whose names are short: that one, and the one of names that are short as they are. */
export const dosNamespaceBit = 0x02;
/** In units of UTF-16. */
export const longestDosName = 12;

/** `$I30`, the name of the index that a directory is. */
export const directoryIndexName = '$I30';

export const indexRoot = struct('NTFS index root', 'little', 16, () => ({
  type: u32(0),
  collation_rule: u32(4),
  index_block_size: u32(8),
}));
export const indexHeader = struct('NTFS index header', 'little', 16, () => ({
  entries_offset: u32(0),
  index_length: u32(4),
  allocated_size: u32(8),
  flags: u8(12),
}));
export const indexBlock = struct('NTFS index block', 'little', 24, () => ({
  magic: u32(0),
  usa_ofs: u16(4),
  usa_count: u16(6),
  index_block_vcn: u64(16),
}));
/** Offsets in an entry of an index. */
export const indexEntryAt = {
  file_low: 0,
  file_high: 4,
  file_sequence: 6,
  length: 8,
  key_length: 10,
  flags: 12,
  key: 16,
} as const;
export const indexEntryFlags = { node: 0x0001, end: 0x0002 } as const;
/** What a pointer to a block takes, at the end of an entry. */
export const indexPointerSize = 8;
export const collationFileName = 1;
/** Numbers of 32 bits, one or several. */
export const collationNumber = 0x10;
export const collationNumbers = 0x13;
/** Where an entry of an index of other keys has its data. */
export const indexDataAt = { data_offset: 0, data_length: 2 } as const;
export const leastIndexBlock = 512;
export const greatestIndexBlock = 64 * 1024;
/** A block of at least 512 bytes has two entries at least, and there are less than 2^48 files. */
export const mostIndexLevels = 48;

/** A number by itself: a key of an index, and the flags of a file. */
export const plainNumber = struct('NTFS number', 'little', 4, () => ({ value: u32(0) }));

/** The stream of descriptors in `$Secure`, and the index of where each is, by its number. */
export const securityNames = { descriptors: '$SDS', byNumber: '$SII' } as const;
/** In the index, and in the stream before each descriptor. */
export const securityEntry = struct('NTFS security entry', 'little', 20, () => ({
  security_id: u32(4),
  offset: bits64(8),
  length: u32(16),
}));
/** Offsets of the parts of a descriptor; 0 for those that are not there. */
export const securityDescriptor = struct('NTFS security descriptor', 'little', 20, () => ({
  owner: u32(4),
  group: u32(8),
  sacl: u32(12),
  dacl: u32(16),
}));
/** Offsets in an identifier of a user, and in a list of rights. */
export const sidAt = { sub_authority_count: 1, sub_authority: 8 } as const;
export const aclAt = { size: 2, entries: 8 } as const;

/** The file of object identifiers in `$Extend`, and its index. */
export const objectIds = { file: '$ObjId', index: '$O' } as const;
export const objectIdSize = 16;
/** What the index knows of one: the file, and three more identifiers. */
export const objectIdData = { others: 8, size: 56 } as const;

export const volumeInformation = struct('NTFS volume information', 'little', 12, () => ({
  major_ver: u8(8),
  minor_ver: u8(9),
  flags: u16(10),
}));
export const volumeFlags = { dirty: 0x0001 } as const;

/** Units of 100 ns. */
export const timeUnitsPerSecond = 10_000_000;
/** 1970 in seconds since 1601. */
export const secondsTo1970 = 11_644_473_600;

/** Halves of pairs of UTF-16, and the three bytes that the rule of UTF-8 gives to one. */
export const halfOfPair = { first: 0xd800, last: 0xdfff } as const;
export const halfInUtf8 = { lead: 0xed, continuation: 0x80, mask: 0x3f, shift: 6, high: 0xd000 } as const;
/** Where a byte that is no text has its place in a string: see `decodeText`. */
export const escapedByte = 0xdc00;

export const reparseHeader = struct('NTFS reparse point', 'little', 8, () => ({
  tag: u32(0),
  length: u16(4),
}));
/** Tags that are not Microsoft's are followed by a GUID. */
export const reparseFlags = { microsoft: 0x8000_0000 } as const;
export const reparseGuidSize = 16;
export const reparseTags = {
  mountPoint: 0xa000_0003,
  symlink: 0xa000_000c,
  lxSymlink: 0xa000_001d,
  afUnix: 0x8000_0023,
  lxFifo: 0x8000_0024,
  lxCharacter: 0x8000_0025,
  lxBlock: 0x8000_0026,
  wof: 0x8000_0017,
  dedup: 0x8000_0013,
  /** Of the cloud: OneDrive and its like. The mask leaves out a number that each of them has for itself. */
  cloud: 0x9000_001a,
} as const;
export const reparseCloudMask = 0xffff_0fff;

/** Offsets in the data of mount points and links, before their names. */
export const linkAt = { subst_name_offset: 0, subst_name_length: 2, flags: 8 } as const;
export const mountPointHeaderSize = 8;
export const symlinkHeaderSize = 12;
export const symlinkRelative = 0x0000_0001;
/** A link of WSL: a number, and the target in UTF-8. */
export const lxSymlinkHeader = struct('NTFS link of WSL', 'little', 4, () => ({ type: u32(0) }));
export const lxSymlinkType = 2;

export const wofInfo = struct('WOF reparse point', 'little', 8, () => ({
  version: u32(0),
  provider: u32(4),
}));
export const wofProviders = { wim: 1, file: 2 } as const;
export const wofFile = struct('WOF file', 'little', 8, () => ({ version: u32(0), algorithm: u32(4) }));
/** By the number of the method. */
export const wofChunks = [
  { codec: 'xpress', chunkSize: 4096 },
  { codec: 'lzx', chunkSize: 32_768 },
  { codec: 'xpress', chunkSize: 8192 },
  { codec: 'xpress', chunkSize: 16_384 },
] as const;
export const wofStreamName = 'WofCompressedData';

/** The first eight bytes of special files of Interix, as a number. */
export const interixMagic = {
  symlink: 0x014b_4e4c_7874_6e49n,
  character: 0x0052_4843_7874_6e49n,
  block: 0x004b_4c42_7874_6e49n,
} as const;
export const interixMagicSize = 8;
export const interixHead = struct('NTFS special file', 'little', 8, () => ({ magic: bits64(0) }));
/** Major and minor number behind it, of eight bytes each. */
export const interixDeviceSize = 24;
/** The longest target, in units. */
export const longestInterixTarget = 4096;

/** Offsets in an entry of `$EA`; the name ends with a NUL, and the value follows. */
export const extendedAttribute = { next_entry_offset: 0, name_length: 5, value_length: 6, name: 8 } as const;
/** WSL's attribute with the numbers of a device, of four bytes each. */
export const extendedAttributeDevice = { name: '$LXDEV', size: 8 } as const;

/** The pages at the start of `$LogFile`, of which the newer counts: what Windows wrote, or chkdsk. */
export const restartMagics = { restart: 0x52545352, checked: 0x444b4843, empty: 0xffffffff } as const;
export const restartPage = struct('NTFS restart page', 'little', 32, () => ({
  magic: u32(0),
  system_page_size: u32(16),
  restart_area_offset: u16(24),
  minor_ver: u16(26),
  major_ver: u16(28),
}));
export const restartArea = struct('NTFS restart area', 'little', 24, () => ({
  current_lsn: bits64(0),
  client_in_use_list: u16(12),
  flags: u16(14),
}));
export const restartFlags = { clean: 0x0002 } as const;
export const noLogClient = 0xffff;
/** In this version, Windows may have kept metadata in memory, for a fast start. */
export const cachedLogVersion = { major: 2, minor: 0 } as const;
export const greatestRestartPage = 64 * 1024;

/** What `hiberfil.sys` begins with while Windows sleeps, and the bytes that tell. */
export const hibernation = { name: 'hiberfil.sys', magics: ['hibr', 'HIBR'], headerSize: 4096 } as const;
