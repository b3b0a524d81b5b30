/** The engine's call behind `opendir` and `walkEntries`: a directory of any size in pages. */
import { type DirectoryPage, direntLetters } from '../../api/index.js';
import { compareBytewise, GuestfsError, typeOfMode } from '../../base/index.js';
import { type NameRun, NameRunFinder } from '../../formats/index.js';
import { type DirectoryEntry, heeding } from '../../fs/index.js';
import { joinPath, type Place } from '../../vfs/index.js';
import type { Session } from '../session/session.js';
import type { Call } from '../thread/call.js';
import { statns } from './attributes.js';
import { directoryAt, entriesAt } from './listing.js';

/** The names that one pass over a directory finds. The finder holds twice as many, of 255 bytes at most. */
const namesInRun = 65_536;
/** Directories whose runs are kept, for the pages that follow. */
const mostRuns = 4;

/** What one pass has found, which is not told yet. */
interface Run extends NameRun<DirectoryEntry> {
  readonly directory: Place;
  readonly after: string;
}

/** The runs of each session, the last one used at the end. */
const runsOf = new WeakMap<Session, readonly Run[]>();

const isSame = (one: Place, other: Place): boolean => one.mount === other.mount && one.inode === other.inode;

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

/** A pass over the directory, for the entries behind a name. */
function findRun(call: Call, path: string, directory: Place, after: string): Run {
  const finder = new NameRunFinder<DirectoryEntry>(after, namesInRun);
  let count = 0;
  for (const entry of entriesAt(call, path, directory)) {
    if ((++count & 1023) === 0) call.progress(count, 0);
    finder.add(entry);
  }
  return { ...finder.run(), directory, after };
}

/** A run that has what comes behind a name, and where in it that begins. */
function runFor(call: Call, path: string, directory: Place, after: string): { run: Run; start: number } {
  const known = runsOf.get(call.session) ?? [];
  for (const run of known) {
    if (!isSame(run.directory, directory) || compareBytewise(run.after, after) > 0) continue;
    const start = firstAfter(run.entries, after);
    if (start < run.entries.length || !run.more) return { run, start };
  }
  return { run: findRun(call, path, directory, after), start: 0 };
}

/** Keeps a run for the page that follows; a run that is told in full is forgotten. */
function keep({ session }: Call, run: Run, isTold: boolean): void {
  const others = (runsOf.get(session) ?? []).filter(({ directory }) => !isSame(directory, run.directory));
  runsOf.set(session, isTold ? others : [...others, run].slice(-mostRuns));
}

/** Entries behind a name, at most `limit`. ENOTDIR if the path is no directory. */
export function directoryPage(
  call: Call,
  path: string,
  after: string,
  limit: number,
  withStats: boolean,
): DirectoryPage {
  if (limit < 1) throw new GuestfsError('EINVAL', `${limit}: expecting a number of entries`);
  const { tree, damage } = call.session;
  const directory = directoryAt(call, path);
  const { run, start } = runFor(call, path, directory, after);
  const end = Math.min(run.entries.length, start + limit);
  const isTold = end === run.entries.length;
  keep(call, run, isTold);
  const names: string[] = [];
  const stats: DirectoryPage['stats'][number][] = [];
  let types = '';
  for (const entry of run.entries.slice(start, end)) {
    const read = (): DirectoryPage['stats'][number] => statns(tree.statOf(tree.enter(directory, entry)));
    const onDamage = (error: GuestfsError): void => damage.leaveOut(error, joinPath(path, entry.name));
    if (withStats || entry.type === 'unknown') {
      call.checkpoint();
      const stat = heeding(onDamage, read);
      if (stat === undefined) continue;
      types += direntLetters[typeOfMode(stat.stMode)];
      if (withStats) stats.push(stat);
    } else types += direntLetters[entry.type];
    names.push(entry.name);
  }
  return { names, types, stats, next: isTold && !run.more ? undefined : run.entries[end - 1]?.name };
}
