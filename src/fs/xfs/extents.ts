/**
 * Where the blocks of a fork lie: sorted extents, in the inode, or in the leaves of a B-tree whose root is in the inode.
 * Specification: "XFS Algorithms & Data Structures", 3rd edition, "Data Extents"; the checks are those of the kernel's
 * fs/xfs/libxfs/xfs_bmap.c and xfs_bmap_btree.c. An unwritten extent is space that reads as zeroes.
 */
import { CorruptError, LruMap, viewOf, work } from '../../base/index.js';
import { type Fork, type Inode, inodeName } from './inode.js';
import {
  extentBits as bits,
  btreeBlock,
  btreeHeaderSize,
  btreeHeaderSize5,
  btreeKeySize,
  btreeMagic,
  btreeMagic5,
  btreePointerSize,
  btreeRoot,
  extentSize,
  forkFormats,
  longBtreeSelf,
  mostBtreeLevels,
} from './layout.js';
import type { Piece, Remapping } from './pending.js';
import type { XfsVolume } from './volume.js';

/** Nodes kept for one fork. */
const keptNodes = 16;
/** File offsets have 54 bits, in blocks; a number holds what a size of 2^53 bytes can reach. */
const offsetEnd = Number.MAX_SAFE_INTEGER;

/** Neighbouring blocks of a fork; without `block`, a hole or space that was never written. */
interface BlockRun {
  readonly block: number | undefined;
  readonly count: number;
}

/** How full the leaf of a tree is. */
interface LeafFill {
  readonly entries: number;
  readonly room: number;
  /** Whether all extents are in this one. */
  readonly isOnly: boolean;
}

interface Node {
  readonly view: DataView;
  /** The offset of the extents or keys. */
  readonly recordsAt: number;
  /** The offset of the pointers; in nodes above the leaves. */
  readonly pointersAt: number;
  readonly entries: number;
  /** How many there may be. */
  readonly room: number;
  /** 0 in a leaf. */
  readonly level: number;
  /** The blocks of the fork that this node covers: from `first` up to but not including `end`. */
  readonly first: number;
  readonly end: number;
}

/** One extent of a leaf. */
interface Extent {
  readonly start: number;
  readonly count: number;
  readonly block: number;
  readonly written: boolean;
}

function extentStart(view: DataView, at: number): number {
  return (
    (view.getUint32(at) & bits.offsetHigh) * bits.offsetLowSize +
    (view.getUint32(at + 4) >>> bits.offsetLowShift)
  );
}

function extentOf(node: Node, index: number): Extent {
  const { view } = node;
  const at = node.recordsAt + index * extentSize;
  const low = view.getUint32(at + 12);
  return {
    start: extentStart(view, at),
    count: low & bits.count,
    block:
      (view.getUint32(at + 4) & bits.blockHigh) * bits.blockHighSize +
      view.getUint32(at + 8) * bits.blockMiddleSize +
      (low >>> bits.blockLowShift),
    written: (view.getUint32(at) & bits.unwritten) === 0,
  };
}

/** The block of the fork at which entry `index` begins. */
function entryStart(node: Node, index: number): number {
  if (node.level === 0) return extentStart(node.view, node.recordsAt + index * extentSize);
  const at = node.recordsAt + index * btreeKeySize;
  return node.view.getUint32(at) * 0x1_0000_0000 + node.view.getUint32(at + 4);
}

/** The block that an entry of an inner node points to; beyond 2^53 where the pointer is nonsense. */
function childOf(node: Node, index: number): number {
  const at = node.pointersAt + index * btreePointerSize;
  return node.view.getUint32(at) * 0x1_0000_0000 + node.view.getUint32(at + 4);
}

/** The last entry that begins at or before `block`; −1 if all begin later. */
function lastAtOrBefore(node: Node, block: number): number {
  let low = 0;
  let high = node.entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entryStart(node, middle) <= block) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class ExtentMap {
  readonly #volume: XfsVolume;
  readonly #inode: Inode;
  readonly #name: string;
  readonly #root: Node;
  /** What the log has more than the disk. */
  readonly #changes: Remapping | undefined;
  /** Most forks have no node but the root, so it is made with the first. */
  #nodes: LruMap<number, Node> | undefined;
  /** The last leaf that was used, since files are mostly read in order. */
  #leaf: Node | undefined;

  /** `fork` holds extents or the root of a tree: a CorruptError otherwise. */
  constructor(volume: XfsVolume, inode: Inode, fork: Fork) {
    this.#volume = volume;
    this.#inode = inode;
    this.#name = inodeName(inode.number);
    const pending = volume.replayed?.pending.get(inode.number);
    this.#changes = fork === inode.attributes ? pending?.attributes : pending?.data;
    const view = viewOf(inode.forkBytes(fork));
    if (fork.format === forkFormats.extents) {
      if (fork.extentCount * extentSize > view.byteLength)
        throw new CorruptError(this.#name, 'has more extents than fit', { extents: fork.extentCount });
      this.#root = this.#check(
        {
          view,
          recordsAt: 0,
          pointersAt: 0,
          entries: fork.extentCount,
          room: Math.floor(view.byteLength / extentSize),
          level: 0,
          first: 0,
          end: offsetEnd,
        },
        'extents',
      );
    } else if (fork.format === forkFormats.btree) this.#root = this.#rootOf(view);
    else throw new CorruptError(this.#name, 'has a fork of an unknown format', { format: fork.format });
  }

  #rootOf(view: DataView): Node {
    const { bb_level: level, bb_numrecs: entries } = btreeRoot.decode(view);
    const structure = 'root of extents';
    const room = Math.floor((view.byteLength - btreeRoot.size) / (btreeKeySize + btreePointerSize));
    if (level === 0 || level > mostBtreeLevels || entries === 0 || entries > room)
      throw new CorruptError(`${this.#name}: ${structure}`, 'is invalid', { level, entries, room });
    const recordsAt = btreeRoot.size;
    const pointersAt = recordsAt + room * btreeKeySize;
    return this.#check(
      { view, recordsAt, pointersAt, entries, room, level, first: 0, end: offsetEnd },
      structure,
    );
  }

  /** The run at a block of the fork. */
  find(block: number): BlockRun {
    const piece = this.at(block);
    return piece.written ? piece : { block: undefined, count: piece.count };
  }

  /** What lies at a block of the fork, from there on as far as it is one piece. */
  at(block: number): Piece {
    const change = this.#changes?.from(block);
    if (change === undefined) return this.#stored(block);
    const skip = block - change.start;
    if (skip >= 0)
      return {
        start: block,
        count: change.count - skip,
        block: change.block === undefined ? undefined : change.block + skip,
        written: change.written,
      };
    const piece = this.#stored(block);
    return piece.count > -skip ? { ...piece, count: -skip } : piece;
  }

  /** The same as the disk has it. */
  #stored(block: number): Piece {
    const node = this.#leafFor(block);
    if (typeof node === 'number')
      return { start: block, count: node - block, block: undefined, written: true };
    const index = lastAtOrBefore(node, block);
    if (index >= 0) {
      const { start, count, block: first, written } = extentOf(node, index);
      const skip = block - start;
      if (skip < count) return { start: block, count: count - skip, block: first + skip, written };
    }
    const next = index + 1 < node.entries ? entryStart(node, index + 1) : node.end;
    return { start: block, count: next - block, block: undefined, written: true };
  }

  /** The leaf in which a block of the fork has its place; before the first of all, where that begins. */
  #leafFor(block: number): Node | number {
    let node = this.#leaf;
    if (node === undefined || block < node.first || block >= node.end) {
      node = this.#root;
      while (node.level > 0) {
        const index = lastAtOrBefore(node, block);
        if (index < 0) return entryStart(node, 0);
        node = this.#child(node, index);
      }
      this.#leaf = node;
    }
    return node;
  }

  /** The leaf of the tree that has, or would have, the extent at a block. */
  leafFill(block: number): LeafFill {
    const leaf = this.#leafFor(block);
    const node = typeof leaf === 'number' ? this.#leafFor(leaf) : leaf;
    const { entries, room } = node as Node; // safe: the first extent of all begins where it was said to
    return { entries, room, isOnly: this.#root.level === 1 && this.#root.entries === 1 };
  }

  /** The extents in order from `first` on, up to `end`; in a damaged tree up to the damage. */
  *extents(first = 0, end = offsetEnd): Generator<Extent> {
    if (this.#changes?.isEmpty !== false) {
      yield* this.#extentsBelow(this.#root, first, end);
      return;
    }
    for (let block = first; block < end; ) {
      work.lookups.spend(1);
      const piece = this.at(block);
      if (piece.block !== undefined) yield { ...piece, block: piece.block };
      block += piece.count;
    }
  }

  *#extentsBelow(node: Node, first: number, end: number): Generator<Extent> {
    for (let index = Math.max(0, lastAtOrBefore(node, first)); index < node.entries; index++) {
      work.lookups.spend(1);
      if (entryStart(node, index) >= end) return;
      if (node.level > 0)
        yield* this.#extentsBelow(this.#child(node, index), first, end); // at most mostBtreeLevels
      else {
        const extent = extentOf(node, index);
        if (extent.start + extent.count > first) yield extent;
      }
    }
  }

  #child(parent: Node, index: number): Node {
    const block = childOf(parent, index);
    const known = this.#nodes?.get(block);
    const first = entryStart(parent, index);
    // A block with two references is checked each time, because a node covers only its own range.
    if (known !== undefined && known.first === first && known.level === parent.level - 1) return known;
    const structure = `extent block ${block}`;
    const name = `${this.#name}: ${structure}`;
    const bytes = this.#volume.block(block, name);
    const version5 = this.#volume.superblock.features.version === 5;
    const { bb_magic: magic, bb_level: level, bb_numrecs: entries } = btreeBlock.decode(bytes);
    if (magic !== (version5 ? btreeMagic5 : btreeMagic))
      throw new CorruptError(name, 'has no magic number', { found: magic });
    const place = { offset: this.#volume.offsetOf(block), length: bytes.length };
    this.#volume.verify(bytes, longBtreeSelf, [place], this.#inode.number, name);
    const recordsAt = version5 ? btreeHeaderSize5 : btreeHeaderSize;
    const room = Math.floor((bytes.length - recordsAt) / extentSize); // a key and a pointer take as much
    if (level !== parent.level - 1 || entries === 0 || entries > room)
      throw new CorruptError(name, 'is invalid', { level, expected: parent.level - 1, entries, room });
    const end = index + 1 < parent.entries ? entryStart(parent, index + 1) : parent.end;
    const pointersAt = recordsAt + room * btreeKeySize;
    const node = this.#check(
      { view: viewOf(bytes), recordsAt, pointersAt, entries, room, level, first, end },
      structure,
    );
    this.#nodes ??= new LruMap(keptNodes);
    this.#nodes.set(block, node);
    return node;
  }

  /** Checks a node as a whole: after this, its entries can be used as they are. */
  #check(node: Node, structure: string): Node {
    const { entries, level, first, end } = node;
    const corrupt = (problem: string, details: Record<string, number>): CorruptError =>
      new CorruptError(`${this.#name}: ${structure}`, problem, details);
    let free = first; // the first block of the fork not spoken of yet
    for (let index = 0; index < entries; index++) {
      const start = entryStart(node, index);
      if (start < free) throw corrupt('its entries overlap or are out of order', { index, start });
      if (level > 0) {
        if (!this.#volume.containsBlocks(childOf(node, index), 1))
          throw corrupt('points outside the filesystem', { index, block: childOf(node, index) });
        free = start + 1;
        continue;
      }
      const { count, block } = extentOf(node, index);
      if (count === 0) throw corrupt('has an empty extent', { index });
      // A realtime file's extents lie on another device, where nobody follows them.
      if (!this.#inode.isRealtime && !this.#volume.containsBlocks(block, count))
        throw corrupt('has an extent outside the filesystem', { index, block, count });
      free = start + count;
    }
    if (free > end) throw corrupt('reaches into its neighbour', { reaches: free, end });
    return node;
  }
}
