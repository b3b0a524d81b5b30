/**
 * On-disk structures of rpm: headers of packages, its own database format ndb, and Berkeley DB's hash files. The names
 * are those of rpm's lib/header.c and lib/backend/ndb/rpmpkg.c, and of Berkeley DB's dbinc/db_page.h.
 */
import { bytes, type Endian, struct, u8, u16, u32 } from '../../base/index.js';

/** A header in a database: two numbers, the index, the data. Big-endian on every machine. */
export const headerIntro = struct('rpm header', 'big', 8, () => ({ il: u32(0), dl: u32(4) }));
export const indexEntry = struct('rpm index entry', 'big', 16, () => ({
  tag: u32(0),
  type: u32(4),
  offset: u32(8),
  count: u32(12),
}));
/** rpm's own limits. */
export const mostIndexEntries = 0xffff;
export const mostHeaderData = 0x0fff_ffff;

export const tags = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  summary: 1004,
  description: 1005,
  url: 1020,
  arch: 1022,
} as const;
export const types = { int32: 4, string: 6, stringArray: 8, i18nString: 9 } as const;

export const ndbMagic = 'RpmP';
/** ndb: a header in place of the first two slots, pages of slots, then the headers of packages. Little-endian. */
export const ndbHeader = struct('ndb header', 'little', 32, () => ({
  magic: bytes(0, 4),
  version: u32(4),
  slotnpages: u32(12),
}));
export const ndbSlot = struct('ndb slot', 'little', 16, () => ({
  magic: u32(0),
  pkgidx: u32(4),
  blkoff: u32(8),
  blkcnt: u32(12),
}));
/** `Slot`, `BlbS`, `BlbE`. */
export const ndbMagics = { slot: 0x746f6c53, blobHead: 0x53626c42, blobTail: 0x45626c42 } as const;
export const ndbPageSize = 4096;
export const ndbBlockSize = 16;
export const ndbBlobHead = struct('ndb blob', 'little', 16, () => ({
  magic: u32(0),
  pkgidx: u32(4),
  bloblen: u32(12),
}));
export const ndbBlobTail = struct('ndb blob', 'little', 12, () => ({ bloblen: u32(4), magic: u32(8) }));

/** Berkeley DB: the metadata of page 0, in the byte order of the machine that made it. */
export const metaPageSize = 512;
export const metaPage = (endian: Endian) =>
  struct('Berkeley DB metadata', endian, metaPageSize, () => ({
    magic: u32(12),
    version: u32(16),
    pagesize: u32(20),
    encrypt_alg: u8(24),
    metaflags: u8(26),
    last_pgno: u32(32),
    max_bucket: u32(72),
  }));
export const metaMagicAt = 12;
export const metaMagics = { hash: 0x00061561, btree: 0x00053162 } as const;
/** `spares`: what a bucket's number and the number of its page differ by, for each power of two. */
export const sparesAt = 96;
export const spareCount = 32;
export const oldestHashVersion = 8;
export const newestHashVersion = 10;
export const leastPageSize = 512;
export const largestPageSize = 65_536;

export const hashPage = (endian: Endian) =>
  struct('Berkeley DB page', endian, 26, () => ({
    pgno: u32(8),
    next_pgno: u32(16),
    entries: u16(20),
    hf_offset: u16(22),
    type: u8(25),
  }));
export const pageTypes = { unsortedHash: 2, overflow: 7, hashMeta: 8, hash: 13 } as const;
/** An item: its type, then its bytes, or of a long one the first of its pages and its length. */
export const itemTypes = { keyData: 1, offPage: 3 } as const;
export const offPageItem = (endian: Endian) =>
  struct('Berkeley DB item', endian, 12, () => ({ type: u8(0), pgno: u32(4), tlen: u32(8) }));
/** The key of a package: its number. */
export const packageKey = (endian: Endian) =>
  struct('Berkeley DB key', endian, 5, () => ({ type: u8(0), number: u32(1) }));
