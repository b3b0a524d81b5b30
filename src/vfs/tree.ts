/**
 * The guest's tree of files: from paths to inodes, across mounts. POSIX.1-2017 4.13 (pathname resolution) with the
 * Linux kernel's limits (path_resolution(7)): 40 links a walk, 255 bytes a name, 4095 a path. The walk knows only the
 * mounts: an absolute link starts again at the guest's root, and `..` at that root stays there. So no path and no
 * link leads out of the guest.
 */
import { CorruptError, type ErrnoName, GuestfsError, systemError, typeOfMode } from '../base/index.js';
import type { DirectoryEntry, FileSystemUsage, FileType, InodeStat, OnDamage } from '../fs/index.js';
import { type Child, type Mount, type Place, shownNumber, topOf } from './mount.js';
import { checkAbsolute, isNameTooLong, isPathTooLong, stackComponents } from './names.js';

/** The kernel's `MAXSYMLINKS`: the most links in one walk. */
const linkLimit = 40;

/** What a tree needs from the mount table. */
export interface Mounts {
  /** The mount under all others. */
  readonly bottom: Mount;
  /** How many filesystems are mounted. */
  readonly count: number;
}

/** What `lstat` tells. */
export interface TreeStat extends InodeStat {
  /** `st_dev`. */
  readonly device: number;
  /** `st_blksize`, in bytes. */
  readonly blockSize: number;
}

/** Whether a link in the last component is followed; true by default. */
interface ResolveOptions {
  readonly followLast?: boolean;
}

/** The last component of a path, and its directory. The component need not exist. */
interface Location {
  readonly directory: Place;
  /** `.` where the path is the root. */
  readonly name: string;
}

/** The same for callers that change the directory, which the kernel also refuses for some last components. */
export interface Position extends Location {
  /** What the last component is: `root` where the path has none. */
  readonly last: 'name' | 'dot' | 'dot-dot' | 'root';
  /** Whether a slash follows it, which asks for a directory. */
  readonly hasSlash: boolean;
}

/** The tree of a mount table; it has no state of its own. */
export class Tree {
  readonly #mounts: Mounts;
  /** Called for damage in directories, whose other entries are then returned; without it, damage is an error. */
  readonly onDamage: OnDamage | undefined;

  constructor(mounts: Mounts, onDamage?: OnDamage) {
    this.#mounts = mounts;
    this.onDamage = onDamage;
  }

  /** The guest's root directory. */
  get root(): Place {
    const { bottom } = this.#mounts;
    return topOf(bottom, bottom.fileSystem.root, 'directory');
  }

  /**
   * The file at a path. ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG; EINVAL for a relative path, and while nothing is
   * mounted.
   */
  resolve(path: string, options: ResolveOptions = {}): Place {
    const found = this.#walk(path, options.followLast ?? true);
    if (typeof found === 'string') throw systemError(found, path);
    return found;
  }

  /** The file at a path; undefined if it does not exist (ENOENT, ENOTDIR). Other errors are thrown. */
  find(path: string, options: ResolveOptions = {}): Place | undefined {
    const found = this.#walk(path, options.followLast ?? true);
    if (found === 'ENOENT' || found === 'ENOTDIR') return undefined;
    if (typeof found === 'string') throw systemError(found, path);
    return found;
  }

  /**
   * The directory of a path's last component, which need not exist and is not followed: where a name can be made or
   * removed. EINVAL for a last component `.` or `..`, which is no new name.
   */
  locate(path: string): Location {
    const { directory, name, last } = this.position(path);
    if (last === 'dot' || last === 'dot-dot') throw systemError('EINVAL', path);
    if (isNameTooLong(name)) throw systemError('ENAMETOOLONG', path);
    return { directory, name };
  }

  /** As {@link locate}, for any last component. */
  position(path: string): Position {
    this.#check(path);
    if (isPathTooLong(path)) throw systemError('ENAMETOOLONG', path);
    const components = stackComponents(path);
    const hasSlash = path.endsWith('/');
    if (hasSlash) components.shift();
    const name = components.shift();
    if (name === undefined) return { directory: this.root, name: '.', last: 'root', hasSlash };
    const directory = this.#follow(components, true, undefined);
    if (typeof directory === 'string') throw systemError(directory, path);
    if (directory.type !== 'directory') throw systemError('ENOTDIR', path);
    const last = name === '.' ? 'dot' : name === '..' ? 'dot-dot' : 'name';
    return { directory, name, last, hasSlash };
  }

  /**
   * The file at a path, links followed; or where it would be made, which is behind a link that leads to a name that
   * does not exist.
   */
  resolveOrLocate(path: string): Place | Location {
    this.#check(path);
    if (isPathTooLong(path)) throw systemError('ENAMETOOLONG', path);
    let missing: Location | undefined;
    const found = this.#follow(stackComponents(path), true, undefined, (directory, name) => {
      missing = { directory, name };
    });
    if (typeof found !== 'string') return found;
    if (missing !== undefined) return missing;
    // The kernel makes no file under a name with a slash behind it; that of a directory that is there it finds.
    if (found === 'ENOENT' && path.endsWith('/') && this.position(path).last === 'name')
      throw systemError('EISDIR', path);
    throw systemError(found, path);
  }

  /** What a directory holds under a name, without what is mounted there; undefined where there is nothing. */
  child(directory: Place, name: string): Child | undefined {
    const found = lookUp(directory, name);
    if (found === 'ENOENT') return undefined;
    if (typeof found === 'string') throw systemError(found, name);
    return found;
  }

  /** The place of a directory's child: the mount on it, if there is one. */
  place(directory: Place, child: Child): Place {
    return arrive(directory, child);
  }

  /** The status of the file at a path; for a link, of the link. */
  lstat(path: string): TreeStat {
    return this.statOf(this.resolve(path, { followLast: false }));
  }

  /** The status of the file at a path, links followed. */
  stat(path: string): TreeStat {
    return this.statOf(this.resolve(path));
  }

  /** What a file that was found is. */
  statOf(place: Place): TreeStat {
    const { mount } = place;
    return {
      ...place.fileSystem.stat(place.inode),
      device: mount.deviceOf(place.inode),
      blockSize: mount.blockSize,
    };
  }

  /** The target of a link. EINVAL if the path is no link. */
  readlink(path: string): string {
    const place = this.resolve(path, { followLast: false });
    if (place.type !== 'symlink') throw systemError('EINVAL', path);
    return place.fileSystem.readlink(place.inode);
  }

  /** The path of a file without links, `.`, `..` and doubled slashes. */
  realpath(path: string): string {
    const names: string[] = [];
    const found = this.#walk(path, true, names);
    if (typeof found === 'string') throw systemError(found, path);
    return `/${names.join('/')}`;
  }

  /** The entries of the directory at a path, in stored order, without `.` and `..`. */
  list(path: string): Iterable<DirectoryEntry> {
    const place = this.resolve(path);
    if (place.type !== 'directory') throw systemError('ENOTDIR', path);
    return this.entries(place);
  }

  /**
   * The entries of a directory, in stored order, without `.` and `..`. As in `readdir`, the inode of an entry is the
   * one stored in this directory, even if something is mounted on it: {@link enter} goes there. A name that no kernel
   * accepts (empty, with a slash or a NUL) is damage, because callers join names to paths.
   */
  *entries(directory: Place, onDamage: OnDamage | undefined = this.onDamage): Iterable<DirectoryEntry> {
    for (const entry of directory.fileSystem.entries(directory.inode, onDamage)) {
      const { name } = entry;
      if (name === '.' || name === '..') continue;
      if (name === '' || name.includes('/') || name.includes('\0')) {
        const error = new CorruptError(`${directory.fileSystem.type} directory`, 'holds an impossible name', {
          inode: directory.inode,
          name: JSON.stringify(name),
        });
        if (onDamage === undefined) throw error;
        onDamage(error);
        continue;
      }
      yield entry;
    }
  }

  /** The inode numbers of `.` and `..` in `readdir`: those of the directory's own filesystem. */
  dots(directory: Place): { readonly self: number; readonly parent: number } {
    const { inode, fileSystem } = directory;
    return { self: shownNumber(directory, inode), parent: shownNumber(directory, fileSystem.parent(inode)) };
  }

  /**
   * The file of a directory entry: the mount on it, else the inode itself. Links are not followed. The entry's type
   * is not trusted, since a caller that enters a directory reads the inode anyway.
   */
  enter(directory: Place, entry: DirectoryEntry): Place {
    const asks = entry.type === 'unknown' || entry.type === 'directory';
    const type = asks ? typeOfMode(directory.fileSystem.stat(entry.inode).mode) : entry.type;
    return arrive(directory, { inode: entry.inode, type });
  }

  /** The `statvfs` facts of the filesystem at a path. */
  usage(path: string): FileSystemUsage {
    return this.resolve(path).fileSystem.usage();
  }

  /**
   * Drops the cached inode of a name: for callers that remove or replace the name. Where names fold, the same file was
   * met under other spellings.
   */
  forget(directory: Place, name: string): void {
    const { mount, fileSystem, inode } = directory;
    if (fileSystem.caseInsensitive) mount.names.clear();
    else mount.names.forget(inode, name);
  }

  #check(path: string): void {
    checkAbsolute(path);
    if (this.#mounts.count === 0) {
      throw new GuestfsError('EINVAL', "you must call 'mount' first to mount the root filesystem");
    }
  }

  #walk(path: string, followLast: boolean, names?: string[]): Place | ErrnoName {
    this.#check(path);
    if (isPathTooLong(path)) return 'ENAMETOOLONG';
    return this.#follow(stackComponents(path), followLast, names);
  }

  /**
   * Walks from the root; `pending` holds the components, the next one last. `names` gets the components of the real
   * path. As in the kernel, `..` goes back to the directory from which the walk came, whatever the disk says about
   * the parent. `missing` hears of a last component that does not exist.
   */
  #follow(
    pending: string[],
    followLast: boolean,
    names: string[] | undefined,
    missing?: (directory: Place, name: string) => void,
  ): Place | ErrnoName {
    const { root } = this;
    const above: Place[] = [];
    let at = root;
    let links = 0;
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (at.type !== 'directory') return 'ENOTDIR';
      if (name === '.') continue;
      if (name === '..') {
        at = above.pop() ?? root;
        names?.pop();
        continue;
      }
      const child = lookUp(at, name);
      if (typeof child === 'string') {
        if (child === 'ENOENT' && pending.length === 0) missing?.(at, name);
        return child;
      }
      if (child.type === 'symlink' && (followLast || pending.length > 0)) {
        if (++links > linkLimit) return 'ELOOP';
        const target = at.fileSystem.readlink(child.inode);
        if (target === '') return 'ENOENT';
        if (isPathTooLong(target)) return 'ENAMETOOLONG';
        if (target.startsWith('/')) {
          at = root;
          above.length = 0;
          if (names !== undefined) names.length = 0;
        }
        // At most 40 link targets of 2048 components each are ever pending.
        for (const component of stackComponents(target)) pending.push(component);
        continue;
      }
      names?.push(name);
      above.push(at);
      at = arrive(at, child);
    }
    return at;
  }
}

/** The place of a directory's child: the topmost mount on it, if there is one. */
function arrive(directory: Place, { inode, type }: Child): Place {
  const { mount, fileSystem } = directory;
  return type === 'directory' ? topOf(mount, inode, type) : { mount, fileSystem, inode, type };
}

/** The inode of a name in a directory, through the cache. */
function lookUp(directory: Place, name: string): Child | ErrnoName {
  const { mount, fileSystem, inode } = directory;
  const known = mount.names.get(inode, name);
  if (known !== undefined) return known;
  if (isNameTooLong(name, fileSystem.longestName)) return 'ENAMETOOLONG';
  const found = fileSystem.lookup(inode, name);
  if (found === undefined) return 'ENOENT';
  const type: FileType = typeOfMode(fileSystem.stat(found).mode);
  const child = { inode: found, type };
  mount.names.set(inode, name, child);
  return child;
}
