/**
 * The file allocation table: for each cluster, the next one of its chain. fatgen103, "FAT Data Structure".
 *
 * Entries have 12, 16 or 32 bits (FAT32 uses 28 of them). As in the kernel, only the first table is read. Zero means
 * free; the last eight values end a chain, and so does the value for a bad cluster, seven from the end.
 */
import { CorruptError, work } from '../../base/index.js';
import type { BlockReader } from '../../disk/index.js';
import { endOfChain, firstCluster } from '../cluster-chain.js';
import type { FatVolume } from './boot.js';
import { badCluster, entryMask } from './layout.js';

export class AllocationTable {
  readonly #reader: BlockReader;
  readonly #volume: FatVolume;
  readonly #diskSize: number;

  constructor(reader: BlockReader, diskSize: number, volume: FatVolume) {
    this.#reader = reader;
    this.#diskSize = diskSize;
    this.#volume = volume;
  }

  /** Whether a cluster of this number exists. */
  isCluster(cluster: number): boolean {
    return cluster >= firstCluster && cluster < firstCluster + this.#volume.clusterCount;
  }

  #cutShort(cluster: number): never {
    throw new CorruptError('FAT table', 'is cut short', { cluster, size: this.#diskSize });
  }

  #byte(offset: number, cluster: number): number {
    if (offset >= this.#diskSize) this.#cutShort(cluster);
    const { start, bytes } = this.#reader.at(offset, 'FAT table');
    return bytes[offset - start] ?? this.#cutShort(cluster);
  }

  /** The bits of a cluster's entry. The cluster must exist. */
  value(cluster: number): number {
    const { bits, tableOffset } = this.#volume;
    if (bits === 12) {
      const offset = tableOffset + cluster + Math.floor(cluster / 2);
      const pair = this.#byte(offset, cluster) + this.#byte(offset + 1, cluster) * 0x100;
      return cluster % 2 === 0 ? pair & entryMask[12] : Math.floor(pair / 16);
    }
    const size = bits / 8;
    const offset = tableOffset + cluster * size;
    if (offset + size > this.#diskSize) this.#cutShort(cluster);
    const { start, view } = this.#reader.at(offset, 'FAT table');
    const at = offset - start;
    return bits === 16 ? view.getUint16(at, true) : view.getUint32(at, true) & entryMask[32];
  }

  /**
   * The cluster after `cluster`, or {@link endOfChain}. CorruptError for a free entry and for one that names no
   * cluster.
   */
  next(cluster: number): number {
    const value = this.value(cluster);
    if (value >= badCluster[this.#volume.bits]) return endOfChain;
    if (!this.isCluster(value)) {
      throw new CorruptError(
        'FAT table',
        value === 0 ? 'has a chain with a free cluster' : 'names no cluster',
        { cluster, next: value },
      );
    }
    return value;
  }

  /** The first free cluster from `first` up to `end`; undefined if there is none. */
  findFree(first: number, end: number): number | undefined {
    for (let cluster = first; cluster < end; cluster++) {
      work.lookups.spend(1);
      if (this.value(cluster) === 0) return cluster;
    }
    return undefined;
  }

  /** How many clusters are free: reads the whole table. */
  countFree(): number {
    const end = firstCluster + this.#volume.clusterCount;
    let free = 0;
    for (let cluster = firstCluster; cluster < end; cluster++) {
      work.lookups.spend(1);
      if (this.value(cluster) === 0) free++;
    }
    return free;
  }
}
