/**
 * The contents of a file. FAT has no holes: what is not written reads as zeroes because zeroes are stored. Data goes to
 * its place at once, and the entry that tells of it waits for it.
 */
import { CorruptError, systemError, work } from '../../../base/index.js';
import type { Disk, DiskTransaction, GrowableDisk, Span, ZeroOptions } from '../../../disk/index.js';
import type { ChainRun, FatSession } from './session.js';

/** The largest size of a file in bytes. */
const largest = 0xffff_ffff;
const zeroes = new Uint8Array(65_536);

/** Where a file's facts are stored. */
interface FileEntry {
  /** Stores first cluster and size, in its entry, where it still has one. */
  store(transaction: DiskTransaction, firstCluster: number, size: number): void;
  /** A holder is gone. */
  release(): void;
}

export class FatContents implements GrowableDisk {
  readonly sectorSize = 512;
  readonly writable = true;
  readonly #session: FatSession;
  readonly #entry: FileEntry;
  #runs: ChainRun[];
  #size: number;

  constructor(session: FatSession, entry: FileEntry, runs: readonly ChainRun[], size: number) {
    this.#session = session;
    this.#entry = entry;
    this.#runs = [...runs];
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  get runs(): readonly ChainRun[] {
    return this.#runs;
  }

  get #room(): number {
    return this.#runs.reduce((sum, { count }) => sum + count, 0) * this.#session.volume.clusterSize;
  }

  /** The pieces of a range that lie together on the disk. */
  *#pieces(offset: number, length: number): Generator<{ place: number; from: number; length: number }> {
    const { clusterSize } = this.#session.volume;
    const end = offset + length;
    let start = 0;
    for (const { first, count } of this.#runs) {
      const stop = start + count * clusterSize;
      const from = Math.max(offset, start);
      const to = Math.min(end, stop);
      if (from < to)
        yield { place: this.#session.offsetOf(first) + from - start, from: from - offset, length: to - from };
      if (stop >= end) return;
      start = stop;
    }
  }

  read(into: Uint8Array, offset: number): void {
    if (offset + into.length > this.#size) throw systemError('EINVAL', 'vfat file');
    this.#checkRoom();
    for (const { place, from, length } of this.#pieces(offset, into.length))
      this.#session.cache.view.read(into.subarray(from, from + length), place);
  }

  checkWritable(offset: number, length: number): void {
    if (offset + length > largest) throw systemError('EFBIG', 'vfat file');
  }

  write(from: Uint8Array, offset: number): void {
    if (from.length === 0) return;
    this.checkWritable(offset, from.length);
    this.#change(Math.max(this.#size, offset + from.length), (view) => {
      this.#zero(this.#size, offset);
      for (const piece of this.#pieces(offset, from.length))
        view.write(from.subarray(piece.from, piece.from + piece.length), piece.place);
    });
  }

  zero(offset: number, length: number, _options?: ZeroOptions): void {
    if (length === 0) return;
    this.checkWritable(offset, length);
    this.#change(Math.max(this.#size, offset + length), () => {
      this.#zero(Math.min(offset, this.#size), offset + length);
    });
  }

  /** Stores zeroes from a place to another. */
  #zero(from: number, to: number): void {
    for (const { place, length } of this.#pieces(from, Math.max(0, to - from)))
      for (let at = 0; at < length; at += zeroes.length) {
        work.checkpoint();
        this.#session.cache.view.write(zeroes.subarray(0, Math.min(zeroes.length, length - at)), place + at);
      }
  }

  /** CorruptError where the chain ends before the file does: what is missing has no bytes to be kept. */
  #checkRoom(): void {
    if (this.#room < this.#size)
      throw new CorruptError('FAT file', 'has fewer clusters than bytes', { size: this.#size });
  }

  /** Writes data, for which the file first gets clusters, and then its entry the new size. */
  #change(size: number, write: (view: Disk) => void): void {
    this.#checkRoom();
    const session = this.#session;
    const before = this.#runs;
    session.run('grow', (transaction) => {
      transaction.onUndo(() => (this.#runs = before));
      const link = this.#reach(transaction, size);
      write(session.cache.view);
      transaction.after(session.cache.view);
      transaction.barrier();
      link();
      transaction.barrier();
      this.#entry.store(transaction, this.#runs[0]?.first ?? 0, size);
    });
    this.#size = size;
  }

  /** Takes the clusters for a size. What it returns makes them a part of the file. */
  #reach(transaction: DiskTransaction, size: number): () => void {
    const { clusterSize } = this.#session.volume;
    const missing = Math.ceil((size - this.#room) / clusterSize);
    if (missing <= 0) return () => {};
    const last = this.#runs.at(-1);
    const end = last === undefined ? undefined : last.first + last.count - 1;
    const taken = this.#session.allocate(transaction, missing, end === undefined ? undefined : end + 1);
    this.#runs = joined(this.#runs, taken);
    return () => {
      if (end !== undefined) this.#session.setEntry(transaction, end, taken[0]?.first ?? 0);
    };
  }

  resize(size: number): void {
    if (size > largest) throw systemError('EFBIG', 'vfat file');
    if (size > this.#size) {
      const from = this.#size;
      this.#change(size, () => this.#zero(from, size));
    } else if (size < this.#size) this.#shorten(size);
  }

  #shorten(size: number): void {
    const before = this.#runs;
    const { clusterSize } = this.#session.volume;
    const [kept, freed] = split(before, Math.ceil(size / clusterSize));
    this.#session.run('shrink', (transaction) => {
      this.#entry.store(transaction, kept[0]?.first ?? 0, size);
      transaction.barrier();
      this.#session.chain(
        transaction,
        kept.slice(-1).map(({ first, count }) => ({ first: first + count - 1, count: 1 })),
      );
      transaction.barrier();
      this.#session.free(transaction, freed);
    });
    this.#runs = kept;
    this.#size = size;
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {
    this.#session.sync();
  }

  close(): void {
    this.#entry.release();
  }
}

/** Two chains one after the other; neighbours become one run. */
function joined(runs: readonly ChainRun[], more: readonly ChainRun[]): ChainRun[] {
  const all = [...runs];
  for (const run of more) {
    const last = all.at(-1);
    if (last !== undefined && last.first + last.count === run.first)
      all[all.length - 1] = { first: last.first, count: last.count + run.count };
    else all.push(run);
  }
  return all;
}

/** The first so many clusters, and the others. */
function split(runs: readonly ChainRun[], clusters: number): [ChainRun[], ChainRun[]] {
  const [head, tail]: [ChainRun[], ChainRun[]] = [[], []];
  let left = clusters;
  for (const { first, count } of runs) {
    const kept = Math.min(left, count);
    if (kept > 0) head.push({ first, count: kept });
    if (kept < count) tail.push({ first: first + kept, count: count - kept });
    left -= kept;
  }
  return [head, tail];
}
