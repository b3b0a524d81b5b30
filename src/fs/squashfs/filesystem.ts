/**
 * A squashfs filesystem as inodes, with the same answers as Linux.
 *
 * An inode is known by its number, as Linux shows it. Where an inode lies is told by the directory in which it was met,
 * by the table that makers write for NFS, or, where that is missing, by a walk through all inodes.
 */
import { CorruptError, LruMap, systemError, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type {
  DirectoryEntry,
  FileSystem,
  FileSystemUsage,
  InodeNumber,
  InodeStat,
  OnDamage,
  OpenOptions,
} from '../driver.js';
import { oneOf, option, takeOptions } from '../mount-options.js';
import { DirectoryCache, emptyUsage, noXattrs, parentsKept } from '../support.js';
import { Contents } from './contents.js';
import { Directories, type Entry, nameOf } from './directory.js';
import { type DirectoryPlace, type Inode, readInode, skipInode } from './inode.js';
import {
  deviceNumbersOf,
  id,
  metadataHead,
  reference,
  SQUASHFS_METADATA_SIZE,
  SQUASHFS_NAME_LEN,
} from './layout.js';
import { MetadataReader, MetadataTable } from './metadata.js';
import { placeOf, readSuperblock, referenceTo, type Superblock } from './superblock.js';
import { Xattrs } from './xattrs.js';

const inodesKept = 8192;

class SquashFileSystem implements FileSystem {
  readonly type = 'squashfs';
  readonly root: InodeNumber;
  readonly caseInsensitive = false;
  readonly longestName = SQUASHFS_NAME_LEN;
  readonly hasXattrs: boolean;
  readonly #superblock: Superblock;
  readonly #metadata: MetadataReader;
  readonly #directories: Directories;
  readonly #contents: Contents;
  readonly #owners: MetadataTable<typeof id.fields>;
  readonly #exports: MetadataTable<typeof reference.fields> | undefined;
  readonly #xattrs: Xattrs | undefined;
  readonly #names = new DirectoryCache();
  readonly #inodes = new LruMap<InodeNumber, Inode>(inodesKept);
  /** References to inodes that were met in directories. */
  readonly #references = new LruMap<InodeNumber, number>(parentsKept);
  /** References to all inodes, where no table has them. */
  #allReferences: ReadonlyMap<InodeNumber, number> | undefined;
  /** The directories that were read, and the sum of their sizes. */
  readonly #read = new Set<InodeNumber>();
  #bytesInDirectories = 0;

  constructor(disk: Disk, { options = {} }: OpenOptions) {
    // What Linux does when it meets damage.
    takeOptions('squashfs', { errors: option(oneOf('continue', 'panic')) }, options, {});
    const superblock = readSuperblock(disk);
    const { inodeCount, idTable, idCount, exportTable, xattrIdTable, rootReference } = superblock;
    this.#superblock = superblock;
    this.#metadata = new MetadataReader(disk, superblock);
    this.#directories = new Directories(this.#metadata, superblock.directoryTable);
    this.#contents = new Contents(disk, this.#metadata, superblock);
    this.#owners = new MetadataTable(this.#metadata, id, idTable, idCount);
    if (exportTable !== undefined)
      this.#exports = new MetadataTable(this.#metadata, reference, exportTable, inodeCount);
    if (xattrIdTable !== undefined) this.#xattrs = new Xattrs(this.#metadata, xattrIdTable);
    this.hasXattrs = this.#xattrs !== undefined;
    const root = this.#inodeAt(rootReference);
    if (root.directory === undefined)
      throw new CorruptError('squashfs superblock', 'has a root that is no directory', {
        inode: root.number,
      });
    this.root = root.number;
    this.#references.set(root.number, rootReference);
  }

  #inodeAt(place: number): Inode {
    const { block, offset } = placeOf(place);
    return readInode(this.#metadata.cursor(this.#superblock.inodeTable + block, offset));
  }

  #inode(number: InodeNumber): Inode {
    let inode = this.#inodes.get(number);
    if (inode === undefined) {
      inode = this.#inodeAt(this.#referenceOf(number));
      if (inode.number !== number)
        throw new CorruptError('squashfs inode', 'has another number than what leads to it', {
          number: inode.number,
          wanted: number,
        });
      this.#inodes.set(number, inode);
    }
    return inode;
  }

  #referenceOf(number: InodeNumber): number {
    if (number === this.root) return this.#superblock.rootReference;
    const known = this.#references.get(number);
    if (known !== undefined) return known;
    if (!(number >= 1 && number <= this.#superblock.inodeCount))
      throw new CorruptError('squashfs inode', 'has a number that no inode has', { number });
    if (this.#exports !== undefined) return this.#exports.get(number - 1).at;
    this.#allReferences ??= this.#walkInodes();
    const found = this.#allReferences.get(number);
    if (found === undefined) throw new CorruptError('squashfs inode', 'is not there', { number });
    return found;
  }

  /** References to all inodes, which lie one after the other. */
  #walkInodes(): ReadonlyMap<InodeNumber, number> {
    const { inodeTable, inodeCount, blockSize } = this.#superblock;
    const found = new Map<InodeNumber, number>();
    const cursor = this.#metadata.cursor(inodeTable, 0);
    for (let left = inodeCount; left > 0; left--) {
      work.entries.spend(1);
      const { block, offset } = cursor.place;
      const inode = readInode(cursor);
      found.set(inode.number, referenceTo(block - inodeTable, offset));
      skipInode(cursor, inode, blockSize);
    }
    return found;
  }

  #directory(number: InodeNumber): DirectoryPlace {
    const { directory } = this.#inode(number);
    if (directory === undefined) throw systemError('ENOTDIR', `squashfs inode ${number}`);
    if (!this.#read.has(number)) {
      this.#read.add(number);
      this.#bytesInDirectories += directory.size;
    }
    // Directories do not share entries. Those that overlap take the product of their number and their length.
    const { sizeInBytes, directoryTable } = this.#superblock;
    const mostBlocks = (sizeInBytes - directoryTable) / (metadataHead.size + 1);
    if (this.#bytesInDirectories > mostBlocks * SQUASHFS_METADATA_SIZE)
      throw new CorruptError('squashfs directory', 'overlaps other directories', {
        inode: number,
        inDirectories: this.#bytesInDirectories,
      });
    return directory;
  }

  /** An entry, whose inode is now known. */
  #meet(entry: Entry): Entry {
    this.#references.set(entry.number, entry.reference);
    return entry;
  }

  *#children(number: InodeNumber, onDamage?: OnDamage): Generator<Entry> {
    for (const entry of this.#directories.entries(this.#directory(number), onDamage)) yield this.#meet(entry);
  }

  stat(number: InodeNumber): InodeStat {
    const inode = this.#inode(number);
    const time = { seconds: inode.mtime, nanoseconds: 0 };
    const { device } = inode;
    return {
      inode: number,
      mode: inode.mode,
      linkCount: inode.linkCount,
      uid: this.#owners.get(inode.uidIndex).id,
      gid: this.#owners.get(inode.gidIndex).id,
      ...deviceNumbersOf(device),
      sizeInBytes: inode.size,
      blockCount512: inode.file ? Math.ceil(Math.max(0, inode.size - inode.file.sparse) / 512) : 0,
      accessed: time,
      modified: time,
      changed: time,
    };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    const place = this.#directory(directory);
    if (place.indexCount > 0) {
      const entry = this.#directories.find(place, name);
      return entry && this.#meet(entry).number;
    }
    return this.#names.find(
      directory,
      name,
      () => this.#namesOf(directory),
      (entry) => this.#meet(entry).number,
    );
  }

  *#namesOf(directory: InodeNumber): Generator<readonly [name: string, entry: Entry]> {
    for (const entry of this.#children(directory)) yield [nameOf(entry), entry];
  }

  *entries(directory: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const entry of this.#children(directory, onDamage))
      yield { name: nameOf(entry), inode: entry.number, type: entry.type };
  }

  parent(directory: InodeNumber): InodeNumber {
    const { parentNumber } = this.#directory(directory);
    return directory === this.root ? directory : parentNumber;
  }

  readlink(number: InodeNumber): string {
    const { target } = this.#inode(number);
    if (target === undefined) throw systemError('EINVAL', `squashfs inode ${number}`);
    return target;
  }

  data(number: InodeNumber): Disk {
    const { file, size, type } = this.#inode(number);
    if (file === undefined)
      throw systemError(type === 'directory' ? 'EISDIR' : 'EINVAL', `squashfs inode ${number}`);
    return this.#contents.open(file, size, `squashfs file ${number}`);
  }

  xattrs(number: InodeNumber): ReadonlyMap<string, Uint8Array> {
    const { xattrIndex } = this.#inode(number);
    // Makers leave indexes behind in a filesystem whose attributes were left out, and Linux passes over them.
    if (this.#xattrs === undefined || xattrIndex === undefined) return noXattrs;
    return this.#xattrs.get(xattrIndex);
  }

  usage(): FileSystemUsage {
    const { blockSize, sizeInBytes, inodeCount } = this.#superblock;
    return {
      ...emptyUsage,
      blockSize,
      fragmentSize: blockSize,
      blocks: Math.ceil(sizeInBytes / blockSize),
      inodes: inodeCount,
      nameMax: SQUASHFS_NAME_LEN,
    };
  }

  close(): void {
    this.#metadata.clear();
    this.#contents.clear();
    this.#names.clear();
    this.#inodes.clear();
    this.#references.clear();
    this.#allReferences = undefined;
    this.#read.clear();
    this.#bytesInDirectories = 0;
  }
}

export function openSquash(disk: Disk, options: OpenOptions): FileSystem {
  return new SquashFileSystem(disk, options);
}
