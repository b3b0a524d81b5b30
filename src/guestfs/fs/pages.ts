/** How directories of any size are read: page by page, each behind the last name of the one before. */
import { type CallControls, type DirectoryPage, typeOfLetter } from '../../api/index.js';
import { asSyscall } from './guest-fs-error.js';
import { encodeName, joinNames, type NameEncoding, type OwnBuffer } from './guest-path.js';
import { GuestDirent, GuestStats } from './stats.js';

/** The key of a handle's member for pages; not exported from the package. */
export const readPage: unique symbol = Symbol('guestfs.readPage');

export interface PageSource {
  /** Entries of a directory behind a name, in the order of their bytes. */
  [readPage](
    directory: string,
    after: string,
    limit: number,
    withStats: boolean,
    controls: CallControls,
  ): Promise<DirectoryPage>;
}

/** Entries in one page of an open directory. */
const entriesInPage = 16_384;

interface DirOptions {
  readonly encoding: NameEncoding | undefined;
  readonly after: string;
  readonly limit: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * A directory that is read entry by entry, in the form of `fs.Dir`. A page of it is in memory at a time. Nothing is open
 * behind it, so it need not be closed.
 */
export class GuestDir<Name extends string | Uint8Array = string> {
  /** As it was given. */
  readonly path: string;
  readonly #source: PageSource;
  readonly #options: DirOptions;
  #page: readonly (GuestDirent | GuestDirent<OwnBuffer>)[] = [];
  #at = 0;
  #left: number;
  #next: string | undefined;
  #reading: Promise<unknown> = Promise.resolve();

  /** @internal */
  constructor(source: PageSource, path: string, options: DirOptions) {
    this.path = path;
    this.#source = source;
    this.#options = options;
    this.#left = options.limit;
    this.#next = options.after;
  }

  /** @internal */
  async readPage(): Promise<void> {
    const { encoding, signal } = this.#options;
    const after = this.#next;
    if (after === undefined) return;
    const { names, types, next } = await asSyscall('opendir', this.path, () =>
      this.#source[readPage](this.path, after, Math.min(this.#left, entriesInPage), false, { signal }),
    );
    this.#left -= names.length;
    this.#next = this.#left > 0 ? next : undefined;
    this.#at = 0;
    this.#page = names.map((name, index) => {
      const shown = encodeName(name, encoding);
      const type = typeOfLetter(types[index] ?? '');
      return typeof shown === 'string'
        ? new GuestDirent(shown, this.path, type)
        : new GuestDirent(shown, this.path, type);
    });
  }

  /** The next entry; null at the end. Calls that are not awaited get one entry each, in their order. */
  read(): Promise<GuestDirent<Name> | null> {
    const read = async (): Promise<GuestDirent<Name> | null> => {
      while (this.#at >= this.#page.length && this.#next !== undefined) await this.readPage();
      return (this.#page[this.#at++] ?? null) as GuestDirent<Name> | null; // safe: the encoding is the type's
    };
    const entry = this.#reading.then(read);
    this.#reading = entry.catch(() => {}); // told to whoever called
    return entry;
  }

  /** Ends the reading: entries that were not read are forgotten. */
  async close(): Promise<void> {
    this.#page = [];
    this.#next = undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<GuestDirent<Name>, void> {
    for (let entry = await this.read(); entry !== null; entry = await this.read()) yield entry;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One file below a directory. */
export interface WalkedEntry {
  /** Relative to the directory that the walk began at: `etc/passwd`. */
  readonly path: string;
  /** The last component. */
  readonly name: string;
  /** 1 for what is in the directory itself. */
  readonly depth: number;
  /** What `lstat` gives. */
  readonly stats: GuestStats;
}

interface Level {
  /** Relative; empty for the start. */
  readonly path: string;
  readonly depth: number;
  page: DirectoryPage;
  at: number;
}

/** A path has 4096 bytes at most, but a damaged disk may hold longer ones. */
const longestPath = 4096;

/** Entries in a page at a depth, so that all pages of the deepest tree together are some ten thousand. */
const entriesAtDepth = (depth: number): number => (depth < 8 ? 4096 : depth < 64 ? 512 : 16);

/** Everything below a directory; each directory comes before what is in it. */
export async function* walkPages(
  source: PageSource,
  start: string,
  controls: CallControls,
): AsyncGenerator<WalkedEntry, void> {
  const read = (path: string, depth: number, after: string): Promise<DirectoryPage> =>
    source[readPage](
      path === '' ? start : joinNames(start, path),
      after,
      entriesAtDepth(depth),
      true,
      controls,
    );
  /** A directory is met once: damage can make it its own child. */
  const met = new Set<string>();
  const levels: Level[] = [{ path: '', depth: 0, page: await read('', 0, ''), at: 0 }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const { path: above, depth, page } = level;
    const index = level.at++;
    const name = page.names[index];
    const stat = page.stats[index];
    if (name === undefined || stat === undefined) {
      if (page.next === undefined) levels.pop();
      else {
        level.page = await read(above, depth, page.next);
        level.at = 0;
      }
      continue;
    }
    const path = above === '' ? name : `${above}/${name}`;
    const stats = new GuestStats(stat);
    yield { path, name, depth: depth + 1, stats };
    if (!stats.isDirectory() || path.length > longestPath) continue;
    const identity = `${stat.stDev}:${stat.stIno}`;
    if (met.has(identity)) continue;
    met.add(identity);
    levels.push({ path, depth: depth + 1, page: await read(path, depth + 1, ''), at: 0 });
  }
}
