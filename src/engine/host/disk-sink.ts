/** A disk that bytes are copied to: a device, or the contents of a file. */
import { areZeroes, type Disk, isGrowable } from '../../disk/index.js';
import type { DataSink } from './copy-data.js';

/** The unit in bytes in which zeroes are left out: that of guestfsd's copies. */
const sparseUnit = 8192;

/** Writes to a disk, in order. The owner of the disk closes it. */
export class DiskSink implements DataSink {
  readonly keepsHoles = true;
  readonly #disk: Disk;
  readonly #sparse: boolean;
  #position: number;

  /** `offset`: of the first byte. `sparse`: zeroes are not written, and what was there stays. */
  constructor(disk: Disk, { offset = 0, sparse = false } = {}) {
    this.#disk = disk;
    this.#position = offset;
    this.#sparse = sparse;
  }

  write(bytes: Uint8Array): void {
    if (!this.#sparse) {
      this.#disk.write(bytes, this.#position);
      this.#position += bytes.length;
      return;
    }
    const isZeroAt = (at: number): boolean => areZeroes(bytes, at, Math.min(at + sparseUnit, bytes.length));
    for (let at = 0; at < bytes.length; ) {
      const start = at;
      while (at < bytes.length && !isZeroAt(at)) at += sparseUnit;
      // Neighbours in one piece: a disk with an allocator then finds them room together.
      if (at > start) this.#disk.write(bytes.subarray(start, at), this.#position + start);
      while (at < bytes.length && isZeroAt(at)) at += sparseUnit;
    }
    this.#position += bytes.length;
  }

  hole(length: number): void {
    if (!this.#sparse) this.#zero(length);
    this.#position += length;
  }

  #zero(length: number): void {
    const end = this.#position + length;
    if (end > this.#disk.size && isGrowable(this.#disk)) this.#disk.resize(end);
    this.#disk.zero(this.#position, length, { discard: true });
  }
}
