/**
 * Runs of blocks that must be distinct: the blocks of one file, whose map could otherwise name one block a billion
 * times.
 */

import { CorruptError, work } from '../../base/index.js';
import type { BlockMap } from './run.js';

/** The added runs in order, merged with their neighbours. */
export class DistinctRuns {
  /** The beginnings, and at the same index the ends. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /**
   * Adds blocks `start` to `start + count`. If one of them was added before, nothing is added and the result is
   * false.
   */
  add(start: number, count: number): boolean {
    const end = start + count;
    const index = this.#firstEndingFrom(start); // the first run that ends at `start` or later
    const touchesLast = this.#ends[index] === start;
    const next = touchesLast ? index + 1 : index;
    const nextStart = this.#starts[next] ?? Number.POSITIVE_INFINITY;
    if (nextStart < end) return false;
    if (touchesLast && nextStart === end) {
      this.#ends[index] = this.#ends[next] as number; // safe: there is a run at next
      this.#starts.splice(next, 1);
      this.#ends.splice(next, 1);
    } else if (touchesLast) this.#ends[index] = end;
    else if (nextStart === end) this.#starts[next] = start;
    else {
      this.#starts.splice(next, 0, start);
      this.#ends.splice(next, 0, end);
    }
    return true;
  }

  #firstEndingFrom(start: number): number {
    const last = this.#ends.length - 1;
    // Files mostly lie in order.
    if (last >= 0 && (this.#ends[last] as number) < start) return last + 1; // safe: last ≥ 0
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) < start)
        low = middle + 1; // safe: middle < high ≤ length
      else high = middle;
    }
    return low;
  }
}

/** Throws CorruptError if two of the first `count` blocks of a file are the same. */
export function checkDistinct(map: BlockMap, count: number, what: string): void {
  const runs = new DistinctRuns();
  for (let logical = 0; logical < count; ) {
    work.lookups.spend(1);
    const run = map.find(logical, count - logical);
    const length = Math.min(run.count, count - logical);
    if (run.block !== undefined && !runs.add(run.block, length))
      throw new CorruptError(what, 'a block is used twice', { block: run.block, logical });
    logical += length;
  }
}
