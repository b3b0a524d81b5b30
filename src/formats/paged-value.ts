/** A value of a database that lies on a chain of pages. The pages are read as far as the value is asked for. */
import { CorruptError } from '../base/index.js';

/** A value whose beginning can be had without its end. */
export interface StoredValue {
  /** In bytes. */
  readonly size: number;
  /** At least the first `length` bytes; all of a shorter value. */
  start(length: number): Uint8Array;
}

/** A part of a value, which lies within it: all from `offset`, or `size` bytes. */
export function partOf(value: StoredValue, offset: number, size = value.size - offset): StoredValue {
  return {
    size,
    start: (length) => value.start(offset + Math.min(length, size)).subarray(offset, offset + size),
  };
}

export class PagedValue implements StoredValue {
  readonly size: number;
  readonly #pieces: Iterator<Uint8Array>;
  #bytes = new Uint8Array(0);
  #filled = 0;

  /** `pieces`: the value's bytes in order. What they have beyond `size` is left out. */
  constructor(size: number, pieces: Iterable<Uint8Array>) {
    this.size = size;
    this.#pieces = pieces[Symbol.iterator]();
  }

  start(length: number): Uint8Array {
    const wanted = Math.min(length, this.size);
    while (this.#filled < wanted) {
      const { value, done } = this.#pieces.next();
      if (done) throw new CorruptError('stored value', 'is cut short', { size: this.size, at: this.#filled });
      this.#add(value.subarray(0, this.size - this.#filled));
    }
    return this.#bytes.subarray(0, this.#filled);
  }

  #add(piece: Uint8Array): void {
    const filled = this.#filled + piece.length;
    if (filled > this.#bytes.length) {
      // Memory grows with what was read, and not with the size that a disk claims.
      const larger = new Uint8Array(Math.min(this.size, Math.max(filled, 2 * this.#bytes.length)));
      larger.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#filled);
    this.#filled = filled;
  }
}

/**
 * Pages of one database that were used, each of which has one use. So the work is bounded by the size of the file,
 * whatever its pages say of each other.
 */
export class UsedPages {
  readonly #structure: string;
  readonly #used = new Set<number>();

  constructor(structure: string) {
    this.#structure = structure;
  }

  /** CorruptError for a page that is in use already. */
  take(page: number): void {
    if (this.#used.has(page)) throw new CorruptError(this.#structure, 'uses a page twice', { page });
    if (this.#used.size >= mostUsedPages)
      throw new CorruptError(this.#structure, 'has too many pages', { mostUsedPages });
    this.#used.add(page);
  }
}

/** Two gigabytes in the smallest pages; the databases of large systems have some 200 MB. */
const mostUsedPages = 2 ** 22;
