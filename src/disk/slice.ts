/** A part of another disk: a partition, an image inside a file. */
import { CorruptError } from '../base/index.js';
import { checkRead, checkWrite, readOnly } from './checks.js';
import type { Disk, Span, ZeroOptions } from './disk.js';

/** Bytes `start` to `start + size` of `base`. Does not own `base`: closing the slice leaves it open. */
export class SliceDisk implements Disk {
  readonly size: number;
  readonly #base: Disk;
  readonly #start: number;

  constructor(base: Disk, start: number, size: number) {
    if (!(start >= 0 && size >= 0 && start + size <= base.size)) {
      throw new CorruptError('slice', 'lies outside its disk', { start, size, diskSize: base.size });
    }
    this.#base = base;
    this.#start = start;
    this.size = size;
  }

  get sectorSize(): number {
    return this.#base.sectorSize;
  }

  get writable(): boolean {
    return this.#base.writable;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('slice', this.size, offset, into.length);
    this.#base.read(into, this.#start + offset);
  }

  checkWritable(offset: number, length: number): void {
    if (!this.writable) throw readOnly('slice');
    checkWrite('slice', this.size, offset, length);
    this.#base.checkWritable(this.#start + offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    checkWrite('slice', this.size, offset, from.length);
    this.#base.write(from, this.#start + offset);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    checkWrite('slice', this.size, offset, length);
    this.#base.zero(this.#start + offset, length, options);
  }

  span(offset: number, length: number): Span {
    return this.#base.span(this.#start + offset, length);
  }

  flush(): void {
    this.#base.flush();
  }

  close(): void {}
}
