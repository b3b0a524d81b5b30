/**
 * The whole tree below a directory, one entry after the other, without recursion: what find, du, tar and the
 * checksum actions go through. Links are never followed. A directory met twice is a corrupt disk (hard links to
 * directories do not exist), so a walk of any disk ends.
 */
import { CorruptError, compareBytewise, UnsupportedError } from '../base/index.js';
import type { DirectoryEntry, InodeNumber } from '../fs/index.js';
import type { Mount, Place } from './mount.js';
import type { Tree } from './tree.js';

/** Deeper than any path can name (4096 bytes hold 2048 levels), and far below what memory would allow. */
const depthLimit = 4096;
/** Eight times what any path can name. Each level keeps its own path, so that long names in deep trees take memory by the square. */
const pathLimit = 32 * 1024;

/** One file met on a walk. */
export interface Visit {
  /** From the start, without a leading slash: `etc/passwd`; empty for the start itself. */
  readonly path: string;
  /** The last component; empty for the start itself. */
  readonly name: string;
  /** 0 for the start, 1 for its entries. */
  readonly depth: number;
  readonly place: Place;
  /** True when a directory is left, after all that is in it: only with `leave`. */
  readonly leaving: boolean;
}

export interface WalkOptions {
  /** Whether to go into other filesystems mounted below; yes unless told otherwise. Their roots are met all the same. */
  readonly crossMounts?: boolean;
  /** Whether the entries of a directory come in the byte-wise order of their names, instead of stored order. */
  readonly sorted?: boolean;
  /** Whether each directory comes once more, after all that is in it. */
  readonly leave?: boolean;
  /** Asked before the entries of a directory are read; on false they are left out. */
  readonly into?: (visit: Visit) => boolean;
}

interface Level {
  readonly visit: Visit;
  readonly entries: Iterator<DirectoryEntry>;
}

/** The start, then everything below it; each directory before its entries. */
export function* walkTree(tree: Tree, start: Place, options: WalkOptions = {}): Generator<Visit, void> {
  const first: Visit = { path: '', name: '', depth: 0, place: start, leaving: false };
  yield first;
  if (start.type !== 'directory') return;
  const seen = new Map<Mount, Set<InodeNumber>>();
  const levels: Level[] = [];
  open(first);
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.entries.next();
    if (next.done === true) {
      levels.pop();
      if (options.leave === true) yield { ...level.visit, leaving: true };
      continue;
    }
    const { path, depth, place: directory } = level.visit;
    const { name } = next.value;
    const place = tree.enter(directory, next.value);
    const visit: Visit = {
      path: path === '' ? name : `${path}/${name}`,
      name,
      depth: depth + 1,
      place,
      leaving: false,
    };
    yield visit;
    if (place.type === 'directory') open(visit);
  }

  function open(visit: Visit): void {
    const { place } = visit;
    const foreign = options.crossMounts === false && place.mount !== start.mount;
    if (foreign || options.into?.(visit) === false) {
      levels.push({ visit, entries: [][Symbol.iterator]() });
      return;
    }
    if (visit.depth >= depthLimit) {
      throw new UnsupportedError('directory tree', [`more than ${depthLimit} levels`]);
    }
    if (visit.path.length > pathLimit)
      throw new UnsupportedError('directory tree', [`paths of more than ${pathLimit} characters`]);
    markSeen(visit);
    const entries = tree.entries(place);
    const ordered =
      options.sorted === true ? [...entries].sort((a, b) => compareBytewise(a.name, b.name)) : entries;
    levels.push({ visit, entries: ordered[Symbol.iterator]() });
  }

  function markSeen({ path, place }: Visit): void {
    // By mount, not by filesystem: one that is mounted twice is met twice with good reason.
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
}
