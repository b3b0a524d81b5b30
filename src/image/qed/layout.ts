/**
 * On-disk structures of QED. Specification: docs/interop/qed_spec.txt of qemu. Everything is little-endian; offsets and
 * sizes are in bytes unless a name says otherwise.
 */
import { bits64, struct, u32, u64 } from '../../base/index.js';

export const header = struct('QED header', 'little', 64, () => ({
  cluster_size: u32(4),
  /** Of an L1 or L2 table, in clusters. */
  table_size: u32(8),
  /** In clusters. */
  header_size: u32(12),
  features: bits64(16),
  compat_features: bits64(24),
  autoclear_features: bits64(32),
  l1_table_offset: u64(40),
  image_size: u64(48),
  backing_filename_offset: u32(56),
  backing_filename_size: u32(60),
}));

/** Bits of features. */
export const feature = { backingFile: 1n, needCheck: 2n, backingFormatNoProbe: 4n } as const;

export const tableEntry = struct('QED table entry', 'little', 8, () => ({ low: u32(0), high: u32(4) }));

/** Entries of an L2 table that are no place. */
export const entry = { unallocated: 0, zero: 1 } as const;

export const limits = {
  clusterLeast: 4096,
  clusterMost: 64 * 1024 * 1024,
  /** In clusters. */
  tableMost: 16,
  backingNameBytes: 1023,
} as const;
