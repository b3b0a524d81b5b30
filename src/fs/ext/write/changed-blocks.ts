/**
 * Changes to a filesystem that are held in memory, block by block, until all of them are known: a transaction to
 * come.
 */
import { CorruptError, GuestfsError, UnsupportedError } from '../../../base/index.js';
import { type Disk, type Span, type ZeroOptions, zeroByWriting } from '../../../disk/index.js';

/** A disk whose writes change nothing below it. Closing it forgets them. */
export class ChangedBlocks implements Disk {
  readonly size: number;
  readonly sectorSize: number;
  readonly writable = true;
  readonly #base: Disk;
  readonly #blockSize: number;
  readonly #limit: number;
  readonly #blocks = new Map<number, Uint8Array>();

  /** More than `limit` changed blocks are an UnsupportedError: they bound the memory, and have to fit in a log. */
  constructor(base: Disk, blockSize: number, limit: number) {
    this.#base = base;
    this.#blockSize = blockSize;
    this.#limit = limit;
    this.size = base.size;
    this.sectorSize = base.sectorSize;
  }

  /** The blocks that are changed, by their numbers. */
  get blocks(): ReadonlyMap<number, Uint8Array> {
    return this.#blocks;
  }

  read(into: Uint8Array, offset: number): void {
    if (!(offset >= 0 && offset + into.length <= this.size))
      throw new CorruptError('changed blocks', 'read past the end', { offset, length: into.length });
    this.#base.read(into, offset);
    if (this.#blocks.size === 0) return;
    this.#each(offset, into.length, (number, within, at, length) => {
      const changed = this.#blocks.get(number);
      if (changed !== undefined) into.set(changed.subarray(within, within + length), at);
    });
  }

  checkWritable(offset: number, length: number): void {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw new GuestfsError('ENOSPC', `changed blocks: ${length} bytes at ${offset} are past the end`);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    this.#each(offset, from.length, (number, within, at, length) => {
      this.#own(number).set(from.subarray(at, at + length), within);
    });
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    zeroByWriting(this, offset, length, options);
  }

  span(offset: number, length: number): Span {
    const first = Math.floor(offset / this.#blockSize);
    if (this.#blocks.has(first))
      return { length: Math.min(length, (first + 1) * this.#blockSize - offset), hole: false };
    let end = (first + 1) * this.#blockSize;
    while (end < offset + length && !this.#blocks.has(end / this.#blockSize)) end += this.#blockSize;
    return this.#base.span(offset, Math.min(length, end - offset));
  }

  flush(): void {}

  close(): void {
    this.#blocks.clear();
  }

  #own(number: number): Uint8Array {
    let own = this.#blocks.get(number);
    if (own === undefined) {
      if (this.#blocks.size >= this.#limit)
        throw new UnsupportedError('ext4 journal', [
          'fast commits that change more than the log has room for',
        ]);
      own = new Uint8Array(this.#blockSize);
      const start = number * this.#blockSize;
      this.#base.read(own.subarray(0, Math.min(this.#blockSize, this.size - start)), start);
      this.#blocks.set(number, own);
    }
    return own;
  }

  #each(
    offset: number,
    length: number,
    visit: (number: number, within: number, at: number, length: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const within = (offset + done) % this.#blockSize;
      const part = Math.min(this.#blockSize - within, length - done);
      visit((offset + done - within) / this.#blockSize, within, done, part);
      done += part;
    }
  }
}
