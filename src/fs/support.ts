/** Shared parts of drivers: caches of directory names, and the answers for facts that a format lacks. */
import { LruMap } from '../base/index.js';
import type { FileSystemUsage, InodeNumber, Time } from './driver.js';

/** Directories whose names are kept. */
export const directoriesKept = 64;
/** Directories whose parents are kept. */
export const parentsKept = 65_536;
/** Names of one directory that are kept; larger directories are searched name by name. */
const namesKept = 65_536;

/** The results of lookups in directories, for a format whose directories are lists without an index. */
export class DirectoryCache {
  /** Parents of the directories that were returned. */
  readonly parents = new LruMap<InodeNumber, InodeNumber>(parentsKept);
  readonly #indexes = new LruMap<InodeNumber, ReadonlyMap<string, InodeNumber> | 'large'>(directoriesKept);

  /**
   * The inode of the first entry with the name `wanted`; undefined if there is none. `names` gives all names that
   * find an entry, in search order; `inodeOf` gives the inode of an entry.
   */
  find<Entry>(
    directory: InodeNumber,
    wanted: string,
    names: () => Iterable<readonly [name: string, entry: Entry]>,
    inodeOf: (entry: Entry) => InodeNumber,
  ): InodeNumber | undefined {
    let index = this.#indexes.get(directory);
    if (index === undefined) {
      index = indexNames(names(), inodeOf);
      this.#indexes.set(directory, index);
    }
    if (index !== 'large') return index.get(wanted);
    for (const [name, entry] of names()) if (name === wanted) return inodeOf(entry);
    return undefined;
  }

  /** The names of a directory changed. */
  forget(directory: InodeNumber): void {
    this.#indexes.delete(directory);
  }

  clear(): void {
    this.parents.clear();
    this.#indexes.clear();
  }
}

function indexNames<Entry>(
  names: Iterable<readonly [name: string, entry: Entry]>,
  inodeOf: (entry: Entry) => InodeNumber,
): ReadonlyMap<string, InodeNumber> | 'large' {
  const index = new Map<string, InodeNumber>();
  for (const [name, entry] of names) {
    if (index.size >= namesKept) return 'large';
    if (!index.has(name)) index.set(name, inodeOf(entry));
  }
  return index;
}

/** The usage of a filesystem without counts: a driver adds the facts of its format. */
export const emptyUsage: FileSystemUsage = {
  blockSize: 4096,
  fragmentSize: 4096,
  blocks: 0,
  freeBlocks: 0,
  availableBlocks: 0,
  inodes: 0,
  freeInodes: 0,
  nameMax: 255,
  // If a format has no identity, Linux returns the device's number, which only the caller knows.
  id: 0n,
};

/** The attributes of an inode without attributes. */
export const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** The time by the machine's clock, in whole milliseconds. */
export function currentTime(): Time {
  const milliseconds = Date.now();
  return { seconds: Math.floor(milliseconds / 1000), nanoseconds: (milliseconds % 1000) * 1_000_000 };
}
