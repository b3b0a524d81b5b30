/**
 * The two steps of which LZ77 codecs are made: bytes that stand in the input, and bytes that came out before. Both stay
 * inside their arrays, whatever the input claims.
 */
import { CorruptError } from '../errors.js';

/** From this length on a native copy is faster than a loop. */
const longCopy = 32;

function needRoom(codec: string, into: Uint8Array, at: number, length: number): void {
  if (length > into.length - at)
    throw new CorruptError(codec, 'has more bytes than there may be', { most: into.length });
}

/** Copies `length` bytes of the input. Returns where the next byte goes. */
export function copyLiterals(
  codec: string,
  packed: Uint8Array,
  from: number,
  into: Uint8Array,
  at: number,
  length: number,
): number {
  if (length > packed.length - from) throw new CorruptError(codec, 'is cut short', { size: packed.length });
  needRoom(codec, into, at, length);
  if (length >= longCopy) into.set(packed.subarray(from, from + length), at);
  else for (let i = 0; i < length; i++) into[at + i] = packed[from + i] as number; // safe: just bounded
  return at + length;
}

/**
 * Copies `length` bytes from `distance` before `at`; where the distance is shorter, the bytes between repeat. Returns
 * where the next byte goes.
 */
export function copyMatch(
  codec: string,
  into: Uint8Array,
  at: number,
  distance: number,
  length: number,
): number {
  if (distance > at || distance === 0)
    throw new CorruptError(codec, 'has a copy from before its beginning', { at, distance });
  needRoom(codec, into, at, length);
  const from = at - distance;
  if (length < longCopy) {
    for (let i = 0; i < length; i++) into[at + i] = into[from + i] as number; // safe: from + i < at + i < into.length
    return at + length;
  }
  // What is there repeats with the distance, so each step may take as much again.
  for (let done = 0; done < length; ) {
    const step = Math.min(distance + done, length - done);
    into.copyWithin(at + done, from, from + step);
    done += step;
  }
  return at + length;
}
