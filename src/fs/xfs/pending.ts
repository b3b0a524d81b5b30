/**
 * What a crash left begun and not done, finished in memory: the disk has an inode as it was before, and here is what
 * readers see of it instead.
 */
import { work } from '../../base/index.js';

/** A part of a fork: where it lies, or a hole; in blocks. */
export interface Piece {
  /** In the fork. */
  readonly start: number;
  readonly count: number;
  /** In the filesystem; undefined in a hole. */
  readonly block: number | undefined;
  /** False for space that reads as zeroes. */
  readonly written: boolean;
}

/** Ranges compared by one unit of work, when one is put between others. */
const movedAtOnce = 64;

/** Parts of a fork that lie elsewhere than the disk says; sorted, and no two for one block. */
export class Remapping {
  readonly #pieces: Piece[] = [];

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** The piece at a block, or the next one behind it; undefined if there is none. */
  from(block: number): Piece | undefined {
    return this.#pieces[this.#firstBehind(block)];
  }

  /** What was said of these blocks before is forgotten. */
  put(piece: Piece): void {
    const { start, count } = piece;
    const end = start + count;
    const first = this.#firstBehind(start);
    let last = first;
    const parts: Piece[] = [piece];
    for (; ; last++) {
      const old = this.#pieces[last];
      if (old === undefined || old.start >= end) break;
      if (old.start < start) parts.unshift(partOf(old, old.start, start));
      if (old.start + old.count > end) parts.push(partOf(old, end, old.start + old.count));
    }
    work.lookups.spend(1 + Math.floor((this.#pieces.length - first) / movedAtOnce));
    this.#pieces.splice(first, last - first, ...parts);
  }

  /** The first piece that ends behind a block. */
  #firstBehind(block: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { start, count } = this.#pieces[middle] as Piece; // safe: low ≤ middle < high ≤ length
      if (start + count <= block) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function partOf({ start, block, written }: Piece, from: number, to: number): Piece {
  return {
    start: from,
    count: to - from,
    block: block === undefined ? undefined : block + (from - start),
    written,
  };
}

/** An attribute that the log has, by its stored name and flags. */
interface PendingAttribute {
  readonly name: Uint8Array;
  readonly flags: number;
  readonly value: Uint8Array;
}

/** One inode. */
export class PendingInode {
  readonly data = new Remapping();
  /** The fork of attributes. */
  readonly attributes = new Remapping();
  /** Blocks that it has more than the disk says. */
  blocks = 0;
  /** In bytes; undefined where the disk is right. */
  size: number | undefined;
  /** By full name; undefined for one that is removed. */
  readonly xattrs = new Map<string, PendingAttribute | undefined>();
}
