/** A disk that bytes are copied to: a device, or the contents of a file. */
import { type Disk, isGrowable } from '../../disk/index.js';
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
    for (let done = 0; done < bytes.length; done += sparseUnit) {
      const unit = bytes.subarray(done, done + sparseUnit);
      if (unit.some((byte) => byte !== 0)) this.#disk.write(unit, this.#position);
      this.#position += unit.length;
    }
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
