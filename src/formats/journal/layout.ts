/**
 * The structures of a systemd journal file, little-endian: "Journal File Format" of systemd's documentation, with the
 * compact form of systemd 252.
 */
import { bytes, struct, text, u8, u32, u64 } from '../../base/index.js';

export const journalSignature = 'LPKSHHRH';

export const journalHeader = struct('journal header', 'little', 208, () => ({
  signature: text(0, 8),
  incompatible_flags: u32(12),
  seqnum_id: bytes(72, 16),
  header_size: u64(88),
  arena_size: u64(96),
  n_entries: u64(152),
  entry_array_offset: u64(176),
}));

/** Bits of `incompatible_flags`: the compressions that objects may have, hashes with a key, and short offsets. */
export const incompatible = { xz: 1, lz4: 2, keyedHash: 4, zstd: 8, compact: 16 } as const;
export const knownFlags = 31;

export const objectHeader = struct('journal object', 'little', 16, () => ({
  type: u8(0),
  flags: u8(1),
  size: u64(8),
}));
/** Objects lie at multiples of this many bytes. */
export const objectUnit = 8;
export const objectTypes = { data: 1, entry: 3, entryArray: 6 } as const;

/** Bits of `flags`: how the payload is compressed. */
export const compressions = [
  [1, 'xz'],
  [2, 'lz4'],
  [4, 'zstd'],
] as const;

export const entryObject = struct('journal entry', 'little', 64, () => ({
  seqnum: u64(16),
  realtime: u64(24),
  monotonic: u64(32),
  boot_id: bytes(40, 16),
  xor_hash: bytes(56, 8),
}));
/** What follows an entry, for each of its fields: an offset and a hash, or in a compact file a short offset alone. */
export const itemSize = { regular: 16, compact: 4 } as const;

export const entryArrayObject = struct('journal entry array', 'little', 24, () => ({
  next_entry_array_offset: u64(16),
}));
export const arrayItemSize = { regular: 8, compact: 4 } as const;

/** Where the payload of a field begins. */
export const payloadAt = { regular: 64, compact: 72 } as const;

/** What is in front of a payload by LZ4: its size unpacked. */
export const lz4Head = struct('journal LZ4 payload', 'little', 8, () => ({ size: u64(0) }));
