/**
 * Gives the blocks of zeroed ranges of a file back to the host. Node has no call for that; `fallocate` of util-linux has,
 * on an inherited descriptor. As starting it takes some 30 ms, ranges are zeroed by writing first, and given back
 * together at the next barrier, so far as nothing else was written there.
 */

/** Blocks of nearly every filesystem: parts of one are not given back. */
const blockSize = 4096;
/** From this many bytes on, giving back at once is faster than writing zeroes. */
export const largeHole = 16 * 1024 * 1024;
/** For fewer bytes in all, no program is started. */
const leastBytes = 1024 * 1024;
/** Ranges that are remembered; behind them, more are only zeroed. */
const mostRanges = 4096;

interface Range {
  readonly start: number;
  readonly end: number;
}

export class Punches {
  #ranges: Range[] = [];
  /** The host or its filesystem cannot do it. */
  #isUnable = false;

  /** Remembers a range that is zero by now. */
  add(offset: number, length: number): void {
    const start = Math.ceil(offset / blockSize) * blockSize;
    const end = Math.floor((offset + length) / blockSize) * blockSize;
    if (this.#isUnable || end <= start || this.#ranges.length >= mostRanges) return;
    this.drop(start, end - start);
    this.#ranges.push({ start, end });
  }

  /** Something is written there. */
  drop(offset: number, length: number): void {
    if (this.#ranges.length === 0) return;
    const end = offset + length;
    if (!this.#ranges.some((range) => range.start < end && range.end > offset)) return;
    const first = Math.floor(offset / blockSize) * blockSize;
    const last = Math.ceil(end / blockSize) * blockSize;
    this.#ranges = this.#ranges
      .flatMap((range) =>
        range.start >= last || range.end <= first
          ? [range]
          : [
              { start: range.start, end: Math.min(range.end, first) },
              { start: Math.max(range.start, last), end: range.end },
            ],
      )
      .filter(({ start, end: stop }) => stop > start);
  }

  /** Gives back what is remembered. */
  run(fd: number): void {
    const ranges = this.#ranges;
    this.#ranges = [];
    const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
    if (total >= leastBytes) this.#punch(fd, ranges);
  }

  /** Makes a large hole at once. Returns whether it is one: otherwise zeroes have to be written. */
  punch(fd: number, offset: number, length: number): boolean {
    return this.#punch(fd, [{ start: offset, end: offset + length }]);
  }

  #punch(fd: number, ranges: readonly Range[]): boolean {
    if (this.#isUnable) return false;
    const { status } = process
      .getBuiltinModule('node:child_process')
      .spawnSync(
        'sh',
        [
          '-c',
          'while read -r at size; do fallocate -p -n -o "$at" -l "$size" /proc/self/fd/3 || exit 1; done',
        ],
        {
          input: ranges.map(({ start, end }) => `${start} ${end - start}\n`).join(''),
          stdio: ['pipe', 'ignore', 'ignore', fd],
        },
      );
    if (status !== 0) this.#isUnable = true; // no such program, or a filesystem without holes
    return status === 0;
  }
}
