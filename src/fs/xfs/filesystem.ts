/** An open XFS filesystem: implements FileSystem with the other files. */
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
import { readXattrs } from './attributes/attributes.js';
import { openFile } from './data.js';
import { Directory } from './directory/directory.js';
import { readUsage } from './report/usage.js';
import { readSymlink } from './symlink.js';
import type { XfsVolume } from './volume.js';

/** Directories kept open. */
const keptDirectories = 64;

export class XfsFileSystem implements FileSystem {
  readonly type = 'xfs';
  readonly root: InodeNumber;
  readonly caseInsensitive: boolean;
  readonly longestName = 255;
  readonly hasXattrs = true;
  readonly volume: XfsVolume;
  readonly #recount: boolean;
  readonly #directories = new LruMap<InodeNumber, Directory>(keptDirectories);

  /** `recount`: whether the counts of the superblock may be out of date. */
  constructor(volume: XfsVolume, recount: boolean) {
    this.volume = volume;
    this.root = volume.superblock.root;
    this.caseInsensitive = volume.superblock.features.caseInsensitive;
    this.#recount = recount;
  }

  stat(inode: InodeNumber): InodeStat {
    return this.volume.inode(inode).stat;
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
    return readUsage(this.volume, this.#recount);
  }

  close(): void {
    this.#directories.clear();
    this.volume.close();
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
