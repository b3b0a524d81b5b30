/**
 * A cramfs as inodes, with the answers that Linux gives.
 *
 * An inode's number is the place of its directory entry, in bytes. (Linux numbers files by the place of their
 * contents, so that two files of equal contents, which are stored once, are one to it.) Nothing has times: all are 0.
 */
import { CorruptError, decodePadded, LruMap, systemError, typeOfMode, viewOf } from '../../base/index.js';
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
import { takeOptions } from '../mount-options.js';
import { DirectoryCache, emptyUsage, noXattrs } from '../support.js';
import { checkSum } from './checksum.js';
import { openContents } from './contents.js';
import { type Entry, readEntries } from './directory.js';
import {
  blockSize,
  CRAMFS_MAXPATHLEN,
  decodeInode,
  type InodeFields,
  inodeSize,
  unitSize,
} from './layout.js';
import { readSuperblock, type Superblock } from './superblock.js';

const epoch = { seconds: 0, nanoseconds: 0 };
/** The longest target of a symbolic link, in bytes: Linux cuts off what is longer. */
const maxTarget = 4095;
const nodesKept = 8192;
/** Bytes of contents. Makers of filesystems leave an offset or a size in inodes that have no contents. */
function sizeOf(fields: InodeFields): number {
  const type = typeOfMode(fields.mode);
  const canHold = type === 'file' || type === 'directory' || type === 'symlink';
  return canHold && fields.offset !== 0 ? fields.size : 0;
}

class CramFileSystem implements FileSystem {
  readonly type = 'cramfs';
  readonly root: InodeNumber;
  readonly caseInsensitive = false;
  readonly longestName = Number.POSITIVE_INFINITY;
  readonly hasXattrs = false;
  readonly #disk: Disk;
  readonly #superblock: Superblock;
  readonly #nodes = new LruMap<InodeNumber, InodeFields>(nodesKept);
  /** With the parents of the directories that were listed: cramfs stores no `..`. */
  readonly #names = new DirectoryCache();
  /** The directories that were met, and the sum of their sizes in bytes. */
  readonly #directories = new Set<InodeNumber>();
  #bytesInDirectories = 0;

  constructor(disk: Disk, { options = {}, warn = () => {} }: OpenOptions) {
    takeOptions(this.type, {}, options, {});
    this.#disk = disk;
    this.#superblock = readSuperblock(disk);
    this.root = this.#superblock.rootAt;
    checkSum(disk, this.#superblock, warn);
  }

  /** Decodes an inode. CorruptError for a number that cannot be the place of an entry. */
  #node(inode: InodeNumber): InodeFields {
    if (inode === this.root) return this.#superblock.root;
    let fields = this.#nodes.get(inode);
    if (fields === undefined) {
      const first = this.root + inodeSize;
      if (!(inode >= first && inode % unitSize === 0 && inode + inodeSize <= this.#disk.size))
        throw new CorruptError('cramfs inode', 'lies outside the disk, or not where one can be', { inode });
      const raw = new Uint8Array(inodeSize);
      this.#disk.read(raw, inode);
      fields = decodeInode(viewOf(raw), 0, this.#superblock.endian);
      this.#nodes.set(inode, fields);
    }
    return fields;
  }

  #entries(directory: InodeNumber, onDamage?: OnDamage): Generator<Entry> {
    const fields = this.#node(directory);
    if (typeOfMode(fields.mode) !== 'directory') throw systemError('ENOTDIR', `cramfs inode ${directory}`);
    const size = sizeOf(fields);
    if (!this.#directories.has(directory)) {
      this.#directories.add(directory);
      this.#bytesInDirectories += size;
    }
    // Directories do not share entries. Those that overlap take the product of their number and their length.
    if (this.#bytesInDirectories > this.#disk.size)
      throw new CorruptError('cramfs directory', 'overlaps other directories', {
        inode: directory,
        inDirectories: this.#bytesInDirectories,
      });
    const start = fields.offset * unitSize;
    return readEntries(this.#disk, this.#superblock, start, start + size, onDamage);
  }

  /** The entries of a directory. Their inodes are remembered: whoever lists often asks for them next. */
  *#children(directory: InodeNumber, onDamage?: OnDamage): Generator<Entry> {
    for (const entry of this.#entries(directory, onDamage)) {
      this.#nodes.set(entry.at, entry.fields);
      if (typeOfMode(entry.fields.mode) === 'directory') this.#names.parents.set(entry.at, directory);
      yield entry;
    }
  }

  stat(inode: InodeNumber): InodeStat {
    const fields = this.#node(inode);
    const type = typeOfMode(fields.mode);
    const isDevice = type === 'block' || type === 'character';
    const sizeInBytes = sizeOf(fields);
    return {
      inode,
      mode: fields.mode,
      linkCount: 1,
      uid: fields.uid,
      gid: fields.gid,
      // Eight bits each, as of old.
      deviceMajor: isDevice ? (fields.size >> 8) & 0xff : 0,
      deviceMinor: isDevice ? fields.size & 0xff : 0,
      sizeInBytes,
      blockCount512: Math.ceil(sizeInBytes / 512),
      accessed: epoch,
      modified: epoch,
      changed: epoch,
    };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#names.find(
      directory,
      name,
      () => this.#namesOf(directory),
      ({ at }) => at,
    );
  }

  *#namesOf(directory: InodeNumber): Generator<readonly [name: string, entry: Entry]> {
    for (const entry of this.#children(directory)) yield [entry.name, entry];
  }

  *entries(directory: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const { name, at, fields } of this.#children(directory, onDamage))
      yield { name, inode: at, type: typeOfMode(fields.mode) };
  }

  parent(directory: InodeNumber): InodeNumber {
    if (typeOfMode(this.#node(directory).mode) !== 'directory')
      throw systemError('ENOTDIR', `cramfs inode ${directory}`);
    if (directory === this.root) return directory;
    const known = this.#names.parents.get(directory);
    if (known !== undefined) return known;
    const found = this.#findParent(directory);
    if (found === undefined)
      throw new CorruptError('cramfs directory', 'is in no other directory', { inode: directory });
    return found;
  }

  /** Looks for a directory's entry from the root on. What is damaged elsewhere does not matter to it. */
  #findParent(directory: InodeNumber): InodeNumber | undefined {
    const pending = [this.root];
    const seen = new Set<InodeNumber>(pending);
    for (let above = pending.pop(); above !== undefined; above = pending.pop()) {
      for (const { at, fields } of this.#children(above, () => {})) {
        if (at === directory) return above;
        if (typeOfMode(fields.mode) !== 'directory' || seen.has(at)) continue;
        seen.add(at);
        pending.push(at);
      }
    }
    return undefined;
  }

  readlink(inode: InodeNumber): string {
    const fields = this.#node(inode);
    if (typeOfMode(fields.mode) !== 'symlink') throw systemError('EINVAL', `cramfs inode ${inode}`);
    const stored = this.#contents(inode, fields);
    const raw = new Uint8Array(Math.min(stored.size, maxTarget));
    stored.read(raw, 0);
    const target = decodePadded(raw);
    if (target === '') throw new CorruptError('cramfs symbolic link', 'has an empty target', { inode });
    return target;
  }

  data(inode: InodeNumber): Disk {
    const fields = this.#node(inode);
    const type = typeOfMode(fields.mode);
    if (type === 'directory') throw systemError('EISDIR', `cramfs inode ${inode}`);
    if (type !== 'file') throw systemError('EINVAL', `cramfs inode ${inode}`);
    return this.#contents(inode, fields);
  }

  #contents(inode: InodeNumber, fields: InodeFields): Disk {
    const start = fields.offset * unitSize;
    return openContents(this.#disk, this.#superblock, start, sizeOf(fields), `cramfs file ${inode}`);
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }

  usage(): FileSystemUsage {
    const { blockCount, fileCount } = this.#superblock;
    return {
      ...emptyUsage,
      blockSize,
      fragmentSize: blockSize,
      blocks: blockCount,
      inodes: fileCount,
      nameMax: CRAMFS_MAXPATHLEN,
    };
  }

  close(): void {
    this.#nodes.clear();
    this.#names.clear();
    this.#directories.clear();
    this.#bytesInDirectories = 0;
  }
}

export function openCram(disk: Disk, options: OpenOptions): FileSystem {
  return new CramFileSystem(disk, options);
}
