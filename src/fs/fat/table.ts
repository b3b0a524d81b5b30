/**
 * The file allocation table: for each cluster, the next one of its chain. fatgen103, "FAT Data Structure".
 *
 * Entries have 12, 16 or 32 bits (FAT32 uses 28 of them). As in the kernel, only the first table is read. Zero means
 * free; the last eight values end a chain, and so does the value for a bad cluster, seven from the end.
 */
import { CorruptError, LruMap } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { endOfChain, firstCluster } from '../cluster-chain.js';
import type { FatVolume } from './boot.js';

/** Bytes of the table that are read at once: whole entries of 16 and of 32 bits. */
const pageSize = 65_536;
const pagesKept = 64;

export class AllocationTable {
  readonly #disk: Disk;
  readonly #volume: FatVolume;
  readonly #pages = new LruMap<number, DataView>(pagesKept);
  #lastPage = -1;
  #lastView: DataView = new DataView(new ArrayBuffer(0));

  constructor(disk: Disk, volume: FatVolume) {
    this.#disk = disk;
    this.#volume = volume;
  }

  /** The view of a page; shorter at the end of the table or the disk. */
  #page(number: number): DataView {
    if (number === this.#lastPage) return this.#lastView;
    let view = this.#pages.get(number);
    if (view === undefined) {
      const { tableOffset, tableSize } = this.#volume;
      const start = tableOffset + number * pageSize;
      const end = Math.min(start + pageSize, tableOffset + tableSize, this.#disk.size);
      const page = new Uint8Array(Math.max(0, end - start));
      this.#disk.read(page, start);
      view = new DataView(page.buffer);
      this.#pages.set(number, view);
    }
    this.#lastPage = number;
    this.#lastView = view;
    return view;
  }

  /** Whether a cluster of this number exists. */
  isCluster(cluster: number): boolean {
    return cluster >= firstCluster && cluster < firstCluster + this.#volume.clusterCount;
  }

  #cutShort(cluster: number): never {
    throw new CorruptError('FAT table', 'is cut short', { cluster, size: this.#disk.size });
  }

  #byte(offset: number, cluster: number): number {
    const view = this.#page(Math.floor(offset / pageSize));
    const at = offset % pageSize;
    return at < view.byteLength ? view.getUint8(at) : this.#cutShort(cluster);
  }

  /** The value of a cluster's entry, with bad and end values as {@link endOfChain}. The cluster must exist. */
  #entry(cluster: number): number {
    const { bits } = this.#volume;
    if (bits === 12) {
      const offset = cluster + (cluster >> 1);
      const pair = this.#byte(offset, cluster) | (this.#byte(offset + 1, cluster) << 8);
      const value = (cluster & 1) === 0 ? pair & 0xfff : pair >> 4;
      return value >= 0xff7 ? endOfChain : value;
    }
    const offset = cluster * (bits / 8);
    const view = this.#page(Math.floor(offset / pageSize));
    const at = offset % pageSize;
    if (at + bits / 8 > view.byteLength) this.#cutShort(cluster);
    if (bits === 16) {
      const value = view.getUint16(at, true);
      return value >= 0xfff7 ? endOfChain : value;
    }
    const value = view.getUint32(at, true) & 0x0fffffff;
    return value >= 0x0ffffff7 ? endOfChain : value;
  }

  /**
   * The cluster after `cluster`, or {@link endOfChain}. CorruptError for a free entry and for one that names no
   * cluster.
   */
  next(cluster: number): number {
    const value = this.#entry(cluster);
    if (value !== endOfChain && !this.isCluster(value)) {
      throw new CorruptError(
        'FAT table',
        value === 0 ? 'has a chain with a free cluster' : 'names no cluster',
        {
          cluster,
          next: value,
        },
      );
    }
    return value;
  }

  /** How many clusters are free: reads the whole table. */
  countFree(): number {
    const { bits, clusterCount } = this.#volume;
    const end = firstCluster + clusterCount;
    let free = 0;
    if (bits === 12) {
      for (let cluster = firstCluster; cluster < end; cluster++) if (this.#entry(cluster) === 0) free++;
      return free;
    }
    const perPage = pageSize / (bits / 8);
    for (let page = 0; page * perPage < end; page++) {
      const view = this.#page(page);
      const first = Math.max(firstCluster, page * perPage);
      const last = Math.min(end, (page + 1) * perPage);
      if ((last - page * perPage) * (bits / 8) > view.byteLength) this.#cutShort(last - 1);
      for (let cluster = first; cluster < last; cluster++) {
        const at = (cluster - page * perPage) * (bits / 8);
        const value = bits === 16 ? view.getUint16(at, true) : view.getUint32(at, true) & 0x0fffffff;
        if (value === 0) free++;
      }
    }
    return free;
  }
}
