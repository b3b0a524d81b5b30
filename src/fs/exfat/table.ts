/** The file allocation table: for each cluster, the next one of its chain. As in Linux, only the first table is read. */
import { CorruptError } from '../../base/index.js';
import { BlockCache, type Disk } from '../../disk/index.js';

import { type ClusterTable, endOfChain, firstCluster } from '../cluster-chain.js';
import type { ExfatVolume } from './boot.js';
import { badCluster, fatEntry } from './layout.js';

export class ExfatTable implements ClusterTable {
  readonly #cache: BlockCache;
  readonly #volume: ExfatVolume;

  constructor(disk: Disk, volume: ExfatVolume) {
    this.#cache = new BlockCache(disk);
    this.#volume = volume;
  }

  isCluster(cluster: number): boolean {
    return cluster >= firstCluster && cluster < firstCluster + this.#volume.clusterCount;
  }

  next(cluster: number): number {
    const offset = this.#volume.tableOffset + cluster * fatEntry.size;
    const next = fatEntry.decode(this.#cache.bytes(offset, fatEntry.size, 'exFAT table')).next;
    if (next >= badCluster) return endOfChain;
    if (!this.isCluster(next)) throw new CorruptError('exFAT table', 'names no cluster', { cluster, next });
    return next;
  }

  clear(): void {
    this.#cache.clear();
  }
}
