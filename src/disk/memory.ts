/** Bytes in memory as a disk: inline data, decoded blobs, tests. */
import { checkRead, checkWrite, readOnly } from './checks.js';
import type { Disk, Span } from './disk.js';

export class MemoryDisk implements Disk {
  readonly writable: boolean;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, options: { writable?: boolean } = {}) {
    this.#bytes = bytes;
    this.writable = options.writable ?? false;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('memory', this.size, offset, into.length);
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  write(from: Uint8Array, offset: number): void {
    if (!this.writable) throw readOnly('memory');
    checkWrite('memory', this.size, offset, from.length);
    this.#bytes.set(from, offset);
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {}

  close(): void {}
}
