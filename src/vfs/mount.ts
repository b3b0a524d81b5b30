/**
 * A mounted filesystem, and a place in the tree of mounts. The bottom of the tree is a mount of its own (see
 * root-directory.ts); every other mount covers its root, directly or through other mounts.
 */
import { LruMap } from '../base/index.js';
import type { FileSystem, FileType, InodeNumber } from '../fs/index.js';

/** What a directory holds under a name. */
export interface Child {
  readonly inode: InodeNumber;
  readonly type: FileType;
}

/** How many names are kept for each filesystem: enough for the directories of a busy walk, about 2 MB. */
const rememberedNames = 16384;

/** Caches the inodes of names. Names that were not found are not cached. */
export class NameCache {
  readonly #children = new LruMap<string, Child>(rememberedNames);

  get(directory: InodeNumber, name: string): Child | undefined {
    return this.#children.get(`${directory}/${name}`);
  }

  set(directory: InodeNumber, name: string, child: Child): void {
    this.#children.set(`${directory}/${name}`, child);
  }

  /** Must be called after a name is removed or replaced. */
  forget(directory: InodeNumber, name: string): void {
    this.#children.delete(`${directory}/${name}`);
  }

  clear(): void {
    this.#children.clear();
  }
}

/** What a mount is made of. */
interface MountParts {
  readonly fileSystem: FileSystem;
  readonly source: string;
  readonly mountpoint: string;
  readonly readonly: boolean;
  readonly flags: number;
  readonly options: Readonly<Record<string, string | true>>;
  readonly deviceNumber: number;
  /** The device number of a volume of the filesystem. */
  readonly numberOfVolume: (volume: number) => number;
  readonly names: NameCache;
  readonly parent: Mount | undefined;
  readonly holder: Mount | undefined;
  readonly coveredInode: InodeNumber;
}

/** A mounted filesystem. Only the mount table makes one. */
export class Mount {
  #fileSystem: FileSystem;
  /** The mountable in the words of the caller of `mount`: `/dev/sda1`, `btrfsvol:/dev/sda2/home`. */
  readonly source: string;
  /** Where it was mounted, links resolved. */
  readonly mountpoint: string;
  readonly options: Readonly<Record<string, string | true>>;
  /** `f_flag` of statvfs(3), without `ST_RDONLY`. */
  readonly flags: number;
  /** `st_dev` of its root: one number for a filesystem, however often it is mounted. */
  readonly deviceNumber: number;
  readonly names: NameCache;
  /** The mount below, and its directory that this mount hides. Only the bottom has neither. */
  readonly parent: Mount | undefined;
  readonly coveredInode: InodeNumber;
  /** The mount of the file that the filesystem is in, if it is in a file. */
  readonly holder: Mount | undefined;
  /** The mounts on directories of this mount, by the inode that they hide. */
  readonly covers = new Map<InodeNumber, Mount>();
  readonly #numberOfVolume: (volume: number) => number;
  // A walk asks for those of one volume, file after file.
  #lastVolume: number | undefined;
  #lastNumber = 0;
  #readonly: boolean;
  #blockSize: number | undefined;

  constructor(parts: MountParts) {
    this.#fileSystem = parts.fileSystem;
    this.source = parts.source;
    this.mountpoint = parts.mountpoint;
    this.#readonly = parts.readonly;
    this.options = parts.options;
    this.flags = parts.flags;
    this.deviceNumber = parts.deviceNumber;
    this.#numberOfVolume = parts.numberOfVolume;
    this.names = parts.names;
    this.parent = parts.parent;
    this.holder = parts.holder;
    this.coveredInode = parts.coveredInode;
  }

  get fileSystem(): FileSystem {
    return this.#fileSystem;
  }

  /** The same filesystem, opened anew. */
  reopened(fileSystem: FileSystem): void {
    this.#fileSystem = fileSystem;
    this.names.clear();
  }

  /** `st_dev` of an inode. */
  deviceOf(inode: InodeNumber): number {
    const volume = this.fileSystem.volumeOf?.(inode);
    if (volume === undefined) return this.deviceNumber;
    if (volume !== this.#lastVolume) {
      this.#lastVolume = volume;
      this.#lastNumber = this.#numberOfVolume(volume);
    }
    return this.#lastNumber;
  }

  get readonly(): boolean {
    return this.#readonly;
  }

  /** Changes it to read-only, or to writable. */
  remount(readonly: boolean): void {
    this.#readonly = readonly;
  }

  /** The preferred size of reads (`st_blksize`), in bytes. */
  get blockSize(): number {
    this.#blockSize ??= this.fileSystem.usage().blockSize;
    return this.#blockSize;
  }
}

/** A file of the tree: its mount and its inode. */
export interface Place {
  readonly mount: Mount;
  readonly fileSystem: FileSystem;
  readonly inode: InodeNumber;
  readonly type: FileType;
}

/** The number that programs see of an inode in the filesystem of `place`. */
export function shownNumber({ fileSystem }: Place, inode: InodeNumber): number {
  return fileSystem.inodeOf?.(inode) ?? inode;
}

/** The topmost mount on a directory, or the directory itself. */
export function topOf(mount: Mount, inode: InodeNumber, type: FileType): Place {
  let top = mount;
  let at = inode;
  // This ends: each step goes to a mount that was made later.
  for (let next = top.covers.get(at); next !== undefined; next = top.covers.get(at)) {
    top = next;
    at = next.fileSystem.root;
  }
  return { mount: top, fileSystem: top.fileSystem, inode: at, type };
}
