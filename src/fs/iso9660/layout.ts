/**
 * On-disk structures of ISO 9660, Joliet, and of Rock Ridge's system use entries.
 *
 * Specifications: ECMA-119 (ISO 9660), section 8 for descriptors and 9.1 for directory records; "Joliet Specification"
 * 1 (Microsoft, 1995); IEEE P1281 "System Use Sharing Protocol" (SUSP) 1.12; IEEE P1282 "Rock Ridge Interchange
 * Protocol" (RRIP) 1.12. Numbers are stored in both byte orders; the little-endian half is read. Offsets count from 0,
 * where the standard counts from 1.
 */
import { bytes, struct, u8, u16, u32 } from '../../base/index.js';

/** Volume descriptors lie in sectors of this size from sector 16 on, whatever the size of a logical block. */
export const sectorSize = 2048;
export const firstDescriptorSector = 16;

/** ECMA-119, 8.4 and 8.5: primary and supplementary descriptors. */
export const volumeDescriptor = struct('ISO 9660 volume descriptor', 'little', 2048, () => ({
  type: u8(0),
  id: bytes(1, 5),
  version: u8(6),
  flags: u8(7),
  system_id: bytes(8, 32),
  volume_id: bytes(40, 32),
  volume_space_size: u32(80),
  escape_sequences: bytes(88, 32),
  volume_set_size: u16(120),
  volume_sequence_number: u16(124),
  logical_block_size: u16(128),
  path_table_size: u32(132),
  root_directory_record: bytes(156, 34),
  volume_set_id: bytes(190, 128),
  publisher_id: bytes(318, 128),
  data_preparer_id: bytes(446, 128),
  application_id: bytes(574, 128),
  copyright_file_id: bytes(702, 37),
  abstract_file_id: bytes(739, 37),
  bibliographic_file_id: bytes(776, 37),
  creation_date: bytes(813, 17),
  modification_date: bytes(830, 17),
  expiration_date: bytes(847, 17),
  effective_date: bytes(864, 17),
}));

/** Values of a descriptor's `type`. */
export const descriptorBoot = 0;
export const descriptorPrimary = 1;
export const descriptorSupplementary = 2;
export const descriptorEnd = 255;

/** ECMA-119, 9.1. The name follows, then a byte of padding where its length is even, then system use bytes. */
export const directoryRecord = struct('ISO 9660 directory record', 'little', 33, () => ({
  length: u8(0),
  ext_attr_length: u8(1),
  extent: u32(2),
  data_length: u32(10),
  date: bytes(18, 7),
  flags: u8(25),
  file_unit_size: u8(26),
  interleave: u8(27),
  volume_sequence_number: u16(28),
  name_length: u8(32),
}));

/** The longest record. */
export const maxRecord = 255;

/** Bits of a record's `flags`. */
export const flagHidden = 0x01;
export const flagDirectory = 0x02;
export const flagAssociated = 0x04;
/** Not the last record of its file. */
export const flagMultiExtent = 0x80;

/** SUSP, 4: the head of every system use entry. `version` is 1. */
export const useEntryHead = 4;

/** SUSP, 5.1: CE. Where system use entries go on: a block, an offset in it, a length. */
export const continuation = struct('SUSP continuation entry', 'little', 28, () => ({
  extent: u32(4),
  offset: u32(12),
  length: u32(20),
}));

/** SUSP, 5.3: SP. Shows that SUSP is used, and how many bytes of each record's system use area to skip. */
export const sharingIndicator = struct('SUSP indicator entry', 'little', 7, () => ({
  check: bytes(4, 2),
  skip: u8(6),
}));

/** RRIP, 4.1.1: PX. RRIP 1.12 appends a serial number, which is not used. */
export const posixAttributes = struct('Rock Ridge PX entry', 'little', 36, () => ({
  mode: u32(4),
  links: u32(12),
  uid: u32(20),
  gid: u32(28),
}));

/** RRIP, 4.1.2: PN. */
export const posixDevice = struct('Rock Ridge PN entry', 'little', 20, () => ({
  dev_high: u32(4),
  dev_low: u32(12),
}));

/** RRIP, 4.1.5.1 and 4.1.5.2: CL and PL. */
export const directoryLink = struct('Rock Ridge CL or PL entry', 'little', 12, () => ({
  location: u32(4),
}));

/** zisofs: ZF. `pz` is the only algorithm: blocks in zlib format. */
export const compressed = struct('Rock Ridge ZF entry', 'little', 16, () => ({
  algorithm: bytes(4, 2),
  header_size_div4: u8(6),
  log2_block_size: u8(7),
  uncompressed_size: u32(8),
}));

/** RRIP, 4.1.3.1: flags of SL's components. */
export const componentContinues = 0x01;
export const componentCurrent = 0x02;
export const componentParent = 0x04;
export const componentRoot = 0x08;

/** RRIP, 4.1.4: flags of NM for the names `.` and `..`. */
export const nameCurrent = 0x02;
export const nameParent = 0x04;

/** RRIP, 4.1.6: flags of TF, in the order in which the times are stored. */
export const timeCreation = 0x01;
export const timeModify = 0x02;
export const timeAccess = 0x04;
export const timeAttributes = 0x08;
/** The times have 17 bytes each instead of 7. */
export const timeLongForm = 0x80;
