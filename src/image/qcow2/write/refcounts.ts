/**
 * How often each cluster of a qcow2 file is used, and which are free. Specification: "Host cluster management".
 *
 * Counts are raised in memory at once and written before what refers to the clusters. What is given up is lowered after
 * the tables that gave it up are durable, and is free from then on. So a crash may leave counts too high, never too low.
 */
import { CorruptError, GuestfsError, work } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { qcow2Layout } from '../../../formats/index.js';
import { TableCache } from '../../table-cache.js';
import { putEntry } from '../entries.js';
import type { Header } from '../header.js';
import { ChangedTables } from './changed-tables.js';
import type { ImageFile } from './image-file.js';

const { entry: bits, header: headerStruct, limits, tableEntry } = qcow2Layout;
const entrySize = tableEntry.size;

/** Clusters that lie one after another. */
export interface ClusterRun {
  readonly offset: number;
  readonly count: number;
  /** They were never written to, and read as zeroes. */
  readonly blank: boolean;
}

/** Counts of any width, in a part of a table in memory. */
export class CountCodec {
  readonly width: number;
  /** The largest count. */
  readonly most: number;

  /** `width` is 1, 2, 4, … 64 bits. */
  constructor(width: number) {
    this.width = width;
    this.most = width >= 53 ? Number.MAX_SAFE_INTEGER : 2 ** width - 1;
  }

  /** How many counts so many bytes hold. */
  countsIn(bytes: number): number {
    return (bytes * 8) / this.width;
  }

  /** `index` is that in the part. Counts of less than a byte begin with its lowest bits. */
  read(view: DataView, index: number): number {
    switch (this.width) {
      case 8:
        return view.getUint8(index);
      case 16:
        return view.getUint16(index * 2);
      case 32:
        return view.getUint32(index * 4);
      case 64:
        return view.getUint32(index * 8) * 2 ** 32 + view.getUint32(index * 8 + 4);
      default: {
        const at = index * this.width;
        return (view.getUint8(at >>> 3) >>> (at % 8)) & (2 ** this.width - 1);
      }
    }
  }

  write(view: DataView, index: number, count: number): void {
    switch (this.width) {
      case 8:
        return view.setUint8(index, count);
      case 16:
        return view.setUint16(index * 2, count);
      case 32:
        return view.setUint32(index * 4, count);
      case 64:
        view.setUint32(index * 8, Math.floor(count / 2 ** 32));
        return view.setUint32(index * 8 + 4, count % 2 ** 32);
      default: {
        const at = index * this.width;
        const mask = (2 ** this.width - 1) << (at % 8);
        view.setUint8(at >>> 3, (view.getUint8(at >>> 3) & ~mask) | (count << (at % 8)));
      }
    }
  }
}

/** Reads the refcount table: the offset of each block, or 0. */
export function readRefcountTable(file: Disk, header: Header): number[] {
  const structure = 'qcow2 refcount table';
  const clusterSize = 2 ** header.clusterBits;
  const { refcountTableOffset: offset, refcountTableClusters } = header;
  const size = refcountTableClusters * clusterSize;
  if (offset % clusterSize !== 0 || offset === 0)
    throw new CorruptError(structure, 'is not aligned to a cluster', { offset });
  if (size === 0 || size > limits.refcountTableBytes)
    throw new CorruptError(structure, 'has an impossible size', { size });
  if (offset + size > file.size)
    throw new CorruptError(structure, 'reaches past the file', { offset, size, fileSize: file.size });
  const bytes = new Uint8Array(size);
  file.read(bytes, offset);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: size / entrySize }, (_, index) => {
    const { high, low } = tableEntry.fields;
    const at = index * entrySize;
    return high.read(view, at, false) * 2 ** 32 + ((low.read(view, at, false) & bits.offsetLow) >>> 0);
  });
}

export class Refcounts {
  readonly #file: ImageFile;
  readonly #clusterSize: number;
  readonly #codec: CountCodec;
  /** Clusters that a block counts, and that a slice of one does. */
  readonly #perBlock: number;
  readonly #perSlice: number;
  readonly #blocks: ChangedTables;
  /** The offset of each block. Longer than the table in the file, where that has to be moved. */
  readonly #table: number[];
  #tableOffset: number;
  #tableClusters: number;
  /** The range of entries that are not in the file yet. */
  #changedFrom = Number.POSITIVE_INFINITY;
  #changedTo = 0;
  /** By offset: how often clusters were given up since the last settling. */
  readonly #givenUp = new Map<number, number>();
  /** No cluster before this one is free. */
  #next = 0;
  /** From this offset on nothing was ever written. */
  #blankFrom: number;

  constructor(file: ImageFile, base: Disk, header: Header, budget: number) {
    this.#file = file;
    this.#clusterSize = 2 ** header.clusterBits;
    this.#codec = new CountCodec(header.refcountBits);
    this.#perBlock = this.#codec.countsIn(this.#clusterSize);
    const cache = new TableCache(base, {
      name: 'qcow2 refcount block',
      mostInSlice: this.#clusterSize,
      budget,
    });
    this.#blocks = new ChangedTables(file, cache);
    this.#perSlice = this.#codec.countsIn(cache.sliceSize);
    this.#table = readRefcountTable(base, header);
    this.#tableOffset = header.refcountTableOffset;
    this.#tableClusters = header.refcountTableClusters;
    this.#blankFrom = file.canGrow
      ? Math.ceil(file.end / this.#clusterSize) * this.#clusterSize
      : Number.POSITIVE_INFINITY;
    this.#markTable();
    for (const block of this.#table) {
      if (block % this.#clusterSize !== 0)
        throw new CorruptError('qcow2 refcount table', 'has an entry that is not aligned to a cluster', {
          block,
        });
      if (block >= base.size)
        throw new CorruptError('qcow2 refcount table', 'has a block outside the file', {
          block,
          fileSize: base.size,
        });
      if (block !== 0) file.tables.add(block / this.#clusterSize);
    }
  }

  /** Bytes that wait to be written. */
  get changedBytes(): number {
    return this.#blocks.changedBytes;
  }

  #markTable(): void {
    this.#file.tables.add(this.#tableOffset / this.#clusterSize, this.#tableClusters);
  }

  /** How often a cluster is used, by its number. */
  #get(cluster: number): number {
    if ((this.#table[Math.floor(cluster / this.#perBlock)] ?? 0) === 0) return 0;
    const at = this.#placeOf(cluster);
    return this.#codec.read(this.#blocks.slice(at), cluster % this.#perSlice);
  }

  /** Sets the counts of clusters that lie together, for which there are blocks. */
  #set(first: number, count: number, used: number): void {
    for (let cluster = first; cluster < first + count; ) {
      const view = this.#blocks.change(this.#placeOf(cluster));
      let index = cluster % this.#perSlice;
      const last = Math.min(this.#perSlice, index + first + count - cluster);
      cluster += last - index;
      for (; index < last; index++) this.#codec.write(view, index, used);
    }
  }

  /** How many clusters that lie together from `first` on, before `end`, are free. There are blocks for all. */
  #freeFrom(first: number, end: number): number {
    for (let cluster = first; cluster < end; ) {
      const view = this.#blocks.slice(this.#placeOf(cluster));
      const from = cluster % this.#perSlice;
      const last = Math.min(this.#perSlice, from + end - cluster);
      for (let index = from; index < last; index++)
        if (this.#codec.read(view, index) !== 0) return cluster + index - from - first;
      cluster += last - from;
    }
    return end - first;
  }

  /** The offset of the slice that has the count of a cluster, for which there is a block. */
  #placeOf(cluster: number): number {
    const block = this.#table[Math.floor(cluster / this.#perBlock)] as number; // safe: the caller knows of a block
    return block + Math.floor((cluster % this.#perBlock) / this.#perSlice) * this.#blocks.sliceSize;
  }

  /** How often a cluster will be used, once what was given up is settled. CorruptError, where that is never. */
  checkUsed(offset: number): void {
    const cluster = Math.floor(offset / this.#clusterSize);
    if (this.#get(cluster) - (this.#givenUp.get(cluster) ?? 0) <= 0)
      throw new CorruptError('qcow2 refcount block', 'says that a cluster in use is free', {
        offset: cluster * this.#clusterSize,
      });
  }

  /** Throws ENOSPC or EFBIG where so many bytes of clusters cannot be taken. */
  checkRoom(length: number): void {
    const clusters = Math.ceil(length / this.#clusterSize);
    if (this.#file.canGrow) {
      const most = (limits.refcountTableBytes / entrySize) * this.#perBlock;
      if (this.#next + clusters > most)
        throw new GuestfsError(
          'EFBIG',
          `qcow2 image: has at most ${most} clusters of ${this.#clusterSize} bytes`,
        );
      return;
    }
    let free = 0;
    const end = Math.floor(this.#file.end / this.#clusterSize);
    for (let cluster = this.#next; cluster < end && free < clusters; cluster++) {
      work.lookups.spend(1);
      if (this.#get(cluster) === 0) free++;
    }
    if (free < clusters) throw this.#full();
  }

  #full(): GuestfsError {
    return new GuestfsError('ENOSPC', `qcow2 image: its device has no room behind ${this.#file.end} bytes`);
  }

  /** Takes at most `most` clusters that lie together, and at least one. */
  allocate(most: number): ClusterRun {
    const first = this.#findFree();
    const block = Math.floor(first / this.#perBlock);
    const end = Math.min(first + most, (block + 1) * this.#perBlock, this.#lastCluster());
    const free = this.#freeFrom(first, end);
    // At least one, so that a table that is said to be free is not passed over.
    return this.#take(first, Math.max(1, this.#file.tables.findIn(first, first + free) - first));
  }

  /** Takes `count` clusters that lie together. */
  allocateTogether(count: number): ClusterRun {
    for (let first = this.#findFree(); ; ) {
      let found = 0;
      while (found < count) {
        if (first + found >= this.#lastCluster()) throw this.#full();
        this.#makeBlock(Math.floor((first + found) / this.#perBlock));
        if (this.#get(first + found) !== 0) break;
        found++;
      }
      if (found === count) return this.#take(first, count);
      first += found + 1;
    }
  }

  #lastCluster(): number {
    return this.#file.canGrow ? Number.MAX_SAFE_INTEGER : Math.floor(this.#file.end / this.#clusterSize);
  }

  #take(first: number, count: number): ClusterRun {
    const table = this.#file.tables.findIn(first, first + count);
    if (table < first + count)
      throw new CorruptError('qcow2 refcount block', 'says that a table is free space', {
        offset: table * this.#clusterSize,
      });
    this.#set(first, count, 1);
    if (first === this.#next) this.#next = first + count;
    const offset = first * this.#clusterSize;
    const blank = offset >= this.#blankFrom;
    this.#blankFrom = Math.max(this.#blankFrom, offset + count * this.#clusterSize);
    return { offset, count, blank };
  }

  #findFree(): number {
    for (let cluster = this.#next; ; cluster++) {
      work.lookups.spend(1);
      if (cluster >= this.#lastCluster()) throw this.#full();
      this.#makeBlock(Math.floor(cluster / this.#perBlock));
      if (this.#get(cluster) === 0) {
        this.#next = cluster;
        return cluster;
      }
    }
  }

  /** Makes sure that there is a block of an index of the table: in the first of the clusters that it counts. */
  #makeBlock(index: number): void {
    if ((this.#table[index] ?? 0) !== 0) return;
    if ((index + 1) * entrySize > limits.refcountTableBytes)
      throw new GuestfsError('EFBIG', 'qcow2 image: its refcount table would be larger than 8 MiB');
    const cluster = index * this.#perBlock;
    const offset = cluster * this.#clusterSize;
    if (this.#file.tables.has(cluster))
      throw new CorruptError('qcow2 refcount table', 'does not count a cluster that holds a table', {
        offset,
      });
    this.#putBlock(index, cluster);
    this.#set(cluster, 1, 1);
  }

  /** A block of an index of the table, in a cluster whose own count is not changed. */
  #putBlock(index: number, cluster: number): void {
    const offset = cluster * this.#clusterSize;
    while (this.#table.length <= index) this.#table.push(0);
    this.#table[index] = offset;
    this.#blocks.blank(offset, this.#clusterSize);
    this.#file.tables.add(cluster);
    this.#blankFrom = Math.max(this.#blankFrom, offset + this.#clusterSize);
    this.#changedFrom = Math.min(this.#changedFrom, index);
    this.#changedTo = Math.max(this.#changedTo, index + 1);
  }

  /** Takes back clusters that nothing ever referred to. */
  release({ offset, count }: ClusterRun): void {
    const first = offset / this.#clusterSize;
    this.#set(first, count, 0);
    this.#next = Math.min(this.#next, first);
  }

  /** One reference less, once what no longer refers to the cluster is durable. CorruptError, where it has none. */
  giveUp(offset: number): void {
    this.checkUsed(offset);
    const cluster = Math.floor(offset / this.#clusterSize);
    this.#givenUp.set(cluster, (this.#givenUp.get(cluster) ?? 0) + 1);
  }

  /**
   * Raises the counts of clusters that are used more often than the image says; `references` tells how often. Blocks that
   * are missing are put behind all that is used, as no count can be trusted.
   */
  raise(references: Uint32Array): void {
    const { most } = this.#codec;
    let end = Math.max(references.length, Math.ceil(this.#file.end / this.#clusterSize));
    const added: number[] = [];
    const makeBlock = (index: number): void => {
      if ((this.#table[index] ?? 0) !== 0) return;
      const cluster = end++;
      added.push(cluster);
      this.#putBlock(index, cluster);
      makeBlock(Math.floor(cluster / this.#perBlock));
    };
    for (let cluster = 0; cluster < references.length; cluster++) {
      work.lookups.spend(1);
      const used = references[cluster] ?? 0;
      if (used === 0) continue;
      if (used > most)
        throw new CorruptError('qcow2 refcount block', 'cannot count how often a cluster is used', {
          used,
          most,
        });
      makeBlock(Math.floor(cluster / this.#perBlock));
      if (this.#get(cluster) < used) this.#set(cluster, 1, used);
    }
    for (const cluster of added) this.#set(cluster, 1, 1);
    this.#blankFrom = Math.max(this.#blankFrom, end * this.#clusterSize);
  }

  /** Lowers the counts of clusters that are used less often than the image says, except those that repair took. */
  lower(references: Uint32Array): void {
    const end = this.#table.length * this.#perBlock;
    for (let cluster = 0; cluster < end; cluster++) {
      work.lookups.spend(1);
      if ((this.#table[Math.floor(cluster / this.#perBlock)] ?? 0) === 0) {
        cluster = (Math.floor(cluster / this.#perBlock) + 1) * this.#perBlock - 1;
        continue;
      }
      const used = references[cluster] ?? 0;
      // A table that raising counts has made is used, though nobody counted it.
      if (used === 0 && this.#file.tables.has(cluster)) continue;
      if (this.#get(cluster) > used) this.#set(cluster, 1, used);
    }
    this.#next = 0;
    this.#blocks.write();
  }

  /** The offset behind the last cluster that is used. */
  get usedEnd(): number {
    let cluster = Math.ceil(this.#file.end / this.#clusterSize);
    while (cluster > 0 && this.#get(cluster - 1) === 0) {
      work.lookups.spend(1);
      cluster--;
    }
    return cluster * this.#clusterSize;
  }

  /** Writes counts. Afterwards {@link writeTable}, behind a barrier, where it returns true. */
  writeCounts(): boolean {
    this.#moveTable();
    this.#blocks.write();
    return this.#changedTo > this.#changedFrom;
  }

  /** Finds a longer place for the table, if it has become too long for the one it has. */
  #moveTable(): void {
    const fits = (clusters: number): boolean =>
      this.#table.length * entrySize <= clusters * this.#clusterSize;
    if (fits(this.#tableClusters)) return;
    const mostClusters = limits.refcountTableBytes / this.#clusterSize;
    let clusters = this.#tableClusters;
    let run: ClusterRun;
    for (;;) {
      // Half as long again, so that it seldom moves. Its own clusters may need further entries.
      while (!fits(clusters)) clusters = Math.min(mostClusters, Math.ceil(clusters * 1.5));
      run = this.allocateTogether(clusters);
      if (fits(clusters)) break;
      this.release(run);
    }
    const old = { offset: this.#tableOffset, count: this.#tableClusters };
    this.#tableOffset = run.offset;
    this.#tableClusters = clusters;
    this.#markTable();
    for (let at = 0; at < old.count; at++) this.giveUp(old.offset + at * this.#clusterSize);
    this.#file.tables.delete(old.offset / this.#clusterSize, old.count);
    this.#changedFrom = 0;
    this.#changedTo = (clusters * this.#clusterSize) / entrySize;
    this.#moved = true;
  }

  #moved = false;

  /** Writes the entries of new blocks, or all of a table that has moved, and then the header's reference to it. */
  writeTable(): void {
    const bytes = new Uint8Array((this.#changedTo - this.#changedFrom) * entrySize);
    const view = new DataView(bytes.buffer);
    for (let index = this.#changedFrom; index < this.#changedTo; index++)
      putEntry(view, (index - this.#changedFrom) * entrySize, this.#table[index] ?? 0);
    this.#file.writeTable(bytes, this.#tableOffset + this.#changedFrom * entrySize);
    if (this.#moved) {
      this.#file.flush();
      changeHeader(this.#file, {
        refcount_table_offset: this.#tableOffset,
        refcount_table_clusters: this.#tableClusters,
      });
      this.#moved = false;
    }
    this.#changedFrom = Number.POSITIVE_INFINITY;
    this.#changedTo = 0;
  }

  /** Lowers the counts of what was given up: nothing that is durable refers to it any more. */
  settle(): void {
    if (this.#givenUp.size === 0) return;
    for (const [cluster, times] of this.#givenUp) {
      const count = this.#get(cluster) - times;
      this.#set(cluster, 1, count);
      if (count === 0) this.#next = Math.min(this.#next, cluster);
    }
    this.#givenUp.clear();
    this.#blocks.write();
  }
}

/** Changes fields of the header in place, in one write of its first sector. */
export function changeHeader(file: ImageFile, values: Partial<ReturnType<typeof headerStruct.decode>>): void {
  const sector = new Uint8Array(512);
  file.read(sector, 0);
  headerStruct.encode(values, sector);
  file.writeTable(sector, 0);
}
