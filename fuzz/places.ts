/** Where an input can be damaged so that somebody notices. */
import type { FieldPlace, Target } from './target.js';
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

/** Every nth of a list that is too long. */
function thinned(list: readonly number[]): readonly number[] {
  const step = Math.ceil(list.length / most);
  return step <= 1 ? list : list.filter((_, index) => index % step === 0);
}

function isUsed(bytes: Uint8Array, at: number): boolean {
  return bytes.subarray(at, at + unit).some((byte) => byte !== 0);
}

/** Runs the target once on the undamaged input, and notes what it reads. */
export async function findPlaces(target: Target, bytes: Uint8Array, fixture: string): Promise<Places> {
  const read = new Set<number>();
  if (target.moves !== true) {
    const hear = (offset: number, length: number): void => {
      if (length > longestMetadata) return;
      for (let at = offset - (offset % unit); at < offset + length; at += unit) read.add(at);
    };
    await tracing(hear, async () => {
      try {
        await target.run(bytes, fixture);
      } catch {
        // A fixture that is refused as it is: what was read until then is known.
      }
    });
  }
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
  const fields = (target.fields?.(bytes) ?? []).filter(
    ({ at, length }) => at >= 0 && at + length <= bytes.length,
  );
  return { units: units.length > 0 ? units : [0], words: words.length > 0 ? thinned(words) : [0], fields };
}
