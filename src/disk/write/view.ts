/** The disk below a cache that can be changed, with the changed blocks over it. */
import { CorruptError } from '../../base/index.js';
import type { Disk, Span, ZeroOptions } from '../disk.js';
import type { Block } from './block.js';

interface ChangedDisk {
  readonly disk: Disk;
  readonly blockSize: number;
  readonly changed: ReadonlyMap<number, Block>;
}

export class CacheView implements Disk {
  readonly #cache: ChangedDisk;
  readonly #wrote: (offset: number, length: number) => void;

  /** `wrote` hears of each range that is written past the cache. */
  constructor(cache: ChangedDisk, wrote: (offset: number, length: number) => void) {
    this.#cache = cache;
    this.#wrote = wrote;
  }

  get size(): number {
    return this.#cache.disk.size;
  }

  get sectorSize(): number {
    return this.#cache.disk.sectorSize;
  }

  get writable(): boolean {
    return this.#cache.disk.writable;
  }

  read(into: Uint8Array, offset: number): void {
    const { changed, disk, blockSize } = this.#cache;
    if (changed.size === 0) return disk.read(into, offset);
    const within = offset % blockSize;
    const only = within + into.length <= blockSize ? changed.get((offset - within) / blockSize) : undefined;
    if (only !== undefined) {
      into.set(only.bytes.subarray(within, within + into.length));
      return;
    }
    disk.read(into, offset);
    const end = offset + into.length;
    for (const { start, bytes } of this.#changedIn(offset, into.length)) {
      const from = Math.max(offset, start);
      const to = Math.min(end, start + blockSize);
      into.set(bytes.subarray(from - start, to - start), from - offset);
    }
  }

  checkWritable(offset: number, length: number): void {
    this.#cache.disk.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.#refuseChanged(offset, from.length);
    this.#cache.disk.write(from, offset);
    this.#wrote(offset, from.length);
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.#refuseChanged(offset, length);
    this.#cache.disk.zero(offset, length, options);
    this.#wrote(offset, length);
  }

  span(offset: number, length: number): Span {
    const { changed, disk, blockSize } = this.#cache;
    if (changed.size === 0) return disk.span(offset, length);
    const next = [...this.#changedIn(offset, length)].reduce(
      (least, { start }) => Math.min(least, start),
      offset + length,
    );
    if (next > offset) return disk.span(offset, next - offset);
    return { length: Math.min(length, next + blockSize - offset), hole: false };
  }

  flush(): void {
    this.#cache.disk.flush();
  }

  close(): void {}

  *#changedIn(offset: number, length: number): Generator<Block> {
    const { changed, blockSize } = this.#cache;
    const first = Math.floor(offset / blockSize);
    const end = Math.ceil((offset + length) / blockSize);
    if (end - first > changed.size) {
      for (const block of changed.values()) if (block.number >= first && block.number < end) yield block;
    } else
      for (let number = first; number < end; number++) {
        const block = changed.get(number);
        if (block !== undefined) yield block;
      }
  }

  /** A block cannot be metadata and the contents of a file: what a damaged disk says is both would be damaged further. */
  #refuseChanged(offset: number, length: number): void {
    if (this.#cache.changed.size === 0) return;
    for (const { start } of this.#changedIn(offset, length))
      throw new CorruptError('disk', 'has data of a file over metadata that was changed', { offset: start });
  }
}
