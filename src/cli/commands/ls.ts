/** `guestfs ls`: what is in a directory. */

import { compareBytewise, GuestfsError } from '../../base/index.js';
import { lastNameOf } from '../../formats/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { type ParsedOptions, statusOptions } from '../command/options.js';
import { expandPaths, Failures } from '../command/paths.js';
import { Accounts } from '../guest/accounts.js';
import { type FileRecord, recordOf, recordsJson } from '../guest/file-record.js';
import { isDeviceFile, isDirectory, isSymlink } from '../guest/file-words.js';
import type { Guest } from '../guest/guest.js';
import { withPath } from '../guest/guest-not-found.js';
import { readImageOperands } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';
import type { Paint } from '../terminal/colors.js';
import { longLines } from '../terminal/long-lines.js';
import { humanSize } from '../terminal/sizes.js';
import { gridLines } from '../terminal/table.js';
import { visible } from '../terminal/visible.js';

/** What a path stands for: a file, or the files of a directory. */
interface Listing {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly records: readonly FileRecord[];
}

const join = (directory: string, name: string): string =>
  directory.endsWith('/') ? directory + name : `${directory}/${name}`;

async function recordAt({ g, controls }: Guest, path: string): Promise<FileRecord> {
  const stat = await g.lstatns(path, controls);
  return recordOf(path, stat, isSymlink(stat.stMode) ? await g.readlink(path, controls) : undefined);
}

/** The files of a directory, in a few calls for any number of files. */
async function recordsIn({ g, controls }: Guest, directory: string): Promise<FileRecord[]> {
  const names = (await g.ls(directory, controls)).sort(compareBytewise);
  const stats = await g.lstatnslist(directory, names, controls);
  const links = names.filter((_, index) => isSymlink(stats[index]?.stMode ?? 0));
  const targets = links.length === 0 ? [] : await g.readlinklist(directory, links, controls);
  const targetOf = new Map(links.map((name, index) => [name, targets[index]]));
  return names.flatMap((name, index) => {
    const stat = stats[index];
    return stat === undefined ? [] : [recordOf(join(directory, name), stat, targetOf.get(name) || undefined)];
  });
}

/**
 * Sorts by `-t` (newest first) or `-S` (largest first); `-r` reverses. Equal files, and files without either option,
 * are sorted by name.
 */
function ordered(records: readonly FileRecord[], options: ParsedOptions): readonly FileRecord[] {
  const byTime = (a: FileRecord, b: FileRecord): number =>
    b.mtime - a.mtime || b.mtimeNanoseconds - a.mtimeNanoseconds;
  const bySize = (a: FileRecord, b: FileRecord): number => b.size - a.size;
  const first = options.flag('time') ? byTime : options.flag('by-size') ? bySize : undefined;
  const sorted =
    first === undefined
      ? [...records]
      : [...records].sort((a, b) => first(a, b) || compareBytewise(a.path, b.path));
  return options.flag('reverse') ? sorted.reverse() : sorted;
}

/** A link on the command line is followed. A broken link is shown itself. */
async function list(guest: Guest, path: string, directoriesThemselves: boolean): Promise<Listing> {
  const { g, controls } = guest;
  if (!directoriesThemselves) {
    try {
      if (await g.isDir(path, { ...controls, followsymlinks: true }))
        return { path, isDirectory: true, records: await recordsIn(guest, path) };
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || thrown.code !== 'ENOENT') throw thrown;
    }
  }
  return { path, isDirectory: false, records: [await recordAt(guest, path)] };
}

function painted(paint: Paint, { mode }: FileRecord, name: string): string {
  if (isDirectory(mode)) return paint('blue', name);
  if (isSymlink(mode)) return paint('cyan', name);
  if (isDeviceFile(mode)) return paint('yellow', name);
  return (mode & 0o111) !== 0 ? paint('green', name) : name;
}

/**
 * A directory and all directories below it, each before its own. On a damaged disk a directory may be below itself.
 */
async function* treeOf(
  guest: Guest,
  top: Listing,
  options: ParsedOptions,
  failures: Failures,
): AsyncGenerator<Listing> {
  const seen = new Set<string>();
  const pending: (() => Promise<Listing>)[] = [async () => top];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const listing = await failures.attempt(next);
    if (listing === undefined) continue;
    yield listing;
    const below = ordered(listing.records, options).filter(({ mode, dev, ino }) => {
      const identity = `${dev}:${ino}`;
      return isDirectory(mode) && !seen.has(identity) && seen.add(identity);
    });
    for (const { path } of below.toReversed())
      pending.push(async () => ({ path, isDirectory: true, records: await recordsIn(guest, path) }));
  }
}

/** Prints listings one after the other, or as one array of JSON. */
class ListingPrinter {
  readonly #invocation: Invocation;
  readonly #accounts: Accounts;
  readonly #titled: boolean;
  #printed = 0;
  readonly #json: FileRecord[] = [];

  constructor(invocation: Invocation, accounts: Accounts, titled: boolean) {
    this.#invocation = invocation;
    this.#accounts = accounts;
    this.#titled = titled;
  }

  async print({ path, isDirectory: isDir, records }: Listing): Promise<void> {
    const { out, options, paint } = this.#invocation;
    if (options.flag('json')) {
      for (const record of records) this.#json.push(record);
      return;
    }
    const nameOf = (record: FileRecord): string => out.name(isDir ? lastNameOf(record.path) : record.path);
    const shown = (record: FileRecord): string => painted(paint, record, nameOf(record));
    if (this.#printed++ > 0) await out.write('\n');
    if (this.#titled && isDir) await out.write(`${out.name(path)}:\n`);
    if (options.flag('long')) {
      const size = options.flag('human') ? humanSize : String;
      const withTarget = (record: FileRecord): string =>
        record.target === undefined ? shown(record) : `${shown(record)} -> ${out.name(record.target)}`;
      await out.lines(longLines(records, this.#accounts, size, withTarget));
    } else if (out.isTerminal && !options.flag('one')) {
      const words = records.map((record) => ({ text: visible(nameOf(record)), shown: shown(record) }));
      await out.lines(gridLines(words, out.columns));
    } else await out.lines(records.map(shown));
  }

  async end(): Promise<void> {
    if (this.#invocation.options.flag('json')) await this.#invocation.out.write(recordsJson(this.#json));
  }
}

export const ls: Command = {
  options: {
    ...statusOptions,
    long: { type: 'flag', short: 'l' },
    one: { type: 'flag', short: '1' },
    directory: { type: 'flag', short: 'd' },
    recursive: { type: 'flag', short: 'R' },
    time: { type: 'flag', short: 't' },
    'by-size': { type: 'flag', short: 'S' },
    reverse: { type: 'flag', short: 'r' },
  },
  async run(invocation) {
    const { options } = invocation;
    if (invocation.operands.length === 0 && options.list('add').length > 0)
      throw usageFailure(
        'an image is missing: -a adds a further drive',
        'names that begin with a dot are always listed: leave -a out',
      );
    const { image, paths } = readImageOperands(invocation.operands);
    await withMountedGuest(invocation, image, async (guest) => {
      const failures = new Failures(guest);
      const words = await expandPaths(guest, paths.length === 0 ? ['/'] : paths, failures);
      const listings: Listing[] = [];
      for (const path of words) {
        const listing = await failures.attempt(() =>
          withPath(guest, path, () => list(guest, path, options.flag('directory'))),
        );
        if (listing !== undefined) listings.push(listing);
      }
      const needsNames = options.flag('long') && !options.flag('numeric') && !options.flag('json');
      const accounts = needsNames ? await Accounts.of(guest) : Accounts.none;
      const isTitled = words.length > 1 || paths.length > 1 || options.flag('recursive');
      const printer = new ListingPrinter(invocation, accounts, isTitled);
      // As in ls: first all files together, then each directory, under its name if there are several.
      const files = listings.filter((each) => !each.isDirectory).flatMap(({ records }) => records);
      if (files.length > 0)
        await printer.print({ path: '', isDirectory: false, records: ordered(files, options) });
      for (const listing of listings.filter((each) => each.isDirectory)) {
        const below = options.flag('recursive') ? treeOf(guest, listing, options, failures) : [listing];
        for await (const each of below)
          await printer.print({ ...each, records: ordered(each.records, options) });
      }
      await printer.end();
      failures.end();
    });
  },
};
