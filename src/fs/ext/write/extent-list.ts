/**
 * The extents of one file in memory, where they can be changed before they are written into an extent tree.
 */
import { CorruptError } from '../../../base/index.js';
import { maxInitializedLength } from '../layout.js';

/** A run of blocks of a file. */
export interface ListedExtent {
  readonly logical: number;
  readonly count: number;
  readonly block: number;
  readonly written: boolean;
}

/** Extents in memory, in order and without overlap. Those that go on where the one before ends are one. */
export class ExtentList {
  readonly #extents: ListedExtent[];
  /** The first extent that differs from what {@link takeChanged} told last. */
  #changedFrom = Number.POSITIVE_INFINITY;

  constructor(extents: Iterable<ListedExtent>) {
    this.#extents = [...extents];
  }

  get extents(): readonly ListedExtent[] {
    return this.#extents;
  }

  /** The first extent that was changed since the last call; undefined for none. */
  takeChanged(): number | undefined {
    const from = this.#changedFrom;
    this.#changedFrom = Number.POSITIVE_INFINITY;
    return Number.isFinite(from) ? from : undefined;
  }

  /** The extent with a block, or the next behind it; undefined behind the last. */
  from(logical: number): ListedExtent | undefined {
    return this.#extents[this.#firstEndingAfter(logical)];
  }

  /** The last extent that begins before a block; undefined for none. */
  before(logical: number): ListedExtent | undefined {
    let index = this.#firstEndingAfter(logical);
    const extent = this.#extents[index];
    if (extent === undefined || extent.logical >= logical) index--;
    return this.#extents[index];
  }

  /** Removes blocks `logical` to `logical + count`. What was removed, in order. */
  remove(logical: number, count: number): ListedExtent[] {
    const end = logical + count;
    const first = this.#firstEndingAfter(logical);
    let after = first;
    const kept: ListedExtent[] = [];
    const removed: ListedExtent[] = [];
    for (; after < this.#extents.length; after++) {
      const extent = this.#extents[after] as ListedExtent; // safe: after < length
      if (extent.logical >= end) break;
      const from = Math.max(extent.logical, logical);
      const to = Math.min(extent.logical + extent.count, end);
      if (from > extent.logical) kept.push({ ...extent, count: from - extent.logical });
      removed.push(partOf(extent, from, to));
      if (to < extent.logical + extent.count) kept.push(partOf(extent, to, extent.logical + extent.count));
    }
    if (removed.length > 0) this.#splice(first, after - first, kept);
    return removed;
  }

  /** Puts an extent in, in place of what was there, which is returned. */
  set(extent: ListedExtent): ListedExtent[] {
    if (extent.count === 0) throw new CorruptError('ext4 extent', 'is empty', { logical: extent.logical });
    const removed = this.remove(extent.logical, extent.count);
    let index = this.#firstEndingAfter(extent.logical);
    const pieces = split(extent);
    let taken = 0;
    const last = this.#extents[index - 1];
    const first = pieces[0];
    if (last !== undefined && first !== undefined && continues(last, first)) {
      pieces[0] = { ...last, count: last.count + first.count };
      index--;
      taken++;
    }
    const next = this.#extents[index + taken];
    const end = pieces.at(-1);
    if (next !== undefined && end !== undefined && continues(end, next)) {
      pieces[pieces.length - 1] = { ...end, count: end.count + next.count };
      taken++;
    }
    this.#splice(index, taken, pieces);
    return removed;
  }

  #splice(at: number, count: number, by: readonly ListedExtent[]): void {
    this.#changedFrom = Math.min(this.#changedFrom, at);
    this.#extents.splice(at, count, ...by);
  }

  #firstEndingAfter(logical: number): number {
    const extents = this.#extents;
    const last = extents[extents.length - 1];
    if (last !== undefined && last.logical + last.count <= logical) return extents.length;
    let low = 0;
    let high = extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const extent = extents[middle] as ListedExtent; // safe: middle < high ≤ length
      if (extent.logical + extent.count <= logical) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The longest extent: unwritten ones are marked by their length. */
function longest(written: boolean): number {
  return maxInitializedLength - (written ? 0 : 1);
}

function partOf(extent: ListedExtent, from: number, to: number): ListedExtent {
  return { ...extent, logical: from, block: extent.block + from - extent.logical, count: to - from };
}

/** In pieces that an extent can have as its length. */
function split(extent: ListedExtent): ListedExtent[] {
  const most = longest(extent.written);
  const pieces: ListedExtent[] = [];
  const end = extent.logical + extent.count;
  for (let from = extent.logical; from < end; from += most)
    pieces.push(partOf(extent, from, Math.min(end, from + most)));
  return pieces;
}

function continues(first: ListedExtent, second: ListedExtent): boolean {
  return (
    first.written === second.written &&
    first.logical + first.count === second.logical &&
    first.block + first.count === second.block &&
    first.count + second.count <= longest(first.written)
  );
}
