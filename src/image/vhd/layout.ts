/**
 * On-disk structures of VHD. Specification: Microsoft's Virtual Hard Disk Image Format Specification 1.0. Everything is
 * big-endian; offsets and sizes are in bytes unless a name says otherwise.
 */
import { bits64, bytes, struct, u8, u16, u32, u64 } from '../../base/index.js';

export const sectorSize = 512;

export const footer = struct('VHD footer', 'big', 512, () => ({
  cookie: bytes(0, 8),
  features: u32(8),
  file_format_version: u32(12),
  /** Of the dynamic disk header; all ones in a fixed disk. */
  data_offset: bits64(16),
  /** Seconds since 2000. */
  time_stamp: u32(24),
  creator_application: bytes(28, 4),
  creator_version: u32(32),
  creator_host_os: u32(36),
  original_size: bits64(40),
  current_size: u64(48),
  cylinders: u16(56),
  heads: u8(58),
  sectors_per_track: u8(59),
  disk_type: u32(60),
  checksum: u32(64),
  unique_id: bytes(68, 16),
  saved_state: u8(84),
}));

export const diskType = { fixed: 2, dynamic: 3, differencing: 4 } as const;

/** The largest geometry: a disk of this many sectors may be larger. */
export const largestGeometry = 65535 * 16 * 255;

export const headerCookie = 'cxsparse';

export const header = struct('VHD dynamic disk header', 'big', 1024, () => ({
  cookie: bytes(0, 8),
  data_offset: bits64(8),
  /** Of the block allocation table. */
  table_offset: u64(16),
  header_version: u32(24),
  max_table_entries: u32(28),
  /** Without the sector bitmap. */
  block_size: u32(32),
  checksum: u32(36),
  parent_unique_id: bytes(40, 16),
  parent_time_stamp: u32(56),
  /** UTF-16, big-endian. */
  parent_unicode_name: bytes(64, 512),
}));

export const parentLocators = { at: 576, count: 8 } as const;

export const parentLocator = struct('VHD parent locator', 'big', 24, () => ({
  platform_code: bytes(0, 4),
  platform_data_space: u32(4),
  platform_data_length: u32(8),
  platform_data_offset: u64(16),
}));

/** What a locator's name is written in. */
export const platformCode = {
  relative: 'W2ru',
  absolute: 'W2ku',
  relativeAnsi: 'Wi2r',
  absoluteAnsi: 'Wi2k',
  url: 'MacX',
} as const;

export const tableEntry = struct('VHD block allocation table entry', 'big', 4, () => ({ sector: u32(0) }));

/** An entry of a block that is not in the file. */
export const unusedEntry = 0xffff_ffff;

export const limits = {
  /** 2040 GiB, as in qemu. */
  sectors: 0xff00_0000,
  /** Our own limit: Windows has paths of at most 32,767 characters. */
  locatorBytes: 65_536,
} as const;
