/**
 * Directories: a B-tree of names, whose root is in the file's record, and whose other nodes are blocks of a stream. A
 * listing takes the root and then the blocks that a bitmap says are in use, in their order, as ntfs-3g does; a search
 * goes down the tree.
 */
import { CorruptError, LruMap, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { heeding, type OnDamage } from '../driver.js';
import { applyFixups } from './fixup.js';
import type { Inode } from './inode.js';
import {
  attributeTypes,
  collationFileName,
  directoryIndexName,
  indexEntryAt as entryAt,
  fixupUnit,
  greatestIndexBlock,
  indexBlock,
  indexEntryFlags,
  indexHeader,
  indexMagic,
  indexPointerSize,
  indexRoot,
  fileNameAt as keyAt,
  leastIndexBlock,
  mostIndexLevels,
} from './layout.js';
import { decodeName, encodeName } from './names.js';
import { fileName, referenceNumber } from './record.js';
import type { NtfsVolume } from './volume.js';

/** In units of UTF-16. */
const longestName = 255;
/** Blocks kept of one directory, in bytes. */
const keptBytes = 64 * 1024;

export interface NameEntry {
  readonly name: string;
  /** The number of the file. */
  readonly file: number;
  readonly sequence: number;
  readonly namespace: number;
  readonly attributes: number;
}

/** Entries of one node. */
interface Node {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

export class Directory {
  readonly #volume: NtfsVolume;
  readonly #inode: Inode;
  readonly #name: string;
  readonly #root: Node;
  readonly #blockSize: number;
  /** Bytes of a unit in which blocks are numbered. */
  readonly #unitSize: number;
  readonly #blocks: Disk | undefined;
  readonly #kept: LruMap<number, Node>;

  /** `inode` has an index of names. */
  constructor(volume: NtfsVolume, inode: Inode) {
    this.#volume = volume;
    this.#inode = inode;
    this.#name = `${fileName(inode.number)}: directory`;
    const value = inode.attributes.find(attributeTypes.indexRoot, directoryIndexName)?.first.value;
    if (value === undefined) throw new CorruptError(this.#name, 'has no index');
    const { collation_rule: rule, index_block_size: blockSize } = indexRoot.decode(value);
    const isValid =
      blockSize >= leastIndexBlock &&
      blockSize <= greatestIndexBlock &&
      Number.isInteger(Math.log2(blockSize));
    if (rule !== collationFileName || !isValid)
      throw new CorruptError(this.#name, 'has no index of names', { rule, blockSize });
    this.#blockSize = blockSize;
    const { clusterSize } = volume.geometry;
    this.#unitSize = blockSize >= clusterSize ? clusterSize : fixupUnit;
    this.#root = this.#node(viewOf(value), indexRoot.size, `${this.#name}: root`);
    const blocks = inode.attributes.find(attributeTypes.indexAllocation, directoryIndexName);
    this.#blocks = blocks && volume.open(blocks);
    this.#kept = new LruMap(Math.max(1, keptBytes / blockSize));
  }

  /** The entries that a header at `at` has. */
  #node(view: DataView, at: number, name: string): Node {
    const { entries_offset: first, index_length: length } = indexHeader.decode(view, at);
    if (first < indexHeader.size || first % 8 !== 0 || first > length || at + length > view.byteLength)
      throw new CorruptError(name, 'has entries outside', { first, length });
    return { view, start: at + first, end: at + length };
  }

  /** The offsets of the entries of a node; the last is the one without a name. */
  *#offsets({ view, start, end }: Node): Generator<number> {
    for (let at = start; ; ) {
      work.entries.spend(1);
      if (at + entryAt.key > end) throw new CorruptError(this.#name, 'has a node without an end', { at });
      const length = view.getUint16(at + entryAt.length, true);
      const flags = view.getUint16(at + entryAt.flags, true);
      const pointer = (flags & indexEntryFlags.node) === 0 ? 0 : indexPointerSize;
      const isLast = (flags & indexEntryFlags.end) !== 0;
      const keyLength = isLast ? 0 : view.getUint16(at + entryAt.key_length, true);
      if (length % 8 !== 0 || length < entryAt.key + keyLength + pointer || at + length > end)
        throw new CorruptError(this.#name, 'has an entry of no valid length', { at, length });
      if (!isLast) {
        const nameLength =
          keyLength < keyAt.file_name ? 0 : view.getUint8(at + entryAt.key + keyAt.file_name_length);
        if (nameLength === 0 || keyAt.file_name + 2 * nameLength > keyLength)
          throw new CorruptError(this.#name, 'has an entry without a name', { at, keyLength });
      }
      yield at;
      if (isLast) return;
      at += length;
    }
  }

  #block(index: number): Node {
    const known = this.#kept.get(index);
    if (known !== undefined) return known;
    const node = this.#decodeBlock(this.#readBlocks(index, 1), index);
    this.#kept.set(index, node);
    return node;
  }

  /** Blocks as they are on the disk. */
  #readBlocks(first: number, count: number): Uint8Array {
    const offset = first * this.#blockSize;
    const bytes = new Uint8Array(count * this.#blockSize);
    if (this.#blocks === undefined) throw new CorruptError(this.#name, 'has no blocks', { block: first });
    this.#blocks.read(bytes, offset);
    return bytes;
  }

  #decodeBlock(bytes: Uint8Array, index: number): Node {
    const name = `${this.#name}: block ${index}`;
    const { magic, usa_ofs, usa_count, index_block_vcn } = indexBlock.decode(bytes);
    if (magic !== indexMagic) throw new CorruptError(name, 'has no magic number', { found: magic });
    applyFixups(bytes, usa_ofs, usa_count, name);
    if (index_block_vcn * this.#unitSize !== index * this.#blockSize)
      throw new CorruptError(name, 'belongs to another place', { found: index_block_vcn });
    return this.#node(viewOf(bytes), indexBlock.size, name);
  }

  /** The block that an entry points to, for names before its own. */
  #child(view: DataView, at: number): number {
    const pointer = at + view.getUint16(at + entryAt.length, true) - indexPointerSize;
    const units = view.getUint32(pointer + 4, true) * 0x1_0000_0000 + view.getUint32(pointer, true);
    const index = (units * this.#unitSize) / this.#blockSize;
    if (!Number.isSafeInteger(index)) throw new CorruptError(this.#name, 'points to no block', { units });
    return index;
  }

  #entry(view: DataView, at: number): NameEntry {
    const key = at + entryAt.key;
    const length = 2 * view.getUint8(key + keyAt.file_name_length);
    return {
      name: decodeName(new Uint8Array(view.buffer, view.byteOffset + key + keyAt.file_name, length)),
      file: referenceNumber(
        view.getUint32(at + entryAt.file_low, true),
        view.getUint16(at + entryAt.file_high, true),
      ),
      sequence: view.getUint16(at + entryAt.file_sequence, true),
      namespace: view.getUint8(key + keyAt.file_name_type),
      attributes: view.getUint32(key + keyAt.file_attributes, true),
    };
  }

  *#entriesOf(node: Node): Generator<NameEntry> {
    for (const at of this.#offsets(node))
      if ((node.view.getUint16(at + entryAt.flags, true) & indexEntryFlags.end) === 0)
        yield this.#entry(node.view, at);
  }

  /** All names in stored order, those of short names and of the filesystem's own files too. */
  *entries(onDamage?: OnDamage): Generator<NameEntry> {
    yield* this.#heeded(onDamage, () => this.#root);
    if (this.#blocks === undefined) return;
    for (const index of this.#usedBlocks(this.#blocks.size))
      yield* this.#heeded(onDamage, () => this.#decodeBlock(this.#readBlocks(index, 1), index));
  }

  /** A node's entries; those behind damage are left out. */
  *#heeded(onDamage: OnDamage | undefined, read: () => Node): Generator<NameEntry> {
    const node = heeding(onDamage, read);
    if (node === undefined) return;
    const entries = this.#entriesOf(node);
    for (;;) {
      const next = heeding(onDamage, () => entries.next());
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  }

  /** The blocks that the bitmap says are in use. */
  *#usedBlocks(size: number): Generator<number> {
    const bitmap = this.#inode.attributes.find(attributeTypes.bitmap, directoryIndexName);
    if (bitmap === undefined) throw new CorruptError(this.#name, 'has blocks and no bitmap of them');
    const bits = this.#volume.open(bitmap);
    const count = Math.min(Math.floor(size / this.#blockSize), bits.size * 8);
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

  /** The entry of a name; of several that differ in case alone the first, where case does not count. */
  find(wanted: string, caseSensitive = this.#volume.caseSensitive): NameEntry | undefined {
    const name = encodeName(wanted);
    if (name === undefined || name === '' || name.length > longestName) return undefined;
    const { upcase } = this.#volume;
    let node = this.#root;
    let found: NameEntry | undefined;
    for (let level = 0; level < mostIndexLevels; level++) {
      const { view } = node;
      let next: number | undefined;
      for (const at of this.#offsets(node)) {
        const flags = view.getUint16(at + entryAt.flags, true);
        if ((flags & indexEntryFlags.end) === 0) {
          const key = at + entryAt.key;
          const length = view.getUint8(key + keyAt.file_name_length);
          const order = upcase.compare(name, view, key + keyAt.file_name, length, caseSensitive);
          if (order > 0) continue;
          if (order === 0) {
            found = this.#entry(view, at);
            if (caseSensitive) return found;
          }
        }
        if ((flags & indexEntryFlags.node) !== 0) next = this.#child(view, at);
        break;
      }
      if (next === undefined) return found;
      node = this.#block(next);
    }
    throw new CorruptError(this.#name, 'has too many levels', { most: mostIndexLevels });
  }
}
