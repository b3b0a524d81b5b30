/**
 * Names put into directories and taken out, as the kernel's fs/ext4/namei.c does: a directory of one block that is full
 * gets an index, where the filesystem has such. Specification: the kernel's Documentation/filesystems/ext4/directory.rst.
 */
import {
  CorruptError,
  compareBytes,
  encodeText,
  GuestfsError,
  LruMap,
  UnsupportedError,
} from '../../../base/index.js';
import type { Block } from '../../../disk/index.js';
import type { FileType } from '../../driver.js';
import { Directory } from '../directory/directory.js';
import { type EntryArea, type EntryRules, entryType } from '../directory/entries.js';
import { type Descent, mostLevels } from '../directory/htree.js';
import { compat, incompat } from '../features.js';
import { inlineEntryRanges } from '../inline.js';
import { type Inode, inodeName } from '../inode.js';
import { direntAt, direntTailSize, hashTreeAt, hashVersions, inodeAt, inodeFlags } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { ChangeableBlocks } from './blocks.js';
import type { Files } from './files.js';
import {
  beginNode,
  beginRoot,
  entriesAtOf,
  indexLimit,
  insertIndexEntry,
  readIndex,
  sealIndex,
  writeIndex,
} from './hash-index.js';
import { type InodeTable, setSize } from './inode-table.js';
import {
  areaOf,
  clearArea,
  entrySize,
  fillArea,
  findEntry,
  findEntryOrRoom,
  findRoom,
  insertAt,
  insertEntry,
  listEntries,
  type NewEntry,
  placeEntry,
  placeTail,
  type Room,
  removeEntry,
  type StoredEntry,
  sealLeaf,
  splitByHash,
  storedEntry,
} from './leaf.js';

const dot = 0x2e;
const longestName = 255;
/** Directories that are kept open. */
const keptDirectories = 16;
/** What has no blocks, or other names than those that are stored. */
const notPlain = inodeFlags.EXT4_ENCRYPT_FL | inodeFlags.EXT4_CASEFOLD_FL | inodeFlags.EXT4_INLINE_DATA_FL;

/** A name that is not in a directory, and where it has room. */
interface Missing {
  readonly directory: Directory;
  readonly name: Uint8Array;
  readonly free: { readonly logical: number; readonly room: Room } | undefined;
}

/** Turns an inode that holds its contents into one that has blocks. The inode as it is then. */
type MoveOut = (inode: Inode) => Inode;

export class DirectoryWriter {
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #inodes: InodeTable;
  readonly #files: Files;
  readonly #moveOut: MoveOut;
  /** Open directories, by number. */
  readonly #known = new LruMap<number, Directory>(keptDirectories);
  /** The name that was looked for last and is not there, and where that is so. */
  #missing: Missing | undefined;

  constructor(
    volume: ExtVolume,
    blocks: ChangeableBlocks,
    inodes: InodeTable,
    files: Files,
    moveOut: MoveOut,
  ) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#inodes = inodes;
    this.#files = files;
    this.#moveOut = moveOut;
  }

  /** Whether a directory is one whose names are bytes in blocks. */
  isPlain({ flags }: Inode): boolean {
    return !has(flags, notPlain);
  }

  /** What a name of a plain directory leads to; undefined if it is not there. */
  lookup(directory: Inode, name: string): number | undefined {
    const bytes = encodeText(name);
    return bytes.length === 0 || bytes.length > longestName ? undefined : this.find(directory, bytes)?.inode;
  }

  /** What a name leads to; undefined if it is not there. */
  find(directory: Inode, name: Uint8Array): { readonly inode: number; readonly kind: FileType } | undefined {
    const open = this.#open(directory);
    // Who makes a file looks for its name first, often twice.
    if (this.#missing?.directory === open && compareBytes(this.#missing.name, name) === 0) return undefined;
    const what = nameOf(directory);
    let free: Missing['free'];
    for (const { logical, area } of this.#areasOf(open, name)) {
      const { at, room } = findEntryOrRoom(area, open.rules, what, name, this.#leafEnd);
      if (at !== undefined)
        return {
          inode: area.view.getUint32(at + direntAt.inode, true),
          kind: entryType(open.rules, area.bytes[at + direntAt.file_type] ?? 0),
        };
      if (free === undefined && room !== undefined) free = { logical, room };
    }
    this.#missing = { directory: open, name, free };
    return undefined;
  }

  isEmpty(directory: Inode): boolean {
    return this.#open(directory).entries().next().done === true;
  }

  /** Puts a name into a directory, which has it not yet. */
  add(directory: Inode, entry: NewEntry): void {
    const missing = this.#missing;
    this.#missing = undefined;
    let inode = directory;
    if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) {
      const stored = storedEntry(this.#open(inode).rules, entry);
      if (this.#changeInline(inode, (area, rules) => insertEntry(area, rules, nameOf(inode), stored))) return;
      inode = this.#moveOut(inode);
    }
    for (;;) {
      const open = this.#open(inode);
      const stored = storedEntry(open.rules, entry);
      const isKnown = missing?.directory === open && compareBytes(missing.name, entry.name) === 0;
      const free = isKnown ? missing.free : undefined;
      const descent = open.descend(entry.name);
      if (free !== undefined && (descent === undefined || descent.leaf === free.logical)) {
        const { number, bytes, view } = this.#change(open, free.logical);
        insertAt(areaOf(bytes, 0, this.#leafEnd, view), open.rules, free.room, stored);
        this.#sealLeaf(open, number);
        return;
      }
      if (descent !== undefined) {
        if (this.#addIndexed(open, descent, stored)) return;
      } else if (this.#addToLeaf(open, stored)) return;
      else if (open.blockCount === 1 && this.#canIndex) this.#makeIndex(open);
      else {
        const { area } = this.#append(open, (fresh) => clearArea(fresh, open.rules));
        insertEntry(area, open.rules, nameOf(inode), stored);
        return;
      }
      inode = this.#volume.inode(inode.number);
    }
  }

  /** Takes a name out of a directory; whether it was there. */
  remove(directory: Inode, name: Uint8Array): boolean {
    return this.#changeEntry(directory, name, (area, rules) =>
      removeEntry(area, rules, nameOf(directory), name),
    );
  }

  /** Leads a name that is there to another inode. */
  replace(directory: Inode, { name, inode, kind }: NewEntry): void {
    const found = this.#changeEntry(directory, name, (area, rules) => {
      const at = findEntry(area, rules, nameOf(directory), name);
      if (at === undefined) return false;
      area.view.setUint32(at + direntAt.inode, inode, true);
      area.bytes[at + direntAt.file_type] = storedEntry(rules, { name, inode, kind }).type;
      return true;
    });
    if (!found) throw new CorruptError(nameOf(directory), 'has lost a name');
  }

  /** Gives a directory that was made its first block, with `.` and `..`. */
  begin(directory: Inode, parent: number): void {
    const open = this.#open(directory);
    const fill = (area: EntryArea): void =>
      this.#placeDots(area, open.rules, directory.number, parent, area.end);
    this.#append(open, fill, { logical: 0 });
  }

  /** A directory was moved: `..` leads elsewhere. */
  setParent(directory: Inode, parent: number): void {
    if (has(directory.flags, inodeFlags.EXT4_INLINE_DATA_FL)) {
      this.#inodes.change(directory.number, ({ view }) => view.setUint32(inodeAt.i_block, parent, true));
      return;
    }
    const open = this.#open(directory);
    const { number: block, bytes, view } = this.#change(open, 0);
    const at = findEntry(
      areaOf(bytes, 0, bytes.length),
      open.rules,
      nameOf(directory),
      Uint8Array.of(dot, dot),
    );
    if (at === undefined) throw new CorruptError(nameOf(directory), 'has no entry for its parent');
    view.setUint32(at + direntAt.inode, parent, true);
    if (open.descend(Uint8Array.of(dot)) !== undefined) this.#sealIndex(open, block, 0);
    else this.#sealLeaf(open, block);
  }

  /** The block of a directory with its entries, where it has held them itself. */
  fill(directory: Inode, parent: number, entries: readonly StoredEntry[]): void {
    const open = this.#open(directory);
    const fill = (area: EntryArea): void => {
      this.#placeDots(area, open.rules, directory.number, parent, entries.length > 0 ? dotsEnd : area.end);
      if (entries.length > 0) fillArea({ ...area, start: dotsEnd }, open.rules, entries);
    };
    this.#append(open, fill, { logical: 0 });
  }

  /** The entries of a directory that holds them itself. */
  inlineEntries(directory: Inode): StoredEntry[] {
    const open = this.#open(directory);
    const { record } = directory;
    return inlineEntryRanges(directory, record).flatMap(([start, end]) =>
      listEntries(areaOf(record, start, end), open.rules, nameOf(directory)),
    );
  }

  get #canIndex(): boolean {
    const { features, raw } = this.#volume.superblock;
    return has(features.compat, compat.dirIndex) && raw.s_def_hash_version <= hashVersions.tea;
  }

  #open(inode: Inode): Directory {
    if (has(inode.flags, inodeFlags.EXT4_ENCRYPT_FL))
      throw new UnsupportedError(nameOf(inode), ['encrypt: changing a directory whose names are encrypted'], {
        elsewhere: 'nowhere',
      });
    if (has(inode.flags, inodeFlags.EXT4_CASEFOLD_FL))
      throw new UnsupportedError(nameOf(inode), ['casefold: changing a directory without regard to case'], {
        elsewhere: 'appliance',
      });
    if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) return new Directory(this.#volume, inode);
    // The inode is another object after each change of it, and all that is in it.
    const known = this.#known.get(inode.number);
    if (known?.inode === inode) return known;
    const map = this.#files.map(inode);
    const open = new Directory(this.#volume, inode, {
      find: (logical) => {
        const run = map.at(logical);
        return { block: run.kind === 'hole' ? undefined : run.block, count: run.count };
      },
    });
    this.#known.set(inode.number, open);
    return open;
  }

  *#areasOf(
    open: Directory,
    name: Uint8Array,
  ): Generator<{ readonly logical: number; readonly area: EntryArea }> {
    const { inode } = open;
    if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) {
      const { record } = inode;
      for (const [start, end] of inlineEntryRanges(inode, record))
        yield { logical: 0, area: areaOf(record, start, end) };
    } else yield* open.leavesOf(name);
  }

  /** Changes the block that has a name, or the inode; whether `change` found something to do. */
  #changeEntry(
    directory: Inode,
    name: Uint8Array,
    change: (area: EntryArea, rules: EntryRules) => boolean,
  ): boolean {
    this.#missing = undefined;
    if (has(directory.flags, inodeFlags.EXT4_INLINE_DATA_FL)) {
      void this.#open(directory);
      return this.#changeInline(directory, change);
    }
    const open = this.#open(directory);
    for (const { logical, area } of open.leavesOf(name)) {
      if (findEntry(area, open.rules, nameOf(directory), name) === undefined) continue;
      const { number: block, bytes } = this.#change(open, logical);
      // The first block of an indexed directory holds `.` and `..` alone, and those are never changed by name.
      const found = change(areaOf(bytes, 0, this.#leafEnd), open.rules);
      this.#sealLeaf(open, block);
      return found;
    }
    return false;
  }

  /** Tries a change on the two parts of a directory that lies in its inode; whether one took it. */
  #changeInline(directory: Inode, change: (area: EntryArea, rules: EntryRules) => boolean): boolean {
    const { rules } = this.#open(directory);
    const ranges = inlineEntryRanges(directory, directory.record);
    return this.#inodes.change(directory.number, ({ bytes }) =>
      ranges.some(([start, end]) => change(areaOf(bytes, start, end), rules)),
    );
  }

  /** Puts an entry into one of the blocks of a directory without an index; whether one has room. */
  #addToLeaf(open: Directory, entry: StoredEntry): boolean {
    const what = nameOf(open.inode);
    for (const { logical, area } of open.leavesOf(entry.name)) {
      const room = findRoom({ ...area, end: this.#leafEnd }, open.rules, what, entry.name.length);
      if (room === undefined) continue;
      const { number, bytes, view } = this.#change(open, logical);
      insertAt(areaOf(bytes, 0, this.#leafEnd, view), open.rules, room, entry);
      this.#sealLeaf(open, number);
      return true;
    }
    return false;
  }

  /** Whether the entry is in: if not, the index has grown, and is asked again. */
  #addIndexed(open: Directory, { frames, hash, version, leaf }: Descent, entry: StoredEntry): boolean {
    const what = nameOf(open.inode);
    const { number: block, bytes, view } = this.#change(open, leaf);
    const area = areaOf(bytes, 0, this.#leafEnd, view);
    this.#sealLeaf(open, block);
    if (insertEntry(area, open.rules, what, entry)) return true;
    const entries = listEntries(area, open.rules, what);
    const used = entries.reduce((sum, { name }) => sum + entrySize(name.length), 0);
    if (used + entrySize(entry.name.length) <= area.end) {
      fillArea(area, open.rules, entries);
      return insertEntry(area, open.rules, what, entry);
    }
    const bottom = frames[frames.length - 1] as Descent['frames'][number]; // safe: at least the root
    if (bottom.count >= this.#limit(open, bottom.logical)) {
      this.#growIndex(open, frames);
      return false;
    }
    // safe: the version is known
    const halves = splitByHash(entries, area.end / 2, (name) => open.hash(name, version) ?? 0);
    const { lower, upper, border = hash, isContinued } = halves;
    const isUpper = hash >= border;
    const fresh = this.#append(open, (empty) => fillArea(empty, open.rules, upper));
    const index = this.#change(open, bottom.logical);
    insertIndexEntry(index, bottom.entriesAt, bottom.index + 1, {
      hash: border + (isContinued ? 1 : 0),
      block: fresh.logical,
    });
    this.#sealIndex(open, index.number, bottom.logical);
    const isIn = isUpper && insertEntry(fresh.area, open.rules, what, entry);
    // Until the new block belongs to the directory, the old one has all names.
    this.#blocks.barrier();
    const rest = areaOf(this.#change(open, leaf).bytes, 0, this.#leafEnd);
    this.#sealLeaf(open, block);
    fillArea(rest, open.rules, lower);
    return isUpper ? isIn : insertEntry(rest, open.rules, what, entry);
  }

  #limit(open: Directory, logical: number): number {
    return indexLimit(open.rules, entriesAtOf(logical), this.#isSealed);
  }

  /** Makes room for an entry in the lowest index block of a way: splits a block of the index, or adds a level. */
  #growIndex(open: Directory, frames: Descent['frames']): void {
    const { features } = this.#volume.superblock;
    const upper = frames.findLastIndex(({ count, logical }) => count < this.#limit(open, logical));
    const full = frames[upper + 1] as Descent['frames'][number]; // safe: the lowest is full
    if (upper < 0 && frames.length > mostLevels(has(features.incompat, incompat.largeDir)))
      throw new GuestfsError('ENOSPC', `${nameOf(open.inode)}: its index is full`);
    const entries = readIndex(full.area, full.entriesAt);
    const keep = upper < 0 ? 0 : entries.length >>> 1;
    const at = entriesAtOf(1);
    const fresh = this.#append(open, () => {}, { isIndex: true });
    const limit = this.#limit(open, 1);
    beginNode(fresh.block, open.rules);
    writeIndex(fresh.block, at, limit, entries.slice(keep));
    this.#sealIndex(open, fresh.block.number, fresh.logical);
    const changed = this.#change(open, full.logical);
    if (upper < 0) {
      writeIndex(changed, full.entriesAt, this.#limit(open, 0), [{ hash: 0, block: fresh.logical }]);
      changed.bytes[hashTreeAt.info_indirect_levels] = frames.length;
    } else {
      writeIndex(changed, full.entriesAt, this.#limit(open, full.logical), entries.slice(0, keep));
      const above = frames[upper] as Descent['frames'][number]; // safe: upper ≥ 0
      const parent = this.#change(open, above.logical);
      const border = entries[keep]?.hash ?? 0; // safe: keep < length
      insertIndexEntry(parent, above.entriesAt, above.index + 1, { hash: border, block: fresh.logical });
      this.#sealIndex(open, parent.number, above.logical);
    }
    this.#sealIndex(open, changed.number, full.logical);
  }

  /** The entries of the only block go to a new one, and the first becomes the root of an index. */
  #makeIndex(open: Directory): void {
    const { inode, rules } = open;
    const { bytes } = this.#change(open, 0);
    const area = areaOf(bytes, 0, this.#leafEnd);
    const parent = open.parent();
    const entries = listEntries(area, rules, nameOf(inode)).filter(({ name }) => !isDots(name));
    const { logical } = this.#append(open, (empty) => fillArea(empty, rules, entries));
    // Until the new block belongs to the directory, the old one has all names.
    this.#blocks.barrier();
    const root = this.#change(open, 0);
    this.#placeDots(areaOf(root.bytes, 0, root.bytes.length), rules, inode.number, parent, root.bytes.length);
    beginRoot(root, this.#volume.superblock.raw.s_def_hash_version);
    writeIndex(root, entriesAtOf(0), this.#limit(open, 0), [{ hash: 0, block: logical }]);
    this.#sealIndex(open, root.number, 0);
    this.#inodes.change(inode.number, (record) => {
      const flags = record.view.getUint32(inodeAt.i_flags, true);
      record.view.setUint32(inodeAt.i_flags, (flags | inodeFlags.EXT4_INDEX_FL) >>> 0, true);
    });
  }

  /** A new block at the end of a directory. */
  #append(
    open: Directory,
    fill: (area: EntryArea) => void,
    { isIndex = false, logical = open.blockCount } = {},
  ): { readonly logical: number; readonly area: EntryArea; readonly block: Block } {
    const { blockSize, features } = this.#volume.superblock;
    const { number } = open.inode;
    const size = (logical + 1) * blockSize;
    if (size > 0x7fff_ffff && !has(features.incompat, incompat.largeDir))
      throw new GuestfsError('ENOSPC', `${nameOf(open.inode)}: is as large as directories can be`);
    const [run] = this.#files.take(open.inode, logical, 1, true);
    if (run === undefined) throw new CorruptError(nameOf(open.inode), 'has blocks past its end', { logical });
    const block = this.#blocks.change(run.block, true);
    const area = areaOf(block.bytes, 0, this.#leafEnd, block.view);
    fill(area);
    if (!isIndex) this.#sealLeaf(open, run.block);
    this.#inodes.change(number, (record) => setSize(record, size));
    return { logical, area, block };
  }

  #placeDots(area: EntryArea, rules: EntryRules, self: number, parent: number, end: number): void {
    const kind = 'directory';
    const own = storedEntry(rules, { name: Uint8Array.of(dot), inode: self, kind });
    placeEntry(area, rules, 0, entrySize(1), own);
    placeEntry(
      area,
      rules,
      entrySize(1),
      end,
      storedEntry(rules, { name: Uint8Array.of(dot, dot), inode: parent, kind }),
    );
  }

  /** A block of a directory, to be changed. */
  #change(open: Directory, logical: number): Block {
    const { kind, block } = this.#files.map(open.inode).at(logical);
    if (kind === 'hole') throw new CorruptError(nameOf(open.inode), 'has a hole', { block: logical });
    return this.#blocks.change(block);
  }

  get #isSealed(): boolean {
    return this.#volume.superblock.checksumSeed !== undefined;
  }

  /** Where entries end in a block: before the checksum, where there is one. */
  get #leafEnd(): number {
    const { blockSize } = this.#volume.superblock;
    return this.#isSealed ? blockSize - direntTailSize : blockSize;
  }

  #sealLeaf(open: Directory, block: number): void {
    const seed = this.#volume.checksumSeedOf(open.inode);
    if (seed === undefined) return;
    placeTail(this.#blocks.change(block));
    this.#seal(block, (changed) => sealLeaf(changed, seed));
  }

  #sealIndex(open: Directory, block: number, logical: number): void {
    const seed = this.#volume.checksumSeedOf(open.inode);
    if (seed !== undefined) this.#seal(block, (changed) => sealIndex(changed, entriesAtOf(logical), seed));
  }

  #seal(block: number, work: (changed: Block) => void): void {
    this.#blocks.sealLater('block', block, () => {
      const changed = this.#blocks.toSeal(block);
      if (changed === undefined) return;
      work(changed);
      this.#volume.verified.add(block);
    });
  }
}

/** Where entries begin behind `.` and `..`. */
const dotsEnd = entrySize(1) + entrySize(2);

function isDots(name: Uint8Array): boolean {
  return name.length <= 2 && name.every((byte) => byte === dot);
}

function nameOf(inode: Inode): string {
  return `${inodeName(inode.number)}: directory`;
}
