/**
 * The structures of a zip file: APPNOTE 6.3.10, chapter 4; little-endian. Times are local without a zone there, so that
 * UTC is stored, and Info-ZIP's "UT" field beside it, which has seconds since 1970.
 */
import { struct, u16, u32, u64 } from '../../base/index.js';

export const localHeader = struct('zip local header', 'little', 30, () => ({
  signature: u32(0),
  version_needed: u16(4),
  flags: u16(6),
  method: u16(8),
  time: u16(10),
  date: u16(12),
  crc32: u32(14),
  compressed_size: u32(18),
  uncompressed_size: u32(22),
  name_length: u16(26),
  extra_length: u16(28),
}));

export const centralHeader = struct('zip central header', 'little', 46, () => ({
  signature: u32(0),
  version_made_by: u16(4),
  version_needed: u16(6),
  flags: u16(8),
  method: u16(10),
  time: u16(12),
  date: u16(14),
  crc32: u32(16),
  compressed_size: u32(20),
  uncompressed_size: u32(24),
  name_length: u16(28),
  extra_length: u16(30),
  comment_length: u16(32),
  disk_number: u16(34),
  internal_attributes: u16(36),
  external_attributes: u32(38),
  local_header_offset: u32(42),
}));

/** After the contents, where their sums were unknown before. Sizes have 64 bits if the local header has a zip64 field. */
export const descriptor = struct('zip data descriptor', 'little', 16, () => ({
  signature: u32(0),
  crc32: u32(4),
  compressed_size: u32(8),
  uncompressed_size: u32(12),
}));
export const descriptor64 = struct('zip64 data descriptor', 'little', 24, () => ({
  signature: u32(0),
  crc32: u32(4),
  compressed_size: u64(8),
  uncompressed_size: u64(16),
}));

export const end64 = struct('zip64 end of central directory', 'little', 56, () => ({
  signature: u32(0),
  /** Of what follows this field. */
  record_size: u64(4),
  version_made_by: u16(12),
  version_needed: u16(14),
  disk_number: u32(16),
  directory_disk: u32(20),
  entries_on_disk: u64(24),
  entries: u64(32),
  directory_size: u64(40),
  directory_offset: u64(48),
}));

export const end64Locator = struct('zip64 end locator', 'little', 20, () => ({
  signature: u32(0),
  end64_disk: u32(4),
  end64_offset: u64(8),
  disk_count: u32(16),
}));

export const end = struct('zip end of central directory', 'little', 22, () => ({
  signature: u32(0),
  disk_number: u16(4),
  directory_disk: u16(6),
  entries_on_disk: u16(8),
  entries: u16(10),
  directory_size: u32(12),
  directory_offset: u32(16),
  comment_length: u16(20),
}));

/** `PK` and two bytes. */
export const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  descriptor: 0x08074b50,
  end64: 0x06064b50,
  end64Locator: 0x07064b50,
  end: 0x06054b50,
} as const;

export const methods = { stored: 0, deflated: 8 } as const;
/** Sums and sizes follow the contents; the name is UTF-8. */
export const flags = { descriptor: 0x8, utf8: 0x800 } as const;
/** Of this file's features: plain ones, directories and deflate, zip64. */
export const versions = { plain: 10, deflate: 20, zip64: 45 } as const;
/** The upper byte of `version_made_by`: the upper half of `external_attributes` is a Unix mode. */
export const madeByUnix = 3 << 8;
/** The lower half of `external_attributes` is that of MS-DOS. */
export const dosDirectory = 0x10;

/** Extra fields: zip64's, Info-ZIP's extended timestamp ("UT") and its owners ("ux"). */
export const extraIds = { zip64: 0x0001, timestamp: 0x5455, owners: 0x7875 } as const;
/** In the flags of a timestamp field. */
export const hasModified = 1;
export const ownersVersion = 1;

/** A field with this value stands in the zip64 extra field. */
export const inZip64 = { bits16: 0xffff, bits32: 0xffff_ffff } as const;

/** An empty last block of deflate with the fixed codes (RFC 1951, 3.2.3), after blocks that were flushed. */
export const deflateEnd = Uint8Array.of(0x03, 0x00);
