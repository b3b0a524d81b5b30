/**
 * Small writes of data that lie behind each other, gathered into large ones: many small files in a row are few writes
 * of the host. A journal writes them out before it commits what leads to them.
 */
import type { Disk, Span, ZeroOptions } from '../disk.js';

/** Bytes that are gathered, at most. */
const mostGathered = 1024 * 1024;
/** Longer writes go down at once. */
const largeWrite = 256 * 1024;

/** How much was gathered at a moment. Exported for the compiler. */
export interface GatheredMark {
  readonly runs: number;
  readonly length: number;
}

export class GatheredDisk implements Disk {
  readonly #base: Disk;
  #memory = new Uint8Array(0);
  /** Where the gathered bytes belong, and how many there are. */
  #start = 0;
  #length = 0;
  /** How often they were written out. */
  #runs = 0;

  /** Closing it closes `base` too. */
  constructor(base: Disk) {
    this.#base = base;
  }

  get size(): number {
    return this.#base.size;
  }

  get sectorSize(): number {
    return this.#base.sectorSize;
  }

  get writable(): boolean {
    return this.#base.writable;
  }

  read(into: Uint8Array, offset: number): void {
    this.#base.read(into, offset);
    const from = Math.max(offset, this.#start);
    const to = Math.min(offset + into.length, this.#start + this.#length);
    if (from < to) into.set(this.#memory.subarray(from - this.#start, to - this.#start), from - offset);
  }

  checkWritable(offset: number, length: number): void {
    this.#base.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.#base.checkWritable(offset, from.length);
    const within = offset - this.#start;
    const isNext = this.#length > 0 && within >= 0 && within <= this.#length;
    if (!isNext || within + from.length > mostGathered) this.flush();
    if (from.length >= largeWrite) {
      this.flush();
      this.#base.write(from, offset);
      return;
    }
    if (this.#memory.length === 0) this.#memory = new Uint8Array(mostGathered);
    if (this.#length === 0) this.#start = offset;
    const at = offset - this.#start;
    this.#memory.set(from, at);
    this.#length = Math.max(this.#length, at + from.length);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.flush();
    this.#base.zero(offset, length, options);
  }

  span(offset: number, length: number): Span {
    this.flush();
    return this.#base.span(offset, length);
  }

  /** Hands down what was gathered. The barrier is the business of the journal, which flushes the disk below as well. */
  flush(): void {
    const length = this.#length;
    if (length === 0) return;
    this.#base.write(this.#memory.subarray(0, length), this.#start);
    this.#length = 0;
    this.#runs++;
  }

  /** What is gathered now; for {@link undo}. */
  get mark(): GatheredMark {
    return { runs: this.#runs, length: this.#length };
  }

  /** Drops what was gathered since `mark` was told: nothing leads there any more. */
  undo({ runs, length }: GatheredMark): void {
    // What was gathered then has been written out, if anything has.
    this.#length = runs === this.#runs ? Math.min(length, this.#length) : 0;
  }

  close(): void {
    this.flush();
    this.#base.close();
  }
}
