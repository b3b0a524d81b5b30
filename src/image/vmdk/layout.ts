/**
 * On-disk structures of VMDK. Specifications: VMware's Virtual Disk Format 5.0 (`SparseExtentHeader`, `GrainMarker`,
 * `COWDisk_Header`), and for SESPARSE the structures in qemu's block/vmdk.c, as VMware publishes none. Everything is
 * little-endian; offsets and sizes are in sectors of 512 bytes unless a name says otherwise.
 */
import { bits64, bytes, struct, text, u8, u16, u32, u64 } from '../../base/index.js';

export const sectorSize = 512;

/** The first bytes of files, as text. */

/** `SparseExtentHeader`, at the start of a hosted sparse extent, and again in a footer. */
export const hostedHeader = struct('VMDK header', 'little', 512, () => ({
  magicNumber: u32(0),
  version: u32(4),
  flags: u32(8),
  capacity: u64(12),
  grainSize: u64(20),
  descriptorOffset: u64(28),
  descriptorSize: u64(36),
  numGTEsPerGT: u32(44),
  rgdOffset: bits64(48),
  gdOffset: bits64(56),
  overHead: u64(64),
  uncleanShutdown: u8(72),
  singleEndLineChar: bytes(73, 4),
  compressAlgorithm: u16(77),
}));
/** `KDMV` */
export const hostedMagic = 0x564d444b;
export const hostedFlags = {
  validNewLineTest: 1 << 0,
  redundantTable: 1 << 1,
  zeroedGrains: 1 << 2,
  compressed: 1 << 16,
  markers: 1 << 17,
} as const;
export const compression = { none: 0, deflate: 1 } as const;
/** The four characters that a transfer as text would have changed. */
export const endLineChars = '\n \r\n';
/** `gdOffset` of a file that was written from its beginning to its end: the directory is where the footer says. */
export const gdAtEnd = 0xffff_ffff_ffff_ffffn;
/** An entry of a grain table: zeroes, whatever lies below; only with `zeroedGrains`. */
export const zeroedGrain = 1;

/** What precedes a piece of a stream-optimized extent. Behind a grain's marker its compressed bytes follow at once. */
export const marker = struct('VMDK marker', 'little', 16, () => ({
  /** Of a grain its first sector in the extent, else the sectors of what follows. */
  val: u64(0),
  /** Of a grain the bytes that follow, else 0. */
  size: u32(8),
  /** Only where `size` is 0. */
  type: u32(12),
}));
/** A grain's marker has no type: the compressed bytes begin there. */
export const grainMarkerSize = 12;
export const markerTypes = { endOfStream: 0, grainTable: 1, grainDirectory: 2, footer: 3 } as const;

/** `COWDisk_Header`: the extents of ESX and of the oldest VMware programs. */
export const cowdHeader = struct('VMDK COWD header', 'little', 2048, () => ({
  magicNumber: u32(0),
  version: u32(4),
  flags: u32(8),
  numSectors: u32(12),
  grainSize: u32(16),
  gdOffset: u32(20),
  numGDEntries: u32(24),
  freeSector: u32(28),
  /** Of a delta; a root has its geometry here. */
  parentFileName: text(32, 1024),
  generation: u32(1060),
  name: text(1064, 60),
  description: text(1124, 512),
}));
/** `COWD` */
export const cowdMagic = 0x44574f43;
export const cowdFlags = { root: 1 << 0 } as const;
/** Entries of each grain table. */
export const cowdTableEntries = 4096;

/** The constant header of a SESPARSE extent. */
export const sesparseHeader = struct('VMDK SESPARSE header', 'little', 512, () => ({
  magic: bits64(0),
  version: bits64(8),
  capacity: u64(16),
  grain_size: u64(24),
  grain_table_size: u64(32),
  flags: bits64(40),
  volatile_header_offset: u64(80),
  volatile_header_size: u64(88),
  journal_header_offset: u64(96),
  journal_header_size: u64(104),
  journal_offset: u64(112),
  journal_size: u64(120),
  grain_dir_offset: u64(128),
  grain_dir_size: u64(136),
  grain_tables_offset: u64(144),
  grain_tables_size: u64(152),
  free_bitmap_offset: u64(160),
  free_bitmap_size: u64(168),
  backmap_offset: u64(176),
  backmap_size: u64(184),
  grains_offset: u64(192),
  grains_size: u64(200),
}));
export const sesparseMagic = 0xcafe_baben;
/** 2.1 */
export const sesparseVersion = 0x2_0000_0001n;

/** What a SESPARSE extent changes as it is written. */
export const sesparseVolatile = struct('VMDK SESPARSE volatile header', 'little', 512, () => ({
  magic: bits64(0),
  free_gt_number: bits64(8),
  next_txn_seq_number: bits64(16),
  replay_journal: bits64(24),
}));
export const sesparseVolatileMagic = 0xcafe_cafen;

/** Entries of SESPARSE tables, by the upper and the lower half of their 64 bits. */
export const sesparseEntry = {
  /** The upper half of an entry of the directory: the lower one is the number of a table. */
  tableHigh: 0x1000_0000,
  /** The upper four bits of an entry of a table. */
  kindShift: 28,
  kinds: { unallocated: 0, unmapped: 1, zero: 2, stored: 3 },
  /** The number of a grain: bits 48 to 59 of the entry are its lowest twelve, bits 0 to 47 the others. */
  lowestShift: 16,
  lowestMask: 0xfff,
  middleHighMask: 0xffff,
} as const;

export const limits = {
  /** Entries of a grain table of a hosted extent; qemu has the same limit. */
  tableEntries: 512,
  /** Bytes of a grain. 1 GiB, as in qemu; of a compressed one 16 MiB, since it is decoded as a whole. */
  grainBytes: 1024 ** 3,
  compressedGrainBytes: 16 * 1024 ** 2,
  /** Bytes of a descriptor. VMware's own have a few hundred and a line of some sixty for each extent. */
  descriptorBytes: 1024 * 1024,
  /** Each holds a descriptor of the host; a disk of 62 TB, VMware's largest, in pieces of 2 GB has 31,000. */
  extents: 32_768,
} as const;
