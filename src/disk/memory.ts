/** Bytes in memory as a disk: inline data, decoded blobs, tests. */
import { checkRead, checkWrite, readOnly } from './checks.js';
import type { GrowableDisk, Span } from './disk.js';

interface MemoryOptions {
  readonly writable?: boolean;
  /** In bytes. Default 512. */
  readonly sectorSize?: number;
}

/** It writes to the given array until {@link resize} needs a longer one. */
export class MemoryDisk implements GrowableDisk {
  readonly writable: boolean;
  readonly sectorSize: number;
  /** Zero from `size` on where it is longer. */
  #bytes: Uint8Array;
  #size: number;

  constructor(bytes: Uint8Array, options: MemoryOptions = {}) {
    this.#bytes = bytes;
    this.#size = bytes.length;
    this.writable = options.writable ?? false;
    this.sectorSize = options.sectorSize ?? 512;
  }

  get size(): number {
    return this.#size;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('memory', this.#size, offset, into.length);
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  checkWritable(offset: number, length: number): void {
    if (!this.writable) throw readOnly('memory');
    checkWrite('memory', this.#size, offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    this.#bytes.set(from, offset);
  }

  zero(offset: number, length: number): void {
    this.checkWritable(offset, length);
    this.#bytes.fill(0, offset, offset + length);
  }

  resize(size: number): void {
    if (!this.writable) throw readOnly('memory');
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    else if (size > this.#bytes.length) {
      // The size is doubled, so that growing step by step copies each byte only a few times.
      const longer = new Uint8Array(Math.max(size, this.#bytes.length * 2));
      longer.set(this.#bytes);
      this.#bytes = longer;
    }
    this.#size = size;
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {}

  close(): void {}
}
