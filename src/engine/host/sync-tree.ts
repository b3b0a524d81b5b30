/**
 * Making one place of the guest like another, by the rules of rsync: what is the same already stays, files that differ
 * are made anew beside the old ones and take their names. What cannot be made is left out, the rest is done, and the
 * first error is thrown at the end.
 */
import { GuestfsError, systemError, work } from '../../base/index.js';
import type { DirectoryEntry, InodeStat } from '../../fs/index.js';
import { joinPath, type Place, type Tree, type TreeWriter } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import { checkNotInside, deepestTree, fillFile, isInside, newFile } from './copy-tree.js';
import { FirstFailure } from './first-failure.js';

interface SyncOptions {
  /** Directories with all that is in them, links as links, devices; owners, permissions and times are kept. */
  readonly archive: boolean;
  /** Whether what the source lacks is removed. */
  readonly deletes: boolean;
  /** Removes a directory with all that is in it. */
  readonly removeTree: (directory: Place, name: string, path: string) => void;
}

const permissionBits = 0o7777;
const ownerBits = 0o700;

interface Level {
  readonly from: Place;
  readonly to: Place;
  readonly fromPath: string;
  readonly toPath: string;
  readonly entries: Iterator<DirectoryEntry>;
}

/** A name in a directory of the target. */
interface Spot {
  readonly directory: Place;
  readonly name: string;
  readonly path: string;
}

/** Makes `target` like `source`. A slash behind a directory's name means what is in it. */
export function syncTree(
  call: Call,
  writer: TreeWriter,
  source: string,
  target: string,
  options: SyncOptions,
): void {
  new TreeSync(call, writer, options).run(source, target);
}

class TreeSync {
  readonly #call: Call;
  readonly #tree: Tree;
  readonly #writer: TreeWriter;
  readonly #options: SyncOptions;
  readonly #levels: Level[] = [];
  readonly #failures = new FirstFailure(({ code }) => code === 'ENOSPC');

  constructor(call: Call, writer: TreeWriter, options: SyncOptions) {
    this.#call = call;
    this.#tree = call.session.tree;
    this.#writer = writer;
    this.#options = options;
  }

  run(source: string, target: string): void {
    const { name, last } = this.#tree.position(source);
    const isContents = source.endsWith('/') || last !== 'name';
    const from = this.#tree.resolve(source, { followLast: isContents });
    // The program says that it skips these, and that all is well.
    if (!this.#options.archive && from.type !== 'file') return;
    if (from.type === 'directory' && isContents) {
      const to = this.#targetDirectory(target);
      this.#open(from, to, source, target);
    } else this.#sync(from, source, this.#spotFor(name, target, from.type === 'directory'));
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      work.entries.spend(1);
      this.#call.checkpoint();
      const { from: above, to, fromPath, toPath } = level;
      const next = level.entries.next();
      if (next.done === true) {
        this.#levels.pop();
        // A directory is filled: its times are those of the source only now.
        this.#failures.attempt(() => this.#keepAttributes(above, to, toPath));
        continue;
      }
      const { name: each } = next.value;
      const spot = { directory: to, name: each, path: joinPath(toPath, each) };
      this.#failures.attempt(() =>
        this.#sync(this.#tree.enter(above, next.value), joinPath(fromPath, each), spot),
      );
    }
    this.#failures.end();
  }

  /** The directory at a path, which is made if nothing is there. */
  #targetDirectory(target: string): Place {
    const found = this.#tree.find(target);
    if (found === undefined) return this.#writer.create(target, { type: 'directory', permissions: 0o777 });
    if (found.type !== 'directory')
      throw new GuestfsError('ENOTDIR', `${target}: must be a directory for what is in another one`, {
        path: target,
      });
    return found;
  }

  /** Where a file or a directory itself goes: into a directory, or to a name of its own. */
  #spotFor(name: string, target: string, isDirectory: boolean): Spot {
    const found = this.#tree.find(target);
    if (isDirectory || target.endsWith('/') || found?.type === 'directory')
      return { directory: this.#targetDirectory(target), name, path: joinPath(target, name) };
    const position = this.#tree.position(target);
    return { directory: position.directory, name: position.name, path: target };
  }

  #open(from: Place, to: Place, fromPath: string, toPath: string): void {
    if (this.#levels.length >= deepestTree) throw systemError('ENAMETOOLONG', fromPath);
    checkNotInside(from, to, fromPath, toPath);
    if (this.#options.deletes && isInside(from, to))
      throw new GuestfsError('EINVAL', `${fromPath}: would be removed, as it is in ${toPath}`, {
        path: fromPath,
      });
    let isWhole = true;
    const entries = [
      ...this.#tree.entries(from, (error) => {
        isWhole = false;
        this.#call.session.damage.leaveOut(error, fromPath);
      }),
    ];
    // What could not be read may be what the source has.
    if (this.#options.deletes && isWhole) this.#removeOthers(entries, to, toPath);
    this.#levels.push({ from, to, fromPath, toPath, entries: entries[Symbol.iterator]() });
  }

  #removeOthers(kept: readonly DirectoryEntry[], to: Place, toPath: string): void {
    const names = new Set(kept.map(({ name }) => name));
    for (const { name } of [...this.#tree.entries(to)]) {
      if (names.has(name)) continue;
      this.#call.checkpoint();
      this.#failures.attempt(() => this.#options.removeTree(to, name, joinPath(toPath, name)));
    }
  }

  #sync(from: Place, fromPath: string, spot: Spot): void {
    const stat = from.fileSystem.stat(from.inode);
    const present = this.#tree.child(spot.directory, spot.name);
    const place = present && this.#tree.place(spot.directory, present);
    if (from.type === 'directory') return this.#syncDirectory(from, stat, fromPath, spot, place);
    if (place?.type === 'directory') this.#makeWay(place, spot);
    else if (place !== undefined && this.#isSame(from, stat, place)) {
      if (this.#options.archive) this.#keepAttributes(from, place, spot.path);
      return;
    }
    const old = place?.type === 'file' ? place.fileSystem.stat(place.inode) : undefined;
    if (from.type === 'file') return this.#makeFile(from, stat, fromPath, spot, old);
    if (place !== undefined && place.type !== 'directory')
      this.#writer.removeIn(spot.directory, spot.name, spot.path);
    const made = this.#writer.createIn(
      spot.directory,
      spot.name,
      newFile(from, stat, stat.mode & ownerBits),
      spot.path,
    );
    this.#keepAttributes(from, made, spot.path);
  }

  /** Beside the old one, whose name it takes when it is whole. */
  #makeFile(from: Place, stat: InodeStat, fromPath: string, spot: Spot, old: InodeStat | undefined): void {
    const writer = this.#writer;
    const { directory, path } = spot;
    const name = this.#unusedName(directory, spot.name);
    const beside = joinPath(path.slice(0, path.length - spot.name.length), name);
    const { archive } = this.#options;
    const made = writer.createIn(
      directory,
      name,
      newFile(from, stat, stat.mode & (archive ? ownerBits : permissionBits)),
      beside,
    );
    try {
      fillFile(this.#call, writer, from, made, fromPath, path, false);
      if (archive) this.#keepAttributes(from, made, path);
      else if (old !== undefined) writer.chmodPlace(made, old.mode & permissionBits, path);
      writer.rename(beside, path);
    } catch (thrown) {
      this.#failures.attempt(() => writer.removeIn(directory, name, beside));
      throw thrown;
    }
  }

  #unusedName(directory: Place, name: string): string {
    for (let number = 0; ; number++) {
      // As long as the name at most: names have a limit.
      const suffix = `~${number}`;
      const candidate = `.${name.slice(0, Math.max(1, name.length - suffix.length - 1))}${suffix}`;
      if (this.#tree.child(directory, candidate) === undefined) return candidate;
      work.entries.spend(1);
    }
  }

  #syncDirectory(
    from: Place,
    stat: InodeStat,
    fromPath: string,
    { directory, name, path }: Spot,
    place: Place | undefined,
  ): void {
    if (place?.type === 'directory') return this.#open(from, place, fromPath, path);
    checkNotInside(from, directory, fromPath, path);
    if (place !== undefined) this.#writer.removeIn(directory, name, path);
    const permissions = (stat.mode & permissionBits) | ownerBits;
    this.#open(
      from,
      this.#writer.createIn(directory, name, { type: 'directory', permissions }, path),
      fromPath,
      path,
    );
  }

  /** A directory where something else goes: it must be empty, unless what the source lacks is removed. */
  #makeWay(place: Place, { directory, name, path }: Spot): void {
    const [first] = this.#tree.entries(place);
    if (first !== undefined && !this.#options.deletes)
      throw new GuestfsError('ENOTEMPTY', `${path}: a directory that is not empty makes no way`, { path });
    this.#options.removeTree(directory, name, path);
  }

  /** By size and time of a file; by what a link or a device says. */
  #isSame(from: Place, stat: InodeStat, place: Place): boolean {
    if (place.type !== from.type) return false;
    const present = place.fileSystem.stat(place.inode);
    switch (from.type) {
      case 'file': {
        const { modified } = present;
        return (
          present.sizeInBytes === stat.sizeInBytes &&
          modified.seconds === stat.modified.seconds &&
          modified.nanoseconds === stat.modified.nanoseconds
        );
      }
      case 'symlink':
        return place.fileSystem.readlink(place.inode) === from.fileSystem.readlink(from.inode);
      default:
        return present.deviceMajor === stat.deviceMajor && present.deviceMinor === stat.deviceMinor;
    }
  }

  #keepAttributes(from: Place, to: Place, path: string): void {
    const writer = this.#writer;
    const stat = from.fileSystem.stat(from.inode);
    writer.chownPlace(to, stat.uid, stat.gid, path);
    if (from.type !== 'symlink') writer.chmodPlace(to, stat.mode & permissionBits, path);
    writer.setTimesOf(to, { modified: stat.modified }, path);
  }
}
