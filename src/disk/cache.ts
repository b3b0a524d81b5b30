/**
 * A block cache over a slow disk (compressed, remote, many layers deep), for the small scattered reads of metadata.
 * Reads of a block's size bypass it, so that moving a file's data does not evict metadata.
 */
import { CorruptError, LruMap, work } from '../base/index.js';
import { checkRead, checkWrite } from './checks.js';
import type { Disk, Span, ZeroOptions } from './disk.js';

interface CacheOptions {
  /** The most bytes of cached blocks, but at least one block. Default 4 MiB. */
  readonly budget?: number;
  /** Bytes read at once. Default 16 KiB. */
  readonly blockSize?: number;
  /** The sector size that the disk shows, in bytes. Default: that of the base. */
  readonly sectorSize?: number;
}

/** `base` with a cache of recently read blocks. Writes go through. Closing it closes `base` too. */
export class CachedDisk implements Disk {
  readonly sectorSize: number;
  readonly #base: Disk;
  readonly #blockSize: number;
  readonly #limit: number;
  readonly #blocks: LruMap<number, Uint8Array>;

  constructor(base: Disk, options: CacheOptions = {}) {
    this.#base = base;
    this.sectorSize = options.sectorSize ?? base.sectorSize;
    this.#blockSize = options.blockSize ?? 16 * 1024;
    const budget = options.budget ?? 4 * 1024 * 1024;
    this.#limit = Math.max(1, Math.floor(budget / this.#blockSize));
    this.#blocks = new LruMap(this.#limit);
  }

  get size(): number {
    return this.#base.size;
  }

  get writable(): boolean {
    return this.#base.writable;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead('cache', this.size, offset, into.length);
    work.lookups.spend(1);
    if (into.length >= this.#blockSize) {
      this.#base.read(into, offset); // writes go through, so the base is never behind the cache
      return;
    }
    const first = Math.floor(offset / this.#blockSize);
    const last = Math.floor((offset + into.length - 1) / this.#blockSize);
    for (let index = first; index <= last; index++) {
      const start = index * this.#blockSize;
      const from = Math.max(start, offset);
      const to = Math.min(start + this.#blockSize, offset + into.length);
      const part = into.subarray(from - offset, to - offset);
      const block = this.#block(index);
      if (block) part.set(block.subarray(from - start, to - start));
      else this.#base.read(part, from);
    }
  }

  checkWritable(offset: number, length: number): void {
    this.#base.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    checkWrite('cache', this.size, offset, from.length);
    this.#forget(offset, from.length);
    this.#base.write(from, offset);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    checkWrite('cache', this.size, offset, length);
    this.#forget(offset, length);
    this.#base.zero(offset, length, options);
  }

  /** Dropped before the write: after a failed write only the base knows the contents. */
  #forget(offset: number, length: number): void {
    const first = Math.floor(offset / this.#blockSize);
    const last = Math.floor((offset + length - 1) / this.#blockSize);
    if (last - first > this.#limit) this.#blocks.clear();
    else for (let index = first; index <= last; index++) this.#blocks.delete(index);
  }

  span(offset: number, length: number): Span {
    return this.#base.span(offset, length);
  }

  flush(): void {
    this.#base.flush();
  }

  close(): void {
    this.#blocks.clear();
    this.#base.close();
  }

  /**
   * A whole block, valid until the next call; undefined if the base cannot read all of it, even if the wanted part is
   * readable.
   */
  #block(index: number): Uint8Array | undefined {
    const known = this.#blocks.get(index);
    if (known) return known;
    const start = index * this.#blockSize;
    const size = Math.min(this.#blockSize, this.size - start);
    // The memory of an evicted block is used for the next one.
    const old = this.#blocks.makeRoom();
    const block = old?.length === size ? old : new Uint8Array(size);
    try {
      this.#base.read(block, start);
    } catch (thrown) {
      if (thrown instanceof CorruptError) return undefined;
      throw thrown;
    }
    this.#blocks.set(index, block);
    return block;
  }
}
