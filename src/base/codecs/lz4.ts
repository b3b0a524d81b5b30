/**
 * LZ4 blocks, without a frame around them. "LZ4 Block Format Description" (Y. Collet). A block has no mark at its end:
 * its last sequence has no match, and the input ends with it.
 */
import { CorruptError } from '../errors.js';
import { work } from '../work.js';
import { copyLiterals, copyMatch } from './copies.js';

const what = 'LZ4 block';
const shortestMatch = 4;
/** A length of four bits that goes on in the bytes behind. */
const longLength = 15;

/** Decodes a block, which is all of `packed`, into `into`. Returns how many bytes came out. */
export function decodeLz4(packed: Uint8Array, into: Uint8Array): number {
  work.steps.spend(packed.length);
  let at = 0;
  let end = 0;

  const byte = (): number => {
    const value = packed[at++];
    if (value === undefined) throw new CorruptError(what, 'is cut short', { size: packed.length });
    return value;
  };
  const length = (start: number): number => {
    if (start < longLength) return start;
    let sum = start;
    for (let more = 255; more === 255; ) {
      more = byte();
      sum += more;
    }
    return sum;
  };

  for (;;) {
    const token = byte();
    const literals = length(token >>> 4);
    end = copyLiterals(what, packed, at, into, end, literals);
    at += literals;
    if (at === packed.length) return end;
    const distance = byte() | (byte() << 8);
    end = copyMatch(what, into, end, distance, shortestMatch + length(token & 15));
  }
}
