/**
 * On-disk structures of qcow, the first version of qcow2. Source: qemu's block/qcow.c, for the offsets of the fields.
 * Everything is big-endian; offsets and sizes are in bytes unless a name says otherwise.
 */
import { struct, u8, u32, u64 } from '../../base/index.js';

/** `QFI\xfb` */
export const header = struct('qcow header', 'big', 48, () => ({
  magic: u32(0),
  version: u32(4),
  backing_file_offset: u64(8),
  backing_file_size: u32(16),
  mtime: u32(20),
  size: u64(24),
  cluster_bits: u8(32),
  /** Of the number of entries of an L2 table. */
  l2_bits: u8(33),
  crypt_method: u32(36),
  l1_table_offset: u64(40),
}));

export const cryptMethod = { none: 0, aes: 1 } as const;

export const tableEntry = struct('qcow table entry', 'big', 8, () => ({ high: u32(0), low: u32(4) }));

/** In the high half of an L2 entry: the rest holds an offset, and above it the length of a compressed cluster. */
export const compressedHigh = 0x8000_0000;

export const limits = {
  clusterBitsLeast: 9,
  clusterBitsMost: 16,
  l2BitsLeast: 6,
  l2BitsMost: 13,
  backingNameBytes: 1023,
} as const;
