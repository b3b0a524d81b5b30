/**
 * On-disk structures of FAT12, FAT16 and FAT32, all little-endian, and their constants.
 *
 * Specification: Microsoft "FAT: General Overview of On-Disk Format" 1.03 (fatgen103) and its errata; the same
 * structures are in ECMA-107. Names are those of the specification without their prefixes (`BPB_BytsPerSec` →
 * `byts_per_sec`). Few fields are aligned.
 */
import { bytes, struct, u8, u16, u32 } from '../../base/index.js';

/** The first sector, whatever the type: fatgen103, "Boot Sector and BPB". */
export const bootSector = struct('FAT boot sector', 'little', 512, () => ({
  jmp_boot: bytes(0, 3),
  oem_name: bytes(3, 8),
  byts_per_sec: u16(11),
  sec_per_clus: u8(13),
  rsvd_sec_cnt: u16(14),
  num_fats: u8(16),
  root_ent_cnt: u16(17),
  tot_sec16: u16(19),
  media: u8(21),
  fat_sz16: u16(22),
  sec_per_trk: u16(24),
  num_heads: u16(26),
  hidd_sec: u32(28),
  tot_sec32: u32(32),
  signature: u16(510),
}));

/** The rest of the boot sector on FAT12 and FAT16. `reserved1` bit 0: not cleanly unmounted. */
export const extended16 = struct('FAT boot sector', 'little', 64, () => ({
  drv_num: u8(36),
  reserved1: u8(37),
  boot_sig: u8(38),
  vol_id: u32(39),
  vol_lab: bytes(43, 11),
  fil_sys_type: bytes(54, 8),
}));

/** Values of `boot_sig`: a serial number and a label follow, or only a serial number. */
export const bootSigFull = 0x29;
export const bootSigShort = 0x28;

/** What follows the common part on FAT32. */
export const extended32 = struct('FAT32 boot sector', 'little', 92, () => ({
  fat_sz32: u32(36),
  ext_flags: u16(40),
  fs_ver: u16(42),
  root_clus: u32(44),
  fs_info: u16(48),
  bk_boot_sec: u16(50),
  drv_num: u8(64),
  reserved1: u8(65),
  boot_sig: u8(66),
  vol_id: u32(67),
  vol_lab: bytes(71, 11),
  fil_sys_type: bytes(82, 8),
}));

/** fatgen103, "FAT32 FSInfo Sector Structure". */
export const fsInfo = struct('FAT32 FSInfo sector', 'little', 512, () => ({
  lead_sig: u32(0),
  struc_sig: u32(484),
  free_count: u32(488),
  nxt_free: u32(492),
  trail_sig: u32(508),
}));

export const fsInfoLeadSignature = 0x41615252;
export const fsInfoStructureSignature = 0x61417272;
export const fsInfoTrailSignature = 0xaa550000;
export const bootSignature = 0xaa55;

/** The 32 bytes of a directory entry: fatgen103, "FAT Directory Structure". */
export const directoryEntry = struct('FAT directory entry', 'little', 32, () => ({
  name: bytes(0, 11),
  attr: u8(11),
  nt_res: u8(12),
  crt_time_tenth: u8(13),
  crt_time: u16(14),
  crt_date: u16(16),
  lst_acc_date: u16(18),
  fst_clus_hi: u16(20),
  wrt_time: u16(22),
  wrt_date: u16(24),
  fst_clus_lo: u16(26),
  file_size: u32(28),
}));

/** One part of a long name, in an entry of the same size: fatgen103, "Long Directory Entries". */
export const longNameEntry = struct('FAT long name entry', 'little', 32, () => ({
  ord: u8(0),
  attr: u8(11),
  type: u8(12),
  chksum: u8(13),
}));

export const entrySize = 32;

/** Bits of `attr`. */
export const attrReadOnly = 0x01;
export const attrVolumeId = 0x08;
export const attrDirectory = 0x10;
/** All four low bits: the entry is a part of a long name. */
export const attrLongName = 0x0f;
export const attrLongNameMask = 0x3f;

/** Bits of `nt_res`: the base, or the extension, is shown in lower case. */
export const lowerCaseBase = 0x08;
export const lowerCaseExtension = 0x10;

/** First bytes of `name`. */
export const nameEnd = 0x00;
export const nameDeleted = 0xe5;
/** Stands for 0xE5, which is a letter in some code pages. */
export const nameKanji = 0x05;

/** `ord` of the part that is stored first (and comes last in the name). */
export const lastLongEntry = 0x40;
/** UTF-16 units in one part. */
export const unitsPerLongEntry = 13;
/** Where these units lie in an entry. */
export const unitOffsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/** A long name has at most 255 units and a terminator. */
export const maxLongEntries = 20;

/** The most clusters that a type has; more than `maxClusters12` makes a volume FAT16. */
export const maxClusters12 = 0xff4;
export const maxClusters16 = 0xfff4;
export const maxClusters32 = 0x0ffffff6;

/** The bits of a table's entry that are the number of a cluster, by the type. */
export const entryMask = { 12: 0xfff, 16: 0xffff, 32: 0x0fffffff } as const;
/** The value of a bad cluster, by the type: this and all above end a chain. */
export const badCluster = { 12: 0xff7, 16: 0xfff7, 32: 0x0ffffff7 } as const;
/** Bit of the byte `reserved1` of the boot sector: the volume is in use, or was not cleanly unmounted. */
export const stateDirty = 0x01;
/** Bit of `ext_flags`: only one table is in use. */
export const notMirrored = 0x80;
/** Bit of `attr`: written since the last backup. */
export const attrArchive = 0x20;
/** The media byte of a hard disk, and the number that the BIOS has for the first one. */
export const fixedMedia = 0xf8;
export const firstDrive = 0x80;
/** A jump over the fields of FAT12 and FAT16, and of FAT32; and what it leads to: the BIOS boots from elsewhere. */
export const jump16 = Uint8Array.of(0xeb, 0x3c, 0x90);
export const jump32 = Uint8Array.of(0xeb, 0x58, 0x90);
export const bootCode16 = 0x3e;
export const bootCode32 = 0x5a;
export const bootCode = Uint8Array.of(0xcd, 0x18, 0xf4, 0xeb, 0xfd);
/** The most clusters that mkfs.fat gives a type, and the fewest where they tell the type. */
export const formatLimits = {
  12: { least: 1, most: 4084 },
  16: { least: 4087, most: 65_524 },
  32: { least: 65_529, most: 0x0ffffff0 },
} as const;
