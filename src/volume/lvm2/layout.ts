/**
 * On-disk structures of an LVM2 physical volume, by the names of lvm2's lib/format_text/layout.h. Little-endian.
 *
 * Surprising: sectors are always of 512 bytes here, whatever the disk's own are; identifiers are 32 letters and digits,
 * shown with dashes; and the CRC-32 starts from a number of its own and is not inverted.
 */
import { bits64, bytes, struct, text, u32 } from '../../base/index.js';

export const sectorSize = 512;
/** The label is in one of the first four sectors. */
export const labelSectors = 4;
export const labelId = 'LABELONE';
export const labelType = 'LVM2 001';
/** What the CRC-32 starts from. */
export const initialCrc = 0xf597a6cf;

export const labelHeader = struct('LVM label', 'little', 32, () => ({
  id: text(0, 8),
  sector_xl: bits64(8),
  crc_xl: u32(16),
  offset_xl: u32(20),
  type: text(24, 8),
}));
/** The label's checksum covers its sector from here on. */
export const labelCrcStart = 20;

export const pvHeader = struct('LVM pv_header', 'little', 40, () => ({
  pv_uuid: bytes(0, 32),
  device_size_xl: bits64(32),
}));
/** Lists of these follow the pv_header, each ended by an all-zero one: data areas, metadata areas. */
export const diskLocn = struct('LVM disk_locn', 'little', 16, () => ({ offset: bits64(0), size: bits64(8) }));

export const pvHeaderExtension = struct('LVM pv_header_extension', 'little', 8, () => ({
  version: u32(0),
  flags: u32(4),
}));
/** Flag: the volume belongs to a volume group, even if it has no metadata of it. */
export const pvExtUsed = 1;

export const mdaHeaderSize = 512;
export const mdaHeader = struct('LVM mda_header', 'little', mdaHeaderSize, () => ({
  checksum_xl: u32(0),
  magic: bytes(4, 16),
  version: u32(20),
  start: bits64(24),
  size: bits64(32),
}));
export const mdaMagic = ' LVM2 x[5A%r0N*>';
export const mdaCrcStart = 4;
/** Up to four places of the text; the first is the committed one, the second one not yet committed. */
export const rawLocnOffset = 40;
export const rawLocn = struct('LVM raw_locn', 'little', 24, () => ({
  offset: bits64(0),
  size: bits64(8),
  checksum: u32(16),
  flags: u32(20),
}));
/** Flag: `pvchange --metadataignore y`. */
export const rawLocnIgnored = 1;
