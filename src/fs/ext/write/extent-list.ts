/**
 * The extents of one file in memory, where they can be changed before they are written into an extent tree.
 */
import { CorruptError } from '../../../base/index.js';
import type { BlockMap, BlockRun } from '../run.js';

/** A run of blocks of a file. */
export interface ListedExtent {
  readonly logical: number;
  readonly count: number;
  readonly block: number;
  readonly written: boolean;
}

/** Extents in memory, in order and without overlap. */
export class ExtentList implements BlockMap {
  readonly #extents: ListedExtent[];

  constructor(extents: Iterable<ListedExtent>) {
    this.#extents = [...extents];
  }

  get extents(): readonly ListedExtent[] {
    return this.#extents;
  }

  find(logical: number): BlockRun {
    const index = this.#firstEndingAfter(logical);
    const extent = this.#extents[index];
    if (extent === undefined) return { block: undefined, count: 0x1_0000_0000 };
    if (extent.logical > logical) return { block: undefined, count: extent.logical - logical };
    const skip = logical - extent.logical;
    return { block: extent.written ? extent.block + skip : undefined, count: extent.count - skip };
  }

  /** Removes blocks `logical` to `logical + count`. */
  remove(logical: number, count: number): void {
    const end = logical + count;
    const first = this.#firstEndingAfter(logical);
    let after = first;
    const kept: ListedExtent[] = [];
    for (; after < this.#extents.length; after++) {
      const extent = this.#extents[after] as ListedExtent; // safe: after < length
      if (extent.logical >= end) break;
      const before = logical - extent.logical;
      if (before > 0) kept.push({ ...extent, count: before });
      const behind = extent.logical + extent.count - end;
      if (behind > 0) {
        const skip = extent.count - behind;
        kept.push({ ...extent, logical: end, block: extent.block + skip, count: behind });
      }
    }
    this.#extents.splice(first, after - first, ...kept);
  }

  /** Puts an extent in, in place of what was there. */
  set(extent: ListedExtent): void {
    if (extent.count === 0) throw new CorruptError('ext4 extent', 'is empty', { logical: extent.logical });
    this.remove(extent.logical, extent.count);
    this.#extents.splice(this.#firstEndingAfter(extent.logical), 0, extent);
  }

  #firstEndingAfter(logical: number): number {
    let low = 0;
    let high = this.#extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = this.#extents[middle] as ListedExtent; // safe: middle < high ≤ length
      if (extent.logical + extent.count <= logical) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
