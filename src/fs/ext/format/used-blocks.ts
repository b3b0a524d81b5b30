/**
 * The blocks in use of a filesystem that is being made: runs in order, as a bitmap of a large disk would be larger than
 * all that is written to it.
 */
import { GuestfsError } from '../../../base/index.js';
import type { BlockRange } from '../write/space.js';

export class UsedBlocks {
  readonly #first: number;
  readonly #end: number;
  /** Starts and ends of runs, in order; neighbours are joined. */
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];

  /** Blocks from `first` on, `end` not included. */
  constructor(first: number, end: number) {
    this.#first = first;
    this.#end = end;
  }

  mark(start: number, count: number): void {
    const end = start + count;
    const from = this.#firstEndingAfter(start - 1);
    let to = from;
    let low = start;
    let high = end;
    for (; to < this.#starts.length && (this.#starts[to] as number) <= end; to++) {
      low = Math.min(low, this.#starts[to] as number); // safe: to < length
      high = Math.max(high, this.#ends[to] as number); // safe: to < length
    }
    this.#starts.splice(from, to - from, low);
    this.#ends.splice(from, to - from, high);
  }

  isFree(start: number, count: number): boolean {
    const next = this.#firstEndingAfter(start);
    return start + count <= this.#end && (this.#starts[next] ?? Number.POSITIVE_INFINITY) >= start + count;
  }

  /** The runs of a range, cut at its ends. */
  *runsIn(start: number, end: number): Generator<BlockRange> {
    for (let index = this.#firstEndingAfter(start); index < this.#starts.length; index++) {
      const from = Math.max(start, this.#starts[index] as number); // safe: index < length
      if (from >= end) return;
      yield { block: from, count: Math.min(end, this.#ends[index] as number) - from }; // safe: index < length
    }
  }

  /** How many blocks of a range are in use. */
  countUsed(start: number, end: number): number {
    let used = 0;
    for (const { count } of this.runsIn(start, end)) used += count;
    return used;
  }

  /** The first of `count` free blocks that lie together and begin from `start` up to `last`. */
  findTogether(start: number, last: number, count: number): number | undefined {
    let at = Math.max(start, this.#first);
    for (let index = this.#firstEndingAfter(at); at <= last && at + count <= this.#end; index++) {
      if ((this.#starts[index] ?? Number.POSITIVE_INFINITY) >= at + count) return at;
      at = this.#ends[index] as number; // safe: a run begins before at + count
    }
    return undefined;
  }

  /** The first free run at `goal` or behind it, else from the start of the disk; at most `most` blocks of it. ENOSPC. */
  findRun(goal: number, most: number): BlockRange {
    for (const from of goal < this.#end ? [goal, this.#first] : [this.#first]) {
      const index = this.#firstEndingAfter(from);
      const inside = (this.#starts[index] ?? this.#end) <= from;
      const block = inside ? (this.#ends[index] as number) : from; // safe: `inside` says that there is a run
      if (block >= this.#end) continue;
      const next = this.#starts[inside ? index + 1 : index] ?? this.#end;
      return { block, count: Math.min(most, next - block) };
    }
    throw new GuestfsError('ENOSPC', 'no room for the structures of the filesystem');
  }

  /** Takes the first free block at `goal` or behind it. ENOSPC. */
  take(goal: number): number {
    const { block } = this.findRun(goal, 1);
    this.mark(block, 1);
    return block;
  }

  /** The first run that ends behind `block`. */
  #firstEndingAfter(block: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) <= block)
        low = middle + 1; // safe: middle < high ≤ length
      else high = middle;
    }
    return low;
  }
}
