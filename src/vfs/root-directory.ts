/**
 * The bottom of every tree: an empty root directory in memory. The first filesystem is mounted on it, and
 * `mkmountpoint` makes directories in it while nothing is mounted. It holds only directories, and callers never see
 * it itself.
 */
import { CorruptError, systemError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import {
  currentTime,
  type DirectoryEntry,
  emptyUsage,
  type FileSystem,
  type FileSystemUsage,
  type InodeNumber,
  type InodeStat,
  noXattrs,
  type Time,
} from '../fs/index.js';

interface Directory {
  readonly parent: InodeNumber;
  readonly children: Map<string, InodeNumber>;
  readonly made: Time;
}

export class RootDirectory implements FileSystem {
  readonly type = 'tmpfs';
  readonly root: InodeNumber = 1;
  readonly caseInsensitive = false;
  readonly longestName = 255;
  readonly hasXattrs = true;
  readonly #directories = new Map<InodeNumber, Directory>([
    [1, { parent: 1, children: new Map(), made: currentTime() }],
  ]);
  #nextInode = 2;

  #directory(inode: InodeNumber): Directory {
    const directory = this.#directories.get(inode);
    if (directory === undefined) throw new CorruptError('mount point directory', 'does not exist', { inode });
    return directory;
  }

  /** Makes an empty directory. EEXIST if the name exists. */
  makeDirectory(parent: InodeNumber, name: string, path: string): void {
    const { children } = this.#directory(parent);
    if (children.has(name)) throw systemError('EEXIST', path);
    const inode = this.#nextInode++;
    this.#directories.set(inode, { parent, children: new Map(), made: currentTime() });
    children.set(name, inode);
  }

  /** Removes an empty directory. ENOENT, ENOTEMPTY. */
  removeDirectory(parent: InodeNumber, name: string, path: string): void {
    const { children } = this.#directory(parent);
    const inode = children.get(name);
    if (inode === undefined) throw systemError('ENOENT', path);
    if (this.#directory(inode).children.size > 0) throw systemError('ENOTEMPTY', path);
    children.delete(name);
    this.#directories.delete(inode);
  }

  stat(inode: InodeNumber): InodeStat {
    const { children, made } = this.#directory(inode);
    return {
      inode,
      mode: 0o040755,
      linkCount: 2 + children.size,
      uid: 0,
      gid: 0,
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes: 0,
      blockCount512: 0,
      accessed: made,
      modified: made,
      changed: made,
    };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#directory(directory).children.get(name);
  }

  *entries(directory: InodeNumber): Iterable<DirectoryEntry> {
    for (const [name, inode] of this.#directory(directory).children) yield { name, inode, type: 'directory' };
  }

  parent(directory: InodeNumber): InodeNumber {
    return this.#directory(directory).parent;
  }

  readlink(): string {
    throw systemError('EINVAL', 'mount point directory');
  }

  data(): Disk {
    throw systemError('EISDIR', 'mount point directory');
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }

  usage(): FileSystemUsage {
    return emptyUsage;
  }

  close(): void {}
}
