/** `guestfs ls`: what is in a directory. */
import { encodeText, GuestfsError } from '../../base/index.js';
import { Accounts } from '../accounts.js';
import type { Paint } from '../colors.js';
import { usageFailure } from '../failure.js';
import { type FileRecord, recordOf, recordsJson } from '../file-record.js';
import { isDeviceFile, isDirectory, isSymlink } from '../files.js';
import type { Guest } from '../guest.js';
import { readImageOperands } from '../image-argument.js';
import type { Command, Invocation } from '../invocation.js';
import { longLines } from '../long-lines.js';
import { withPath } from '../missing.js';
import { withMountedGuest } from '../mounting.js';
import { guestOptions } from '../options.js';
import { humanSize } from '../sizes.js';
import { gridLines } from '../table.js';
import { visible } from '../visible.js';

/** What a path stands for: a file, or the files of a directory. */
interface Listing {
  readonly path: string;
  readonly isDirectory: boolean;
  readonly records: readonly FileRecord[];
}

const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const join = (directory: string, name: string): string =>
  directory.endsWith('/') ? directory + name : `${directory}/${name}`;

/** As the kernel orders bytes: the same everywhere, whatever the language. */
const byBytes = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(encodeText(a), encodeText(b));

async function recordAt({ g, controls }: Guest, path: string): Promise<FileRecord> {
  const stat = await g.lstatns(path, controls);
  return recordOf(path, stat, isSymlink(stat.stMode) ? await g.readlink(path, controls) : undefined);
}

/** The files of a directory, in a handful of calls however many there are. */
async function recordsIn({ g, controls }: Guest, directory: string): Promise<FileRecord[]> {
  const names = (await g.ls(directory, controls)).sort(byBytes);
  const stats = await g.lstatnslist(directory, names, controls);
  const links = names.filter((_, index) => isSymlink(stats[index]?.stMode ?? 0));
  const targets = links.length === 0 ? [] : await g.readlinklist(directory, links, controls);
  const targetOf = new Map(links.map((name, index) => [name, targets[index]]));
  return names.flatMap((name, index) => {
    const stat = stats[index];
    return stat === undefined ? [] : [recordOf(join(directory, name), stat, targetOf.get(name) || undefined)];
  });
}

/** A link on the command line is followed; one that leads nowhere is shown itself. */
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

async function printListing(
  { path, isDirectory: isDir, records }: Listing,
  invocation: Invocation,
  accounts: Accounts,
  titled: boolean,
): Promise<void> {
  const { out, options, paint } = invocation;
  const nameOf = (record: FileRecord): string => out.name(isDir ? lastName(record.path) : record.path);
  const shown = (record: FileRecord): string => painted(paint, record, nameOf(record));
  if (titled) await out.write(`${out.name(path)}:\n`);
  if (options.flag('long')) {
    const size = options.flag('human') ? humanSize : String;
    const withTarget = (record: FileRecord): string =>
      record.target === undefined ? shown(record) : `${shown(record)} -> ${out.name(record.target)}`;
    await out.lines(longLines(records, accounts, size, withTarget));
  } else if (out.isTerminal && !options.flag('one')) {
    const words = records.map((record) => ({ text: visible(nameOf(record)), shown: shown(record) }));
    await out.lines(gridLines(words, out.columns));
  } else await out.lines(records.map(shown));
}

export const ls: Command = {
  options: {
    ...guestOptions,
    long: { type: 'flag', short: 'l' },
    human: { type: 'flag', short: 'h' },
    one: { type: 'flag', short: '1' },
    directory: { type: 'flag', short: 'd' },
    numeric: { type: 'flag', short: 'n' },
    json: { type: 'flag' },
  },
  async run(invocation) {
    const { options, out } = invocation;
    if (invocation.operands.length === 0 && options.list('add').length > 0)
      throw usageFailure(
        'an image is missing: -a adds a further drive',
        'names that begin with a dot are always listed: leave -a out',
      );
    const { image, paths } = readImageOperands(invocation.operands);
    await withMountedGuest(invocation, image, async (guest) => {
      const listings: Listing[] = [];
      for (const path of paths.length === 0 ? ['/'] : paths)
        listings.push(await withPath(guest, path, () => list(guest, path, options.flag('directory'))));
      if (options.flag('json'))
        return await out.write(recordsJson(listings.flatMap(({ records }) => records)));
      const needsNames = options.flag('long') && !options.flag('numeric');
      const accounts = needsNames ? await Accounts.of(guest) : Accounts.none;
      // As ls does: files first, then directories, each under its name where there are several.
      const ordered = [
        ...listings.filter((each) => !each.isDirectory),
        ...listings.filter((each) => each.isDirectory),
      ];
      for (const [index, listing] of ordered.entries()) {
        const titled = listing.isDirectory && listings.length > 1;
        if (titled && index > 0) await out.write('\n');
        await printListing(listing, invocation, accounts, titled);
      }
    });
  },
};
