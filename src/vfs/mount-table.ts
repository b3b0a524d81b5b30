/**
 * The mounted filesystems and their places. It behaves as `mount`, `umount` and `umount_all` in libguestfs: a mount
 * over a mount hides it, a mount with others below it is busy, and a device may be mounted more than once.
 */

import { forEachInSpite, GuestfsError, systemError, UnsupportedError } from '../base/index.js';
import { makeDeviceNumber, numberOfDevice } from '../formats/index.js';
import type { FileSystem, OnDamage } from '../fs/index.js';
import { Mount, NameCache, type Place } from './mount.js';
import { checkAbsolute } from './names.js';
import { RootDirectory } from './root-directory.js';
import { type Mounts, Tree } from './tree.js';

/** How to mount. */
/** `ST_RELATIME`, Linux's default for mounts. */
const defaultFlags = 0x1000;

interface MountOptions {
  /** The mountable's name: `/dev/sda1`, `btrfsvol:/dev/sda2/home`. */
  readonly source: string;
  /** An existing directory of the tree. */
  readonly mountpoint: string;
  readonly readonly?: boolean;
  readonly options?: Readonly<Record<string, string | true>>;
  /** `f_flag` of statvfs(3), without `ST_RDONLY`; the default is that of a mount without options. */
  readonly flags?: number;
  /** `st_dev`; the default is Linux's number for a device of the source's name. */
  readonly deviceNumber?: number;
  /** The mount of the file that the filesystem is in: it is busy as long as this one is mounted. */
  readonly holder?: Mount;
  /** Called once when the filesystem has no mount any more; by default it is closed. */
  readonly release?: () => void;
}

interface UnmountOptions {
  /** As in `umount -l`: also unmounts everything below. */
  readonly lazy?: boolean;
}

/**
 * Linux's major number for device-mapper, in Debian's and Fedora's kernels; used for sources without a number of
 * their own.
 */
const mapperMajor = 253;
/** Those before it are Linux's own filesystems in memory. */
const firstVolumeMinor = 32;

export class MountTable implements Mounts {
  readonly #rootDirectory = new RootDirectory();
  readonly bottom: Mount;
  /** The tree that these mounts make. */
  readonly tree: Tree;
  /** The same, also while nothing is mounted. */
  readonly #bareTree: Tree;
  /** In the order of mounting. */
  readonly #mounts: Mount[] = [];
  readonly #release = new Map<FileSystem, () => void>();
  /** What keeps a mount busy, beside other mounts, in words. */
  readonly #held = new Map<Mount, Set<string>>();
  readonly #mappedNumbers = new Map<string, number>();
  readonly #volumeNumbers = new Map<string, number>();

  /** `onDamage`: as {@link Tree.onDamage}. */
  constructor(onDamage?: OnDamage) {
    this.bottom = new Mount({
      fileSystem: this.#rootDirectory,
      source: 'tmpfs',
      mountpoint: '/',
      readonly: false,
      options: {},
      flags: defaultFlags,
      deviceNumber: 1, // Linux gives its first RAM filesystem 0:1
      numberOfVolume: () => 1,
      names: new NameCache(),
      parent: undefined,
      holder: undefined,
      coveredInode: this.#rootDirectory.root,
    });
    this.tree = new Tree(this, onDamage);
    this.#bareTree = new Tree({ bottom: this.bottom, count: 1 });
  }

  get count(): number {
    return this.#mounts.length;
  }

  /** What is mounted, in the order of mounting. */
  mounts(): readonly Mount[] {
    return [...this.#mounts];
  }

  /** The mount of a source; if it is mounted more than once, the last one. */
  get mountpoints(): Map<string, string> {
    return new Map(this.#mounts.map((mount) => [mount.source, mount.mountpoint]));
  }

  /** Whether any mount comes from this source. */
  isMounted(source: string): boolean {
    return this.#mounts.some((mount) => mount.source === source);
  }

  /** Mounts on an existing directory. EINVAL if there is none. */
  mount(fileSystem: FileSystem, options: MountOptions): Mount {
    const { place, path } = this.#directory(options.mountpoint);
    const { source } = options;
    const other = this.#mounts.find((mount) => mount.fileSystem === fileSystem);
    const first = other?.source ?? source;
    const numberOfVolume = (volume: number): number => this.#numberForVolume(first, volume);
    const volume = fileSystem.volumeOf?.(fileSystem.root);
    const number = volume === undefined ? this.#numberFor(first) : numberOfVolume(volume);
    const mount = new Mount({
      fileSystem,
      source,
      mountpoint: path,
      readonly: options.readonly ?? false,
      options: options.options ?? {},
      flags: options.flags ?? defaultFlags,
      deviceNumber: options.deviceNumber ?? other?.deviceNumber ?? number,
      numberOfVolume,
      names: other?.names ?? new NameCache(),
      parent: place.mount,
      holder: options.holder,
      coveredInode: place.inode,
    });
    place.mount.covers.set(place.inode, mount);
    this.#mounts.push(mount);
    this.#release.set(fileSystem, options.release ?? (() => mount.fileSystem.close()));
    return mount;
  }

  /**
   * Unmounts by mount point, or by source (its last mount). EINVAL if there is no such mount, EBUSY if others are
   * mounted below it. Returns the removed mounts, innermost first.
   */
  umount(pathOrSource: string, options: UnmountOptions = {}): readonly Mount[] {
    const mount = this.#mountAt(pathOrSource);
    const above = this.#above(mount);
    if (above.length > 0 && options.lazy !== true) {
      throw new GuestfsError(
        'EBUSY',
        `${pathOrSource}: target is busy: ${above[0]?.mountpoint} is mounted on it`,
      );
    }
    const detached = [...above, mount];
    for (const one of detached) this.#checkNotHeld(one);
    forEachInSpite(detached, (one) => this.#detach(one));
    return detached;
  }

  /** Keeps a mount busy for a reason, in words, until it is let go. */
  hold(mount: Mount, reason: string): void {
    this.#held.set(mount, (this.#held.get(mount) ?? new Set()).add(reason));
  }

  letGo(mount: Mount, reason: string): void {
    this.#held.get(mount)?.delete(reason);
  }

  #checkNotHeld(mount: Mount): void {
    for (const reason of this.#held.get(mount) ?? [])
      throw new GuestfsError('EBUSY', `${mount.mountpoint}: target is busy: ${reason}`);
  }

  /**
   * Unmounts everything, last first. EBUSY, with nothing done, if a mount is held. What could not be written is thrown
   * once all is unmounted.
   */
  umountAll(): readonly Mount[] {
    // A mount can only lie on an earlier one, so this order never meets a busy mount.
    const detached = this.#mounts.toReversed();
    for (const mount of detached) this.#checkNotHeld(mount);
    forEachInSpite(detached, (mount) => this.#detach(mount));
    return detached;
  }

  /**
   * Makes durable what was done to each filesystem, those in files of others first. What could not be written is thrown
   * once all have tried.
   */
  sync(): void {
    const fileSystems = new Set(this.#mounts.toReversed().map(({ fileSystem }) => fileSystem));
    forEachInSpite(fileSystems, (fileSystem) => fileSystem.writer?.sync());
  }

  /** The mounts of a filesystem get it as it was opened anew, read-only or writable. */
  reopened(before: FileSystem, after: FileSystem, readonly: boolean): void {
    for (const mount of this.#mounts) {
      if (mount.fileSystem !== before) continue;
      mount.reopened(after);
      mount.remount(readonly);
    }
    const release = this.#release.get(before);
    this.#release.delete(before);
    if (release !== undefined) this.#release.set(after, release);
  }

  /**
   * Makes a directory to mount on, outside every filesystem, and returns its path without links and dots. EEXIST,
   * ENOENT; ENOTSUP inside a mounted filesystem.
   */
  mkmountpoint(path: string): string {
    const { directory, name } = this.#bareTree.locate(path);
    if (name === '.') throw systemError('EEXIST', path);
    if (directory.mount === this.bottom) {
      this.#rootDirectory.makeDirectory(directory.inode, name, path);
      return this.#bareTree.realpath(path);
    }
    if (directory.fileSystem.lookup(directory.inode, name) !== undefined) throw systemError('EEXIST', path);
    throw this.#cannotWrite(directory, path);
  }

  /**
   * Removes a directory of {@link mkmountpoint}, and returns its path. EBUSY while something is mounted on it, ENOENT,
   * ENOTEMPTY.
   */
  rmmountpoint(path: string): string {
    const { directory, name } = this.#bareTree.locate(path);
    if (name === '.') throw systemError('EBUSY', path);
    const inode = directory.fileSystem.lookup(directory.inode, name);
    if (inode === undefined) throw systemError('ENOENT', path);
    if (directory.mount.covers.has(inode)) throw systemError('EBUSY', path);
    if (directory.mount !== this.bottom) throw this.#cannotWrite(directory, path);
    const removed = this.#bareTree.realpath(path);
    this.#rootDirectory.removeDirectory(directory.inode, name, path);
    this.tree.forget(directory, name);
    return removed;
  }

  #cannotWrite(directory: Place, path: string): GuestfsError {
    if (directory.mount.readonly) return systemError('EROFS', path);
    return new UnsupportedError(`${directory.fileSystem.type} filesystem`, ['changing directories']);
  }

  #directory(mountpoint: string): { place: Place; path: string } {
    checkAbsolute(mountpoint);
    const place = this.#bareTree.find(mountpoint);
    if (place?.type !== 'directory') {
      throw new GuestfsError('EINVAL', `${mountpoint}: mount point is not a directory`);
    }
    return { place, path: this.#bareTree.realpath(mountpoint) };
  }

  #mountAt(pathOrSource: string): Mount {
    const bySource = this.#mounts.findLast((mount) => mount.source === pathOrSource);
    if (bySource !== undefined) return bySource;
    // A device is identified by its source alone: the guest's own /dev does not matter here.
    if (pathOrSource.startsWith('/') && !pathOrSource.startsWith('/dev/')) return this.#mountOn(pathOrSource);
    if (pathOrSource.startsWith('/dev/') && this.count > 0 && this.tree.find(pathOrSource) !== undefined) {
      return this.#mountOn(pathOrSource);
    }
    throw new GuestfsError('EINVAL', `${pathOrSource}: not mounted`);
  }

  #mountOn(path: string): Mount {
    const place = this.tree.resolve(path);
    if (place.mount === this.bottom || place.inode !== place.fileSystem.root) {
      throw new GuestfsError('EINVAL', `${path}: not mounted`);
    }
    return place.mount;
  }

  /** All mounts on a mount, or on files in it, directly or indirectly, innermost first. */
  #above(mount: Mount): Mount[] {
    const above: Mount[] = [];
    const lower = new Set<Mount>([mount]);
    for (const other of this.#mounts) {
      const { parent, holder } = other;
      if ((parent !== undefined && lower.has(parent)) || (holder !== undefined && lower.has(holder))) {
        lower.add(other);
        above.unshift(other);
      }
    }
    return above;
  }

  #detach(mount: Mount): void {
    mount.parent?.covers.delete(mount.coveredInode);
    this.#mounts.splice(this.#mounts.indexOf(mount), 1);
    this.#held.delete(mount);
    const { fileSystem } = mount;
    if (this.#mounts.some((other) => other.fileSystem === fileSystem)) return;
    const release = this.#release.get(fileSystem);
    this.#release.delete(fileSystem);
    release?.();
  }

  /** As Linux counts devices that are on no disk. */
  #numberForVolume(source: string, volume: number): number {
    const key = `${source} ${volume}`;
    let minor = this.#volumeNumbers.get(key);
    if (minor === undefined) {
      minor = firstVolumeMinor + this.#volumeNumbers.size;
      this.#volumeNumbers.set(key, minor);
    }
    return makeDeviceNumber(0, minor);
  }

  #numberFor(source: string): number {
    const known = numberOfDevice(source);
    if (known !== undefined) return known;
    let minor = this.#mappedNumbers.get(source);
    if (minor === undefined) {
      minor = this.#mappedNumbers.size;
      this.#mappedNumbers.set(source, minor);
    }
    return makeDeviceNumber(mapperMajor, minor);
  }
}
