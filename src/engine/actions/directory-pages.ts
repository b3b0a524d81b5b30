/** The engine's call behind `opendir` and `walkEntries`: a directory of any size in pages. */
import { type DirectoryPage, direntLetters } from '../../api/index.js';
import { GuestfsError, typeOfMode } from '../../base/index.js';
import { NameRunFinder } from '../../formats/index.js';
import { type DirectoryEntry, heeding } from '../../fs/index.js';
import { joinPath, type Place } from '../../vfs/index.js';
import type { DirectoryRun } from '../session/directory-runs.js';
import type { Call } from '../thread/call.js';
import { statns } from './attributes.js';
import { directoryAt, entriesAt } from './listing.js';

/** The names that one pass over a directory finds. The finder holds twice as many, of 255 bytes at most. */
const namesInRun = 65_536;

/** A pass over the directory, for the entries behind a name. */
function findRun(call: Call, path: string, directory: Place, after: string): DirectoryRun {
  const finder = new NameRunFinder<DirectoryEntry>(after, namesInRun);
  let count = 0;
  for (const entry of entriesAt(call, path, directory)) {
    if ((++count & 1023) === 0) call.progress(count, 0);
    finder.add(entry);
  }
  return { ...finder.run(), directory, after };
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
  const { tree, damage, directoryRuns } = call.session;
  const directory = directoryAt(call, path);
  const { run, start } = directoryRuns.find(directory, after) ?? {
    run: findRun(call, path, directory, after),
    start: 0,
  };
  const end = Math.min(run.entries.length, start + limit);
  const isTold = end === run.entries.length;
  if (isTold) directoryRuns.forget(directory);
  else directoryRuns.keep(run);
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
