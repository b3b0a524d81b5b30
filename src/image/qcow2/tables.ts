/**
 * L1 and L2 tables in memory, a slice at a time, up to a budget: a table can have 2 MiB, and often one entry is
 * needed.
 */
import { CorruptError, LruMap, viewOf } from '../../base/index.js';
import { type Disk, PaddedDisk } from '../../disk/index.js';

/** The largest slice. 16 KiB are 2,048 entries: 128 MiB of the guest at the usual cluster size. */
const sliceLimit = 16 * 1024;

export class TableCache {
  /** Bytes of a slice: a power of two, so that no table crosses the border of one. */
  readonly sliceSize: number;
  readonly #file: Disk;
  readonly #slices: LruMap<number, DataView>;
  #lastOffset = -1;
  #last: DataView = new DataView(new ArrayBuffer(0));

  constructor(file: Disk, clusterSize: number, budgetInBytes: number) {
    this.#file = file;
    this.sliceSize = Math.min(clusterSize, sliceLimit);
    this.#slices = new LruMap(Math.max(2, Math.floor(budgetInBytes / this.sliceSize)));
  }

  /**
   * The slice that begins at `offset`, a multiple of the slice's size. Past the file's end it is filled with zeroes.
   */
  slice(offset: number): DataView {
    if (offset === this.#lastOffset) return this.#last;
    let view = this.#slices.get(offset);
    if (!view) {
      if (offset >= this.#file.size) {
        throw new CorruptError('qcow2 table', 'lies outside the file', { offset, fileSize: this.#file.size });
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
}
