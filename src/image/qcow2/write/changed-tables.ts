/** Tables of an image of which some parts are changed in memory, until they are written in an order of the caller's. */
import { viewOf } from '../../../base/index.js';
import type { TableCache } from '../../table-cache.js';
import type { ImageFile } from './image-file.js';

/** The most bytes that are written at once. */
const mostAtOnce = 1024 * 1024;

export class ChangedTables {
  readonly sliceSize: number;
  readonly #file: ImageFile;
  readonly #clean: TableCache;
  readonly #changed = new Map<number, DataView>();

  constructor(file: ImageFile, clean: TableCache) {
    this.#file = file;
    this.#clean = clean;
    this.sliceSize = clean.sliceSize;
  }

  /** Bytes that wait to be written. */
  get changedBytes(): number {
    return this.#changed.size * this.sliceSize;
  }

  /** For reading. `offset` is a multiple of the slice's size. */
  readonly slice = (offset: number): DataView => {
    if (this.#changed.size === 0) return this.#clean.slice(offset);
    return this.#changed.get(offset) ?? this.#clean.slice(offset);
  };

  /** For changing. */
  change(offset: number): DataView {
    let view = this.#changed.get(offset);
    if (view === undefined) {
      view = this.#clean.slice(offset);
      this.#changed.set(offset, view);
    }
    return view;
  }

  /** A new table of zeroes, whatever the file holds there. */
  blank(offset: number, length: number): void {
    for (let at = 0; at < length; at += this.sliceSize)
      this.#changed.set(offset + at, viewOf(new Uint8Array(this.sliceSize)));
  }

  /** Writes what is changed, or of that what `wanted` says, in ascending order. */
  write(wanted: (offset: number) => boolean = () => true): void {
    const offsets = [...this.#changed.keys()].filter(wanted).sort((one, other) => one - other);
    for (let at = 0; at < offsets.length; ) {
      const first = offsets[at] as number; // safe: below the length
      let count = 1;
      while (
        offsets[at + count] === first + count * this.sliceSize &&
        (count + 1) * this.sliceSize <= mostAtOnce
      )
        count++;
      const bytes = new Uint8Array(count * this.sliceSize);
      for (let index = 0; index < count; index++) {
        const view = this.#changed.get(first + index * this.sliceSize) as DataView; // safe: its key is in the list
        bytes.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), index * this.sliceSize);
      }
      this.#file.writeTable(bytes, first);
      at += count;
    }
    for (const offset of offsets) {
      this.#clean.put(offset, this.#changed.get(offset) as DataView); // safe: as above
      this.#changed.delete(offset);
    }
  }
}
