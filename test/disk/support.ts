/** Disks that tests watch. */
import { type Disk, MemoryDisk, type Span } from '../../src/disk/index.js';

/** A disk in memory that writes down what is asked of it. */
export class WatchedDisk implements Disk {
  readonly reads: { offset: number; length: number }[] = [];
  readonly writes: { offset: number; length: number }[] = [];
  closed = 0;
  flushed = 0;
  readonly #below: MemoryDisk;
  readonly #holes: (offset: number, length: number) => Span;

  constructor(bytes: Uint8Array, holes?: (offset: number, length: number) => Span) {
    this.#below = new MemoryDisk(bytes, { writable: true });
    this.#holes = holes ?? ((_offset, length) => ({ length, hole: false }));
  }

  get size(): number {
    return this.#below.size;
  }

  get sectorSize(): number {
    return this.#below.sectorSize;
  }

  get writable(): boolean {
    return true;
  }

  read(into: Uint8Array, offset: number): void {
    this.reads.push({ offset, length: into.length });
    this.#below.read(into, offset);
  }

  checkWritable(offset: number, length: number): void {
    this.#below.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.writes.push({ offset, length: from.length });
    this.#below.write(from, offset);
  }

  zero(offset: number, length: number): void {
    this.writes.push({ offset, length });
    this.#below.zero(offset, length);
  }

  span(offset: number, length: number): Span {
    return this.#holes(offset, length);
  }

  flush(): void {
    this.flushed++;
  }

  close(): void {
    this.closed++;
  }
}
