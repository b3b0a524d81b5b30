/**
 * On-disk structures of partition tables: the PC master boot record (the same for an extended boot record), and the
 * GUID partition table of the UEFI specification 2.10, §5.2 and §5.3. Everything is little-endian.
 */
import { bits64, bytes, struct, u8, u16, u32 } from '../base/index.js';

/** The boot record's mark, in the last two bytes of its first 512, whatever the sector size. */
export const bootSignature = 0xaa55;
export const bootRecordSize = 512;
export const mbrEntryCount = 4;

export const bootRecord = struct('boot record', 'little', bootRecordSize, {
  disk_signature: u32(440),
  boot_signature: u16(510),
});
export const mbrEntriesOffset = 446;

export const mbrEntry = struct('MBR partition entry', 'little', 16, {
  boot_indicator: u8(0),
  os_type: u8(4),
  starting_lba: u32(8),
  size_in_lba: u32(12),
});

/** The type byte of the entry that keeps other tools off a GPT disk. */
export const protectiveType = 0xee;
/** The types that hold logical partitions: CHS, LBA, and Linux's own. */
export const extendedTypes: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85]);

/** "EFI PART", read as a little-endian number. */
export const gptSignature = 0x5452415020494645n;
export const gptHeaderSize = 92;

export const gptHeader = struct('GPT header', 'little', gptHeaderSize, {
  signature: bits64(0),
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
});
export const headerCrcOffset = 16;

export const gptEntrySize = 128;
export const gptEntry = struct('GPT partition entry', 'little', gptEntrySize, {
  partition_type_guid: bytes(0, 16),
  unique_partition_guid: bytes(16, 16),
  starting_lba: bits64(32),
  ending_lba: bits64(40),
  attributes: bits64(48),
  partition_name: bytes(56, 72),
});

/** Attribute bit 2: a BIOS boot loader starts this partition. */
export const legacyBiosBootable = 1n << 2n;
/** The type of the EFI system partition. */
export const efiSystemType = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
