/**
 * LZO1X, as lzop, btrfs and squashfs store it. "LZO stream format as understood by Linux's LZO decompressor"
 * (Documentation/staging/lzo.rst of the kernel), version 0. What an instruction below 16 means depends on how many
 * literals stood before it.
 */
import { CorruptError } from '../errors.js';
import { work } from '../work.js';
import { copyLiterals, copyMatch } from './copies.js';

const what = 'LZO stream';

/** An instruction before which a run of literals stood, as opposed to the 0 to 3 of a match. */
const afterRun = 4;
/** The first byte of a stream, from here on, is a number of literals. */
const firstRunBase = 17;
/** The shortest run of literals that has an instruction of its own. */
const shortestRun = 3;
/** A match two bytes long that follows one to three literals reaches so far; one of three that follows a run, beyond. */
const nearLimit = 2048;
const farStart = 16384;

/** Decodes a stream, which is all of `packed`, into `into`. Returns how many bytes came out. */
export function decodeLzo1x(packed: Uint8Array, into: Uint8Array): number {
  work.steps.spend(packed.length);
  let at = 0;
  let end = 0;
  /** Literals before the next instruction: of a match 0 to 3, {@link afterRun} for a run. */
  let state = 0;

  const cutShort = (): CorruptError => new CorruptError(what, 'is cut short', { size: packed.length });
  const byte = (): number => {
    const value = packed[at++];
    if (value === undefined) throw cutShort();
    return value;
  };
  const literals = (length: number): void => {
    end = copyLiterals(what, packed, at, into, end, length);
    at += length;
  };
  /** A length in the lowest bits of an instruction; zero goes on in the bytes behind, each zero of which is 255. */
  const length = (bits: number, mask: number): number => {
    if ((bits & mask) !== 0) return bits & mask;
    let sum = mask;
    for (;;) {
      const more = byte();
      if (more !== 0) return sum + more;
      sum += 255;
    }
  };
  /** Copies a match and the literals behind it, whose number is in the lowest two bits of `bits`. */
  const match = (distance: number, count: number, bits: number): void => {
    end = copyMatch(what, into, end, distance, count);
    state = bits & 3;
    literals(state);
  };

  const first = packed[0];
  if (first === undefined) throw cutShort();
  if (first > firstRunBase) {
    at = 1;
    literals(first - firstRunBase);
    state = Math.min(first - firstRunBase, afterRun);
  }
  for (;;) {
    const order = byte();
    if (order >= 128) match((byte() << 3) + ((order >>> 2) & 7) + 1, 5 + ((order >>> 5) & 3), order);
    else if (order >= 64) match((byte() << 3) + ((order >>> 2) & 7) + 1, 3 + ((order >>> 5) & 1), order);
    else if (order >= 32) {
      const count = 2 + length(order, 31);
      const word = byte() | (byte() << 8);
      match((word >>> 2) + 1, count, word);
    } else if (order >= 16) {
      const count = 2 + length(order, 7);
      const word = byte() | (byte() << 8);
      const distance = farStart + ((order & 8) << 11) + (word >>> 2);
      if (distance === farStart) return finish(count, at, end, packed.length);
      match(distance, count, word);
    } else if (state === 0) {
      literals(shortestRun + length(order, 15));
      state = afterRun;
    } else if (state === afterRun) match((byte() << 2) + (order >>> 2) + nearLimit + 1, 3, order);
    else match((byte() << 2) + (order >>> 2) + 1, 2, order);
  }
}

/** The mark at the end is a match of three bytes from nowhere, and nothing follows. */
function finish(count: number, at: number, end: number, size: number): number {
  if (count !== 3) throw new CorruptError(what, 'has an impossible end', { at });
  if (at !== size) throw new CorruptError(what, 'goes on behind its end', { at, size });
  return end;
}
