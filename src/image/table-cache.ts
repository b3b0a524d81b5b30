/**
 * The tables of an image in memory, a slice at a time, up to a budget: a table can have megabytes, and often one entry
 * is needed.
 */
import { CorruptError, LruMap, viewOf } from '../base/index.js';
import { type Disk, PaddedDisk } from '../disk/index.js';

/** The largest slice: of a qcow2's tables 2,048 entries, which are 128 MiB of the guest at the usual cluster size. */
const sliceLimit = 16 * 1024;

interface TableCacheOptions {
  /** The name of the tables for messages: `qcow2 table`. */
  readonly name: string;
  /** The most bytes that a slice may have, a power of two that the length of an entry divides. */
  readonly mostInSlice: number;
  /** In bytes. */
  readonly budget: number;
}

export class TableCache {
  /** Bytes of a slice: a power of two, so that no entry crosses the border of one. */
  readonly sliceSize: number;
  readonly #file: Disk;
  readonly #name: string;
  readonly #slices: LruMap<number, DataView>;
  #lastOffset = -1;
  #last: DataView = new DataView(new ArrayBuffer(0));

  constructor(file: Disk, { name, mostInSlice, budget }: TableCacheOptions) {
    this.#file = file;
    this.#name = name;
    this.sliceSize = Math.min(mostInSlice, sliceLimit);
    this.#slices = new LruMap(Math.max(2, Math.floor(budget / this.sliceSize)));
  }

  /**
   * The slice that begins at `offset`, a multiple of the slice's size. Past the file's end it is filled with zeroes.
   */
  slice(offset: number): DataView {
    if (offset === this.#lastOffset) return this.#last;
    let view = this.#slices.get(offset);
    if (!view) {
      if (offset >= this.#file.size) {
        throw new CorruptError(this.#name, 'lies outside the file', { offset, fileSize: this.#file.size });
      }
      const bytes = new Uint8Array(this.sliceSize);
      new PaddedDisk(this.#file, offset + this.sliceSize).read(bytes, offset);
      view = viewOf(bytes);
      this.#slices.set(offset, view);
    }
    this.#lastOffset = offset;
    this.#last = view;
    return view;
  }

  /** Takes a slice as the file has it by now. */
  put(offset: number, view: DataView): void {
    this.#slices.set(offset, view);
    this.#lastOffset = -1;
  }
}
