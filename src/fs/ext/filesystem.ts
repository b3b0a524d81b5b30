/** An open ext2, ext3 or ext4 filesystem: implements FileSystem with the other files. */
import { LruMap } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type {
  DirectoryEntry,
  FileSystem,
  FileSystemUsage,
  InodeNumber,
  InodeStat,
  OnDamage,
} from '../driver.js';
import { openFile } from './data.js';
import { Directory } from './directory/directory.js';
import type { Inode } from './inode.js';
import { inodeFlags, reservedInodes } from './layout.js';
import type { ExtMountOptions } from './options.js';
import type { Orphans } from './orphans.js';
import { readUsage } from './report/usage.js';
import { has } from './superblock.js';
import { readSymlink } from './symlink.js';
import type { ExtVolume } from './volume.js';
import { readXattrs } from './xattr.js';

/** Directories kept open. */
const keptDirectories = 64;

export class ExtFileSystem implements FileSystem {
  readonly type: string;
  readonly root: InodeNumber = reservedInodes.root;
  readonly caseInsensitive = false;
  readonly longestName = 255;
  readonly hasXattrs = true;
  readonly volume: ExtVolume;
  readonly #options: ExtMountOptions;
  readonly #orphans: Orphans;
  readonly #directories = new LruMap<InodeNumber, Directory>(keptDirectories);

  constructor(type: string, volume: ExtVolume, options: ExtMountOptions, orphans: Orphans) {
    this.type = type;
    this.volume = volume;
    this.#options = options;
    this.#orphans = orphans;
  }

  stat(inode: InodeNumber): InodeStat {
    const { stat, kind, flags } = this.volume.inode(inode);
    const truncated = this.#orphans.truncated.get(inode);
    if (truncated !== undefined) return { ...stat, blockCount512: truncated };
    // For an encrypted link the kernel returns the length of the target that it shows.
    if (kind === 'symlink' && has(flags, inodeFlags.EXT4_ENCRYPT_FL))
      return { ...stat, sizeInBytes: this.readlink(inode).length };
    // For files in the inode the kernel returns the space that they would occupy elsewhere.
    if (kind === 'file' && has(flags, inodeFlags.EXT4_INLINE_DATA_FL))
      return { ...stat, blockCount512: stat.blockCount512 + Math.ceil(stat.sizeInBytes / 512) };
    return stat;
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#directory(directory).lookup(name);
  }

  entries(directory: InodeNumber, onDamage?: OnDamage): Iterable<DirectoryEntry> {
    return this.#directory(directory).entries(onDamage);
  }

  parent(directory: InodeNumber): InodeNumber {
    return directory === this.root ? this.root : this.#directory(directory).parent();
  }

  readlink(inode: InodeNumber): string {
    return readSymlink(this.volume, this.volume.inode(inode));
  }

  data(inode: InodeNumber): Disk {
    return openFile(this.volume, this.volume.inode(inode));
  }

  xattrs(inode: InodeNumber): ReadonlyMap<string, Uint8Array> {
    return readXattrs(this.volume, this.volume.inode(inode));
  }

  usage(): FileSystemUsage {
    return readUsage(this.volume, this.#orphans.reclaimed, this.#options.minixDf);
  }

  close(): void {
    this.#directories.clear();
    this.volume.close();
  }

  /** The inode itself, for facts that only ext has. */
  inode(inode: InodeNumber): Inode {
    return this.volume.inode(inode);
  }

  #directory(number: InodeNumber): Directory {
    let directory = this.#directories.get(number);
    if (directory === undefined) {
      directory = new Directory(this.volume, this.volume.inode(number));
      this.#directories.set(number, directory);
    }
    return directory;
  }
}
