/**
 * LZNT1, the compression of NTFS: chunks of 4 KiB, each of which stands for itself. Specification: [MS-XCA] 2.5.
 *
 * A chunk has a header of two bytes, and then groups of eight tokens with a byte that says which of them are literals. A
 * match is two bytes, of which the more tell the distance the further the chunk has come.
 */
import { CorruptError } from '../errors.js';
import { work } from '../work.js';
import { copyLiterals, copyMatch } from './copies.js';

const chunkSize = 4096;
const header = { size: 2, lengthMask: 0x0fff, compressed: 0x8000 } as const;
const leastMatch = 3;
/** A match has twelve bits for its length at the start of a chunk, and one less with each doubling from here on. */
const leastDistances = 16;
const lengthBits = 12;

const what = 'LZNT1 chunk';

/** Expands the tokens from `at` to `end` into one chunk. Returns how many bytes came out. */
function expand(packed: Uint8Array, at: number, end: number, chunk: Uint8Array): number {
  let done = 0;
  let from = at;
  while (from < end) {
    let flags = packed[from++] ?? 0;
    for (let token = 0; token < 8 && from < end; token++, flags >>>= 1) {
      if ((flags & 1) === 0) {
        if (done >= chunk.length) throw new CorruptError(what, 'holds more than a chunk can', { at });
        chunk[done++] = packed[from++] ?? 0;
        continue;
      }
      if (from + 2 > end || done === 0)
        throw new CorruptError(what, 'has a match that is none', { at: from });
      const match = (packed[from] ?? 0) | ((packed[from + 1] ?? 0) << 8);
      from += 2;
      let shift = lengthBits;
      for (let reach = done - 1; reach >= leastDistances; reach >>>= 1) shift--;
      done = copyMatch(what, chunk, done, (match >>> shift) + 1, (match & ((1 << shift) - 1)) + leastMatch);
    }
  }
  return done;
}

/**
 * Decodes the chunks of a unit into `into`, which is zeroes: where a chunk has fewer bytes than it may have, they stay.
 * Returns up to where bytes came out. What lies behind the last chunk of the unit is not looked at.
 */
export function decodeLznt1(packed: Uint8Array, into: Uint8Array): number {
  work.steps.spend(into.length);
  let at = 0;
  let end = 0;
  for (let start = 0; start < into.length && at + header.size <= packed.length; start += chunkSize) {
    const told = (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
    if (told === 0) break;
    const length = (told & header.lengthMask) + 1;
    at += header.size;
    if (at + length > packed.length) throw new CorruptError(what, 'is cut short', { at, length });
    const chunk = into.subarray(start, start + chunkSize);
    const isCompressed = (told & header.compressed) !== 0;
    end =
      start +
      (isCompressed
        ? expand(packed, at, at + length, chunk)
        : copyLiterals(what, packed, at, chunk, 0, length));
    at += length;
  }
  return end;
}
