/**
 * On-disk structures of partition tables: the PC master boot record (the same for an extended boot record), the GUID
 * partition table of the UEFI specification 2.10, §5.2 and §5.3, both little-endian; and the disk labels of other
 * machines.
 */
import { bits64, bytes, i32, struct, text, u8, u16, u32 } from '../base/index.js';

/** The boot record's signature, in the last two of its first 512 bytes, whatever the sector size. */
export const bootSignature = 0xaa55;
export const bootRecordSize = 512;
export const mbrEntryCount = 4;

export const bootRecord = struct('boot record', 'little', bootRecordSize, () => ({
  disk_signature: u32(440),
  boot_signature: u16(510),
}));
export const mbrEntriesOffset = 446;

export const mbrEntry = struct('MBR partition entry', 'little', 16, () => ({
  boot_indicator: u8(0),
  starting_chs: bytes(1, 3),
  os_type: u8(4),
  ending_chs: bytes(5, 3),
  starting_lba: u32(8),
  size_in_lba: u32(12),
}));

/** The type byte of the entry that keeps other tools off a GPT disk. */
export const protectiveType = 0xee;
/** Where the protective entry begins and ends as cylinder, head and sector: behind the record, and beyond all. */
export const protectiveStartingChs = Uint8Array.of(0, 2, 0);
export const protectiveEndingChs = Uint8Array.of(0xff, 0xff, 0xff);
/** The types that hold logical partitions: CHS, LBA, and Linux's own. */
export const extendedTypes: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);
/** The type of the entry that leads to the next extended boot record. */
export const linkType = 0x05;
/** The types that new partitions get: extended (LBA), and Linux. */
export const extendedLbaType = 0x0f;
export const linuxType = 0x83;
export const activeIndicator = 0x80;
/** The geometry of the cylinders, heads and sectors that are written; the largest place that they can name. */
export const chsHeads = 255;
export const chsSectors = 63;
export const lastChs = Uint8Array.of(0xfe, 0xff, 0xff);

/** "EFI PART", read as a little-endian number. */
export const gptSignature = 0x5452415020494645n;
export const gptHeaderSize = 92;

export const gptHeader = struct('GPT header', 'little', gptHeaderSize, () => ({
  signature: bits64(0),
  revision: u32(8),
  header_size: u32(12),
  header_crc32: u32(16),
  my_lba: bits64(24),
  alternate_lba: bits64(32),
  first_usable_lba: bits64(40),
  last_usable_lba: bits64(48),
  disk_guid: bytes(56, 16),
  partition_entry_lba: bits64(72),
  number_of_partition_entries: u32(80),
  size_of_partition_entry: u32(84),
  partition_entry_array_crc32: u32(88),
}));
export const headerCrcOffset = 16;

export const gptEntrySize = 128;
export const gptEntry = struct('GPT partition entry', 'little', gptEntrySize, () => ({
  partition_type_guid: bytes(0, 16),
  unique_partition_guid: bytes(16, 16),
  starting_lba: bits64(32),
  ending_lba: bits64(40),
  attributes: bits64(48),
  partition_name: bytes(56, 72),
}));

/** Attribute bit 2: a BIOS boot loader starts this partition. */
export const legacyBiosBootable = 1n << 2n;
/** Version 1.0. */
export const gptRevision = 0x10000;
/** UEFI asks for room for at least 16 KiB of entries. */
export const gptEntryCount = 128;
/** The type of a partition for Linux's filesystems. */
export const linuxFilesystemType = '0FC63DAF-8483-4772-8E79-3D69D8477DE4';
/** The type of the EFI system partition. */
export const efiSystemType = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';

/** The unit of all structures below except Apple's, whatever the sector size of the disk. */
export const labelSectorSize = 512;

/** SunOS <sun/dklabel.h>: in the first sector, with the table of contents (VTOC) that later versions added. */
export const sunLabel = struct('Sun disk label', 'big', 512, () => ({
  v_version: u32(128),
  v_nparts: u16(140),
  v_sanity: u32(188),
  dkl_nhead: u16(436),
  dkl_nsect: u16(438),
  dkl_magic: u16(508),
}));
export const sunMagic = 0xdabe;
export const sunVtocSanity = 0x600ddeee;
export const sunVtocVersion = 1;
export const sunPartitionCount = 8;
/** The tag of the partition that is all of the disk. */
export const sunWholeDisk = 5;
/** The kind of each partition in the VTOC; its place in cylinders, and its size in sectors. */
export const sunInfosOffset = 142;
export const sunInfo = struct('Sun partition information', 'big', 4, () => ({
  p_tag: u16(0),
  p_flag: u16(2),
}));
export const sunMapsOffset = 444;
export const sunMap = struct('Sun partition', 'big', 8, () => ({ dkl_cylno: u32(0), dkl_nblk: u32(4) }));

/** IRIX <sys/dvh.h>: the volume header in the first sector. */
export const sgiHeader = struct('SGI volume header', 'big', 512, () => ({ vh_magic: u32(0) }));
export const sgiMagic = 0x0be5a941;
export const sgiPartitionCount = 16;
/** The type of the partition that is all of the disk. */
export const sgiWholeDisk = 6;
export const sgiPartitionsOffset = 312;
export const sgiPartition = struct('SGI partition', 'big', 12, () => ({
  pt_nblks: u32(0),
  pt_firstlbn: u32(4),
  pt_type: i32(8),
}));

/** Inside Macintosh: Devices, chapter 3. The driver descriptor map, and the entries of the partition map behind it. */
export const appleDescriptor = struct('Apple driver descriptor', 'big', 4, () => ({
  sbSig: u16(0),
  sbBlkSize: u16(2),
}));
export const appleDescriptorSignature = 0x4552;
export const appleEntry = struct('Apple partition map entry', 'big', 136, () => ({
  pmSig: u16(0),
  pmMapBlkCnt: u32(4),
  pmPyPartStart: u32(8),
  pmPartBlkCnt: u32(12),
  pmPartName: text(16, 32),
  pmParType: text(48, 32),
}));
export const appleEntrySignature = 0x504d;
/** The types of entries for space outside all partitions. */
export const appleNothing = /^Apple_(?:Free|Void)$/i;

/** BSD <sys/disklabel.h>: in the second sector of a disk or of a slice. */
export const bsdLabel = struct('BSD disk label', 'little', 148, () => ({
  d_magic: u32(0),
  d_magic2: u32(132),
  d_npartitions: u16(138),
}));
export const bsdMagic = 0x82564557;
export const bsdPartitionsOffset = 148;
export const bsdPartition = struct('BSD partition', 'little', 16, () => ({
  p_size: u32(0),
  p_offset: u32(4),
  p_fstype: u8(12),
}));

/** Solaris for x86 <sys/vtoc.h>: in the second sector of its primary partition. */
export const solarisVtoc = struct('Solaris table of contents', 'little', 72, () => ({
  v_sanity: u32(12),
  v_version: u32(16),
  v_nparts: u16(30),
}));
export const solarisSlicesOffset = 72;
export const solarisSlice = struct('Solaris slice', 'little', 12, () => ({
  p_start: u32(4),
  p_size: u32(8),
}));

/**
 * AmigaOS <devices/hardblocks.h>: the rigid disk block, in one of the first sixteen sectors, and the list of
 * partition blocks.
 */
export const amigaBlock = struct('Amiga block', 'big', 12, () => ({ id: u32(0), summed_longs: u32(4) }));
export const rigidDiskBlock = struct('Amiga rigid disk block', 'big', 32, () => ({
  rdb_BlockBytes: u32(16),
  rdb_PartitionList: u32(28),
}));
export const rigidDiskId = 0x5244534b;
export const rigidDiskLimit = 16;
export const amigaPartition = struct('Amiga partition block', 'big', 192, () => ({
  pb_Next: u32(16),
  pb_DriveNameLength: u8(36),
  pb_DriveName: bytes(37, 31),
  de_Surfaces: u32(140),
  de_BlocksPerTrack: u32(148),
  de_LowCyl: u32(164),
  de_HighCyl: u32(168),
}));
export const amigaPartitionId = 0x50415254;

/** Atari's root sector: these entries, and the size of the disk in sectors. */
export const atariSizeOffset = 450;
export const atariEntriesOffset = 454;
export const atariEntryCount = 4;
export const atariIcdOffset = 342;
export const atariIcdCount = 8;
export const atariEntry = struct('Atari partition', 'big', 12, () => ({
  p_flg: u8(0),
  p_id: bytes(1, 3),
  p_st: u32(4),
  p_siz: u32(8),
}));

/** NEC's PC-98: the signature at this offset of the boot block; its table differs from the MBR's. */
export const pc98MarkOffset = 4;
export const pc98Mark = 'IPL1';

/** AIX writes the signature of its physical volumes ("IBMA" in EBCDIC) where a boot record begins. */
export const aixMagic = 0xc9c2d4c1;
