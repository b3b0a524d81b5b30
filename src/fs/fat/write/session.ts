/**
 * A volume that is written: its tables, of which all copies are kept alike, the space in them, and the marks of the boot
 * sector. Clusters are taken before an entry names them, and an entry is gone before its clusters are free, so that a
 * crash loses clusters at most.
 */
import { systemError, work } from '../../../base/index.js';
import {
  type DiskJournal,
  type DiskTransaction,
  orderedJournal,
  type WriteCache,
} from '../../../disk/index.js';
import { endOfChain, firstCluster } from '../../cluster-chain.js';
import type { FatVolume } from '../boot.js';
import { entryMask, fsInfo, fsInfoLeadSignature, fsInfoStructureSignature, stateDirty } from '../layout.js';
import type { AllocationTable } from '../table.js';

/** Neighbouring clusters of a chain. */
export interface ChainRun {
  readonly first: number;
  readonly count: number;
}

export function startWriting(cache: WriteCache, volume: FatVolume, table: AllocationTable): FatSession {
  return new FatSession(cache, volume, table);
}

export class FatSession {
  readonly cache: WriteCache;
  readonly volume: FatVolume;
  readonly table: AllocationTable;
  readonly journal: DiskJournal;
  /** Counts up with every change, so that readers see when what they know is old. */
  version = 0;
  /** Clusters that are free, counted at the first change. */
  #free: number;
  /** Where the search for free clusters goes on. */
  #next: number;

  constructor(cache: WriteCache, volume: FatVolume, table: AllocationTable) {
    this.cache = cache;
    this.volume = volume;
    this.table = table;
    this.journal = orderedJournal(cache, {
      begin: () => this.#mark(stateDirty),
      end: () => this.#mark(0),
    });
    this.#free = table.countFree();
    this.#next = firstCluster;
  }

  get freeClusters(): number {
    return this.#free;
  }

  /** Runs a change. What it does to counters is undone with it. */
  run<T>(kind: string, work: (transaction: DiskTransaction) => T): T {
    return this.journal.run(1, (transaction) => {
      const [free, next] = [this.#free, this.#next];
      transaction.kind = kind;
      transaction.onUndo(() => {
        this.#free = free;
        this.#next = next;
        this.version++;
      });
      this.version++;
      return work(transaction);
    });
  }

  /** Where a cluster lies, in bytes. */
  offsetOf(cluster: number): number {
    return this.volume.dataOffset + (cluster - firstCluster) * this.volume.clusterSize;
  }

  /** Changes bytes of a structure that lies in one sector. */
  change(transaction: DiskTransaction, offset: number, length: number): Uint8Array {
    const { blockSize } = this.cache;
    const within = offset % blockSize;
    const block = this.cache.change(transaction, (offset - within) / blockSize);
    return block.bytes.subarray(within, within + length);
  }

  /** A new cluster of a directory, as zeroes in the cache. */
  blank(transaction: DiskTransaction, cluster: number): void {
    const { blockSize } = this.cache;
    const first = this.offsetOf(cluster) / blockSize;
    for (let i = 0; i < this.volume.clusterSize / blockSize; i++)
      this.cache.change(transaction, first + i, { blank: true });
  }

  /**
   * Takes `count` clusters and makes a chain of them, next to each other as far as possible. ENOSPC. `after`: where to
   * look first.
   */
  allocate(transaction: DiskTransaction, count: number, after = this.#next): ChainRun[] {
    if (count > this.#free) throw systemError('ENOSPC', 'vfat');
    const end = firstCluster + this.volume.clusterCount;
    const runs: { first: number; count: number }[] = [];
    let at = after >= firstCluster && after < end ? after : firstCluster;
    let left = count;
    let isAround = false;
    const start = at;
    while (left > 0) {
      const cluster = this.#usable(at, isAround ? start : end);
      if (cluster === undefined) {
        // What was freed since the last commit is not to be had before the next: the journal commits, and tries again.
        if (isAround) throw systemError('ENOSPC', 'vfat');
        isAround = true;
        at = firstCluster;
        continue;
      }
      const last = runs.at(-1);
      if (last !== undefined && last.first + last.count === cluster) last.count++;
      else runs.push({ first: cluster, count: 1 });
      at = cluster + 1;
      left--;
    }
    this.#next = at;
    this.#free -= count;
    this.chain(transaction, runs);
    return runs;
  }

  /** The first cluster that is free now, and was at the last commit. */
  #usable(from: number, end: number): number | undefined {
    const { blockSize } = this.cache;
    for (let at = from; at < end; ) {
      const cluster = this.table.findFree(at, end);
      if (cluster === undefined) return undefined;
      const first = this.offsetOf(cluster) / blockSize;
      if (this.journal.freedIn(first, first + this.volume.clusterSize / blockSize) === undefined)
        return cluster;
      at = cluster + 1;
    }
    return undefined;
  }

  /** Links the clusters of runs to each other, and ends the chain. */
  chain(transaction: DiskTransaction, runs: readonly ChainRun[]): void {
    for (const [index, { first, count }] of runs.entries())
      for (let i = 0; i < count; i++) {
        const next = i + 1 < count ? first + i + 1 : (runs[index + 1]?.first ?? endOfChain);
        this.setEntry(transaction, first + i, next);
      }
  }

  /** Gives the clusters of runs back. */
  free(transaction: DiskTransaction, runs: readonly ChainRun[]): void {
    const { blockSize } = this.cache;
    for (const { first, count } of runs) {
      for (let i = 0; i < count; i++) this.setEntry(transaction, first + i, 0);
      transaction.free(this.offsetOf(first) / blockSize, (count * this.volume.clusterSize) / blockSize);
      this.#free += count;
    }
  }

  /** Stores the entry of a cluster in every table. */
  setEntry(transaction: DiskTransaction, cluster: number, next: number): void {
    work.lookups.spend(1);
    const { bits, tableOffset, tableSize, tableCount } = this.volume;
    const value = next === endOfChain ? entryMask[bits] : next;
    for (let table = 0; table < tableCount; table++) {
      const base = tableOffset + table * tableSize;
      if (bits === 12) this.#setEntry12(transaction, base, cluster, value);
      else {
        const size = bits / 8;
        const bytes = this.change(transaction, base + cluster * size, size);
        const view = new DataView(bytes.buffer, bytes.byteOffset, size);
        const at = 0;
        if (bits === 16) view.setUint16(at, value, true);
        else {
          // The upper four bits are reserved, and stay as they are.
          const before = view.getUint32(at, true);
          view.setUint32(at, before - (before % (entryMask[32] + 1)) + value, true);
        }
      }
    }
  }

  /** An entry of one and a half bytes, which may lie in two sectors. */
  #setEntry12(transaction: DiskTransaction, base: number, cluster: number, value: number): void {
    const offset = base + cluster + Math.floor(cluster / 2);
    const low = this.change(transaction, offset, 1);
    const isEven = cluster % 2 === 0;
    const keptLow = (low[0] ?? 0) % 16;
    low[0] = isEven ? value % 256 : keptLow + (value % 16) * 16;
    const high = this.change(transaction, offset + 1, 1);
    const keptHigh = Math.floor((high[0] ?? 0) / 16) * 16;
    high[0] = isEven ? keptHigh + Math.floor(value / 256) : Math.floor(value / 16);
  }

  /** Stores the number of free clusters, and makes all durable. */
  sync(): void {
    const { infoOffset } = this.volume;
    if (infoOffset > 0) this.#storeFreeCount(infoOffset);
    this.journal.commit();
  }

  #storeFreeCount(offset: number): void {
    const { lead_sig, struc_sig, free_count } = fsInfo.decode(
      this.cache.bytes(offset, fsInfo.size, fsInfo.name),
    );
    if (lead_sig !== fsInfoLeadSignature || struc_sig !== fsInfoStructureSignature) return;
    if (free_count === this.#free) return;
    this.journal.run(1, (transaction) => {
      const bytes = this.change(transaction, offset, fsInfo.size);
      fsInfo.encode({ free_count: this.#free, nxt_free: Math.max(firstCluster, this.#next - 1) }, bytes);
    });
  }

  close(): void {
    try {
      this.sync();
    } finally {
      this.journal.close();
    }
  }

  /** Marks the volume as in use, or not. One that was not cleanly unmounted before keeps its mark, as in the kernel. */
  #mark(state: number): void {
    if (this.volume.dirty) return;
    this.cache.amend(this.volume.stateOffset, 1, (bytes) => {
      bytes[0] = ((bytes[0] ?? 0) & ~stateDirty) + state;
    });
    this.cache.disk.flush();
  }
}
