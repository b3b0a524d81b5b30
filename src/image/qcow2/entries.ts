/** Entries of the L1, L2 and refcount tables, in their places in memory. */
import { qcow2Layout } from '../../formats/index.js';

const { entry: bits, tableEntry } = qcow2Layout;
const { high: highHalf, low: lowHalf } = tableEntry.fields;

/** The offset in an entry of an L1 or L2 table that is not compressed; 0 for none. */
export function offsetOf(table: DataView, at: number): number {
  const high = table.getUint32(at) & bits.offsetHigh;
  return high * 0x1_0000_0000 + ((table.getUint32(at + lowHalf.at) & bits.offsetLow) >>> 0);
}

export function isCopied(table: DataView, at: number): boolean {
  return (table.getUint32(at) & bits.copiedHigh) !== 0;
}

export function isCompressed(table: DataView, at: number): boolean {
  return (table.getUint32(at) & bits.compressedHigh) !== 0;
}

export function isZero(table: DataView, at: number): boolean {
  return (table.getUint32(at + lowHalf.at) & bits.zeroLow) !== 0;
}

/** What an entry says besides its offset. */
interface EntryFlags {
  readonly copied?: boolean;
  readonly zero?: boolean;
}

/** Puts an entry: an offset with flags in the bits that it leaves. */
export function putEntry(table: DataView, at: number, offset: number, flags: EntryFlags = {}): void {
  const { copied = false, zero = false } = flags;
  highHalf.write(table, at, Math.floor(offset / 2 ** 32) + (copied ? bits.copiedHigh : 0), false);
  lowHalf.write(table, at, (offset % 2 ** 32) + (zero ? bits.zeroLow : 0), false);
}

/**
 * Where the bytes of a compressed cluster are. Its entry holds, from bit 0 on, a byte offset of x bits, then the number
 * of further sectors of 512 bytes that it reaches into, where x = 62 − (cluster_bits − 8); so at most two clusters'
 * worth of bytes.
 */
export function compressedPlace(
  table: DataView,
  at: number,
  clusterBits: number,
): { readonly offset: number; readonly size: number } {
  const high = table.getUint32(at) & ~(bits.compressedHigh | bits.copiedHigh);
  const offsetBitsHigh = 62 - (clusterBits - 8) - 32; // 17 to 29
  const offset = (high & (2 ** offsetBitsHigh - 1)) * 0x1_0000_0000 + table.getUint32(at + lowHalf.at);
  const sectors = (high >>> offsetBitsHigh) + 1;
  return { offset, size: sectors * 512 - (offset % 512) };
}
