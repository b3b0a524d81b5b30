/**
 * A disk that goes on with zeroes after its end. Image files may end before the last structure or cluster that
 * they map: qemu reads zeroes there, and so does every format here.
 */
import { checkRead, checkWrite } from './checks.js';
import type { Disk, Span } from './disk.js';

/** The bytes of `base`, then zeroes up to `size`. A write into the zeroes is ENOSPC. It owns `base`. */
export class PaddedDisk implements Disk {
  readonly size: number;
  readonly #base: Disk;

  constructor(base: Disk, size: number) {
    this.#base = base;
    this.size = Math.max(size, base.size);
  }

  get writable(): boolean {
    return this.#base.writable;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('padded disk', this.size, offset, into.length);
    const stored = Math.max(0, Math.min(into.length, this.#base.size - offset));
    if (stored > 0) this.#base.read(into.subarray(0, stored), offset);
    into.fill(0, stored);
  }

  write(from: Uint8Array, offset: number): void {
    checkWrite('padded disk', this.#base.size, offset, from.length);
    this.#base.write(from, offset);
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
}
