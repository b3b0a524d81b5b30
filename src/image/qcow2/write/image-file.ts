/**
 * The file of a qcow2 image that is written: zeroes follow its end, and it grows as it is written to. A write that would
 * go over the image's own tables is refused, as only a damaged table can lead there.
 */
import { CorruptError, GuestfsError } from '../../../base/index.js';
import { type Disk, isGrowable, type Span, type ZeroOptions } from '../../../disk/index.js';

/** A set of clusters, by number: a bit for each. */
class ClusterSet {
  #bits = new Uint8Array(1024);

  add(first: number, count = 1): void {
    const bytes = Math.floor((first + count) / 8) + 1;
    if (bytes > this.#bits.length) {
      const longer = new Uint8Array(Math.max(bytes, this.#bits.length * 2));
      longer.set(this.#bits);
      this.#bits = longer;
    }
    for (let at = first; at < first + count; at++) {
      const byte = Math.floor(at / 8);
      this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (at % 8));
    }
  }

  delete(first: number, count = 1): void {
    for (let at = first; at < first + count; at++) {
      const byte = Math.floor(at / 8);
      if (byte < this.#bits.length) this.#bits[byte] = (this.#bits[byte] ?? 0) & ~(1 << (at % 8));
    }
  }

  has(cluster: number): boolean {
    return ((this.#bits[Math.floor(cluster / 8)] ?? 0) & (1 << (cluster % 8))) !== 0;
  }
}

export class ImageFile implements Disk {
  readonly writable = true;
  readonly sectorSize: number;
  /** As far as offsets in tables reach. */
  readonly size = Number.MAX_SAFE_INTEGER;
  readonly #base: Disk;
  readonly #clusterSize: number;
  /** What holds tables, which data may not overwrite. */
  readonly tables: ClusterSet;
  #isDirty = false;

  constructor(base: Disk, clusterSize: number, tables = new ClusterSet()) {
    this.#base = base;
    this.sectorSize = base.sectorSize;
    this.#clusterSize = clusterSize;
    this.tables = tables;
  }

  /** Bytes that are there. */
  get end(): number {
    return this.#base.size;
  }

  get canGrow(): boolean {
    return isGrowable(this.#base);
  }

  read(into: Uint8Array, offset: number): void {
    const stored = Math.max(0, Math.min(into.length, this.#base.size - offset));
    if (stored > 0) this.#base.read(stored < into.length ? into.subarray(0, stored) : into, offset);
    into.fill(0, stored);
  }

  /** As for data of the guest. */
  checkWritable(offset: number, length: number): void {
    const stored = Math.max(0, Math.min(length, this.#base.size - offset));
    this.#base.checkWritable(Math.min(offset, this.#base.size), stored);
    if (stored < length && !this.canGrow)
      throw new GuestfsError('ENOSPC', `qcow2 image: its device has no room behind ${this.#base.size} bytes`);
    const last = Math.floor((offset + length - 1) / this.#clusterSize);
    for (let cluster = Math.floor(offset / this.#clusterSize); cluster <= last; cluster++)
      if (this.tables.has(cluster))
        throw new CorruptError('qcow2 L2 table', 'maps data to a cluster that holds a table', {
          offset: cluster * this.#clusterSize,
        });
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
    this.writeTable(from, offset);
  }

  /** Writes without a look at what is a table. */
  writeTable(from: Uint8Array, offset: number): void {
    this.#isDirty = true;
    const end = offset + from.length;
    if (end > this.#base.size && isGrowable(this.#base)) this.#base.resize(end);
    this.#base.write(from, offset);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.checkWritable(offset, length);
    const stored = Math.max(0, Math.min(length, this.#base.size - offset));
    this.#isDirty = true;
    if (stored > 0) this.#base.zero(offset, stored, options);
  }

  span(offset: number, length: number): Span {
    if (offset >= this.#base.size) return { length, hole: true };
    return this.#base.span(offset, Math.min(length, this.#base.size - offset));
  }

  /** Makes the file at least so long. */
  grow(end: number): void {
    if (end <= this.#base.size || !isGrowable(this.#base)) return;
    this.#isDirty = true;
    this.#base.resize(end);
  }

  /** A barrier, if anything was written since the last one. */
  flush(): void {
    if (!this.#isDirty) return;
    this.#base.flush();
    this.#isDirty = false;
  }

  close(): void {
    this.#base.close();
  }
}
