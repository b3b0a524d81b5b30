/**
 * An open NTFS as inodes, with the answers that ntfs-3g gives in libguestfs's appliance: everything belongs to root and
 * may be done by everybody, a directory has one link, names of the 8.3 kind are found and not listed, and the
 * filesystem's own files neither.
 */
import { CorruptError, encodeText, GuestfsError, LruMap, modeTypes, systemError } from '../../base/index.js';
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
import { noXattrs } from '../support.js';
import { Directory, type NameEntry } from './directory.js';
import type { Inode } from './inode.js';
import { attributeTypes, directoryIndexName, dosNamespace, fileAttributes, fileNumbers } from './layout.js';
import type { NtfsOptions } from './options.js';
import { fileName, numberOf } from './record.js';
import { interixTarget, kindOfSystemFile } from './special/interix.js';
import { reparseTarget } from './special/links.js';
import { kindOfReparse, openReparse } from './special/reparse.js';
import { systemAttributes } from './system-xattrs.js';
import { readUsage } from './usage.js';
import type { NtfsVolume } from './volume.js';
import { readStream, readStreams } from './xattrs.js';

/** What a file is, as users see it. */
interface Kind {
  readonly type: Exclude<FileType, 'unknown'>;
  readonly device?: { readonly major: number; readonly minor: number };
}

/** Directories kept open. */
const keptDirectories = 64;
const allPermissions = 0o777;

export class NtfsFileSystem implements FileSystem {
  readonly type = 'ntfs';
  readonly root: InodeNumber;
  readonly caseInsensitive: boolean;
  /** What FUSE passes on. */
  readonly longestName = 1024;
  readonly hasXattrs: boolean;
  readonly volume: NtfsVolume;
  readonly #options: NtfsOptions;
  readonly #directories = new LruMap<InodeNumber, Directory>(keptDirectories);

  constructor(volume: NtfsVolume, options: NtfsOptions) {
    this.volume = volume;
    this.root = volume.inode(fileNumbers.root).reference;
    this.#options = options;
    this.caseInsensitive = !options.caseSensitive;
    this.hasXattrs = options.hasStreams;
  }

  stat(number: InodeNumber): InodeStat {
    const inode = this.volume.inode(number);
    const { type, device } = this.#kindOf(inode);
    const { sizeInBytes, allocated } = this.#sizes(inode, type);
    const { uid, gid } = this.#options;
    return {
      inode: inode.number,
      mode: modeTypes[type] | this.#permissions(inode, type),
      linkCount: type === 'directory' && !inode.has('reparsePoint') ? 1 : inode.record.linkCount,
      uid,
      gid,
      deviceMajor: device?.major ?? 0,
      deviceMinor: device?.minor ?? 0,
      sizeInBytes,
      blockCount512: type === 'directory' ? Math.floor(allocated / 512) : Math.ceil(allocated / 512),
      accessed: inode.time('last_access_time'),
      modified: inode.time('last_data_change_time'),
      changed: inode.time('last_mft_change_time'),
    };
  }

  #kindOf(inode: Inode): Kind {
    if (inode.has('reparsePoint')) return kindOfReparse(this.volume, inode);
    if (inode.isDirectory) return { type: 'directory' };
    return inode.has('system') ? kindOfSystemFile(this.volume, inode) : { type: 'file' };
  }

  #permissions(inode: Inode, type: FileType): number {
    const { fileMask, directoryMask } = this.#options;
    if (type === 'symlink') return allPermissions;
    if (type === 'directory') return allPermissions & ~directoryMask;
    // ntfs-3g gives none to special files of WSL, and to files that have no contents at all.
    if (inode.has('reparsePoint') && type !== 'file') return 0;
    return inode.has('system') && inode.data === undefined ? 0 : allPermissions & ~fileMask;
  }

  /** A directory has the size of its blocks, beside which its root counts for nothing. */
  #sizes(inode: Inode, type: FileType): { readonly sizeInBytes: number; readonly allocated: number } {
    const attribute =
      type === 'directory'
        ? inode.attributes.find(attributeTypes.indexAllocation, directoryIndexName)
        : inode.data;
    const allocated = attribute?.allocatedSize ?? 0;
    if (type === 'symlink') return { sizeInBytes: encodeText(this.readlink(inode.number)).length, allocated };
    return { sizeInBytes: attribute?.sizeInBytes ?? 0, allocated };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    return this.#directory(directory).find(name)?.file;
  }

  *entries(directory: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const entry of this.#directory(directory).entries(onDamage)) {
      const { name, file, namespace, attributes } = entry;
      const number = numberOf(file);
      if (namespace === dosNamespace || number === fileNumbers.root) continue;
      const isInternal = number < fileNumbers.firstUser;
      if (isInternal && !this.#options.showsInternal) continue;
      if (this.#options.hidesHidden && (attributes & fileAttributes.hidden) !== 0) continue;
      const found = heeding(onDamage, (): DirectoryEntry => {
        if (name === '.' || name === '..' || /[/\0]/.test(name))
          throw new CorruptError(fileName(numberOf(directory)), 'has a name that is none', {
            name: JSON.stringify(name),
          });
        return { name, inode: file, type: this.#entryType(entry) };
      });
      if (found !== undefined) yield found;
    }
  }

  #entryType({ file, attributes }: NameEntry): FileType {
    if ((attributes & (fileAttributes.reparsePoint | fileAttributes.system)) !== 0)
      return this.#kindOf(this.volume.inode(file)).type;
    return (attributes & fileAttributes.directoryIndex) !== 0 ? 'directory' : 'file';
  }

  parent(directory: InodeNumber): InodeNumber {
    const inode = this.volume.inode(directory);
    if (inode.number === fileNumbers.root) return this.root;
    if (this.#kindOf(inode).type !== 'directory') throw systemError('ENOTDIR', fileName(inode.number));
    return this.volume.inode(inode.parent).reference;
  }

  inodeOf(reference: InodeNumber): number {
    return numberOf(reference);
  }

  readlink(number: InodeNumber): string {
    const inode = this.volume.inode(number);
    const { type } = this.#kindOf(inode);
    if (type !== 'symlink')
      throw new GuestfsError('EINVAL', `${fileName(inode.number)}: is no symbolic link`);
    if (!inode.has('reparsePoint')) return interixTarget(this.volume, inode);
    return reparseTarget(this.volume, inode, (directory, name) =>
      this.#directoryOf(directory).find(name, false),
    );
  }

  data(number: InodeNumber): Disk {
    const inode = this.volume.inode(number);
    const { type } = this.#kindOf(inode);
    if (type === 'directory') throw systemError('EISDIR', fileName(inode.number));
    if (type !== 'file') throw new GuestfsError('EINVAL', `${fileName(inode.number)}: not a regular file`);
    const opened = inode.has('reparsePoint')
      ? openReparse(this.volume, inode)
      : inode.data && this.volume.open(inode.data);
    return opened ?? new MemoryDisk(new Uint8Array(0));
  }

  xattrs(number: InodeNumber, onTooLong?: (error: GuestfsError) => void): ReadonlyMap<string, Uint8Array> {
    const inode = this.volume.inode(number);
    return this.#hasStreams(inode) ? readStreams(this.volume, inode, onTooLong) : noXattrs;
  }

  #hasStreams(inode: Inode): boolean {
    if (!this.hasXattrs || (inode.isInternal && inode.has('system'))) return false;
    const { type } = this.#kindOf(inode);
    return type === 'file' || type === 'directory';
  }

  xattr(number: InodeNumber, name: string): Uint8Array | undefined {
    const inode = this.volume.inode(number);
    if (Object.hasOwn(systemAttributes, name)) return systemAttributes[name]?.(this.volume, inode);
    if (!this.hasXattrs) throw systemError('EOPNOTSUPP', `${fileName(inode.number)}: attribute '${name}'`);
    return this.#hasStreams(inode) ? readStream(this.volume, inode, name) : undefined;
  }

  usage(): FileSystemUsage {
    return readUsage(this.volume);
  }

  close(): void {
    this.#directories.clear();
    this.volume.close();
  }

  #directory(number: InodeNumber): Directory {
    const inode = this.volume.inode(number);
    if (this.#kindOf(inode).type !== 'directory') throw systemError('ENOTDIR', fileName(inode.number));
    return this.#directoryOf(inode);
  }

  #directoryOf(inode: Inode): Directory {
    let directory = this.#directories.get(inode.number);
    if (directory === undefined) {
      directory = new Directory(this.volume, inode);
      this.#directories.set(inode.number, directory);
    }
    return directory;
  }
}
