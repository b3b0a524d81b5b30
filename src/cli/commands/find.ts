/** `guestfs find`: everything below a directory, in one call for any number of files. */
import type { CallControls, TreeListing } from '../../api/index.js';
import { decodeText, encodeText, GuestfsError } from '../../base/index.js';
import { usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { progressOptions, statusOptions } from '../command/options.js';
import { withEachPath } from '../command/paths.js';
import { Accounts } from '../guest/accounts.js';
import { withLittleInlining } from '../guest/compiling.js';
import { type FileFacts, recordOf, writeRecord } from '../guest/file-record.js';
import { isDirectory } from '../guest/file-words.js';
import { type Filter, filterOptions, type Moment, readFilter } from '../guest/find-filter.js';
import type { Guest } from '../guest/guest.js';
import { withPath } from '../guest/guest-not-found.js';
import { readImageOperands } from '../guest/image-argument.js';
import { withMountedGuest } from '../guest/mounting.js';
import { LineWriter } from '../terminal/line-writer.js';
import { longCells } from '../terminal/long-lines.js';
import { humanSize } from '../terminal/sizes.js';
import { visible } from '../terminal/visible.js';
import { padEnd, padStart } from '../terminal/width.js';

/** A path as bytes, inside a larger array. */
interface PathBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

const slash = 0x2f;

/** The last component of a path. */
function nameOf({ bytes, start, end }: PathBytes): string {
  const from = bytes.subarray(start, end).lastIndexOf(slash) + 1;
  return decodeText(bytes.subarray(start + from, end));
}

/** How many levels a path goes below the one it is relative to. */
function depthOf({ bytes, start, end }: PathBytes): number {
  let depth = 1;
  for (let at = start; at < end; at++) if (bytes[at] === slash) depth++;
  return depth;
}

/** Whether a file passes the tests on its path and type. `depth` is 0 for the start. */
function isWanted({ type, name, maxDepth }: Filter, path: PathBytes, mode: number, depth?: number): boolean {
  if (type !== undefined && !type(mode)) return false;
  if (maxDepth !== Number.POSITIVE_INFINITY && (depth ?? depthOf(path)) > maxDepth) return false;
  return name === undefined || name(nameOf(path));
}

/** Turns a file into a line. `facts` are fetched only if the line needs them. */
type Printer = (to: LineWriter, path: PathBytes, facts: () => FileFacts) => void;

/**
 * The columns of `ls -l` before a path. The list is printed while it arrives, so the widths are fixed and fit most
 * files.
 */
function longPrinter(accounts: Accounts, isHuman: boolean, isTerminal: boolean): Printer {
  const widths = [10, 2, 8, 8, isHuman ? 5 : 9, 16];
  const size = isHuman ? humanSize : String;
  return (to, { bytes, start, end }, facts) => {
    for (const [column, cell] of longCells(facts(), accounts, size).entries()) {
      const pad = column === 1 || column === 4 ? padStart : padEnd;
      to.text(`${pad(cell, widths[column] ?? 0)} `);
    }
    if (isTerminal) to.text(visible(decodeText(bytes.subarray(start, end))));
    else to.copy(bytes, start, end);
    to.ascii('\n');
  };
}

async function makePrinter(guest: Guest, { options, out }: Invocation): Promise<Printer> {
  if (options.flag('json'))
    return (to, path, facts) => {
      writeRecord(to, path, facts());
      to.ascii('\n');
    };
  if (options.flag('long')) {
    const accounts = options.flag('numeric') ? Accounts.none : await Accounts.of(guest);
    return longPrinter(accounts, options.flag('human'), out.isTerminal);
  }
  const ending = options.flag('print0') ? '\0' : '\n';
  const isShown = out.isTerminal && ending === '\n';
  return (to, { bytes, start, end }) => {
    if (isShown) to.text(visible(decodeText(bytes.subarray(start, end))));
    else to.copy(bytes, start, end);
    to.ascii(ending);
  };
}

/** The facts about one file of a listing in columns. */
function factsAt({ columns }: TreeListing, index: number): FileFacts {
  // safe: every column has `count` numbers, and index is below that
  const number = (column: Float64Array): number => column[index] as number;
  return {
    mode: number(columns.mode),
    nlink: number(columns.linkCount),
    uid: number(columns.uid),
    gid: number(columns.gid),
    size: number(columns.size),
    blocks: number(columns.blocks),
    ino: number(columns.inode),
    dev: number(columns.device),
    rdev: number(columns.deviceNode),
    atime: number(columns.accessedSeconds),
    atimeNanoseconds: number(columns.accessedNanoseconds),
    mtime: number(columns.modifiedSeconds),
    mtimeNanoseconds: number(columns.modifiedNanoseconds),
    ctime: number(columns.changedSeconds),
    ctimeNanoseconds: number(columns.changedNanoseconds),
  };
}

/** Bytes that are written at once: a little less than a pipe holds, as the last line goes beyond. */
const pieceLength = 60 * 1024;

/** A path of the listing with the start in front of it. One buffer is used for all paths. */
class JoinedPath implements PathBytes {
  bytes: Uint8Array;
  readonly start = 0;
  end = 0;
  readonly #prefix: Uint8Array;

  constructor(top: string) {
    this.#prefix = encodeText(top.endsWith('/') ? top : `${top}/`);
    this.bytes = new Uint8Array(this.#prefix.length + 4096);
    this.bytes.set(this.#prefix);
  }

  join({ bytes, start, end }: PathBytes): this {
    const length = this.#prefix.length + end - start;
    if (length > this.bytes.length) {
      this.bytes = new Uint8Array(length * 2);
      this.bytes.set(this.#prefix);
    }
    let at = this.#prefix.length;
    for (let from = start; from < end; from++) this.bytes[at++] = bytes[from] as number; // safe: from < end
    this.end = at;
    return this;
  }
}

async function printTree(
  top: string,
  listing: TreeListing,
  filter: Filter,
  print: Printer,
  to: LineWriter,
  flush: () => Promise<void>,
): Promise<void> {
  const bytes = encodeText(listing.paths);
  const { mode: modes } = listing.columns;
  const joined = new JoinedPath(top);
  for (let index = 0, start = 0; index < listing.count; index++) {
    const end = bytes.indexOf(0, start);
    const path = { bytes, start, end };
    start = end + 1;
    const mode = modes[index] as number; // safe: index < count
    if (!isWanted(filter, path, mode)) continue;
    if (filter.facts !== undefined && !filter.facts(factsAt(listing, index))) continue;
    print(to, joined.join(path), () => factsAt(listing, index));
    if (to.length >= pieceLength) await flush();
  }
}

/** A link on the command line is followed, unless it leads nowhere. */
async function statFollowing({ g, controls }: Guest, path: string) {
  try {
    return await g.statns(path, controls);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'ENOENT') throw thrown;
    return await g.lstatns(path, controls);
  }
}

async function findBelow(guest: Guest, path: string, invocation: Invocation, filter: Filter): Promise<void> {
  const { g } = guest;
  const { out } = invocation;
  const print = await makePrinter(guest, invocation);
  const to = new LineWriter(2 * pieceLength);
  const flush = (): Promise<void> => out.write(to.take());
  const top = recordOf(path, await withPath(guest, path, () => statFollowing(guest, path)));
  const bytes = encodeText(path === '/' ? path : path.replace(/\/+$/, ''));
  const own = { bytes, start: 0, end: bytes.length };
  if (isWanted(filter, own, top.mode, 0) && filter.facts?.(top) !== false) print(to, own, () => top);
  if (isDirectory(top.mode) && filter.maxDepth > 0) {
    const walk = async (controls: CallControls): Promise<void> => {
      for await (const listing of g.walkInParts(path, controls))
        await printTree(path, listing, filter, print, to, flush);
    };
    await invocation.withProgress(path, 'steps', walk, { toScreen: out.isTerminal });
  }
  await flush();
}

/** A moment as a number. For a path, the modification time of that file of the guest. */
async function momentOf(guest: Guest, moment: Moment | undefined) {
  if (moment === undefined || !('path' in moment)) return moment;
  const { path } = moment;
  const stat = await withPath(guest, path, () => guest.g.statns(path, guest.controls));
  return { seconds: stat.stMtimeSec, nanoseconds: stat.stMtimeNsec };
}

export const find: Command = {
  options: {
    ...statusOptions,
    ...progressOptions,
    ...filterOptions,
    long: { type: 'flag', short: 'l' },
    print0: { type: 'flag', short: '0' },
  },
  async run(invocation) {
    const { options, operands } = invocation;
    const { image, paths } = readImageOperands(operands);
    const forms = ['json', 'long', 'print0'].filter((name) => options.flag(name));
    if (forms.length > 1) throw usageFailure(`--${forms[0]} and --${forms[1]} exclude each other`);
    const plan = readFilter(options);
    await withMountedGuest(invocation, image, async (guest) => {
      const filter = plan.filter(await momentOf(guest, plan.moment));
      const starts = paths.length === 0 ? ['/'] : paths;
      await withLittleInlining(() =>
        withEachPath(guest, starts, (path) => findBelow(guest, path, invocation, filter)),
      );
    });
  },
};
