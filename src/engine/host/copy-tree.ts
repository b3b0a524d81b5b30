/**
 * Copying within the guest by the rules of cp(1) of GNU coreutils: one file, or a tree with all that is in it. What
 * cannot be copied is left out, the rest is copied, and the first error is thrown at the end.
 */
import { GuestfsError, systemError, work } from '../../base/index.js';
import type { DirectoryEntry, InodeStat } from '../../fs/index.js';
import { joinPath, type NewFile, type Place, type Tree, type TreeWriter } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import { move } from './copy-data.js';
import { DiskSink } from './disk-sink.js';
import { FirstFailure } from './first-failure.js';

interface CopyOptions {
  /** Whether a directory is copied with all that is in it; it is an error otherwise. Links are then copied as links. */
  readonly recursive: boolean;
  /** Whether owners, permissions, times, hard links and attributes are kept. */
  readonly keep: boolean;
}

/** Deeper than any path can be. */
export const deepestTree = 4096;
/** What an owner needs to fill a directory, whatever its permissions will be. */
const ownerBits = 0o700;
const permissionBits = 0o7777;
/** What `cp` takes of a file's mode where nothing is kept. */
const plainBits = 0o777;

const problem = (message: string, path: string): GuestfsError =>
  new GuestfsError('EINVAL', message, { path });

interface Level {
  readonly from: Place;
  readonly stat: InodeStat;
  readonly to: Place;
  readonly fromPath: string;
  readonly toPath: string;
  readonly isNew: boolean;
  readonly entries: Iterator<DirectoryEntry>;
}

/** Copies `source` to the path `target` itself, which may exist. */
export function copyTree(
  call: Call,
  writer: TreeWriter,
  source: Place,
  paths: { readonly source: string; readonly target: string },
  options: CopyOptions,
): void {
  new TreeCopy(call, writer, options).copy(source, paths.source, paths.target);
}

class TreeCopy {
  readonly #call: Call;
  readonly #tree: Tree;
  readonly #writer: TreeWriter;
  readonly #options: CopyOptions;
  /** Where the first name of a file went that has several. */
  readonly #copies = new Map<string, Place>();
  readonly #levels: Level[] = [];
  /** Directories that this copy has made: it does not copy them again. */
  readonly #made = new Set<string>();
  /** Only what is met below the source is left out where it cannot be copied; behind ENOSPC nothing more fits. */
  readonly #failures = new FirstFailure(({ code }) => code === 'ENOSPC');
  #moved = 0;

  constructor(call: Call, writer: TreeWriter, options: CopyOptions) {
    this.#call = call;
    this.#tree = call.session.tree;
    this.#writer = writer;
    this.#options = options;
  }

  copy(source: Place, fromPath: string, toPath: string): void {
    const position = this.#tree.position(toPath);
    // A path that ends in `.`, `..` or `/` is a directory that there is.
    if (position.last === 'name') this.#meet(source, fromPath, position.directory, position.name, toPath);
    else this.#merge(source, fromPath, this.#tree.resolve(toPath), toPath);
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      work.entries.spend(1);
      this.#call.progress(this.#moved, 0);
      const next = level.entries.next();
      if (next.done === true) {
        this.#levels.pop();
        this.#failures.attempt(() => this.#leave(level));
      } else this.#failures.attempt(() => this.#enter(level, next.value));
    }
    this.#failures.end();
  }

  #enter({ from, to, fromPath, toPath }: Level, entry: DirectoryEntry): void {
    const place = this.#tree.enter(from, entry);
    this.#meet(place, joinPath(fromPath, entry.name), to, entry.name, joinPath(toPath, entry.name));
  }

  /** Copies a file to a name in a directory. */
  #meet(from: Place, fromPath: string, directory: Place, name: string, toPath: string): void {
    const stat = from.fileSystem.stat(from.inode);
    if (from.type === 'directory') return this.#meetDirectory(from, stat, fromPath, directory, name, toPath);
    const present = this.#tree.child(directory, name);
    if (present !== undefined) {
      const place = this.#tree.place(directory, present);
      if (place.type === 'directory')
        throw new GuestfsError('EISDIR', `${toPath}: a directory is not replaced by ${fromPath}`, {
          path: toPath,
        });
      if (this.#isSame(from, this.#followed(place, toPath)))
        throw problem(`${fromPath} and ${toPath} are the same file`, toPath);
      const { keep, recursive } = this.#options;
      const { linkCount } = place.fileSystem.stat(place.inode);
      if ((keep && linkCount > 1) || (recursive && from.type !== 'file'))
        this.#writer.removeIn(directory, name, toPath);
      else if (from.type === 'file') return this.#overwrite(from, stat, place, fromPath, toPath);
      else throw systemError('EEXIST', toPath);
    }
    this.#make(from, stat, fromPath, directory, name, toPath);
  }

  /** What a file leads to that is to be written to. */
  #followed(place: Place, path: string): Place | undefined {
    return place.type === 'symlink' ? this.#tree.find(path) : place;
  }

  #isSame(one: Place, other: Place | undefined): boolean {
    return one.mount.fileSystem === other?.mount.fileSystem && one.inode === other.inode;
  }

  /** Contents over those of a file that is there; a link there is followed. */
  #overwrite(from: Place, stat: InodeStat, present: Place, fromPath: string, toPath: string): void {
    const place = this.#followed(present, toPath);
    if (place === undefined)
      throw problem(`${toPath}: not written through a link that leads nowhere`, toPath);
    this.#moved += fillFile(this.#call, this.#writer, from, place, fromPath, toPath, true);
    if (this.#options.keep) this.#keepAttributes(from, stat, place, toPath);
  }

  #make(
    from: Place,
    stat: InodeStat,
    fromPath: string,
    directory: Place,
    name: string,
    toPath: string,
  ): void {
    const { keep, recursive } = this.#options;
    const key = `${from.mount.deviceNumber} ${from.inode}`;
    const first = keep && stat.linkCount > 1 ? this.#copies.get(key) : undefined;
    if (first !== undefined) return this.#writer.linkIn(first, directory, name, toPath);
    if (!recursive && from.type !== 'file')
      throw problem(`${fromPath}: is a ${from.type}, not a file`, fromPath);
    const permissions = stat.mode & (keep ? ownerBits : plainBits);
    const made = this.#writer.createIn(directory, name, newFile(from, stat, permissions), toPath);
    if (from.type === 'file')
      this.#moved += fillFile(this.#call, this.#writer, from, made, fromPath, toPath, false);
    if (keep) this.#keepAttributes(from, stat, made, toPath);
    if (keep && stat.linkCount > 1) this.#copies.set(key, made);
  }

  #meetDirectory(
    from: Place,
    stat: InodeStat,
    fromPath: string,
    directory: Place,
    name: string,
    toPath: string,
  ): void {
    if (!this.#options.recursive) throw problem(`${fromPath}: is a directory, which is left out`, fromPath);
    const present = this.#tree.child(directory, name);
    if (present !== undefined) {
      const place = this.#followed(this.#tree.place(directory, present), toPath);
      if (place?.type !== 'directory')
        throw new GuestfsError('ENOTDIR', `${toPath}: is no directory, and is not replaced by ${fromPath}`, {
          path: toPath,
        });
      return this.#merge(from, fromPath, place, toPath);
    }
    if (!this.#made.has(keyOf(directory))) checkNotInside(from, directory, fromPath, toPath);
    const permissions = (stat.mode & (this.#options.keep ? ownerBits : permissionBits)) | ownerBits;
    const made = this.#writer.createIn(directory, name, { type: 'directory', permissions }, toPath);
    this.#made.add(keyOf(made));
    this.#open(from, stat, made, fromPath, toPath, true);
  }

  /** Into a directory that is there. */
  #merge(from: Place, fromPath: string, to: Place, toPath: string): void {
    if (from.type !== 'directory' || !this.#options.recursive)
      throw problem(`${fromPath}: is a directory, which is left out`, fromPath);
    if (this.#isSame(from, to)) throw problem(`${fromPath} and ${toPath} are the same file`, toPath);
    if (!this.#made.has(keyOf(to))) checkNotInside(from, to, fromPath, toPath);
    this.#open(from, from.fileSystem.stat(from.inode), to, fromPath, toPath, false);
  }

  #open(from: Place, stat: InodeStat, to: Place, fromPath: string, toPath: string, isNew: boolean): void {
    if (this.#levels.length >= deepestTree) throw systemError('ENAMETOOLONG', fromPath);
    // All at once: the directory may be one that the copy goes to.
    const entries = [...this.#tree.entries(from)][Symbol.iterator]();
    this.#levels.push({ from, stat, to, fromPath, toPath, isNew, entries });
  }

  /** A directory is filled: its times are those of the source only now. */
  #leave({ from, stat, to, toPath, isNew }: Level): void {
    if (this.#options.keep) this.#keepAttributes(from, stat, to, toPath);
    else if (isNew) {
      const permissions = stat.mode & permissionBits & ~this.#call.session.umask;
      if ((to.fileSystem.stat(to.inode).mode & permissionBits) !== permissions)
        this.#writer.chmodPlace(to, permissions, toPath);
    }
  }

  #keepAttributes(from: Place, stat: InodeStat, to: Place, toPath: string): void {
    const writer = this.#writer;
    writer.chownPlace(to, stat.uid, stat.gid, toPath);
    if (from.type !== 'symlink') writer.chmodPlace(to, stat.mode, toPath);
    if (to.fileSystem.hasXattrs)
      for (const [name, value] of from.fileSystem.xattrs(from.inode))
        writer.setXattrOf(to, name, value, toPath);
    writer.setTimesOf(to, { accessed: stat.accessed, modified: stat.modified }, toPath);
  }
}

const keyOf = ({ mount, inode }: Place): string => `${mount.deviceNumber} ${inode}`;

/** Gives a file the contents of another; returns how many bytes. */
export function fillFile(
  call: Call,
  writer: TreeWriter,
  from: Place,
  to: Place,
  fromPath: string,
  toPath: string,
  truncate: boolean,
): number {
  const data = from.fileSystem.data(from.inode);
  const { contents } = writer.openPlace(to, toPath, { truncate });
  try {
    move(call, data, new DiskSink(contents), { progress: () => call.checkpoint() });
    return data.size;
  } catch (thrown) {
    throw thrown instanceof GuestfsError && thrown.path === undefined
      ? thrown.within(thrown.code === 'EIO' ? fromPath : toPath, toPath)
      : thrown;
  } finally {
    contents.close();
  }
}

/** Whether a directory is another one, or below it. */
export function isInside(inner: Place, outer: Place): boolean {
  if (inner.mount !== outer.mount) return false;
  let at = inner.inode;
  for (let depth = 0; depth < deepestTree && at !== inner.fileSystem.root; depth++) {
    if (at === outer.inode) return true;
    at = inner.fileSystem.parent(at);
  }
  return at === outer.inode;
}

/** EINVAL where a directory would be copied into itself: that would not end. */
export function checkNotInside(from: Place, to: Place, fromPath: string, toPath: string): void {
  if (isInside(to, from)) throw problem(`${fromPath}: a directory is not copied into itself`, toPath);
}

/** The same kind of file, with other permissions. */
export function newFile(from: Place, stat: InodeStat, permissions: number): NewFile {
  const { type } = from;
  if (type === 'unknown') throw new GuestfsError('EINVAL', `inode ${from.inode} is of no known type`);
  if (type === 'symlink') return { type, permissions, target: from.fileSystem.readlink(from.inode) };
  if (type === 'block' || type === 'character')
    return { type, permissions, device: [stat.deviceMajor, stat.deviceMinor] };
  return { type, permissions };
}
