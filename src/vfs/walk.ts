/**
 * The whole tree below a directory, one entry after the other, without recursion, for find, du, tar and the checksum
 * actions. Links are never followed. A directory met twice is damage (hard links to directories do not exist), so a
 * walk of any disk ends. Damaged parts are reported and left out, and the walk continues after them.
 */
import {
  CorruptError,
  compareBytewise,
  type GuestfsError,
  typeOfMode,
  UnsupportedError,
} from '../base/index.js';
import {
  type DirectoryEntry,
  type InodeNumber,
  type InodeStat,
  isDamage,
  type OnDamage,
} from '../fs/index.js';
import type { Mount, Place } from './mount.js';
import { joinPath } from './names.js';
import type { Tree } from './tree.js';

/** Deeper than any path can be (4096 bytes hold 2048 levels), and far below the memory limit. */
const depthLimit = 4096;
/**
 * Eight times the longest path. Each level keeps its own path, so long names in deep trees would take memory by the
 * square.
 */
const pathLimit = 32 * 1024;

/** One file met on a walk. */
export interface Visit {
  /** The path from the start, without a leading slash: `etc/passwd`; empty for the start itself. */
  readonly path: string;
  /** The last component; empty for the start itself. */
  readonly name: string;
  /** 0 for the start, 1 for its entries. */
  readonly depth: number;
  /** Its type is the inode's with `stat`, and always for directories; else the entry's claim. */
  readonly place: Place;
  /** The status of all files with `stat`; else only of directories that can be read. */
  readonly stat: InodeStat | undefined;
  /** True when a directory is left, after everything in it; only with `leave`. */
  readonly leaving: boolean;
}

/** A visit of a walk with `stat`. */
export interface StatVisit extends Visit {
  readonly stat: InodeStat;
}

export interface WalkOptions {
  /** Whether the entries of a directory come in the byte-wise order of their names, instead of stored order. */
  readonly sorted?: boolean;
  /** Whether each directory comes once more, after everything in it. */
  readonly leave?: boolean;
  /** Called before the entries of a directory are read; false leaves them out. */
  readonly into?: (visit: Visit) => boolean;
  /**
   * Whether every file's inode is read. A file with an unreadable inode is then left out; without this option its
   * name is visited all the same.
   */
  readonly stat?: boolean;
  /** The path of the start, for messages. */
  readonly from?: string;
  /** Called for parts that are left out; the tree's own callback by default. Without either, damage ends the walk. */
  readonly onDamage?: OnDamage;
}

interface Level {
  readonly visit: Visit;
  readonly entries: Iterator<DirectoryEntry>;
}

const noEntries: readonly DirectoryEntry[] = [];
const ended: IteratorResult<DirectoryEntry> = { done: true, value: undefined };

/** The start, then everything below it; each directory before its entries. */
export function walkTree(
  tree: Tree,
  start: Place,
  options: WalkOptions & { readonly stat: true },
): Generator<StatVisit, void>;
export function walkTree(tree: Tree, start: Place, options?: WalkOptions): Generator<Visit, void>;
export function* walkTree(tree: Tree, start: Place, options: WalkOptions = {}): Generator<Visit, void> {
  const onDamage = options.onDamage ?? tree.onDamage;
  const stat = start.fileSystem.stat(start.inode);
  const first: Visit = { path: '', name: '', depth: 0, place: start, stat, leaving: false };
  yield first;
  if (start.type !== 'directory') return;
  const seen = new Map<Mount, Set<InodeNumber>>();
  const levels: Level[] = [];
  open(first);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = nextEntry(level);
    if (next.done === true) {
      levels.pop();
      if (options.leave === true) yield { ...level.visit, leaving: true };
      continue;
    }
    const visit = meet(level.visit, next.value);
    if (visit === undefined) continue;
    yield visit;
    if (visit.place.type === 'directory' && visit.stat !== undefined) open(visit);
  }

  function nextEntry({ visit, entries }: Level): IteratorResult<DirectoryEntry> {
    try {
      return entries.next();
    } catch (thrown) {
      leaveOut(visit.path, thrown);
      return ended;
    }
  }

  /** The file of an entry. The entry's type is not trusted if the inode can be read at no cost. */
  function meet({ path: above, depth, place: directory }: Visit, entry: DirectoryEntry): Visit | undefined {
    const { name } = entry;
    const path = above === '' ? name : `${above}/${name}`;
    let place: Place | undefined;
    let stat: InodeStat | undefined;
    try {
      place = tree.enter(directory, entry);
      if (options.stat === true || place.type === 'directory') stat = place.fileSystem.stat(place.inode);
      const type = stat === undefined ? place.type : typeOfMode(stat.mode);
      if (type !== place.type) place = tree.enter(directory, { ...entry, type });
    } catch (thrown) {
      leaveOut(path, thrown);
      if (options.stat === true) return undefined;
      place ??= { ...directory, inode: entry.inode, type: entry.type };
    }
    return { path, name, depth: depth + 1, place, stat, leaving: false };
  }

  function open(visit: Visit): void {
    if (options.into?.(visit) === false) {
      levels.push({ visit, entries: noEntries[Symbol.iterator]() });
      return;
    }
    try {
      levels.push({ visit, entries: entriesOf(visit) });
    } catch (thrown) {
      leaveOut(visit.path, thrown);
      levels.push({ visit, entries: noEntries[Symbol.iterator]() });
    }
  }

  function entriesOf(visit: Visit): Iterator<DirectoryEntry> {
    if (visit.depth >= depthLimit)
      throw new UnsupportedError('directory tree', [`more than ${depthLimit} levels`]);
    if (visit.path.length > pathLimit)
      throw new UnsupportedError('directory tree', [`paths of more than ${pathLimit} characters`]);
    markSeen(visit);
    const told = onDamage && ((error: GuestfsError) => leaveOut(visit.path, error));
    const entries = tree.entries(visit.place, told);
    const ordered =
      options.sorted === true ? [...entries].sort((a, b) => compareBytewise(a.name, b.name)) : entries;
    return ordered[Symbol.iterator]();
  }

  function markSeen({ path, place }: Visit): void {
    // By mount rather than filesystem: a filesystem that is mounted twice is visited twice.
    let inodes = seen.get(place.mount);
    if (inodes === undefined) {
      inodes = new Set();
      seen.set(place.mount, inodes);
    }
    if (inodes.has(place.inode)) {
      throw new CorruptError('directory tree', 'a directory is met twice', {
        path: JSON.stringify(path),
        inode: place.inode,
      });
    }
    inodes.add(place.inode);
  }

  function leaveOut(path: string, thrown: unknown): void {
    if (onDamage === undefined || !isDamage(thrown)) throw thrown;
    const { from } = options;
    onDamage(thrown, from === undefined ? `./${path}` : path === '' ? from : joinPath(from, path));
  }
}
