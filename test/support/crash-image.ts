/** What a crash leaves: shared bytes, and the pages that differ from them. Made in no time, and written without harm. */
import { CorruptError, GuestfsError } from '../../src/base/index.js';
import type { GrowableDisk, Span } from '../../src/disk/index.js';

const pageSize = 4096;

/** A disk of its own over `base`, which is never changed and must not change. */
export class CrashImage implements GrowableDisk {
  readonly sectorSize: number;
  readonly writable = true;
  readonly #base: Uint8Array;
  readonly #pages = new Map<number, Uint8Array>();
  /** Bytes of the base that still count: it was never shorter than this. */
  #baseSize: number;
  #size: number;

  constructor(base: Uint8Array, sectorSize: number) {
    this.#base = base;
    this.#baseSize = base.length;
    this.#size = base.length;
    this.sectorSize = sectorSize;
  }

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, offset: number): void {
    if (!this.#contains(offset, into.length))
      throw new CorruptError('crash image', 'read past the end', { offset, length: into.length });
    this.#each(offset, into.length, (page, within, at, length) => {
      const part = into.subarray(at, at + length);
      const known = this.#pages.get(page);
      if (known !== undefined) part.set(known.subarray(within, within + length));
      else {
        const start = page * pageSize + within;
        const stored = this.#base.subarray(
          Math.min(start, this.#baseSize),
          Math.min(start + length, this.#baseSize),
        );
        part.set(stored);
        part.fill(0, stored.length);
      }
    });
  }

  checkWritable(offset: number, length: number): void {
    if (!this.#contains(offset, length))
      throw new GuestfsError('ENOSPC', `crash image: ${offset} and ${length} bytes are beyond ${this.#size}`);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    this.#each(offset, from.length, (page, within, at, length) => {
      this.#own(page).set(from.subarray(at, at + length), within);
    });
  }

  zero(offset: number, length: number): void {
    this.checkWritable(offset, length);
    this.#each(offset, length, (page, within, _at, part) => {
      this.#own(page).fill(0, within, within + part);
    });
  }

  resize(size: number): void {
    if (size < this.#size) {
      // What comes back is zero.
      this.zero(size, Math.min(this.#size, Math.ceil(size / pageSize) * pageSize) - size);
      for (const page of this.#pages.keys()) if (page * pageSize >= size) this.#pages.delete(page);
      this.#baseSize = Math.min(this.#baseSize, size);
    }
    this.#size = size;
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {}

  close(): void {}

  /** Stores the pages in `into`, which holds the base, and gives back what then holds this image. */
  settle(into: Uint8Array): Uint8Array {
    let bytes = into;
    if (this.#size !== into.length) {
      bytes = new Uint8Array(this.#size);
      bytes.set(into.subarray(0, Math.min(this.#baseSize, this.#size)));
    }
    for (const [page, stored] of this.#pages)
      bytes.set(stored.subarray(0, Math.min(pageSize, this.#size - page * pageSize)), page * pageSize);
    return bytes;
  }

  #contains(offset: number, length: number): boolean {
    return offset >= 0 && length >= 0 && offset + length <= this.#size;
  }

  #own(page: number): Uint8Array {
    let own = this.#pages.get(page);
    if (own === undefined) {
      own = new Uint8Array(pageSize);
      const start = page * pageSize;
      own.set(
        this.#base.subarray(Math.min(start, this.#baseSize), Math.min(start + pageSize, this.#baseSize)),
      );
      this.#pages.set(page, own);
    }
    return own;
  }

  #each(
    offset: number,
    length: number,
    visit: (page: number, within: number, at: number, length: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const within = (offset + done) % pageSize;
      const part = Math.min(pageSize - within, length - done);
      visit((offset + done - within) / pageSize, within, done, part);
      done += part;
    }
  }
}
