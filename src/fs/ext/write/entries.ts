/**
 * Entries put into directories and taken out, as the kernel's fs/ext4/namei.c does. An index stays true as long as
 * the block that it leads to has room; a directory whose block is full gives its index up, and is a plain list of
 * blocks from then on, which every kernel reads. Specification: the kernel's
 * Documentation/filesystems/ext4/directory.rst.
 */
import { crc32c, UnsupportedError, viewOf } from '../../../base/index.js';
import type { FileType } from '../../driver.js';
import { Directory } from '../directory/directory.js';
import {
  type EntryArea,
  encodeRecordLength,
  entryTypeNumber,
  isIndexBlock,
  isNamed,
  scanAllEntries,
} from '../directory/entries.js';
import { incompat } from '../features.js';
import { inlineEntryRanges } from '../inline.js';
import { type Inode, inodeName } from '../inode.js';
import {
  direntAt,
  direntHeaderSize,
  direntTailSize,
  direntTailType,
  inodeFlags,
  writtenInode,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { ChangedExtents } from './extent-tree.js';
import type { Space } from './space.js';

/** A name and what it leads to. */
interface NewEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  readonly kind: FileType;
}

export class EntryWriter {
  readonly #volume: ExtVolume;
  readonly #space: Space;
  readonly #extents: ChangedExtents;

  constructor(volume: ExtVolume, space: Space, extents: ChangedExtents) {
    this.#volume = volume;
    this.#space = space;
    this.#extents = extents;
  }

  /** Puts a name into a directory, which has it not yet. */
  add(directory: Inode, entry: NewEntry): void {
    if (has(directory.flags, inodeFlags.EXT4_INLINE_DATA_FL)) {
      if (this.#changeInline(directory, (open, area) => this.#insert(open, area, entry))) return;
      throw new UnsupportedError(inodeName(directory.number), ['a directory that outgrows its inode']);
    }
    if (this.#addToLeaf(directory, entry)) return;
    let plain = directory;
    if (has(directory.flags, inodeFlags.EXT4_INDEX_FL)) {
      plain = this.#dropIndex(directory);
      if (this.#addToLeaf(plain, entry)) return;
    }
    const { blockSize } = this.#volume.superblock;
    const logical = Math.floor(plain.stat.sizeInBytes / blockSize);
    const bytes = this.#emptyBlock(plain);
    this.#place(bytes, 0, this.#leafEnd(plain), entry);
    this.#append(plain, logical, bytes);
  }

  /** Takes a name out of a directory; whether it was there. */
  remove(directory: Inode, name: Uint8Array): boolean {
    if (has(directory.flags, inodeFlags.EXT4_INLINE_DATA_FL))
      return this.#changeInline(directory, (open, area) => this.#takeOut(open, area, name));
    const open = new Directory(this.#volume, directory);
    for (const { block, area } of open.leavesOf(name)) {
      const own = areaOf(area.bytes.slice(), 0, this.#leafEnd(directory));
      if (!this.#takeOut(open, own, name)) continue;
      this.#storeLeaf(directory, block, own.bytes);
      return true;
    }
    return false;
  }

  /** Gives a directory that was made its first block, with `.` and `..`. */
  begin(directory: Inode, parent: number): void {
    const bytes = this.#emptyBlock(directory);
    this.#placeDots(bytes, directory, parent);
    this.#append(directory, 0, bytes);
  }

  /** Tries a change on the two parts of a directory that lies in its inode; whether one took it. */
  #changeInline(directory: Inode, change: (open: Directory, area: EntryArea) => boolean): boolean {
    const open = new Directory(this.#volume, directory);
    const record = this.#volume.inodeRecord(directory.number);
    for (const [start, end] of inlineEntryRanges(directory, record)) {
      if (!change(open, areaOf(record, start, end))) continue;
      this.#volume.storeInode(directory.number, record);
      return true;
    }
    return false;
  }

  /** Puts an entry into a block that has room; whether there is such. */
  #addToLeaf(directory: Inode, entry: NewEntry): boolean {
    const open = new Directory(this.#volume, directory);
    for (const { block, area } of open.leavesOf(entry.name)) {
      const own = areaOf(area.bytes.slice(), 0, this.#leafEnd(directory));
      if (!this.#insert(open, own, entry)) continue;
      this.#storeLeaf(directory, block, own.bytes);
      return true;
    }
    return false;
  }

  /** Puts an entry behind one that takes more room than it needs; whether there is such. */
  #insert(open: Directory, area: EntryArea, entry: NewEntry): boolean {
    const needed = sizeOf(entry.name.length);
    let at = -1;
    let used = 0;
    let room = 0;
    this.#scan(open, area, (offset, inode, nameLength, length) => {
      used = inode === 0 ? 0 : sizeOf(nameLength);
      if (length - used < needed) return false;
      at = offset;
      room = length;
      return true;
    });
    if (at < 0) return false;
    if (used > 0) area.view.setUint16(at + direntAt.rec_len, this.#recordLength(used), true);
    this.#place(area.bytes, at + used, at + room, entry);
    return true;
  }

  /** Joins the entry of a name to the one before, or marks it as not in use where it is the first. */
  #takeOut(open: Directory, { bytes, view, start, end }: EntryArea, name: Uint8Array): boolean {
    let before = -1;
    let found = -1;
    let length = 0;
    this.#scan(open, { bytes, view, start, end }, (offset, inode, nameLength, size) => {
      if (inode !== 0 && isNamed(bytes, offset, nameLength, name)) {
        found = offset;
        length = size;
        return true;
      }
      before = offset;
      return false;
    });
    if (found < 0) return false;
    if (before < 0) view.setUint32(found + direntAt.inode, 0, true);
    else view.setUint16(before + direntAt.rec_len, this.#recordLength(found + length - before), true);
    return true;
  }

  /** Makes the blocks of the index blocks of entries, with room in them. The inode, read again. */
  #dropIndex(directory: Inode): Inode {
    const { number } = directory;
    const open = new Directory(this.#volume, directory);
    const parent = open.parent();
    const map = this.#extents.of(directory);
    const blocks = Math.floor(directory.stat.sizeInBytes / this.#volume.superblock.blockSize);
    for (let logical = 0; logical < blocks; logical++) {
      const block = map?.find(logical).block;
      if (block === undefined) continue;
      const bytes = this.#volume.block(block, `${inodeName(number)}: directory`);
      const area = areaOf(bytes, 0, bytes.length);
      if (!isIndexBlock(area, open.rules, logical)) continue;
      const empty = this.#emptyBlock(directory);
      if (logical === 0) this.#placeDots(empty, directory, parent);
      this.#storeLeaf(directory, block, empty);
    }
    const record = this.#volume.inodeRecord(number);
    writtenInode.encode({ i_flags: (directory.flags & ~inodeFlags.EXT4_INDEX_FL) >>> 0 }, record);
    this.#volume.storeInode(number, record);
    return this.#volume.inode(number);
  }

  /** A new block at the end of a directory. */
  #append(directory: Inode, logical: number, bytes: Uint8Array): void {
    const { blockSize, blocksPerCluster } = this.#volume.superblock;
    const list = this.#extents.of(directory);
    if (list === undefined)
      throw new UnsupportedError(inodeName(directory.number), [
        'a new block for a directory without extents',
      ]);
    const near = list.extents[0]?.block ?? this.#volume.inodeOffset(directory.number) / blockSize;
    // Blocks of one cluster of the directory lie in one cluster of the disk, at the same places.
    const within = logical % blocksPerCluster;
    const last = within === 0 ? undefined : list.find(logical - 1).block;
    const block = last === undefined ? this.#space.allocate(Math.floor(near)) + within : last + 1;
    list.set({ logical, count: 1, block, written: true });
    this.#storeLeaf(directory, block, bytes);
    const record = this.#volume.inodeRecord(directory.number);
    writtenInode.encode(
      { i_size_lo: Math.max(directory.stat.sizeInBytes, (logical + 1) * blockSize) },
      record,
    );
    this.#volume.storeInode(directory.number, record);
  }

  /** A block with one entry, which is not in use. */
  #emptyBlock(directory: Inode): Uint8Array {
    const bytes = new Uint8Array(this.#volume.superblock.blockSize);
    viewOf(bytes).setUint16(direntAt.rec_len, this.#recordLength(this.#leafEnd(directory)), true);
    return bytes;
  }

  #placeDots(bytes: Uint8Array, directory: Inode, parent: number): void {
    const kind = 'directory';
    this.#place(bytes, 0, sizeOf(1), { name: Uint8Array.of(dot), inode: directory.number, kind });
    const end = this.#leafEnd(directory);
    this.#place(bytes, sizeOf(1), end, { name: Uint8Array.of(dot, dot), inode: parent, kind });
  }

  /** Where entries end in a block: before the checksum, where there is one. */
  #leafEnd(directory: Inode): number {
    const { blockSize } = this.#volume.superblock;
    return this.#volume.checksumSeedOf(directory) === undefined ? blockSize : blockSize - direntTailSize;
  }

  /** Writes an entry that reaches from `offset` up to `end`. */
  #place(bytes: Uint8Array, offset: number, end: number, { name, inode, kind }: NewEntry): void {
    const view = viewOf(bytes);
    view.setUint32(offset + direntAt.inode, inode, true);
    view.setUint16(offset + direntAt.rec_len, this.#recordLength(end - offset), true);
    bytes[offset + direntAt.name_len] = name.length;
    bytes[offset + direntAt.file_type] = entryTypeNumber(
      kind,
      has(this.#volume.superblock.features.incompat, incompat.filetype),
    );
    bytes.set(name, offset + direntAt.name);
  }

  #storeLeaf(directory: Inode, block: number, bytes: Uint8Array): void {
    const seed = this.#volume.checksumSeedOf(directory);
    if (seed !== undefined) {
      const tail = bytes.length - direntTailSize;
      const view = viewOf(bytes);
      bytes.fill(0, tail);
      view.setUint16(tail + direntAt.rec_len, direntTailSize, true);
      bytes[tail + direntAt.file_type] = direntTailType;
      view.setUint32(tail + direntAt.name, crc32c(seed, bytes.subarray(0, tail)), true);
    }
    this.#volume.storeBlock(block, bytes);
  }

  #recordLength(length: number): number {
    return encodeRecordLength(length, this.#volume.superblock.blockSize);
  }

  #scan(
    open: Directory,
    area: EntryArea,
    visit: (offset: number, inode: number, nameLength: number, length: number) => boolean,
  ): void {
    scanAllEntries(area, open.rules, false, `${inodeName(open.inode.number)}: directory`, visit);
  }
}

const dot = 0x2e;

function areaOf(bytes: Uint8Array, start: number, end: number): EntryArea {
  return { bytes, view: viewOf(bytes), start, end };
}

/** Bytes that an entry needs for a name of so many. */
function sizeOf(nameLength: number): number {
  return (direntHeaderSize + nameLength + 3) & ~3;
}
