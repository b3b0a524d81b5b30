/** Where an input can be damaged so that somebody notices. */
import type { FieldPlace } from './target.js';
import { tracing } from './trace.js';

const unit = 512;
/** A longer read is of contents. */
const longestMetadata = 64 * 1024;
/** Places that are kept of one kind. */
const most = 65_536;

export interface Places {
  /** Offsets of units of 512 bytes that the parser reads and that hold anything. */
  readonly units: readonly number[];
  /** Offsets of words of 4 bytes that are not zero, in those units. */
  readonly words: readonly number[];
  readonly fields: readonly FieldPlace[];
}

/** What is used of an input, and where damage is then done: in a place of any of these. */
export type PlacesOfRound = readonly Places[];

/** Every nth of a list that is too long. */
function thinned(list: readonly number[]): readonly number[] {
  const step = Math.ceil(list.length / most);
  return step <= 1 ? list : list.filter((_, index) => index % step === 0);
}

function isUsed(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at, at + unit).some((byte) => byte !== 0);
}

/** Offsets of the units of 512 bytes that are read while something uses an undamaged input. */
export async function unitsReadBy(use: () => void | Promise<void>): Promise<Set<number>> {
  const read = new Set<number>();
  const hear = (offset: number, length: number): void => {
    if (length > longestMetadata) return;
    for (let at = offset - (offset % unit); at < offset + length; at += unit) read.add(at);
  };
  await tracing(hear, async () => {
    try {
      await use();
    } catch {
      // A fixture that is refused as it is: what was read until then is known.
    }
  });
  return read;
}

/** The places in the units that are read; of an input of which nothing is known to be read, all. */
export function placesIn(bytes: Uint8Array, read: Set<number>, known: readonly FieldPlace[]): Places {
  if (read.size === 0) for (let at = 0; at < bytes.length; at += unit) read.add(at);
  const units = thinned(
    [...read].filter((at) => at < bytes.length && isUsed(bytes, at)).sort((a, b) => a - b),
  );
  const words: number[] = [];
  for (const start of units) {
    for (let at = start; at < Math.min(start + unit, bytes.length - 3); at += 4) {
      // safe: at + 3 is inside
      if ((bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) !== 0) words.push(at);
    }
  }
  const fields = known.filter(({ at, length }) => at >= 0 && at + length <= bytes.length);
  return { units: units.length > 0 ? units : [0], words: words.length > 0 ? thinned(words) : [0], fields };
}
