/**
 * The checksums of on-disk formats: CRC-32C (Castagnoli; ext4, btrfs, XFS), CRC-32 (IEEE 802.3; GPT, LVM) and CRC-16
 * (ANSI; ext4's older group checksums), each reflected, without final inversion unless told.
 */

import { viewOf } from '../struct.js';
import { foldingCrc32c, leastFolded } from './folding.js';

/** Defined only by the build of the fuzzer, so that damage reaches the code behind a checksum too. */
declare const GUESTFS_CHECKSUMS_IGNORED: boolean | undefined;

/** Whether a computed checksum is the stored one. */
export function checksumHolds(computed: number, stored: number): boolean {
  return (
    computed === stored || (typeof GUESTFS_CHECKSUMS_IGNORED !== 'undefined' && GUESTFS_CHECKSUMS_IGNORED)
  );
}

const castagnoliPolynomial = 0x82f63b78;

/** Continues a sum over the bytes from `start` to `end`. */
type Update = (crc: number, view: DataView, start: number, end: number) => number;

/** Eight tables, for eight bytes a step ("slicing by 8"). */
function tables32(polynomial: number): Int32Array[] {
  const first = new Int32Array(256);
  // The sum is linear: that of a byte is made of those of its bits.
  for (let bit = 128, c = 1; bit > 0; bit >>= 1) {
    c = c & 1 ? (c >>> 1) ^ polynomial : c >>> 1;
    for (let higher = 0; higher < 256; higher += 2 * bit) first[higher | bit] = c ^ first[higher]!; // safe: below 256
  }
  const all = [first];
  for (let t = 1; t < 8; t++) {
    const previous = all[t - 1]!; // safe: t ≥ 1
    const next = new Int32Array(256);
    for (let n = 0; n < 256; n++) next[n] = first[previous[n]! & 0xff]! ^ (previous[n]! >>> 8); // safe: masked
    all.push(next);
  }
  return all;
}

/** The sum for a polynomial. The tables are constants of the closure, which makes them fast to use. */
function update32(polynomial: number): Update {
  const tables = tables32(polynomial);
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]; // safe: eight were made
  return (crc, view, start, end) => {
    let c = crc | 0;
    let i = start;
    // safe: every index below is masked to 8 bits or shifted down to them
    for (const last = end - 7; i < last; i += 8) {
      const low = c ^ view.getInt32(i, true);
      const high = view.getInt32(i + 4, true);
      c =
        t7[low & 0xff]! ^
        t6[(low >>> 8) & 0xff]! ^
        t5[(low >>> 16) & 0xff]! ^
        t4[low >>> 24]! ^
        t3[high & 0xff]! ^
        t2[(high >>> 8) & 0xff]! ^
        t1[(high >>> 16) & 0xff]! ^
        t0[high >>> 24]!;
    }
    for (; i < end; i++) c = t0[(c ^ view.getUint8(i)) & 0xff]! ^ (c >>> 8); // safe: masked
    return c >>> 0;
  };
}

let castagnoli: Update | undefined;

/** CRC-32C without inversion before or after; pass the result in again to continue. ext4 starts from ~0. */
export function crc32c(crc: number, data: Uint8Array): number {
  return crc32cOfView(crc, viewOf(data), 0, data.length);
}

/** {@link crc32c} of the bytes from `start` to `end` of a view, without making a slice, for many small sums. */
export function crc32cOfView(crc: number, view: DataView, start: number, end: number): number {
  castagnoli ??= update32(castagnoliPolynomial);
  if (end - start < leastFolded) return castagnoli(crc, view, start, end);
  folding ??= foldingWhenWorth(castagnoli);
  return folding(crc, view, start, end);
}

let folding: Update | undefined;

/** Bytes of long data that are worth making the code that folds them. */
const worthFolding = 256 * 1024;

/** Sums by tables until it is worth folding. */
function foldingWhenWorth(byTables: Update): Update {
  let summed = 0;
  return (crc, view, start, end) => {
    summed += end - start;
    if (summed < worthFolding) return byTables(crc, view, start, end);
    folding = foldingCrc32c(byTables) ?? byTables;
    return folding(crc, view, start, end);
  };
}

/**
 * For data in pieces of one length: the sum of data followed by a piece, from the sums of both, each begun with 0 and not
 * inverted.
 */
export function joinCrc32c(pieceLength: number): (crc: number, piece: number) => number {
  const zeroes = viewOf(new Uint8Array(pieceLength));
  // The sum is linear: behind so many zeroes, that of a number is made of those of its bits.
  const bits = Array.from({ length: 32 }, (_, bit) => crc32cOfView((1 << bit) >>> 0, zeroes, 0, pieceLength));
  const tables = Array.from({ length: 4 }, (_, t) =>
    Int32Array.from({ length: 256 }, (_, byte) =>
      bits
        .slice(8 * t, 8 * t + 8)
        .reduce((sum, shifted, bit) => ((byte >> bit) & 1 ? sum ^ shifted : sum), 0),
    ),
  );
  const [t0, t1, t2, t3] = tables as [Int32Array, Int32Array, Int32Array, Int32Array]; // safe: four were made
  return (crc, piece) =>
    // safe: every index is masked to 8 bits or shifted down to them
    (t0[crc & 0xff]! ^ t1[(crc >>> 8) & 0xff]! ^ t2[(crc >>> 16) & 0xff]! ^ t3[crc >>> 24]! ^ piece) >>> 0;
}

let ieee: Update | undefined;

/** CRC-32 (IEEE) without inversion before or after; pass the result in again to continue. */
export function crc32Raw(crc: number, data: Uint8Array): number {
  ieee ??= update32(0xedb88320);
  return ieee(crc, viewOf(data), 0, data.length);
}

/** CRC-32 (IEEE) as GPT and zlib use it: inverted before and after. */
export function crc32(data: Uint8Array): number {
  return ~crc32Raw(~0 >>> 0, data) >>> 0;
}

let ansi: Uint16Array | undefined;

/** CRC-16 (polynomial 0x8005, reflected), without inversion. */
export function crc16(crc: number, data: Uint8Array): number {
  ansi ??= Uint16Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xa001 : c >>> 1;
    return c;
  });
  let c = crc & 0xffff;
  for (const byte of data) c = (ansi[(c ^ byte) & 0xff] as number) ^ (c >>> 8); // safe: masked to 8 bits
  return c;
}
