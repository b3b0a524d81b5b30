/**
 * The file of a qcow2 image that is written: zeroes follow its end, and it grows as it is written to. A write that would
 * go over the image's own tables is refused, as only a damaged table can lead there.
 */
import { CorruptError, GuestfsError, work } from '../../../base/index.js';
import { type Disk, isGrowable, type Span, type ZeroOptions } from '../../../disk/index.js';

/** Clusters for which a piece of a set has bits. */
const inPiece = 8 * 4096;

/** A set of clusters, by number: a bit for each, in pieces, as numbers from a disk may be far apart. */
class ClusterSet {
  readonly #pieces = new Map<number, Uint8Array>();

  add(first: number, count = 1): void {
    for (let cluster = first; cluster < first + count; cluster++) {
      work.lookups.spend(1);
      const index = Math.floor(cluster / inPiece);
      let piece = this.#pieces.get(index);
      if (piece === undefined) {
        piece = new Uint8Array(inPiece / 8);
        this.#pieces.set(index, piece);
      }
      const at = cluster % inPiece;
      piece[at >>> 3] = (piece[at >>> 3] ?? 0) | (1 << (at % 8));
    }
  }

  delete(first: number, count = 1): void {
    for (let cluster = first; cluster < first + count; cluster++) {
      const piece = this.#pieces.get(Math.floor(cluster / inPiece));
      const at = cluster % inPiece;
      if (piece !== undefined) piece[at >>> 3] = (piece[at >>> 3] ?? 0) & ~(1 << (at % 8));
    }
  }

  has(cluster: number): boolean {
    return this.findIn(cluster, cluster + 1) === cluster;
  }

  /** The first cluster of the set from `first` to `end`; `end` for none. */
  findIn(first: number, end: number): number {
    for (let cluster = first; cluster < end; ) {
      const index = Math.floor(cluster / inPiece);
      const last = Math.min(end, (index + 1) * inPiece);
      const piece = this.#pieces.get(index);
      if (piece === undefined) {
        cluster = last;
        continue;
      }
      for (; cluster < last; cluster++) {
        const at = cluster % inPiece;
        const bits = piece[at >>> 3] ?? 0;
        if (bits !== 0 && (bits & (1 << (at % 8))) !== 0) return cluster;
      }
    }
    return end;
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
    const end = Math.ceil((offset + length) / this.#clusterSize);
    const table = this.tables.findIn(Math.floor(offset / this.#clusterSize), end);
    if (table < end)
      throw new CorruptError('qcow2 L2 table', 'maps data to a cluster that holds a table', {
        offset: table * this.#clusterSize,
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
