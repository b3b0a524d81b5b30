/**
 * A chain of clusters of FAT and exFAT as runs of neighbours. It is followed only as far as needed: opening a file of
 * 4 GiB reads nothing of the table.
 */
import { CorruptError, work } from '../base/index.js';
import { type Disk, MappedDisk, type Mapping } from '../disk/index.js';

/** The number of the first cluster. */
export const firstCluster = 2;
/** The next cluster at the end of a chain. */
export const endOfChain = -1;

/** The allocation table: for each cluster, the next one of its chain. */
export interface ClusterTable {
  /** Whether a cluster of this number exists. */
  isCluster(cluster: number): boolean;
  /** The cluster after `cluster`, which must exist, or {@link endOfChain}. CorruptError for what is no cluster. */
  next(cluster: number): number;
}

/** Where clusters lie. */
export interface ClusterGeometry {
  readonly clusterSize: number;
  readonly clusterCount: number;
  /** The offset of the first cluster, in bytes. */
  readonly dataOffset: number;
}

/** A growing list of 32-bit numbers, with four bytes each; an array takes eight or more. */
class NumberList {
  length = 0;
  #items = new Uint32Array(16);

  push(value: number): void {
    if (this.length === this.#items.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.length++] = value;
  }

  at(index: number): number {
    return this.#items[index] ?? 0;
  }
}

export class ClusterChain {
  readonly #table: ClusterTable;
  readonly #geometry: ClusterGeometry;
  /** For each run: its first cluster on the disk, and how many clusters of the chain come before it. */
  readonly #starts = new NumberList();
  readonly #befores = new NumberList();
  /** Clusters known so far; the last of them; whether the chain ends there. */
  #count = 0;
  #last: number;
  #ended = false;

  /** `first` must be a cluster: otherwise CorruptError. `what` names the chain's owner in messages. */
  constructor(table: ClusterTable, geometry: ClusterGeometry, first: number, what: string) {
    if (!table.isCluster(first)) {
      throw new CorruptError(what, 'starts at no cluster', {
        cluster: first,
        clusters: geometry.clusterCount,
      });
    }
    this.#table = table;
    this.#geometry = geometry;
    this.#last = first;
    this.#starts.push(first);
    this.#befores.push(0);
    this.#count = 1;
  }

  /** Follows the chain until `wanted` clusters are known or it ends. */
  #extend(wanted: number): void {
    while (!this.#ended && this.#count < wanted) {
      work.lookups.spend(1);
      const next = this.#table.next(this.#last);
      if (next === endOfChain) {
        this.#ended = true;
        return;
      }
      // A chain without a loop has each cluster at most once.
      if (this.#count >= this.#geometry.clusterCount) {
        throw new CorruptError('FAT table', 'has a chain that loops', { cluster: this.#last, next });
      }
      if (next !== this.#last + 1) {
        this.#starts.push(next);
        this.#befores.push(this.#count);
      }
      this.#last = next;
      this.#count++;
    }
  }

  /** The length of the whole chain, in clusters. More than `limit` is a CorruptError. */
  length(limit: number): number {
    this.#extend(limit + 1);
    if (this.#count > limit) throw new CorruptError('FAT table', 'has a chain that is too long', { limit });
    return this.#count;
  }

  /**
   * The place of byte `offset` of the chain; undefined if the chain ends before. `length` is a hint of how much is
   * wanted.
   */
  lookup(disk: Disk, offset: number, length: number): Mapping | undefined {
    const { clusterSize, dataOffset } = this.#geometry;
    const index = Math.floor(offset / clusterSize);
    this.#extend(Math.floor((offset + Math.max(1, length) - 1) / clusterSize) + 1);
    if (index >= this.#count) return undefined;
    let low = 0; // a run that starts at or before the index
    let high = this.#befores.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#befores.at(middle) <= index) low = middle;
      else high = middle;
    }
    const before = this.#befores.at(low);
    const end = low + 1 < this.#befores.length ? this.#befores.at(low + 1) : this.#count;
    const into = offset - before * clusterSize;
    return {
      kind: 'data',
      disk,
      offset: dataOffset + (this.#starts.at(low) - firstCluster) * clusterSize + into,
      length: (end - before) * clusterSize - into,
    };
  }

  /** The first `size` bytes of the chain as a disk. Reading past the chain's end is a CorruptError. */
  data(disk: Disk, size: number, what: string): Disk {
    return new MappedDisk(
      size,
      (offset, length) => {
        const mapping = this.lookup(disk, offset, Math.min(length, size - offset));
        if (mapping === undefined)
          throw new CorruptError(what, 'has fewer clusters than bytes', { offset, size });
        return mapping;
      },
      { name: what },
    );
  }
}
