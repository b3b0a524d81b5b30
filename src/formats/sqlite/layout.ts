/** On-disk structures of SQLite 3, with the words of "Database File Format" (sqlite.org/fileformat2.html). Big-endian. */
import { bytes, struct, u8, u16, u32 } from '../../base/index.js';

export const fileMagic = 'SQLite format 3\0';

/** Section 1.3. The header is at the beginning of page 1. */
export const fileHeader = struct('SQLite file header', 'big', 100, () => ({
  magic: bytes(0, 16),
  page_size: u16(16),
  read_version: u8(19),
  reserved_space: u8(20),
  max_payload_fraction: u8(21),
  min_payload_fraction: u8(22),
  leaf_payload_fraction: u8(23),
  change_counter: u32(24),
  page_count: u32(28),
  text_encoding: u32(56),
  version_valid_for: u32(92),
}));

/** What `page_size` holds for a page of 64 KiB. */
export const largestPageMark = 1;
export const leastPageSize = 512;
export const largestPageSize = 65_536;
/** The bytes of a page without the reserved ones, at least. */
export const leastUsableSize = 480;
/** The highest `read_version` that is defined: rollback journal, write-ahead log. */
export const newestReadVersion = 2;
export const payloadFractions = { max: 64, min: 32, leaf: 32 } as const;
export const utf8Encoding = 1;

/** Section 1.6. */
export const pageTypes = { interiorTable: 0x05, leafTable: 0x0d } as const;
export const pageHeader = struct('SQLite page', 'big', 8, () => ({ type: u8(0), cell_count: u16(3) }));
/** The header of an interior page ends with the number of its last child. */
export const rightmostChildAt = 8;
export const interiorHeaderSize = 12;
/** As in SQLite itself. A table of 2^64 rows has fewer levels. */
export const deepestTree = 20;
/** The number of an overflow page, at the end of a cell and at the beginning of an overflow page. */
export const overflowPointer = struct('SQLite overflow pointer', 'big', 4, () => ({ page: u32(0) }));

/** Section 2.6: the schema's table, whose rows name the others. */
export const schemaPage = 1;
export const schemaColumns = { type: 0, name: 1, rootpage: 3 } as const;

/** Section 3. */
export const journalMagic = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7] as const;
export const journalHeader = struct('SQLite journal header', 'big', 28, () => ({
  page_count: u32(8),
  nonce: u32(12),
  /** The database's size in pages before the transaction. */
  initial_size: u32(16),
  sector_size: u32(20),
  page_size: u32(24),
}));
/** As `page_count`: all records up to the end. */
export const journalCountUnknown = 0xffff_ffff;
/** A record: the page's number, the page, and a checksum over the nonce and each 200th byte from the end. */
export const journalNumber = struct('SQLite journal record', 'big', 4, () => ({ number: u32(0) }));
export const journalSumStep = 200;

/** Section 4.1. Of the two magics, the odd one is of a log whose checksums are over big-endian words. */
export const logMagics = { little: 0x377f0682, big: 0x377f0683 } as const;
export const logVersion = 3_007_000;
export const logHeader = struct('SQLite log header', 'big', 32, () => ({
  magic: u32(0),
  version: u32(4),
  page_size: u32(8),
  salt_1: u32(16),
  salt_2: u32(20),
  checksum_1: u32(24),
  checksum_2: u32(28),
}));
/** What the header's own checksum is over. */
export const logHeaderSummed = 24;
export const frameHeader = struct('SQLite log frame', 'big', 24, () => ({
  page_number: u32(0),
  /** The database's size in pages after a commit; zero in the frames before it. */
  commit_size: u32(4),
  salt_1: u32(8),
  salt_2: u32(12),
  checksum_1: u32(16),
  checksum_2: u32(20),
}));
/** The beginning of a frame's header, over which its checksum is, beside the page. */
export const frameHeaderSummed = 8;
