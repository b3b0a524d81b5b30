/**
 * Extent trees: sorted runs of blocks in a B-tree. The inode holds the root, and all leaves have the same depth.
 * Specification: the kernel's Documentation/filesystems/ext4/ifork.rst, "Extent Tree"; the checks are those of
 * fs/ext4/extents.c, __ext4_ext_check. An extent of more than 32768 blocks is unwritten: in a file it reads as
 * zeroes. Blocks of directories and symbolic links are read from it as from any other, because ext4_bread makes no
 * difference.
 */
import { CorruptError, checksumHolds, crc32c, LruMap, viewOf } from '../../base/index.js';
import { type Inode, inodeName } from './inode.js';
import {
  extentEntrySize as entrySize,
  extentAt,
  extentHeader,
  extentIndexAt,
  extentMagic,
  maxExtentDepth,
  maxInitializedLength,
} from './layout.js';
import type { BlockMap, BlockRun } from './run.js';
import type { ExtVolume } from './volume.js';

/** Logical block numbers have 32 bits. */
const logicalEnd = 0x1_0000_0000;
/** Nodes kept for one inode. */
const keptNodes = 16;

interface Node {
  readonly view: DataView;
  readonly entries: number;
  /** 0 in a leaf. */
  readonly depth: number;
  /** The logical blocks that this node covers: from `first` up to but not including `end`. */
  readonly first: number;
  readonly end: number;
}

/** The logical block at which entry `index` of a node begins; indexes and extents store it at the same offset. */
function entryBlock(node: Node, index: number): number {
  return node.view.getUint32((index + 1) * entrySize + extentAt.ee_block, true);
}

/** Where an index entry points. */
function childBlock(node: Node, index: number): number {
  const base = (index + 1) * entrySize;
  return (
    node.view.getUint16(base + extentIndexAt.ei_leaf_hi, true) * 0x1_0000_0000 +
    node.view.getUint32(base + extentIndexAt.ei_leaf_lo, true)
  );
}

/** A block of the tree itself. */
interface TreeBlock {
  readonly block: number;
  /** The first logical block that it covers. */
  readonly first: number;
  /** 0 for a leaf. */
  readonly level: number;
}

/** One extent of a leaf. */
interface Extent {
  readonly logical: number;
  readonly count: number;
  readonly block: number;
  readonly written: boolean;
}

function extentOf(node: Node, index: number): Extent {
  const base = (index + 1) * entrySize;
  const length = node.view.getUint16(base + extentAt.ee_len, true);
  const written = length <= maxInitializedLength;
  return {
    logical: node.view.getUint32(base + extentAt.ee_block, true),
    count: written ? length : length - maxInitializedLength,
    block:
      node.view.getUint16(base + extentAt.ee_start_hi, true) * 0x1_0000_0000 +
      node.view.getUint32(base + extentAt.ee_start_lo, true),
    written,
  };
}

/** The last entry that begins at or before `logical`; −1 if all begin later. */
function lastAtOrBefore(node: Node, logical: number): number {
  let low = 0;
  let high = node.entries;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entryBlock(node, middle) <= logical) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export class ExtentMap implements BlockMap {
  readonly #volume: ExtVolume;
  readonly #inode: Inode;
  readonly #name: string;
  readonly #root: Node;
  /** Whether unwritten extents are holes. */
  readonly #zeroes: boolean;
  /** Most files have no node but the root, so it is made with the first. */
  #nodes: LruMap<number, Node> | undefined;
  /** The last leaf that was used, since files are mostly read in order. */
  #leaf: Node | undefined;

  constructor(volume: ExtVolume, inode: Inode) {
    this.#volume = volume;
    this.#inode = inode;
    this.#name = inodeName(inode.number);
    this.#zeroes = inode.kind !== 'directory' && inode.kind !== 'symlink';
    const view = inode.blockView;
    const depth = extentHeader.get(view, 0, 'eh_depth');
    if (depth > maxExtentDepth) throw new CorruptError(this.#name, 'its extent tree is too deep', { depth });
    this.#root = this.#check(view, depth, { first: 0, end: logicalEnd, isRoot: true });
  }

  find(logical: number): BlockRun {
    if (logical >= logicalEnd)
      throw new CorruptError(this.#name, 'is larger than 2^32 blocks', { block: logical });
    let node = this.#leaf;
    if (node === undefined || logical < node.first || logical >= node.end) {
      node = this.#root;
      while (node.depth > 0) {
        const index = lastAtOrBefore(node, logical);
        if (index < 0) return { block: undefined, count: entryBlock(node, 0) - logical };
        node = this.#child(node, index);
      }
      this.#leaf = node;
    }
    const index = lastAtOrBefore(node, logical);
    if (index >= 0) {
      const extent = extentOf(node, index);
      const skip = logical - extent.logical;
      if (skip < extent.count)
        return {
          block: extent.written || !this.#zeroes ? extent.block + skip : undefined,
          count: extent.count - skip,
        };
    }
    const next = index + 1 < node.entries ? entryBlock(node, index + 1) : node.end;
    return { block: undefined, count: next - logical };
  }

  /** The extents in order, each once, without holes; in a damaged tree up to the damage. */
  *extents(): Generator<Extent> {
    yield* this.#extentsBelow(this.#root);
  }

  /** The blocks of the tree itself, each before those below it. */
  *treeBlocks(): Generator<TreeBlock> {
    yield* this.#treeBlocksBelow(this.#root);
  }

  *#extentsBelow(node: Node): Generator<Extent> {
    for (let index = 0; index < node.entries; index++) {
      if (node.depth === 0) yield extentOf(node, index);
      else yield* this.#extentsBelow(this.#child(node, index)); // at most maxExtentDepth deep
    }
  }

  *#treeBlocksBelow(node: Node): Generator<TreeBlock> {
    if (node.depth === 0) return;
    for (let index = 0; index < node.entries; index++) {
      yield { block: childBlock(node, index), first: entryBlock(node, index), level: node.depth - 1 };
      yield* this.#treeBlocksBelow(this.#child(node, index)); // at most maxExtentDepth deep
    }
  }

  #child(parent: Node, index: number): Node {
    const block = childBlock(parent, index);
    const known = this.#nodes?.get(block);
    const first = entryBlock(parent, index);
    // A block with two references is checked each time, because a node covers only its own range.
    if (known !== undefined && known.first === first && known.depth === parent.depth - 1) return known;
    const bytes = this.#volume.block(block, `${this.#name}: extent block ${block}`);
    const end = index + 1 < parent.entries ? entryBlock(parent, index + 1) : parent.end;
    const node = this.#check(viewOf(bytes), parent.depth - 1, { first, end, isRoot: false }, block);
    this.#nodes ??= new LruMap(keptNodes);
    this.#nodes.set(block, node);
    return node;
  }

  /** Checks a node as a whole: after this, its entries can be used as they are. */
  #check(
    view: DataView,
    depth: number,
    range: { readonly first: number; readonly end: number; readonly isRoot: boolean },
    block = 0,
  ): Node {
    const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
      new CorruptError(
        range.isRoot ? `${this.#name}: extent root` : `${this.#name}: extent block ${block}`,
        problem,
        details,
      );
    const header = extentHeader.decode(view);
    const room = Math.floor(view.byteLength / entrySize) - 1;
    if (header.eh_magic !== extentMagic) throw corrupt('has no magic number', { found: header.eh_magic });
    if (header.eh_depth !== depth)
      throw corrupt('is at the wrong depth', { depth: header.eh_depth, expected: depth });
    if (header.eh_max === 0 || header.eh_max > room)
      throw corrupt('its capacity is invalid', { max: header.eh_max });
    const entries = header.eh_entries;
    if (entries > header.eh_max) throw corrupt('has too many entries', { entries, max: header.eh_max });
    if (entries === 0 && depth > 0) throw corrupt('has no entries');
    if (!range.isRoot) this.#checkChecksum(view, header.eh_max, corrupt);

    const node: Node = { view, entries, depth, first: range.first, end: range.end };
    if (entries > 0 && !range.isRoot && entryBlock(node, 0) !== range.first)
      throw corrupt('does not begin where its parent says', {
        begins: entryBlock(node, 0),
        expected: range.first,
      });
    let free = range.first; // the first logical block not spoken of yet
    for (let index = 0; index < entries; index++) {
      const logical = entryBlock(node, index);
      if (logical < free) throw corrupt('its entries overlap or are out of order', { index, logical });
      if (depth > 0) {
        if (!this.#volume.containsBlocks(childBlock(node, index), 1))
          throw corrupt('points outside the filesystem', { index, block: childBlock(node, index) });
        free = logical + 1;
      } else {
        const extent = extentOf(node, index);
        if (extent.count === 0) throw corrupt('has an empty extent', { index });
        if (!this.#volume.containsBlocks(extent.block, extent.count))
          throw corrupt('has an extent outside the filesystem', {
            index,
            block: extent.block,
            count: extent.count,
          });
        free = logical + extent.count;
      }
    }
    if (free > range.end) throw corrupt('reaches into its neighbour', { reaches: free, end: range.end });
    return node;
  }

  /** The checksum lies behind the last place for an entry. */
  #checkChecksum(view: DataView, max: number, corrupt: (problem: string) => CorruptError): void {
    const seed = this.#volume.checksumSeedOf(this.#inode);
    if (seed === undefined) return;
    const tailAt = (max + 1) * entrySize;
    if (tailAt + 4 > view.byteLength) throw corrupt('has no room for its checksum');
    const bytes = new Uint8Array(view.buffer, view.byteOffset, tailAt);
    if (!checksumHolds(crc32c(seed, bytes), view.getUint32(tailAt, true)))
      throw corrupt('has a bad checksum');
  }
}
