/**
 * A cache of metadata that can be changed. What is not changed is read in pieces as anywhere; a changed block has
 * memory of its own until a journal has written it to its place. The contents of files never enter the cache: they are
 * written to the disk at once, through `view`.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { BlockCache, type BlockReader, type CachedPiece } from '../block-cache.js';
import type { Disk } from '../disk.js';
import type { Block } from './block.js';
import { writeBlocks } from './blocks.js';
import type { DiskTransaction } from './transaction.js';
import { CacheView } from './view.js';

interface CacheOptions {
  /** In bytes: a power of two, at most 65536. */
  readonly blockSize: number;
  /** Bytes of changed blocks that make the cache {@link WriteCache.isFull}. Default 32 MiB. */
  readonly memory?: number;
}

export class WriteCache implements BlockReader {
  /** What lies below: as written, not as changed. */
  readonly disk: Disk;
  readonly blockSize: number;
  /**
   * The disk as changed. Drivers that are writing read through it or through the cache, so that all see the same
   * bytes; files' contents are written to it.
   */
  readonly view: Disk;
  readonly #clean: BlockCache;
  readonly #changed = new Map<number, Block>();
  readonly #memory: number;
  /** Further contents of a block that will be written to its place: what a rule of writing keeps for that. */
  #kept: (number: number) => Iterable<Uint8Array> = () => [];

  constructor(disk: Disk, { blockSize, memory = 32 * 1024 * 1024 }: CacheOptions) {
    this.disk = disk;
    this.blockSize = blockSize;
    this.#clean = new BlockCache(disk);
    this.#memory = memory;
    this.view = new CacheView(this, (offset, length) => this.#clean.forgetRange(offset, length));
  }

  /** `kept` tells further contents of a block that will be written to its place. */
  keeps(kept: (number: number) => Iterable<Uint8Array>): void {
    this.#kept = kept;
  }

  /** The changed blocks, which nothing has written to their places yet, by number. */
  get changed(): ReadonlyMap<number, Block> {
    return this.#changed;
  }

  /** Whether changed blocks should be written to their places before there are more. */
  get isFull(): boolean {
    return this.#changed.size * this.blockSize >= this.#memory;
  }

  /** For reading, until anything else is read or changed. */
  peek(number: number): Block {
    const block = this.#changed.get(number);
    if (block !== undefined) return block;
    const bytes = this.#clean.bytes(this.#startOf(number), this.blockSize, 'metadata');
    return { number, start: number * this.blockSize, bytes, view: viewOf(bytes) };
  }

  /**
   * For changing, until the transaction ends. The old bytes are kept, so that the transaction can be undone. `blank`:
   * nothing leads to the block yet, whose old bytes are not read: it begins as zeroes.
   */
  change(
    transaction: DiskTransaction,
    number: number,
    { blank = false }: { readonly blank?: boolean } = {},
  ): Block {
    let block = this.#changed.get(number);
    if (block !== undefined) {
      transaction.note(block, blank);
      if (blank) block.bytes.fill(0);
      return block;
    }
    const start = this.#startOf(number);
    const bytes = new Uint8Array(this.blockSize);
    if (!blank) bytes.set(this.#clean.bytes(start, this.blockSize, 'metadata'));
    block = { number, start, bytes, view: viewOf(bytes) };
    transaction.noteNew(number, blank);
    this.#changed.set(number, block);
    return block;
  }

  at(offset: number, structure: string): CachedPiece {
    if (this.#changed.size > 0) {
      const block = this.#changed.get((offset - (offset % this.blockSize)) / this.blockSize);
      if (block !== undefined) return block;
    }
    return this.#clean.at(offset, structure);
  }

  bytes(offset: number, size: number, structure: string): Uint8Array {
    const block = this.at(offset, structure);
    const within = offset - block.start;
    if (within + size > block.bytes.length)
      throw new CorruptError(structure, 'lies outside the disk', { offset, size });
    return block.bytes.subarray(within, within + size);
  }

  /** Changed copies of these blocks are dropped: they are no metadata any more. */
  drop(first: number, count: number): void {
    if (count > this.#changed.size) {
      for (const number of this.#changed.keys())
        if (number >= first && number < first + count) this.#changed.delete(number);
    } else for (let number = first; number < first + count; number++) this.#changed.delete(number);
  }

  /** Gives a changed block its earlier bytes back; undefined: it was not changed. */
  restore(number: number, before: Uint8Array | undefined): void {
    if (before === undefined) this.#changed.delete(number);
    else (this.#changed.get(number) as Block).bytes.set(before); // safe: it stays while its transaction runs
  }

  /** Writes all changed blocks to their places, in the order of their numbers. */
  write(): void {
    writeBlocks(this.disk, this.#changed.values());
    this.settle();
  }

  /** All changed blocks were written to their places. */
  settle(): void {
    for (const { start, bytes } of this.#changed.values()) this.#clean.update(start, bytes);
    this.#changed.clear();
  }

  /**
   * Changes bytes of one block on the disk, and in all contents that the block has in memory: for the marks of a
   * filesystem, which stand outside all transactions.
   */
  amend(offset: number, length: number, change: (bytes: Uint8Array) => void): void {
    const within = offset % this.blockSize;
    const bytes = new Uint8Array(length);
    this.disk.read(bytes, offset);
    change(bytes);
    this.disk.write(bytes, offset);
    this.#clean.forget(offset);
    const number = (offset - within) / this.blockSize;
    const changed = this.#changed.get(number);
    const contents = new Set(this.#kept(number));
    if (changed !== undefined) contents.add(changed.bytes);
    for (const each of contents) change(each.subarray(within, within + length));
  }

  /** What is unchanged is read anew. */
  forget(offset: number): void {
    this.#clean.forget(offset);
  }

  /** Gives up everything, changed blocks too. */
  clear(): void {
    this.#clean.clear();
    this.#changed.clear();
  }

  #startOf(number: number): number {
    const start = number * this.blockSize;
    if (!(number >= 0 && start + this.blockSize <= this.disk.size))
      throw new CorruptError('metadata', 'a block lies outside the disk', {
        block: number,
        blockSize: this.blockSize,
      });
    return start;
  }
}
