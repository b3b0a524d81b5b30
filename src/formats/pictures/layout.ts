/**
 * Pictures in programs of Windows: Microsoft's "PE Format", sections 3, 4 and 6.9 (resources), and the device-independent
 * bitmap of wingdi.h. All numbers are little-endian.
 */
import { i32, struct, u16, u32 } from '../../base/index.js';

/** Where the place of the PE signature is, in the header for DOS. */
export const dosHeader = struct('DOS header', 'little', 64, () => ({ e_magic: u16(0), e_lfanew: u32(0x3c) }));
export const DOS_MAGIC = 0x5a4d;

export const peHeader = struct('PE header', 'little', 26, () => ({
  signature: u32(0),
  NumberOfSections: u16(6),
  SizeOfOptionalHeader: u16(20),
  Magic: u16(24),
}));
export const PE_SIGNATURE = 0x0000_4550;
/** Where the optional header begins, which the table of sections follows. */
export const optionalHeaderAt = 24;
/** By `Magic`, the offset in the optional header of the entry for resources in its table of directories. */
export const resourceDirectoryAt: ReadonlyMap<number, number> = new Map([
  [0x10b, 96 + 2 * 8],
  [0x20b, 112 + 2 * 8],
]);

export const dataDirectory = struct('PE data directory', 'little', 8, () => ({
  VirtualAddress: u32(0),
  Size: u32(4),
}));

export const sectionHeader = struct('PE section', 'little', 40, () => ({
  VirtualAddress: u32(12),
  SizeOfRawData: u32(16),
  PointerToRawData: u32(20),
}));

export const resourceDirectory = struct('PE resource directory', 'little', 16, () => ({
  NumberOfNamedEntries: u16(12),
  NumberOfIdEntries: u16(14),
}));
export const resourceEntry = struct('PE resource entry', 'little', 8, () => ({ Id: u32(0), Offset: u32(4) }));
/** In `Offset`: the entry leads to a directory. */
export const isSubdirectory = (offset: number): boolean => offset >= 0x8000_0000;
export const offsetInResources = (offset: number): number => offset % 0x8000_0000;
export const resourceData = struct('PE resource data', 'little', 16, () => ({
  OffsetToData: u32(0),
  Size: u32(4),
}));
/** The type of a bitmap. */
export const RT_BITMAP = 2;

/** BITMAPINFOHEADER. A palette may follow, then the rows, each filled up to four bytes. */
export const bitmapHeader = struct('bitmap header', 'little', 40, () => ({
  biSize: u32(0),
  biWidth: i32(4),
  /** Negative where the first row is the uppermost. */
  biHeight: i32(8),
  biBitCount: u16(14),
  biCompression: u32(16),
  biClrUsed: u32(32),
}));
export const BI_RGB = 0;
