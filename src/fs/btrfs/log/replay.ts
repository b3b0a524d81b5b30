/**
 * The log of a subvolume: what fsync made sure of since the last commit. It is a tree of items that are brought into the
 * subvolume's own, in memory, by the rules of the kernel's fs/btrfs/tree-log.c.
 */
import {
  CorruptError,
  compareBytes,
  concatBytes,
  crc32c,
  typeOfMode,
  viewOf,
  work,
} from '../../../base/index.js';
import { entriesOf, findName, type StoredEntry } from '../entries.js';
import {
  dirItemAt,
  entryTypes,
  fileExtentAt,
  inodeAt,
  inodeItemSize,
  itemTypes,
  keyAt,
  nameHashSeed,
} from '../layout.js';
import { key, setNumber, signed64 } from '../tree/keys.js';
import type { Item } from '../tree/node.js';
import type { ItemTree } from '../tree/tree.js';
import { ChangedTree } from './changes.js';
import { dropExtents, endOfExtent, isHole } from './extents.js';
import { namesIn, withName, withoutName } from './references.js';

/** The tree of a subvolume as it is after its log. */
export function replayLog(tree: ItemTree, log: ItemTree, sectorSize: number): ItemTree {
  return new Replay(tree, log, sectorSize).run();
}

class Replay {
  readonly #tree: ChangedTree;
  readonly #log: ItemTree;
  readonly #sectorSize: number;
  /** Inodes whose links are to be counted. */
  readonly #touched = new Set<number>();

  constructor(tree: ItemTree, log: ItemTree, sectorSize: number) {
    this.#tree = new ChangedTree(tree);
    this.#log = log;
    this.#sectorSize = sectorSize;
  }

  run(): ItemTree {
    // In the kernel's order: all inodes are there before a name is given to one.
    this.#each(itemTypes.inodeItem, (item) => this.#inode(item));
    this.#each(itemTypes.dirIndex, (item) => this.#names(item));
    this.#each(itemTypes.dirItem, (item) => this.#names(item));
    this.#each(itemTypes.xattrItem, (item) => this.#put(item));
    this.#each(itemTypes.inodeRef, (item) => this.#references(item));
    this.#each(itemTypes.inodeExtref, (item) => this.#references(item));
    this.#each(itemTypes.extentData, (item) => this.#extent(item));
    for (const inode of this.#touched) this.#settle(inode);
    return this.#tree;
  }

  #each(type: number, use: (item: Item) => void): void {
    for (const item of this.#log.items()) if (item.type === type && item.object > 0) use(item);
  }

  #put(item: Item): void {
    this.#tree.put(item.object, item.type, item.offset, item.bytes().slice());
  }

  #inode(item: Item): void {
    const { object: inode } = item;
    if (item.size < inodeItemSize)
      throw new CorruptError(this.#log.name, 'has an inode that is cut short', { inode });
    const bytes = item.bytes().slice();
    const view = viewOf(bytes);
    const before = this.#tree.find(key(inode, itemTypes.inodeItem, 0));
    // Logged for its existence alone.
    const isOnlyNamed = signed64(view, inodeAt.generation) === 0;
    if (view.getUint32(inodeAt.nlink, true) === 0 && before === undefined) return;
    this.#touched.add(inode);
    this.#deleteUnlogged(inode, itemTypes.xattrItem);
    const isDirectory = typeOfMode(view.getUint32(inodeAt.mode, true)) === 'directory';
    if (isDirectory) this.#deleteNames(inode);
    if (isOnlyNamed && before !== undefined) return;
    if (isDirectory) {
      // A directory's size follows from its names, which come later.
      const size = this.#tree.find(key(inode, itemTypes.inodeItem, 0));
      const kept = size === undefined ? 0 : signed64(size.view, size.start + inodeAt.size);
      setNumber(view, inodeAt.size, kept);
    }
    this.#tree.put(inode, itemTypes.inodeItem, 0, bytes);
    if (typeOfMode(view.getUint32(inodeAt.mode, true)) !== 'file') return;
    const size = signed64(view, inodeAt.size);
    dropExtents(this.#tree, inode, Math.ceil(size / this.#sectorSize) * this.#sectorSize);
  }

  /** Deletes the items of a type of an inode that the log lacks. */
  #deleteUnlogged(inode: number, type: number): void {
    for (const { offset } of [...this.#tree.items(inode, type)])
      if (this.#log.find(key(inode, type, offset)) === undefined) this.#tree.delete(inode, type, offset);
  }

  /** Deletes the names of a directory that lie in the ranges of which the log has all, and that it lacks. */
  #deleteNames(directory: number): void {
    for (const range of this.#log.items(directory, itemTypes.dirLogIndex)) {
      const last = range.size < 8 ? range.offset : signed64(range.view, range.start);
      for (const item of [...this.#tree.items(directory, itemTypes.dirIndex, range.offset)]) {
        if (last >= 0 && item.offset > last) break;
        if (this.#log.find(key(directory, itemTypes.dirIndex, item.offset)) !== undefined) continue;
        for (const entry of entriesOf(item, this.#tree.name)) this.#unlink(directory, entry.name, entry);
      }
    }
  }

  /** Names of a directory that the log has: what they name must be there by now, or gets its name by its reference. */
  #names(item: Item): void {
    for (const entry of entriesOf(item, this.#log.name)) {
      const target = key(entry.object, entry.objectType, 0);
      if (entry.objectType !== itemTypes.inodeItem || this.#tree.find(target) === undefined) continue;
      const there = findName(this.#tree, item.object, entry.name);
      if (there?.object === entry.object || item.type === itemTypes.dirItem) continue;
      if (there !== undefined) this.#unlink(item.object, entry.name, there);
      this.#link(item.object, item.offset, entry.name, entry.object, entry.type);
    }
  }

  /** The names of an inode in the directories that the log has them of: others there are gone. */
  #references(item: Item): void {
    const { object: inode, type } = item;
    const before = this.#tree.find(key(inode, type, item.offset));
    const wanted = namesIn(item, this.#log.name);
    for (const { parent, name } of before === undefined ? [] : namesIn(before, this.#tree.name)) {
      if (wanted.some((each) => each.parent === parent && compareBytes(each.name, name) === 0)) continue;
      const entry = findName(this.#tree, parent, name);
      if (entry?.object === inode) this.#unlink(parent, name, entry);
    }
    for (const { parent, index, name } of wanted) {
      if (this.#tree.find(key(parent, itemTypes.inodeItem, 0)) === undefined) continue;
      const there = findName(this.#tree, parent, name);
      if (there !== undefined && there.object === inode) continue;
      if (there !== undefined) this.#unlink(parent, name, there);
      this.#link(parent, index, name, inode, this.#typeOf(inode));
    }
    this.#put(item);
    this.#touched.add(inode);
  }

  /** The type of an inode, as entries have it. */
  #typeOf(inode: number): number {
    const item = this.#tree.find(key(inode, itemTypes.inodeItem, 0));
    if (item === undefined) return 0;
    return entryTypes.indexOf(typeOfMode(item.view.getUint32(item.start + inodeAt.mode, true)));
  }

  #link(directory: number, index: number, name: Uint8Array, inode: number, type: number): void {
    const bytes = new Uint8Array(dirItemAt.name + name.length);
    const view = viewOf(bytes);
    setNumber(view, keyAt.objectid, inode);
    view.setUint8(keyAt.type, itemTypes.inodeItem);
    view.setUint16(dirItemAt.name_len, name.length, true);
    view.setUint8(dirItemAt.type, type);
    bytes.set(name, dirItemAt.name);
    this.#tree.put(directory, itemTypes.dirIndex, index, bytes);
    const hash = crc32c(nameHashSeed, name);
    const others = this.#tree.find(key(directory, itemTypes.dirItem, hash))?.bytes();
    this.#tree.put(directory, itemTypes.dirItem, hash, concatBytes(others ? [others, bytes] : [bytes]));
    this.#addName(directory, inode, index, name);
    this.#resize(directory, 2 * name.length);
  }

  /** Takes a name out of a directory, and the reference to it out of the inode. */
  #unlink(directory: number, name: Uint8Array, { object: inode }: StoredEntry): void {
    work.entries.spend(1);
    const hash = crc32c(nameHashSeed, name);
    const item = this.#tree.find(key(directory, itemTypes.dirItem, hash));
    if (item !== undefined) {
      const left = entriesOf(item, this.#tree.name).filter((entry) => compareBytes(entry.name, name) !== 0);
      if (left.length === 0) this.#tree.delete(directory, itemTypes.dirItem, hash);
      else this.#tree.put(directory, itemTypes.dirItem, hash, concatBytes(left.map(({ bytes }) => bytes)));
    }
    const reference = this.#tree.find(key(inode, itemTypes.inodeRef, directory));
    const index =
      reference &&
      namesIn(reference, this.#tree.name).find((each) => compareBytes(each.name, name) === 0)?.index;
    if (reference !== undefined && index !== undefined) {
      this.#tree.delete(directory, itemTypes.dirIndex, index);
      const left = withoutName(reference, name, this.#tree.name);
      if (left.length === 0) this.#tree.delete(inode, itemTypes.inodeRef, directory);
      else this.#tree.put(inode, itemTypes.inodeRef, directory, left);
    }
    this.#touched.add(inode);
    this.#resize(directory, -2 * name.length);
  }

  #addName(directory: number, inode: number, index: number, name: Uint8Array): void {
    const reference = this.#tree.find(key(inode, itemTypes.inodeRef, directory));
    this.#tree.put(inode, itemTypes.inodeRef, directory, withName(reference, index, name, this.#tree.name));
    this.#touched.add(inode);
  }

  #resize(directory: number, by: number): void {
    const item = this.#tree.find(key(directory, itemTypes.inodeItem, 0));
    if (item === undefined || item.size < inodeItemSize) return;
    const bytes = item.bytes().slice();
    const view = viewOf(bytes);
    setNumber(view, inodeAt.size, Math.max(0, signed64(view, inodeAt.size) + by));
    this.#tree.put(directory, itemTypes.inodeItem, 0, bytes);
  }

  #extent(item: Item): void {
    const { object: inode, offset } = item;
    if (item.size < fileExtentAt.inline)
      throw new CorruptError(this.#log.name, 'has an extent that is cut short', { inode });
    dropExtents(this.#tree, inode, offset, endOfExtent(item, this.#sectorSize));
    if (!isHole(item)) this.#put(item);
  }

  /** What a log need not have right: how many names an inode has, and how many bytes are stored for it. */
  #settle(inode: number): void {
    const item = this.#tree.find(key(inode, itemTypes.inodeItem, 0));
    if (item === undefined || item.size < inodeItemSize) return;
    const bytes = item.bytes().slice();
    const view = viewOf(bytes);
    if (typeOfMode(view.getUint32(inodeAt.mode, true)) === 'directory') return;
    let count = 0;
    for (const type of [itemTypes.inodeRef, itemTypes.inodeExtref])
      for (const reference of this.#tree.items(inode, type))
        count += namesIn(reference, this.#tree.name).length;
    view.setUint32(inodeAt.nlink, count, true);
    let stored = 0;
    for (const extent of this.#tree.items(inode, itemTypes.extentData))
      if (!isHole(extent)) stored += endOfExtent(extent, 1) - extent.offset;
    setNumber(view, inodeAt.nbytes, stored);
    this.#tree.put(inode, itemTypes.inodeItem, 0, bytes);
  }
}
