/**
 * Indexes: B-trees of keys, whose root is in the file's record, and whose other nodes are blocks of a stream. A directory
 * is one of names; `$Secure` and `$ObjId` have others, of fixed keys with data.
 */
import { CorruptError, LruMap, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { applyFixups } from './fixup.js';
import type { Inode } from './inode.js';
import {
  attributeTypes,
  indexEntryAt as entryAt,
  fixupUnit,
  greatestIndexBlock,
  indexBlock,
  indexEntryFlags,
  indexHeader,
  indexMagic,
  indexPointerSize,
  indexRoot,
  leastIndexBlock,
  mostIndexLevels,
} from './layout.js';
import { fileName } from './record.js';
import type { NtfsVolume } from './volume.js';

/** Blocks kept of one index, in bytes. */
const keptBytes = 64 * 1024;

/** Which index of a file, and what its keys are. */
export interface IndexKind {
  readonly name: string;
  /** For messages. */
  readonly what: string;
  readonly collation: number;
  /** Whether there is a key in so many bytes. */
  isKey(view: DataView, at: number, length: number): boolean;
}

/** Entries of one node. */
export interface IndexNode {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/** Where an entry is. */
interface IndexEntry {
  readonly view: DataView;
  readonly at: number;
}

export class IndexTree {
  readonly root: IndexNode;
  /** For messages. */
  readonly name: string;
  readonly #inode: Inode;
  readonly #volume: NtfsVolume;
  readonly #kind: IndexKind;
  readonly #blockSize: number;
  /** Bytes of a unit in which blocks are numbered. */
  readonly #unitSize: number;
  readonly #blocks: Disk | undefined;
  readonly #kept: LruMap<number, IndexNode>;

  constructor(volume: NtfsVolume, inode: Inode, kind: IndexKind) {
    this.#inode = inode;
    this.#volume = volume;
    this.#kind = kind;
    this.name = `${fileName(inode.number)}: ${kind.what}`;
    const value = inode.attributes.find(attributeTypes.indexRoot, kind.name)?.first.value;
    if (value === undefined) throw new CorruptError(this.name, 'has no index');
    const { collation_rule: rule, index_block_size: blockSize } = indexRoot.decode(value);
    const isValid =
      blockSize >= leastIndexBlock &&
      blockSize <= greatestIndexBlock &&
      Number.isInteger(Math.log2(blockSize));
    if (rule !== kind.collation || !isValid)
      throw new CorruptError(this.name, 'has an index of another kind', { rule, blockSize });
    this.#blockSize = blockSize;
    const { clusterSize } = volume.geometry;
    this.#unitSize = blockSize >= clusterSize ? clusterSize : fixupUnit;
    this.root = this.#node(viewOf(value), indexRoot.size, `${this.name}: root`);
    const blocks = inode.attributes.find(attributeTypes.indexAllocation, kind.name);
    this.#blocks = blocks && volume.open(blocks);
    this.#kept = new LruMap(Math.max(1, keptBytes / blockSize));
  }

  /** The entries that a header at `at` has. */
  #node(view: DataView, at: number, name: string): IndexNode {
    const { entries_offset: first, index_length: length } = indexHeader.decode(view, at);
    if (first < indexHeader.size || first % 8 !== 0 || first > length || at + length > view.byteLength)
      throw new CorruptError(name, 'has entries outside', { first, length });
    return { view, start: at + first, end: at + length };
  }

  /** The offsets of the entries of a node; the last is the one without a key. */
  *offsets({ view, start, end }: IndexNode): Generator<number> {
    for (let at = start; ; ) {
      work.entries.spend(1);
      if (at + entryAt.key > end) throw new CorruptError(this.name, 'has a node without an end', { at });
      const length = view.getUint16(at + entryAt.length, true);
      const flags = view.getUint16(at + entryAt.flags, true);
      const pointer = (flags & indexEntryFlags.node) === 0 ? 0 : indexPointerSize;
      const isLast = (flags & indexEntryFlags.end) !== 0;
      const keyLength = isLast ? 0 : view.getUint16(at + entryAt.key_length, true);
      if (length % 8 !== 0 || length < entryAt.key + keyLength + pointer || at + length > end)
        throw new CorruptError(this.name, 'has an entry of no valid length', { at, length });
      if (!isLast && !this.#kind.isKey(view, at + entryAt.key, keyLength))
        throw new CorruptError(this.name, 'has an entry without a key', { at, keyLength });
      yield at;
      if (isLast) return;
      at += length;
    }
  }

  /** A block that is read once. */
  readBlock(index: number): IndexNode {
    const bytes = new Uint8Array(this.#blockSize);
    if (this.#blocks === undefined) throw new CorruptError(this.name, 'has no blocks', { block: index });
    this.#blocks.read(bytes, index * this.#blockSize);
    return this.#decodeBlock(bytes, index);
  }

  /** A block that is kept. */
  #block(index: number): IndexNode {
    const known = this.#kept.get(index);
    if (known !== undefined) return known;
    const node = this.readBlock(index);
    this.#kept.set(index, node);
    return node;
  }

  #decodeBlock(bytes: Uint8Array, index: number): IndexNode {
    const name = `${this.name}: block ${index}`;
    const { magic, usa_ofs, usa_count, index_block_vcn } = indexBlock.decode(bytes);
    if (magic !== indexMagic) throw new CorruptError(name, 'has no magic number', { found: magic });
    applyFixups(bytes, usa_ofs, usa_count, name);
    if (index_block_vcn * this.#unitSize !== index * this.#blockSize)
      throw new CorruptError(name, 'belongs to another place', { found: index_block_vcn });
    return this.#node(viewOf(bytes), indexBlock.size, name);
  }

  /** The block that an entry points to, for keys before its own. */
  #child(view: DataView, at: number): number {
    const pointer = at + view.getUint16(at + entryAt.length, true) - indexPointerSize;
    const units = view.getUint32(pointer + 4, true) * 0x1_0000_0000 + view.getUint32(pointer, true);
    const index = (units * this.#unitSize) / this.#blockSize;
    if (!Number.isSafeInteger(index)) throw new CorruptError(this.name, 'points to no block', { units });
    return index;
  }

  /** The blocks that the bitmap says are in use. */
  *usedBlocks(): Generator<number> {
    if (this.#blocks === undefined) return;
    const bitmap = this.#inode.attributes.find(attributeTypes.bitmap, this.#kind.name);
    if (bitmap === undefined) throw new CorruptError(this.name, 'has blocks and no bitmap of them');
    const bits = this.#volume.open(bitmap);
    const count = Math.min(Math.floor(this.#blocks.size / this.#blockSize), bits.size * 8);
    const piece = new Uint8Array(Math.min(4096, bits.size));
    for (let first = 0; first < count; first += piece.length * 8) {
      const part = piece.subarray(0, Math.min(piece.length, bits.size - first / 8));
      bits.read(part, first / 8);
      for (let index = first; index < count && index < first + part.length * 8; index++) {
        const bit = index - first;
        if ((((part[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) !== 0) yield index;
        else if ((bit & 7) === 0) work.entries.spend(1);
      }
    }
  }

  /**
   * The entry of a key; undefined where there is none. `order`: how the wanted key stands to one, below or above zero.
   * `first`: of several that are equal the first, not any.
   */
  find(order: (view: DataView, key: number) => number, first = false): IndexEntry | undefined {
    let node = this.root;
    let found: IndexEntry | undefined;
    for (let level = 0; level < mostIndexLevels; level++) {
      const { view } = node;
      let next: number | undefined;
      for (const at of this.offsets(node)) {
        const flags = view.getUint16(at + entryAt.flags, true);
        if ((flags & indexEntryFlags.end) === 0) {
          const stands = order(view, at + entryAt.key);
          if (stands > 0) continue;
          if (stands === 0) {
            found = { view, at };
            if (!first) return found;
          }
        }
        if ((flags & indexEntryFlags.node) !== 0) next = this.#child(view, at);
        break;
      }
      if (next === undefined) return found;
      node = this.#block(next);
    }
    throw new CorruptError(this.name, 'has too many levels', { most: mostIndexLevels });
  }
}
