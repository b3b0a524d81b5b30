/**
 * Directories: entries in stored order, lookup of names, and the parent. A directory lies in its inode (short form), in
 * one block that holds entries and their index, or in blocks of entries with an index that begins at byte 2^35 of the
 * fork (leaf and node forms).
 */
import { CorruptError, compareBytes, encodeText, GuestfsError, work } from '../../../base/index.js';
import { type DirectoryEntry, heeding, type InodeNumber, isDamage, type OnDamage } from '../../driver.js';
import { ExtentMap } from '../extents.js';
import { type Inode, inodeName } from '../inode.js';
import {
  blockFormMagics,
  blockTail,
  dataMagics,
  directorySelf,
  directorySpace,
  entryUnit,
  forkFormats,
  leaf1Magics,
  leafEntrySize,
  leafnMagics,
  magicAt,
  type SelfDescription,
} from '../layout.js';
import type { XfsVolume } from '../volume.js';
import { type DirectoryBlock, ForkBlocks } from './blocks.js';
import {
  decodeShortForm,
  type EntryRules,
  entryAtOffset,
  isDots,
  nameText,
  type StoredEntry,
  scanBlock,
} from './entries.js';
import { foldName, hashFolded, hashName } from './hash.js';
import { addressesIn, addressesInLeaf, type IndexSource, leavesOf } from './index-tree.js';

/** After this many unreadable blocks of a directory the rest is given up, because its map is lost. */
const mostLost = 1024;
const longestName = 255;
const leafMagics: readonly number[] = [...leaf1Magics, ...leafnMagics];

/** The self-description of a block of entries; undefined for another block. */
function entriesSelf(view: DataView): SelfDescription | undefined {
  const magic = view.getUint32(magicAt);
  const known = [...blockFormMagics, ...dataMagics].some((each) => each === magic);
  return known ? directorySelf : undefined;
}

/** How names are compared. */
interface NameRules {
  readonly hash: number;
  matches(name: Uint8Array): boolean;
}

/** An open directory. It keeps which of its blocks have been verified. */
export class Directory {
  readonly inode: Inode;
  readonly #volume: XfsVolume;
  readonly #name: string;
  readonly #rules: EntryRules;
  #map: ExtentMap | undefined;
  #blocks: ForkBlocks | undefined;

  /** Throws ENOTDIR for other inodes. */
  constructor(volume: XfsVolume, inode: Inode) {
    const { features } = volume.superblock;
    this.#volume = volume;
    this.inode = inode;
    if (inode.kind !== 'directory')
      throw new GuestfsError('ENOTDIR', `${inodeName(inode.number)}: not a directory`);
    this.#name = `${inodeName(inode.number)}: directory`;
    this.#rules = { version5: features.version === 5, ftype: features.ftype };
  }

  /** The entries but `.` and `..`, in the order in which they are stored; see {@link FileSystem.entries}. */
  *entries(onDamage?: OnDamage): Generator<DirectoryEntry> {
    if (this.#isShortForm) {
      const form = heeding(onDamage, () => this.#shortForm(onDamage));
      yield* this.#shown(form?.entries ?? [], onDamage);
      return;
    }
    for (const block of this.#dataBlocks(onDamage)) {
      const stored: StoredEntry[] = [];
      scanBlock(
        block,
        this.#rules,
        this.#name,
        (entry) => {
          if (!isDots(entry.name)) stored.push(entry);
          return false;
        },
        onDamage,
      );
      yield* this.#shown(stored, onDamage);
    }
  }

  *#shown(stored: readonly StoredEntry[], onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const { name, inode, type } of stored) {
      const shown = heeding(onDamage, () => nameText(name, this.#name));
      if (shown !== undefined) yield { name: shown, inode, type };
    }
  }

  /** The inode of a name; undefined if it does not exist. */
  lookup(name: string): InodeNumber | undefined {
    const wanted = encodeText(name);
    if (wanted.length > longestName || wanted.length === 0) return undefined;
    // Where names differ in case alone, the one that is spelled so comes first.
    const exact = { hash: 0, matches: (other: Uint8Array) => compareBytes(other, wanted) === 0 };
    if (!this.#volume.superblock.features.caseInsensitive)
      return this.#find({ ...exact, hash: hashName(wanted) });
    const folded = foldName(wanted);
    const hash = hashFolded(folded);
    const matches = (other: Uint8Array): boolean => compareBytes(foldName(other), folded) === 0;
    return this.#find({ ...exact, hash }) ?? this.#find({ hash, matches });
  }

  #find(rules: NameRules): InodeNumber | undefined {
    if (this.#isShortForm) return this.#shortForm().entries.find((entry) => rules.matches(entry.name))?.inode;
    try {
      return this.#findByIndex(rules);
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      this.#volume.warn(`${thrown.message}; searching without the index`);
    }
    // The name may be in a damaged part, so its absence is only certain without damage.
    let damage: GuestfsError | undefined;
    let found: InodeNumber | undefined;
    const onDamage: OnDamage = (error) => {
      damage ??= error;
    };
    for (const block of this.#dataBlocks(onDamage)) {
      scanBlock(
        block,
        this.#rules,
        this.#name,
        ({ name, inode }) => {
          if (isDots(name) || !rules.matches(name)) return false;
          found = inode;
          return true;
        },
        onDamage,
      );
      if (found !== undefined) return found;
    }
    if (damage !== undefined) throw damage;
    return undefined;
  }

  #findByIndex({ hash, matches }: NameRules): InodeNumber | undefined {
    const unit = this.#volume.superblock.directoryBlockSize;
    for (const address of this.#addresses(hash)) {
      work.lookups.spend(1);
      const offset = address * entryUnit;
      const block = this.#dataBlock(offset - (offset % unit));
      const entry = entryAtOffset(block, this.#rules, offset % unit, this.#name);
      if (matches(entry.name)) return entry.inode;
    }
    return undefined;
  }

  /** Where the index says that names with a hash are; in units of 8 bytes. */
  *#addresses(hash: number): Generator<number> {
    if (this.inode.stat.sizeInBytes === this.#volume.superblock.directoryBlockSize) {
      const { view } = this.#dataBlock(0);
      if (blockFormMagics.some((magic) => magic === view.getUint32(magicAt))) {
        const tailAt = view.byteLength - blockTail.size;
        const count = blockTail.get(view, tailAt, 'count');
        const at = tailAt - count * leafEntrySize;
        if (at < 0) throw new CorruptError(this.#name, 'its index is larger than the block', { count });
        yield* addressesIn(view, at, count, hash);
        return;
      }
    }
    const source: IndexSource = {
      blocks: this.#forkBlocks(),
      version5: this.#rules.version5,
      leafMagics,
      start: directorySpace,
      unit: this.#volume.superblock.blockSize,
      name: this.#name,
    };
    for (const leaf of leavesOf(source, hash)) yield* addressesInLeaf(leaf, source, hash);
  }

  /** The inode of the directory's parent, from the directory itself. */
  parent(): InodeNumber {
    if (this.#isShortForm) return this.#shortForm(() => {}).parent;
    let parent: InodeNumber | undefined;
    scanBlock(this.#dataBlock(0), this.#rules, this.#name, ({ name, inode }) => {
      if (name.length !== 2 || !isDots(name)) return false;
      parent = inode;
      return true;
    });
    if (parent === undefined) throw new CorruptError(this.#name, 'has no entry for its parent');
    return parent;
  }

  get #isShortForm(): boolean {
    return this.inode.data.format === forkFormats.local;
  }

  #shortForm(onDamage?: OnDamage): ReturnType<typeof decodeShortForm> {
    const bytes = this.inode.forkBytes(this.inode.data).subarray(0, this.inode.stat.sizeInBytes);
    return decodeShortForm(bytes, this.#rules, this.#name, onDamage);
  }

  /** The blocks of entries, in order. What the map leaves out holds none. */
  *#dataBlocks(onDamage?: OnDamage): Generator<DirectoryBlock> {
    const { blockSize, directoryBlockSize, blockCount } = this.#volume.superblock;
    const map = heeding(onDamage, () => this.#extentMap());
    if (map === undefined) return;
    const end = directorySpace / blockSize;
    const unit = directoryBlockSize / blockSize;
    let next = 0; // the next block of the directory, in blocks of the filesystem
    let lost = 0;
    // Each block belongs to one directory: one with more blocks than the filesystem is damaged.
    let left = blockCount + unit;
    const runs = map.extents(0, end);
    for (;;) {
      const run = heeding(onDamage, () => runs.next());
      // The rest of a map that is damaged is lost.
      if (run === undefined || run.done) return;
      const { start, count } = run.value;
      for (next = Math.max(next, start - (start % unit)); next < Math.min(start + count, end); next += unit) {
        left -= unit;
        if (left < 0) throw new CorruptError(this.#name, 'is larger than the filesystem');
        const offset = next * blockSize;
        const block = heeding(onDamage, () => this.#dataBlock(offset));
        if (block !== undefined) yield block;
        else if (++lost > mostLost) return;
      }
    }
  }

  #dataBlock(offset: number): DirectoryBlock {
    if (offset >= directorySpace)
      throw new CorruptError(this.#name, 'its index points behind its entries', { offset });
    return this.#forkBlocks().read(offset, entriesSelf);
  }

  #extentMap(): ExtentMap {
    this.#map ??= new ExtentMap(this.#volume, this.inode, this.inode.data);
    return this.#map;
  }

  #forkBlocks(): ForkBlocks {
    const { directoryBlockSize } = this.#volume.superblock;
    this.#blocks ??= new ForkBlocks(
      this.#volume,
      this.#extentMap(),
      this.inode.number,
      directoryBlockSize,
      this.#name,
    );
    return this.#blocks;
  }
}
