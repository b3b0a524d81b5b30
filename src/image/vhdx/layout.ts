/**
 * On-disk structures of VHDX. Specification: MS-VHDX, Virtual Hard Disk v2 File Format. Everything is little-endian;
 * offsets and sizes are in bytes unless a name says otherwise.
 */
import { bits64, bytes, struct, u16, u32, u64 } from '../../base/index.js';

export const mebibyte = 1024 * 1024;

/** UTF-16 in the file type identifier, behind the signature: the program that made the file. */
export const creator = { at: 8, length: 512 } as const;

/** Both copies of each. */
export const headersAt = [64 * 1024, 128 * 1024] as const;
export const regionTablesAt = [192 * 1024, 256 * 1024] as const;

export const headerSignature = 0x6461_6568;
export const header = struct('VHDX header', 'little', 4096, () => ({
  signature: u32(0),
  checksum: u32(4),
  sequence_number: bits64(8),
  file_write_guid: bytes(16, 16),
  data_write_guid: bytes(32, 16),
  log_guid: bytes(48, 16),
  log_version: u16(64),
  version: u16(66),
  log_length: u32(68),
  log_offset: u64(72),
}));

export const regionSignature = 0x6967_6572;
export const regionTableSize = 64 * 1024;
export const regionTable = struct('VHDX region table', 'little', 16, () => ({
  signature: u32(0),
  checksum: u32(4),
  entry_count: u32(8),
}));
export const regionEntry = struct('VHDX region table entry', 'little', 32, () => ({
  guid: bytes(0, 16),
  file_offset: u64(16),
  length: u32(24),
  required: u32(28),
}));
export const required = { region: 1, metadata: 4 } as const;

export const region = {
  blockAllocationTable: '2DC27766-F623-4200-9D64-115E9BFD4A08',
  metadata: '8B7CA206-4790-4B9A-B8FE-575F050F886E',
} as const;

export const metadataSignature = 'metadata';
export const metadataTable = struct('VHDX metadata table', 'little', 32, () => ({
  signature: bytes(0, 8),
  entry_count: u16(10),
}));
export const metadataEntry = struct('VHDX metadata table entry', 'little', 32, () => ({
  item_id: bytes(0, 16),
  /** From the start of the region. */
  offset: u32(16),
  length: u32(20),
  flags: u32(24),
}));

export const item = {
  fileParameters: 'CAA16737-FA36-4D43-B3B6-33F0AA44E76B',
  virtualDiskSize: '2FA54224-CD1B-4876-B211-5DBED83BF4B8',
  virtualDiskId: 'BECA12AB-B2E6-4523-93EF-C309E000C746',
  logicalSectorSize: '8141BF1D-A96F-4709-BA47-F233A8FAAB5F',
  physicalSectorSize: 'CDA348C7-445D-4471-9CC9-E9885251C556',
  parentLocator: 'A8D35F2D-B30B-454D-ABF7-D3D84834AB0C',
} as const;

export const fileParameters = struct('VHDX file parameters', 'little', 8, () => ({
  block_size: u32(0),
  flags: u32(4),
}));
export const parameterFlags = { leaveBlockAllocated: 1, hasParent: 2 } as const;
export const virtualDiskSize = struct('VHDX virtual disk size', 'little', 8, () => ({ size: u64(0) }));
export const sectorSizeItem = struct('VHDX sector size', 'little', 4, () => ({ size: u32(0) }));

export const parentLocator = struct('VHDX parent locator', 'little', 20, () => ({
  locator_type: bytes(0, 16),
  key_value_count: u16(18),
}));
export const locatorType = 'B04AEFB7-D19E-4A81-B789-25B8E9445913';
/** Offsets are from the start of the locator; the texts are UTF-16. */
export const locatorEntry = struct('VHDX parent locator entry', 'little', 12, () => ({
  key_offset: u32(0),
  value_offset: u32(4),
  key_length: u16(8),
  value_length: u16(10),
}));

/** An entry of the block allocation table. */
export const tableEntry = struct('VHDX block allocation table entry', 'little', 8, () => ({
  low: u32(0),
  high: u32(4),
}));
/** In the low half of an entry. */
export const entryBits = { state: 0x7, offset: 0xfff0_0000 } as const;
export const state = {
  notPresent: 0,
  undefined: 1,
  zero: 2,
  unmapped: 3,
  fullyPresent: 6,
  partiallyPresent: 7,
} as const;
/** The state of a block of bitmaps that is there. */
export const bitmapPresent = 6;
/** The sectors whose bits are in one block of bitmaps. */
export const sectorsInChunk = 2 ** 23;

/** Of the log's sectors, and of what its entries change. */
export const logSector = 4096;
export const logEntrySignature = 0x6567_6f6c;
export const logEntry = struct('VHDX log entry', 'little', 64, () => ({
  signature: u32(0),
  checksum: u32(4),
  entry_length: u32(8),
  tail: u32(12),
  sequence_number: bits64(16),
  descriptor_count: u32(24),
  log_guid: bytes(32, 16),
  flushed_file_offset: u64(48),
  last_file_offset: u64(56),
}));
export const zeroSignature = 0x6f72_657a;
export const dataSignature = 0x6373_6564;
/** Of a range to zero, and of a sector of data, by its signature. */
export const logDescriptor = struct('VHDX log descriptor', 'little', 32, () => ({
  signature: u32(0),
  /** Of data. */
  trailing_bytes: bytes(4, 4),
  leading_bytes: bytes(8, 8),
  /** Of a range to zero, in the place of the leading bytes. */
  zero_length: bits64(8),
  file_offset: bits64(16),
  sequence_number: bits64(24),
}));
export const dataSectorSignature = 0x6174_6164;
export const dataSector = struct('VHDX log data sector', 'little', 4096, () => ({
  signature: u32(0),
  sequence_high: u32(4),
  sequence_low: u32(4092),
}));

export const limits = {
  regions: 2047,
  metadataItems: 2047,
  blockLeast: mebibyte,
  blockMost: 256 * mebibyte,
  /** 64 TiB. */
  diskBytes: 64 * 2 ** 40,
  /** Our own limits. Hyper-V's logs have 1 MiB. */
  logBytes: 64 * mebibyte,
  locatorBytes: 128 * 1024,
  locatorEntries: 64,
  /** How many times its own length may be read of a log, and how often each of its sectors may be visited. */
  logPasses: 16,
} as const;
