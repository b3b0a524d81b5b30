/**
 * Space for what is written to a qcow2 image. Specification: "Cluster mapping", "Reference counts", "Snapshots".
 *
 * A cluster is written in place where its entry says that nobody else has it (bit 63), and placed anew where a snapshot
 * shares it, it is compressed, or nothing is stored yet. L2 tables that a snapshot shares are copied first. Tables are
 * changed in memory; `flush` writes them, in an order that leaves at worst clusters which are counted and not used.
 */
import { CorruptError, GuestfsError } from '../../../base/index.js';
import type { Allocator, Disk, Placement } from '../../../disk/index.js';
import { qcow2Layout } from '../../../formats/index.js';
import { compressedPlace, isCompressed, isCopied, isZero, offsetOf, putEntry } from '../entries.js';
import type { ChangedTables } from './changed-tables.js';
import type { ImageFile } from './image-file.js';
import type { ClusterRun, Refcounts } from './refcounts.js';

const { subclusterCount, subclusters } = qcow2Layout;

interface ClusterAllocatorOptions {
  readonly version: number;
  readonly clusterBits: number;
  readonly extendedL2: boolean;
  readonly l1Offset: number;
  /** Of the guest's disk. */
  readonly sizeInBytes: number;
  readonly file: ImageFile;
  /** The file, or the data file. */
  readonly dataFile: Disk;
  /** The data file is to be the guest's disk by itself. */
  readonly dataFileRaw: boolean;
  readonly tables: ChangedTables;
  readonly counts: Refcounts;
  /** The size of the disk that shows where nothing is stored; 0 without one. */
  readonly backingSize: number;
  /** Makes the marks in the header that a first write needs. */
  prepare(): void;
}

/** Bytes of changed tables that are held before they are written. */
const mostChanged = 2 * 1024 * 1024;

/**
 * What a cluster needs before it can be written. `own`: its place is there, and nobody else's. `new`: nothing is stored.
 * `replaced`: what is stored is compressed or shared, so that all of it is written elsewhere.
 */
type Need = 'own' | 'new' | 'replaced';

interface EntryPlace {
  readonly table: DataView;
  readonly at: number;
}

/** Entries that lie together in a part of a table. */
interface EntryRun extends EntryPlace {
  readonly count: number;
}

export class ClusterAllocator implements Allocator {
  readonly unitSize: number;
  readonly #of: ClusterAllocatorOptions;
  readonly #clusterSize: number;
  readonly #entrySize: number;
  /** Guest bytes of one L2 table. */
  readonly #reach: number;
  readonly #external: boolean;
  /** L2 tables that nothing on the disk refers to yet. */
  readonly #freshTables = new Set<number>();
  /** The new clusters of placements that are not linked yet. */
  readonly #taken = new Map<Placement, ClusterRun>();
  #isPrepared = false;
  /** What the host refused: what is on the disk is then not known any more. */
  #failure: unknown;

  constructor(options: ClusterAllocatorOptions) {
    this.#of = options;
    this.#clusterSize = 2 ** options.clusterBits;
    this.unitSize = options.extendedL2 ? this.#clusterSize / subclusterCount : this.#clusterSize;
    this.#entrySize = options.extendedL2 ? subclusters.size : 8;
    this.#reach = this.#clusterSize * (this.#clusterSize / this.#entrySize);
    this.#external = options.dataFile !== options.file;
  }

  checkRoom(length: number): void {
    this.#checkUsable();
    if (length === 0) return;
    // A table for each L2 that the range may need, and one at each of its ends.
    const tables = Math.ceil(length / this.#reach) + 2;
    this.#of.counts.checkRoom((this.#external ? 0 : length) + tables * this.#clusterSize);
  }

  #checkUsable(): void {
    if (this.#failure !== undefined)
      throw new GuestfsError(
        'EROFS',
        'qcow2 image: a write failed before, so nothing more is written to it',
        {
          cause: this.#failure,
        },
      );
  }

  prepare(): void {
    this.#checkUsable();
    if (this.#isPrepared) return;
    this.#guard(() => this.#of.prepare());
    this.#isPrepared = true;
  }

  /** Does what changes the disk's tables: once that fails, nothing more is written. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.#failure = thrown;
      throw thrown;
    }
  }

  place(offset: number, length: number): Placement {
    this.#checkUsable();
    const { counts, dataFile } = this.#of;
    this.#writeMany();
    this.#ownTable(offset);
    const start = offset - (offset % this.unitSize);
    const end = Math.min(
      Math.ceil((offset + length) / this.unitSize) * this.unitSize,
      (Math.floor(offset / this.#reach) + 1) * this.#reach,
    );
    const cluster = start - (start % this.#clusterSize);
    const entry = this.#entry(cluster);
    const need = this.#needOf(entry.table, entry.at);
    const count = this.#countLike(cluster, end, need);
    const covered = (clusters: number): number =>
      Math.min(end, cluster + clusters * this.#clusterSize) - start;
    if (this.#external) return { disk: dataFile, offset: start, start, length: covered(count) };
    if (need === 'own') {
      const host = this.#hostOf(entry.table, entry.at);
      return { disk: dataFile, offset: host + start - cluster, start, length: covered(count) };
    }
    const run = counts.allocate(count);
    const placement =
      need === 'replaced'
        ? { start: cluster, offset: run.offset, length: run.count * this.#clusterSize }
        : { start, offset: run.offset + start - cluster, length: covered(run.count) };
    const whole = { disk: dataFile, blank: run.blank, ...placement };
    this.#taken.set(whole, run);
    return whole;
  }

  /** Writes the tables, if many are changed. */
  #writeMany(): void {
    const { counts, tables, dataFile } = this.#of;
    if (tables.changedBytes + counts.changedBytes > mostChanged) this.flush(() => dataFile.flush());
  }

  /** How many clusters from `first` to `end` need the same, and lie together if they have places. */
  #countLike(first: number, end: number, need: Need): number {
    const clusters = Math.ceil((end - first) / this.#clusterSize);
    if (this.#external) return clusters;
    let host: number | undefined;
    for (let done = 0; done < clusters; ) {
      const { table, at, count } = this.#entries(first + done * this.#clusterSize, end);
      for (let index = 0; index < count; index++, done++) {
        const here = at + index * this.#entrySize;
        if (this.#needOf(table, here) !== need) return done;
        if (need === 'own') {
          host ??= this.#hostOf(table, here);
          if (this.#hostOf(table, here) !== host + done * this.#clusterSize) return done;
        }
        // Before anything is written, so that a damaged image stays as it is.
        if (need === 'replaced')
          for (const used of this.#hostsOf(table, here)) this.#of.counts.checkUsed(used);
      }
    }
    return clusters;
  }

  #needOf(table: DataView, at: number): Need {
    if (isCompressed(table, at)) {
      if (this.#external)
        throw new CorruptError('qcow2 L2 table', 'has a compressed cluster although the data is elsewhere');
      return 'replaced';
    }
    const host = offsetOf(table, at);
    if (host === 0) return 'new';
    if (host % this.#clusterSize !== 0)
      throw new CorruptError('qcow2 L2 table', 'has an entry that is not aligned to a cluster', { host });
    return isCopied(table, at) ? 'own' : 'replaced';
  }

  #hostOf(table: DataView, at: number): number {
    return isCompressed(table, at) ? 0 : offsetOf(table, at);
  }

  /** An offset in each cluster of the file that an entry refers to. */
  #hostsOf(table: DataView, at: number): number[] {
    if (this.#external) return [];
    if (!isCompressed(table, at)) {
      const host = offsetOf(table, at);
      return host === 0 ? [] : [host];
    }
    const { offset, size } = compressedPlace(table, at, this.#of.clusterBits);
    const first = offset - (offset % this.#clusterSize);
    const hosts: number[] = [];
    for (let host = first; host < offset + size; host += this.#clusterSize) hosts.push(host);
    return hosts;
  }

  /** The entry of a guest's cluster, whose table is there. */
  #entry(cluster: number, forChange = false): EntryPlace {
    return this.#entries(cluster, cluster + 1, forChange);
  }

  /** The entries of a guest's clusters from `first` on, before `end`, as far as they lie in one part of a table. */
  #entries(first: number, end: number, forChange = false): EntryRun {
    const { tables } = this.#of;
    const table = this.#tableOf(first);
    const place = table + ((first % this.#reach) / this.#clusterSize) * this.#entrySize;
    const at = place % tables.sliceSize;
    return {
      table: forChange ? tables.change(place - at) : tables.slice(place - at),
      at,
      count: Math.min(
        (tables.sliceSize - at) / this.#entrySize,
        Math.ceil((end - first) / this.#clusterSize),
      ),
    };
  }

  #l1Entry(offset: number): { readonly place: number; readonly at: number } {
    const place = this.#of.l1Offset + Math.floor(offset / this.#reach) * 8;
    const at = place % this.#of.tables.sliceSize;
    return { place: place - at, at };
  }

  /** The offset of the L2 table of a guest's offset; 0 for none. */
  #tableOf(offset: number): number {
    const { place, at } = this.#l1Entry(offset);
    const table = offsetOf(this.#of.tables.slice(place), at);
    if (table % this.#clusterSize !== 0)
      throw new CorruptError('qcow2 L1 table', 'has an entry that is not aligned to a cluster', {
        offset: table,
      });
    return table;
  }

  /** Makes an L2 table where there is none, and a copy of one that a snapshot shares. */
  #ownTable(offset: number): void {
    const { counts, file, tables } = this.#of;
    const { place, at } = this.#l1Entry(offset);
    const old = this.#tableOf(offset);
    if (old !== 0 && isCopied(tables.slice(place), at)) return;
    if (old !== 0) counts.checkUsed(old);
    const { offset: table } = counts.allocate(1);
    tables.blank(table, this.#clusterSize);
    if (old !== 0) {
      for (let done = 0; done < this.#clusterSize; done += tables.sliceSize) {
        const from = tables.slice(old + done);
        const to = tables.change(table + done);
        for (let word = 0; word < tables.sliceSize; word += 4) to.setUint32(word, from.getUint32(word));
      }
      counts.giveUp(old);
    }
    file.tables.add(table / this.#clusterSize);
    this.#freshTables.add(table);
    putEntry(tables.change(place), at, table, { copied: true });
  }

  link(placement: Placement): void {
    const { start, length, offset } = placement;
    const end = start + length;
    const run = this.#taken.get(placement);
    for (let cluster = start - (start % this.#clusterSize); cluster < end; ) {
      const { table, at: first, count } = this.#entries(cluster, end, true);
      const last = first + count * this.#entrySize;
      for (let at = first; at < last; at += this.#entrySize, cluster += this.#clusterSize) {
        if (run !== undefined) this.#giveUp(table, at);
        // In a data file each cluster is where the guest has it.
        putEntry(table, at, this.#external ? cluster : offset + cluster - start, { copied: true });
        if (!this.#of.extendedL2) continue;
        const covered = this.#maskOf(cluster, start, end);
        this.#changeSubclusters({ table, at }, ({ zero, stored }) => ({
          zero: zero & ~covered,
          stored: stored | covered,
        }));
      }
    }
    this.#taken.delete(placement);
    // The file has all of its last cluster, whatever of that was written.
    if (run !== undefined) this.#of.file.grow(run.offset + run.count * this.#clusterSize);
  }

  /** The subclusters of a cluster that lie in a range. */
  #maskOf(cluster: number, start: number, end: number): number {
    const first = Math.max(0, (start - cluster) / this.unitSize);
    const last = Math.min(subclusterCount, Math.ceil((end - cluster) / this.unitSize));
    return 2 ** last - 2 ** first;
  }

  #changeSubclusters(
    { table, at }: EntryPlace,
    change: (now: { zero: number; stored: number }) => { zero: number; stored: number },
  ): void {
    const { zero, stored } = subclusters.fields;
    const next = change({ zero: zero.read(table, at, false), stored: stored.read(table, at, false) });
    zero.write(table, at, next.zero >>> 0, false);
    stored.write(table, at, next.stored >>> 0, false);
  }

  #giveUp(table: DataView, at: number): void {
    if (offsetOf(table, at) === 0 && !isCompressed(table, at)) return;
    for (const host of this.#hostsOf(table, at)) this.#of.counts.giveUp(host);
  }

  release(placement: Placement): void {
    const run = this.#taken.get(placement);
    if (run !== undefined) this.#of.counts.release(run);
    this.#taken.delete(placement);
  }

  clear(offset: number, length: number, discard: boolean): boolean {
    const { version, backingSize, dataFile, dataFileRaw, sizeInBytes } = this.#of;
    const end = Math.min(sizeInBytes, offset + length);
    // Where nothing shows from below, what is not stored reads as zeroes.
    const needsMark = (at: number): boolean => at < backingSize;
    if (version < 3 && needsMark(offset)) return false;
    if (version < 3 && !discard) return false;
    if (this.#hasPartCompressed(offset) || this.#hasPartCompressed(end)) return false;
    this.#forTables(offset, end, (start) => {
      this.#writeMany();
      if (needsMark(start)) this.#ownTable(start);
    });
    if (dataFileRaw) dataFile.zero(offset, end - offset, { discard });
    this.#forTables(offset, end, (start, last) => {
      this.#writeMany();
      if (this.#tableOf(start) === 0) return;
      this.#ownTable(start);
      for (let at = start; at < last; ) {
        const cluster = at - (at % this.#clusterSize);
        const to = Math.min(last, cluster + this.#clusterSize);
        this.#clearCluster(cluster, at, to, discard, needsMark(at));
        at = to;
      }
    });
    return true;
  }

  /** The parts of a range that have an L2 table each. */
  #forTables(offset: number, end: number, work: (start: number, end: number) => void): void {
    for (let at = offset; at < end; ) {
      const next = Math.min(end, (Math.floor(at / this.#reach) + 1) * this.#reach);
      work(at, next);
      at = next;
    }
  }

  /** Gives up all that lies behind a size, which is less than the present one: then the header may say so. */
  truncate(size: number): void {
    this.#checkUsable();
    const { counts, sizeInBytes, tables } = this.#of;
    const first = Math.ceil(size / this.#clusterSize) * this.#clusterSize;
    this.#forTables(first, sizeInBytes, (start, end) => {
      const table = this.#tableOf(start);
      if (table === 0) return;
      this.#ownTable(start);
      for (let cluster = start; cluster < end; cluster += this.#clusterSize) {
        const entry = this.#entry(cluster, true);
        this.#giveUp(entry.table, entry.at);
        putEntry(entry.table, entry.at, 0);
        if (this.#of.extendedL2) this.#changeSubclusters(entry, () => ({ zero: 0, stored: 0 }));
      }
      if (start % this.#reach !== 0) return;
      counts.giveUp(this.#tableOf(start));
      const { place, at } = this.#l1Entry(start);
      putEntry(tables.change(place), at, 0);
    });
  }

  /** Puts right the flag of what is used once, in tables of the present state. `references` tells how often. */
  correctFlags(references: Uint32Array): void {
    const { file, sizeInBytes, tables } = this.#of;
    const correct = (place: number): void => {
      const at = place % tables.sliceSize;
      const table = tables.slice(place - at);
      const host = isCompressed(table, at) ? 0 : offsetOf(table, at);
      const isOnce = host !== 0 && references[host / this.#clusterSize] === 1;
      if (host !== 0 && isOnce !== isCopied(table, at))
        putEntry(tables.change(place - at), at, host, { copied: isOnce, zero: isZero(table, at) });
    };
    this.#forTables(0, sizeInBytes, (start, end) => {
      const { place, at } = this.#l1Entry(start);
      const l2 = this.#tableOf(start);
      if (l2 === 0 || l2 >= file.end) return;
      correct(place + at);
      if (this.#external) return;
      for (let cluster = start; cluster < end; cluster += this.#clusterSize)
        correct(l2 + ((cluster % this.#reach) / this.#clusterSize) * this.#entrySize);
    });
  }

  /** Whether a border of a range lies in a compressed cluster, of which no part can be unmapped. */
  #hasPartCompressed(border: number): boolean {
    const inCluster = border % this.#clusterSize;
    if (inCluster === 0 || border >= this.#of.sizeInBytes || this.#tableOf(border) === 0) return false;
    const { table, at } = this.#entry(border - inCluster);
    return isCompressed(table, at);
  }

  #clearCluster(cluster: number, start: number, end: number, discard: boolean, needsMark: boolean): void {
    const entry = this.#entry(cluster, true);
    const isWhole =
      start === cluster && (end === cluster + this.#clusterSize || end === this.#of.sizeInBytes);
    const { table, at } = entry;
    const isOwn =
      !isCompressed(table, at) && (this.#external || isCopied(table, at)) && this.#isStored(entry);
    if (this.#of.extendedL2) {
      const covered = this.#maskOf(cluster, start, isWhole ? cluster + this.#clusterSize : end);
      const { stored } = subclusters.decode(table, at);
      const isKept = !isWhole && (stored & ~covered) !== 0;
      if (!isKept && !(isOwn && !discard)) {
        this.#giveUp(entry.table, entry.at);
        putEntry(table, at, 0);
      }
      this.#changeSubclusters(entry, (now) => ({
        zero: needsMark ? now.zero | covered : now.zero & ~covered,
        stored: now.stored & ~covered,
      }));
      return;
    }
    if (isOwn && !discard) {
      putEntry(table, at, offsetOf(table, at), { copied: true, zero: true });
      return;
    }
    this.#giveUp(entry.table, entry.at);
    putEntry(table, at, 0, { zero: needsMark });
  }

  /** Whether an entry has a place for its cluster. */
  #isStored({ table, at }: EntryPlace): boolean {
    return offsetOf(table, at) !== 0 || (this.#external && isCopied(table, at));
  }

  flush(data: () => void): void {
    this.#checkUsable();
    const { counts, file, tables } = this.#of;
    this.#guard(() => {
      // Counts, and tables that nothing refers to yet.
      const hasNewBlocks = counts.writeCounts();
      tables.write((offset) => this.#freshTables.has(offset - (offset % this.#clusterSize)));
      if (hasNewBlocks) {
        file.flush();
        counts.writeTable();
      }
      data();
      file.flush();
      // What refers to all that.
      tables.write();
      this.#freshTables.clear();
      file.flush();
      // What is not referred to any more.
      counts.settle();
    });
  }

  /** Writes what is not written yet, and makes it durable. After a failed write nothing is. */
  close(): void {
    if (this.#failure !== undefined) return;
    this.flush(() => this.#of.dataFile.flush());
    this.#of.file.flush();
  }
}
