/** The structures of exFAT, all little-endian. Specification: Microsoft's "exFAT file system specification". */
import { bytes, struct, text, u8, u16, u32, u64 } from '../../base/index.js';

/** The main boot sector, section 3.1. Offsets and lengths of the volume are in sectors. */
export const bootSector = struct('exFAT boot sector', 'little', 512, () => ({
  FileSystemName: text(3, 8),
  MustBeZero: bytes(11, 53),
  VolumeLength: u64(72),
  FatOffset: u32(80),
  FatLength: u32(84),
  ClusterHeapOffset: u32(88),
  ClusterCount: u32(92),
  FirstClusterOfRootDirectory: u32(96),
  VolumeSerialNumber: u32(100),
  FileSystemRevisionMinor: u8(104),
  FileSystemRevisionMajor: u8(105),
  VolumeFlags: u16(106),
  BytesPerSectorShift: u8(108),
  SectorsPerClusterShift: u8(109),
  NumberOfFats: u8(110),
  BootSignature: u16(510),
}));
export const fileSystemName = 'EXFAT   ';
export const bootSignature = 0xaa55;
/** Volume flags, section 3.1.13. */
export const VolumeDirty = 0x0002;
export const MediaFailure = 0x0004;
export const sectorShifts = { least: 9, most: 12 } as const;
/** Clusters have at most 32 MiB. */
export const mostClusterShift = 25;

/** Sectors of a boot region, of which the last holds the checksum of the others. A backup follows it. Section 3.4. */
export const bootRegionSectors = 12;
/** Bytes of the boot sector that the checksum leaves out: flags and the share in use, which change. */
export const uncheckedBootBytes = [106, 107, 112] as const;

export const fatEntry = struct('exFAT table', 'little', 4, () => ({ next: u32(0) }));
/** Values from here on end a chain: the last is the end, the one here a bad cluster. Section 4.1. */
export const badCluster = 0xffff_fff7;

export const entrySize = 32;
/** Types of directory entries, section 6.2. Without the highest bit an entry is not in use. */
export const entryTypes = {
  endOfDirectory: 0x00,
  inUse: 0x80,
  allocationBitmap: 0x81,
  upcaseTable: 0x82,
  volumeLabel: 0x83,
  file: 0x85,
  streamExtension: 0xc0,
  fileName: 0xc1,
} as const;

/** Sections 7.1 and 7.2. */
export const tableEntry = struct('exFAT directory entry', 'little', entrySize, () => ({
  TableChecksum: u32(4),
  FirstCluster: u32(20),
  DataLength: u64(24),
}));
export const volumeLabel = struct('exFAT volume label', 'little', entrySize, () => ({
  CharacterCount: u8(1),
}));
export const volumeLabelAt = 2;
export const volumeLabelUnits = 11;

/** Section 7.4. */
export const fileEntry = struct('exFAT directory entry', 'little', entrySize, () => ({
  SecondaryCount: u8(1),
  SetChecksum: u16(2),
  FileAttributes: u16(4),
  CreateTimestamp: u32(8),
  LastModifiedTimestamp: u32(12),
  LastAccessedTimestamp: u32(16),
  LastModified10msIncrement: u8(21),
  LastModifiedUtcOffset: u8(23),
  LastAccessedUtcOffset: u8(24),
}));
export const setChecksumAt = 2;
export const secondaryCounts = { least: 2, most: 18 } as const;
export const attributes = { ReadOnly: 0x01, Directory: 0x10 } as const;

/** Section 7.6. */
export const streamEntry = struct('exFAT stream extension', 'little', entrySize, () => ({
  GeneralSecondaryFlags: u8(1),
  NameLength: u8(3),
  ValidDataLength: u64(8),
  FirstCluster: u32(20),
  DataLength: u64(24),
}));
/** The clusters follow each other, and the table says nothing of them. */
export const NoFatChain = 0x02;

/** Section 7.7: units of UTF-16 in one entry of a name. */
export const nameUnitsAt = 2;
export const unitsPerName = 15;
export const longestName = 255;

/** `f_namelen` of Linux: 255 units of at most six bytes. */
export const mostNameBytes = 255 * 6;
/** Section 7.4.9. */
export const mostDirectorySize = 256 * 1024 * 1024;

/** In the up-case table: so many units follow that stand for themselves. Section 7.2.5. */
export const upcaseRun = 0xffff;
export const upcaseLimit = 65_536 * 2;

/** Bits of the offset from UTC, section 7.4.10: whether there is one, and quarters of an hour, with a sign. */
export const offsetValid = 0x80;
export const offsetBits = 0x7f;
export const offsetSign = 0x40;
export const secondsPerOffset = 15 * 60;

/** A timestamp is a time of FAT, and above it a date of FAT. */
export const timeBits = 0xffff;
export const dateShift = 16;

/** A slash, which no name has. */
export const slash = '/';

/** The checksum of boot regions and up-case tables: to the right around, and a byte more. Section 3.4. */
export function rotateAndAdd(sum: number, byte: number): number {
  return (((sum << 31) | (sum >>> 1)) + byte) >>> 0;
}

/** The same in 16 bits, of sets of directory entries. Section 6.3.3. */
export function rotateAndAdd16(sum: number, byte: number): number {
  return (((sum << 15) | (sum >>> 1)) + byte) & 0xffff;
}
