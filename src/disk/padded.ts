/**
 * A disk that continues with zeroes after its end. Image files may end before the last structure or cluster that they
 * map: qemu then reads zeroes, and so does every format here.
 */
import { checkRead, checkWrite } from './checks.js';
import { type Disk, isGrowable, type Span, type ZeroOptions } from './disk.js';

/**
 * The bytes of `base`, then zeroes up to `size`. A write into the zeroes makes a base that can grow `size` bytes
 * long, and is ENOSPC over any other. It owns `base`.
 */
export class PaddedDisk implements Disk {
  readonly size: number;
  readonly #base: Disk;

  constructor(base: Disk, size: number) {
    this.#base = base;
    this.size = Math.max(size, base.size);
  }

  get sectorSize(): number {
    return this.#base.sectorSize;
  }

  get writable(): boolean {
    return this.#base.writable;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('padded disk', this.size, offset, into.length);
    const stored = this.#stored(offset, into.length);
    if (stored > 0) this.#base.read(into.subarray(0, stored), offset);
    into.fill(0, stored);
  }

  checkWritable(offset: number, length: number): void {
    this.#base.checkWritable(Math.min(offset, this.#base.size), this.#stored(offset, length));
    checkWrite('padded disk', isGrowable(this.#base) ? this.size : this.#base.size, offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    if (offset + from.length > this.#base.size && isGrowable(this.#base)) this.#base.resize(this.size);
    this.#base.write(from, offset);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.checkWritable(offset, length);
    // The bytes after the base already read as zeroes.
    const stored = this.#stored(offset, length);
    if (stored > 0) this.#base.zero(offset, stored, options);
  }

  span(offset: number, length: number): Span {
    checkRead('padded disk', this.size, offset, length);
    if (offset >= this.#base.size) return { length, hole: true };
    return this.#base.span(offset, Math.min(length, this.#base.size - offset));
  }

  flush(): void {
    this.#base.flush();
  }

  close(): void {
    this.#base.close();
  }

  /** How many bytes of a range the base has. */
  #stored(offset: number, length: number): number {
    return Math.max(0, Math.min(length, this.#base.size - offset));
  }
}
