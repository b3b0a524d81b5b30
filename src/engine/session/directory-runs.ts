/**
 * What a pass over a directory has found, for the pages that follow. It belongs to the mount, and is forgotten with it.
 */
import { compareBytewise } from '../../base/index.js';
import type { NameRun } from '../../formats/index.js';
import type { DirectoryEntry } from '../../fs/index.js';
import type { Mount, Place } from '../../vfs/index.js';

/** Directories of a mount whose runs are kept. */
const mostRuns = 4;

/** The entries of a directory behind a name. */
export interface DirectoryRun extends NameRun<DirectoryEntry> {
  readonly directory: Place;
  readonly after: string;
}

/** The place of the first entry behind a name. */
function firstAfter(entries: readonly DirectoryEntry[], after: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytewise(entries[middle]?.name ?? '', after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class DirectoryRuns {
  /** The last one used at the end. */
  #ofMount = new WeakMap<Mount, readonly DirectoryRun[]>();

  /** A run that has what comes behind a name, and where in it that begins. */
  find({ mount, inode }: Place, after: string): { run: DirectoryRun; start: number } | undefined {
    const run = this.#ofMount.get(mount)?.find((each) => each.directory.inode === inode);
    if (run === undefined || compareBytewise(run.after, after) > 0) return undefined;
    const start = firstAfter(run.entries, after);
    return start < run.entries.length || !run.more ? { run, start } : undefined;
  }

  /** Keeps a run in the place of the directory's last one. */
  keep(run: DirectoryRun): void {
    const others = this.#others(run.directory);
    this.#ofMount.set(run.directory.mount, [...others, run].slice(-mostRuns));
  }

  /** All of a directory has been told. */
  forget(directory: Place): void {
    this.#ofMount.set(directory.mount, this.#others(directory));
  }

  /** A directory has changed. */
  forgetAll(): void {
    this.#ofMount = new WeakMap();
  }

  #others({ mount, inode }: Place): readonly DirectoryRun[] {
    return (this.#ofMount.get(mount) ?? []).filter(({ directory }) => directory.inode !== inode);
  }
}
