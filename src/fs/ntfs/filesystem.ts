/**
 * An open NTFS as inodes, with the answers that ntfs-3g gives in libguestfs's appliance: everything belongs to root and
 * may be done by everybody, a directory has one link, names of the 8.3 kind are found and not listed, and the
 * filesystem's own files neither.
 */
import {
  CorruptError,
  GuestfsError,
  LruMap,
  modeTypes,
  systemError,
  UnsupportedError,
} from '../../base/index.js';
import { type Disk, MemoryDisk } from '../../disk/index.js';
import {
  type DirectoryEntry,
  type FileSystem,
  type FileSystemUsage,
  type FileType,
  heeding,
  type InodeNumber,
  type InodeStat,
  type OnDamage,
} from '../driver.js';
import { emptyUsage, noXattrs } from '../support.js';
import { Directory, type NameEntry } from './directory.js';
import type { Inode } from './inode.js';
import { attributeTypes, directoryIndexName, dosNamespace, fileAttributes, fileNumbers } from './layout.js';
import type { NtfsOptions } from './options.js';
import { fileName } from './record.js';
import type { NtfsVolume } from './volume.js';

/** Directories kept open. */
const keptDirectories = 64;
const allPermissions = 0o777;

export class NtfsFileSystem implements FileSystem {
  readonly type = 'ntfs';
  readonly root: InodeNumber = fileNumbers.root;
  readonly caseInsensitive: boolean;
  /** What FUSE passes on. */
  readonly longestName = 1024;
  readonly hasXattrs: boolean;
  readonly volume: NtfsVolume;
  readonly #options: NtfsOptions;
  readonly #directories = new LruMap<InodeNumber, Directory>(keptDirectories);

  constructor(volume: NtfsVolume, options: NtfsOptions) {
    this.volume = volume;
    this.#options = options;
    this.caseInsensitive = !options.caseSensitive;
    this.hasXattrs = options.hasStreams;
  }

  stat(number: InodeNumber): InodeStat {
    const inode = this.volume.inode(number);
    const type = this.#typeOf(inode);
    const { sizeInBytes, allocated } = this.#sizes(inode, type);
    const { uid, gid, fileMask, directoryMask } = this.#options;
    const mask = type === 'directory' ? directoryMask : fileMask;
    return {
      inode: number,
      mode: modeTypes[type] | (allPermissions & ~mask),
      linkCount: type === 'directory' ? 1 : inode.record.linkCount,
      uid,
      gid,
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes,
      blockCount512: type === 'directory' ? Math.floor(allocated / 512) : Math.ceil(allocated / 512),
      accessed: inode.time('last_access_time'),
      modified: inode.time('last_data_change_time'),
      changed: inode.time('last_mft_change_time'),
    };
  }

  #typeOf(inode: Inode): Exclude<FileType, 'unknown'> {
    return inode.isDirectory ? 'directory' : 'file';
  }

  /** A directory has the size of its blocks, beside which its root counts for nothing. */
  #sizes(inode: Inode, type: FileType): { readonly sizeInBytes: number; readonly allocated: number } {
    const attribute =
      type === 'directory'
        ? inode.attributes.find(attributeTypes.indexAllocation, directoryIndexName)
        : inode.data;
    return { sizeInBytes: attribute?.sizeInBytes ?? 0, allocated: attribute?.allocatedSize ?? 0 };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#directory(directory).find(name)?.file;
  }

  *entries(directory: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const entry of this.#directory(directory).entries(onDamage)) {
      const { name, file, namespace, attributes } = entry;
      if (namespace === dosNamespace || file === this.root) continue;
      const isInternal = file < fileNumbers.firstUser;
      if (isInternal && !this.#options.showsInternal) continue;
      if (this.#options.hidesHidden && (attributes & fileAttributes.hidden) !== 0) continue;
      const found = heeding(onDamage, (): DirectoryEntry => {
        if (name === '.' || name === '..' || /[/\0]/.test(name))
          throw new CorruptError(fileName(directory), 'has a name that is none', {
            name: JSON.stringify(name),
          });
        return { name, inode: file, type: this.#entryType(entry) };
      });
      if (found !== undefined) yield found;
    }
  }

  #entryType({ file, attributes }: NameEntry): FileType {
    if ((attributes & (fileAttributes.reparsePoint | fileAttributes.system)) !== 0)
      return this.#typeOf(this.volume.inode(file));
    return (attributes & fileAttributes.directoryIndex) !== 0 ? 'directory' : 'file';
  }

  parent(directory: InodeNumber): InodeNumber {
    if (directory === this.root) return this.root;
    const inode = this.volume.inode(directory);
    if (this.#typeOf(inode) !== 'directory') throw systemError('ENOTDIR', fileName(directory));
    return inode.parent;
  }

  readlink(number: InodeNumber): string {
    throw new GuestfsError('EINVAL', `${fileName(number)}: is no symbolic link`);
  }

  data(number: InodeNumber): Disk {
    const inode = this.volume.inode(number);
    const type = this.#typeOf(inode);
    if (type === 'directory') throw systemError('EISDIR', fileName(number));
    if (type !== 'file') throw new GuestfsError('EINVAL', `${fileName(number)}: not a regular file`);
    if (inode.has('reparsePoint'))
      throw new UnsupportedError(fileName(number), ['reparse points'], { elsewhere: 'appliance' });
    return inode.data === undefined ? new MemoryDisk(new Uint8Array(0)) : this.volume.open(inode.data);
  }

  xattrs(_number: InodeNumber): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }

  usage(): FileSystemUsage {
    return emptyUsage;
  }

  close(): void {
    this.#directories.clear();
    this.volume.close();
  }

  #directory(number: InodeNumber): Directory {
    let directory = this.#directories.get(number);
    if (directory === undefined) {
      const inode = this.volume.inode(number);
      if (this.#typeOf(inode) !== 'directory') throw systemError('ENOTDIR', fileName(number));
      directory = new Directory(this.volume, inode);
      this.#directories.set(number, directory);
    }
    return directory;
  }
}
