/** Blocks that are freed and may not be taken yet, as ranges in order. */

/** Blocks `first` up to, but not including, `end`. */
export interface FreedRange {
  readonly first: number;
  readonly end: number;
}

export class FreedRanges {
  /** In order; none touches another. */
  #ranges: FreedRange[] = [];

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  add(first: number, count: number): void {
    if (count === 0) return;
    let end = first + count;
    const from = this.#firstEndingFrom(first);
    let to = from;
    for (
      let range = this.#ranges[to];
      range !== undefined && range.first <= end;
      range = this.#ranges[++to]
    ) {
      if (range.first < end && range.end > first)
        throw new Error(`blocks are freed twice (first=${first}, count=${count})`);
      first = Math.min(first, range.first);
      end = Math.max(end, range.end);
    }
    this.#ranges.splice(from, to - from, { first, end });
  }

  /** Takes out what was added. */
  remove(first: number, count: number): void {
    const end = first + count;
    const index = this.#firstEndingFrom(first + 1);
    const range = this.#ranges[index];
    if (range === undefined || range.first > first || range.end < end) return;
    const rest: FreedRange[] = [];
    if (range.first < first) rest.push({ first: range.first, end: first });
    if (range.end > end) rest.push({ first: end, end: range.end });
    this.#ranges.splice(index, 1, ...rest);
  }

  clear(): void {
    this.#ranges = [];
  }

  /** The first range that has blocks from `first` up to `end`. */
  find(first: number, end: number): FreedRange | undefined {
    const range = this.#ranges[this.#firstEndingFrom(first + 1)];
    return range !== undefined && range.first < end ? range : undefined;
  }

  /** The index of the first range whose end is at least `least`. */
  #firstEndingFrom(least: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      // safe: middle < high ≤ length
      if ((this.#ranges[middle] as FreedRange).end < least) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
