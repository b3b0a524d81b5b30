/**
 * Structures of the log, with the names of the kernel's fs/xfs/libxfs/xfs_log_format.h. Headers of records and operations
 * are big-endian; the items within have the byte order of the machine that wrote them.
 */
import { bits64, bytes, struct, u32 } from '../../../base/index.js';

/** The log's own unit, whatever the sectors are: XFS's basic block. */
export const logUnit = 512;
export const logRecordMagic = 0xfeedbabe;
export const logRecord = struct('XFS log record', 'big', logUnit, {
  h_magicno: u32(0),
  h_cycle: u32(4),
  h_version: u32(8),
  h_len: u32(12),
  h_lsn: bits64(16),
  h_tail_lsn: bits64(24),
  h_num_logops: u32(40),
  h_fmt: u32(300),
  h_fs_uuid: bytes(304, 16),
  h_size: u32(320),
});
export const recordMagicAt = 0;
export const recordCycleAt = 4;
export const logVersion2 = 2;
/** XLOG_HEADER_CYCLE_SIZE and XLOG_MAX_RECORD_BSIZE. */
export const headerCovers = 32 * 1024;
export const greatestRecord = 256 * 1024;
/** XLOG_MAX_ICLOGS: so many records may have been written at once when the machine stopped. */
export const mostRecordsAtOnce = 8;
/** The byte order of what is in the log. */
export const logFormats = { linuxLittleEndian: 1, linuxBigEndian: 2, irixBigEndian: 3 } as const;

export const operationFlags = {
  start: 0x1,
  commit: 0x2,
  continues: 0x4,
  continued: 0x8,
  end: 0x10,
  unmount: 0x20,
} as const;
export const unmountFlagsAt = 9;
