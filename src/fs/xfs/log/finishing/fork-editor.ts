/** A fork whose extents change in memory, and what becomes of its inode's number of blocks. */
import { CorruptError, work } from '../../../../base/index.js';
import { ExtentMap } from '../../extents.js';
import type { Inode } from '../../inode.js';
import { btreeHeaderSize, btreeHeaderSize5, extentSize, forkFormats } from '../../layout.js';
import type { PendingInode, Piece, Remapping } from '../../pending.js';
import { forkEnd } from '../layout.js';
import { logName } from '../log.js';
import type { Unfinished } from './unfinished.js';

const staleCount = 'its number of blocks may be out of date, since a change of its extents was under way';

/** Whether one piece goes on in the other, so that both are one extent. */
function continues(a: Piece | undefined, b: Piece | undefined): boolean {
  return (
    a?.block !== undefined &&
    b?.block !== undefined &&
    a.start + a.count === b.start &&
    a.block + a.count === b.block &&
    a.written === b.written
  );
}

/** A fork whose extents change, with the blocks that the inode has of it, those of its tree too. */
export class ForkEditor {
  readonly inode: Inode;
  readonly #unfinished: Unfinished;
  readonly #map: ExtentMap;
  readonly #pending: PendingInode;
  readonly #changes: Remapping;
  /** Extents that fit into the inode. */
  readonly #capacity: number;
  readonly #wasTree: boolean;
  #extents: number;
  #isTree: boolean;
  /** How many records went into leaves, and out of them: bounds for each leaf. */
  #inserted = 0;
  #removed = 0;

  constructor(unfinished: Unfinished, number: number, which: 'data' | 'attributes') {
    const inode = unfinished.volume.anyInode(number);
    const fork = inode[which];
    if (fork === undefined)
      throw new CorruptError(logName, 'maps into a fork that is not there', { inode: number });
    this.inode = inode;
    this.#unfinished = unfinished;
    this.#pending = unfinished.inode(number);
    this.#changes = this.#pending[which];
    this.#map = new ExtentMap(unfinished.volume, inode, fork);
    this.#capacity = Math.floor((fork.end - fork.start) / extentSize);
    this.#extents = fork.extentCount;
    this.#wasTree = fork.format === forkFormats.btree;
    this.#isTree = this.#wasTree;
  }

  at(block: number): Piece {
    return this.#map.at(block);
  }

  /** Takes blocks out of the fork; holes stay. */
  unmap(start: number, count: number): void {
    const end = start + count;
    let blocks = 0;
    let gone = 0;
    let before = this.#before(start);
    for (let block = start; block < end; ) {
      work.lookups.spend(1);
      const found = this.at(block);
      const piece = { ...found, count: Math.min(found.count, end - block) };
      if (piece.block !== undefined) {
        blocks += piece.count;
        if (!continues(before, piece)) gone++;
      }
      before = piece;
      block += piece.count;
    }
    const isCut = end < forkEnd && continues(before, this.at(end));
    this.#pending.blocks -= blocks;
    this.#changes.put({ start, count, block: undefined, written: true });
    if (blocks > 0) this.#reshape((isCut ? 1 : 0) - gone, start);
  }

  /** Puts an extent into a hole. False where there is none: nothing is done then. */
  map(extent: Piece): boolean {
    const { start, count } = extent;
    const end = start + count;
    for (let block = start; block < end; ) {
      work.lookups.spend(1);
      const found = this.at(block);
      if (found.block !== undefined) return false;
      block += found.count;
    }
    const joined =
      Number(continues(this.#before(start), extent)) +
      Number(end < forkEnd && continues(extent, this.at(end)));
    this.#changes.put(extent);
    this.#pending.blocks += count;
    this.#reshape(1 - joined, start);
    return true;
  }

  #before(block: number): Piece | undefined {
    return block === 0 ? undefined : this.at(block - 1);
  }

  /** A list that outgrows the inode becomes a tree, and one that fits becomes a list again: a block more or less. */
  #reshape(difference: number, at: number): void {
    this.#extents += difference;
    if (this.#isTree !== this.#extents > this.#capacity) {
      const isSmall = !this.#wasTree || this.#map.leafFill(at).isOnly;
      if (!isSmall) this.#unfinished.warn(this.inode.number, staleCount);
      this.#isTree = !this.#isTree;
      this.#pending.blocks += this.#isTree ? 1 : -1;
    } else if (this.#isTree) {
      if (difference > 0) this.#inserted += difference;
      else this.#removed -= difference;
      if (this.#mayRebalance(at)) this.#unfinished.warn(this.inode.number, staleCount);
    }
  }

  /** Whether a leaf may be cut in two, or joined with another. */
  #mayRebalance(at: number): boolean {
    if (!this.#wasTree) return this.#extents > leafRoom(this.#unfinished);
    const { entries, room, isOnly } = this.#map.leafFill(at);
    if (isOnly) return this.#extents > room;
    return entries + this.#inserted > room || entries - this.#removed < Math.floor(room / 2);
  }
}

/** How many extents a leaf holds. */
function leafRoom({ volume }: Unfinished): number {
  const { features, blockSize } = volume.superblock;
  return Math.floor((blockSize - (features.version === 5 ? btreeHeaderSize5 : btreeHeaderSize)) / extentSize);
}
