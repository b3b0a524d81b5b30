/** An open btrfs filesystem, of which a subvolume is mounted: implements FileSystem with the other files. */
import { CorruptError, decodeText, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type {
  DirectoryEntry,
  FileSystem,
  FileSystemUsage,
  InodeNumber,
  InodeStat,
  OnDamage,
} from '../driver.js';
import { noXattrs } from '../support.js';
import { contentsOf, openFile } from './data.js';
import { Directories } from './directory.js';
import { Handles, type Named } from './handles.js';
import { type Inode, inodeName, readInode } from './inode.js';
import { objects } from './layout.js';
import { findSubvolume, type Subvolume } from './subvolumes.js';
import { readUsage } from './usage.js';
import type { BtrfsVolume } from './volume.js';
import { readXattrs } from './xattrs.js';

/** The kernel's PATH_MAX. */
const longestTarget = 4095;
const placeholderMode = 0o040755;

export class BtrfsFileSystem implements FileSystem {
  readonly type = 'btrfs';
  readonly root: InodeNumber;
  readonly caseInsensitive = false;
  readonly longestName = 255;
  readonly hasXattrs = true;
  readonly volume: BtrfsVolume;
  readonly mounted: Subvolume;
  readonly #handles: Handles;
  readonly #directories: Directories;

  constructor(volume: BtrfsVolume, mounted: Subvolume) {
    this.volume = volume;
    this.mounted = mounted;
    this.#handles = new Handles(mounted, (id) => findSubvolume(volume, id));
    this.root = this.#handles.of(mounted, mounted.root);
    this.#directories = new Directories(volume, this.#handles, mounted);
  }

  stat(number: InodeNumber): InodeStat {
    const named = this.#handles.get(number);
    const { stat } = this.#inode(named);
    if (!named.isPlaceholder) return stat;
    return {
      ...stat,
      inode: objects.emptySubvolume,
      mode: placeholderMode,
      linkCount: 1,
      sizeInBytes: 0,
      blockCount512: 0,
    };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#directories.lookup(this.#directory(directory), name);
  }

  entries(directory: InodeNumber, onDamage?: OnDamage): Iterable<DirectoryEntry> {
    return this.#directories.entries(this.#directory(directory), onDamage);
  }

  parent(directory: InodeNumber): InodeNumber {
    return this.#directories.parent(this.#directory(directory));
  }

  readlink(number: InodeNumber): string {
    const inode = this.#inodeOf(number);
    const name = inodeName(inode.tree, inode.number);
    if (inode.kind !== 'symlink') throw new GuestfsError('EINVAL', `${name}: not a symbolic link`);
    const disk = contentsOf(this.volume, inode);
    if (disk.size === 0 || disk.size > longestTarget)
      throw new CorruptError(name, 'has a target of an impossible length', { size: disk.size });
    const target = new Uint8Array(disk.size);
    disk.read(target, 0);
    return decodeText(target);
  }

  data(number: InodeNumber): Disk {
    return openFile(this.volume, this.#inodeOf(number));
  }

  xattrs(number: InodeNumber): ReadonlyMap<string, Uint8Array> {
    const named = this.#handles.get(number);
    return named.isPlaceholder ? noXattrs : readXattrs(this.#inode(named));
  }

  usage(): FileSystemUsage {
    return readUsage(this.volume, this.mounted.id);
  }

  volumeOf(number: InodeNumber): number {
    return this.#handles.subvolumeOf(number);
  }

  /** The number of the subvolume whose topmost directory an inode is; undefined for another inode. */
  subvolumeAt(number: InodeNumber): number | undefined {
    const { subvolume, inode, isPlaceholder } = this.#handles.get(number);
    return inode === subvolume.root && !isPlaceholder ? subvolume.id : undefined;
  }

  close(): void {
    this.volume.close();
  }

  /** Of an empty directory that stands for a subvolume, the directory that it lies in. */
  #inode({ subvolume, inode }: Named): Inode {
    return readInode(subvolume.tree, inode, this.volume.superblock.sectorSize);
  }

  /** Any inode but one of those empty directories, which are EISDIR to whoever wants contents. */
  #inodeOf(number: InodeNumber): Inode {
    return this.#inode(this.#handles.get(number));
  }

  #directory(number: InodeNumber): Named {
    const named = this.#handles.get(number);
    const { kind, tree } = this.#inode(named);
    if (kind !== 'directory')
      throw new GuestfsError('ENOTDIR', `${inodeName(tree, named.inode)}: not a directory`);
    return named;
  }
}
