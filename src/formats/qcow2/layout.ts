/**
 * On-disk structures of qcow2. Specification: docs/interop/qcow2.txt of qemu. Everything is big-endian; offsets and
 * sizes are in bytes unless a name says otherwise.
 */
import { bits64, struct, u8, u16, u32, u64 } from '../../base/index.js';

/** `QFI\xfb` */
export const magic = 0x514649fb;

/** Version 2: all of it. Version 3: its first part. */
export const header = struct('qcow2 header', 'big', 72, () => ({
  magic: u32(0),
  version: u32(4),
  backing_file_offset: u64(8),
  backing_file_size: u32(16),
  cluster_bits: u32(20),
  size: u64(24),
  crypt_method: u32(32),
  /** In entries. */
  l1_size: u32(36),
  l1_table_offset: u64(40),
  refcount_table_offset: u64(48),
  refcount_table_clusters: u32(56),
  nb_snapshots: u32(60),
  snapshots_offset: u64(64),
}));

/** The fields that version 3 adds; offsets are from the start of the header. */
export const header3 = struct('qcow2 version 3 header', 'big', 104, () => ({
  incompatible_features: bits64(72),
  compatible_features: bits64(80),
  autoclear_features: bits64(88),
  refcount_order: u32(96),
  header_length: u32(100),
}));

/** A byte that is present if header_length covers it. */
export const compressionTypeAt = 104;

/** Bits of incompatible_features. */
export const incompatible = {
  dirty: 1n << 0n,
  corrupt: 1n << 1n,
  dataFile: 1n << 2n,
  compressionType: 1n << 3n,
  extendedL2: 1n << 4n,
} as const;

/** Bits of compatible_features. */
export const compatible = { lazyRefcounts: 1n << 0n } as const;

/** Bits of autoclear_features. */
export const autoclear = { bitmaps: 1n << 0n, dataFileRaw: 1n << 1n } as const;

export const cryptMethod = { none: 0, aes: 1, luks: 2 } as const;
export const compressionType = { zlib: 0, zstd: 1 } as const;

/** The beginning of a header extension; its data follows, padded to a multiple of 8. */
export const extensionHeader = struct('qcow2 header extension', 'big', 8, () => ({
  type: u32(0),
  length: u32(4),
}));

export const extension = {
  end: 0x00000000,
  backingFormat: 0xe2792aca,
  featureNames: 0x6803f857,
  bitmaps: 0x23852875,
  encryptionHeader: 0x0537be77,
  dataFile: 0x44415441,
} as const;

/** One name in the feature name table: type (0 incompatible, 1 compatible, 2 autoclear), bit, 46 bytes of name. */
export const featureNameSize = 48;

/** The bitmaps extension. */
export const bitmapsExtension = struct('qcow2 bitmaps extension', 'big', 24, () => ({
  nb_bitmaps: u32(0),
  bitmap_directory_size: u64(8),
  bitmap_directory_offset: u64(16),
}));

/** The extension that says where the LUKS header is. */
export const encryptionHeaderExtension = struct('qcow2 encryption header extension', 'big', 16, () => ({
  offset: u64(0),
  length: u64(8),
}));

/** One bitmap in the bitmap directory; extra data and name follow, then padding to a multiple of 8. */
export const bitmapEntry = struct('qcow2 bitmap', 'big', 24, () => ({
  bitmap_table_offset: u64(0),
  /** In entries. */
  bitmap_table_size: u32(8),
  flags: u32(12),
  type: u8(16),
  granularity_bits: u8(17),
  name_size: u16(18),
  extra_data_size: u32(20),
}));

/** Bits of a bitmap's flags: whether it may be out of date, and whether writes are noted in it. */
export const bitmapFlags = { inUse: 1, auto: 2 } as const;

/** One snapshot in the snapshot table; extra data, id and name follow, then padding to a multiple of 8. */
export const snapshotHeader = struct('qcow2 snapshot', 'big', 40, () => ({
  l1_table_offset: u64(0),
  /** In entries. */
  l1_size: u32(8),
  id_str_size: u16(12),
  name_size: u16(14),
  date_sec: u32(16),
  date_nsec: u32(20),
  vm_clock_nsec: bits64(24),
  vm_state_size: u32(32),
  extra_data_size: u32(36),
}));

/** Extra data of a snapshot, when that long. */
export const snapshotExtra = struct('qcow2 snapshot extra data', 'big', 16, () => ({
  vm_state_size_large: u64(0),
  disk_size: u64(8),
}));

/**
 * An entry of the L1 table, of an L2 table and of the refcount table: an offset, with flags in the bits that it
 * leaves.
 */
export const tableEntry = struct('qcow2 table entry', 'big', 8, () => ({ high: u32(0), low: u32(4) }));

/** An entry of a refcount block where refcount_order is 4, the only one that version 2 knows. */
export const refcountEntry = struct('qcow2 refcount', 'big', 2, () => ({ count: u16(0) }));

/** Masks of the high and low halves of entries of the L1 and L2 tables. */
export const entry = {
  /** Bits 9 to 55: an offset in the file. */
  offsetHigh: 0x00ff_ffff,
  offsetLow: 0xffff_fe00,
  /** Bit 63: used once only. In a data file it also tells offset 0 from none. */
  copiedHigh: 0x8000_0000,
  /** Bit 62 of an L2 entry. */
  compressedHigh: 0x4000_0000,
  /** Bit 0 of an L2 entry without subclusters: the cluster reads as zeroes. */
  zeroLow: 0x0000_0001,
} as const;

/** The subclusters of an extended L2 entry: which are stored, and which read as zeroes. */
export const subclusters = struct('qcow2 subclusters', 'big', 16, () => ({ zero: u32(8), stored: u32(12) }));
/** Subclusters of a cluster. */
export const subclusterCount = 32;

/** The largest tables qemu takes: 32 MiB of L1, 8 MiB of refcount table, 65,536 snapshots in at most 64 MiB. */
export const limits = {
  clusterBitsLeast: 9,
  clusterBitsMost: 21,
  l1Bytes: 32 * 1024 * 1024,
  refcountTableBytes: 8 * 1024 * 1024,
  bitmaps: 65535,
  bitmapDirectoryBytes: 64 * 1024 * 1024,
  snapshots: 65536,
  snapshotTableBytes: 64 * 1024 * 1024,
  snapshotExtraBytes: 1024,
  backingNameBytes: 1023,
  /** Our own limit: qemu writes at most five, and a host's file name has at most 4095 bytes. */
  extensions: 64,
  extensionBytes: 4096,
} as const;
