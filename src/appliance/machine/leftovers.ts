/**
 * What is left of processes that were killed together with their guard: their private directories. The name of such a
 * directory tells its owner, so that a later launch removes those whose owner is gone, and no other.
 *
 * An owner is a process by its number and the time of its start, of one start of one machine and one namespace of
 * processes: a number alone is used again, and means another process elsewhere.
 */
import { type Dir, lstatSync, opendirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Names of a directory that one launch looks at, and what it removes of them at most. */
const mostNames = 4096;
const mostRemoved = 16;

/** Where a process lives; undefined where there is no /proc that tells. */
function readPlace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    const namespace = /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/pid'))?.[1];
    return namespace && /^[0-9a-f]{8}$/.test(boot) ? `${boot}.${namespace}` : undefined;
  } catch {
    return undefined; // not Linux, or /proc is hidden: then nothing is marked, and nothing removed
  }
}

/** When a process started, in ticks since the machine's start; undefined where that cannot be seen. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in parentheses, may hold anything; the start is the twentieth field behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** The mark of this process in the names of what it makes; undefined where nobody could tell later whether it is gone. */
export function ownerMark(): string | undefined {
  const place = readPlace();
  const start = startOf(process.pid);
  return place === undefined || start === undefined ? undefined : `${place}.${process.pid}.${start}`;
}

const marked = /^guestfs-([0-9a-f]{8}\.\d{1,20})\.(\d{1,10})\.(\d{1,20})-[A-Za-z0-9_-]{12}$/;

/** Whether a process has ended. One that is hidden, or is seen as another cannot be told from it, has not. */
function isGone(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const seen = startOf(pid);
  return seen !== undefined && seen !== start;
}

/** Whether a name is that of a private directory whose owner, of this machine's processes, is gone. */
function isRemains(name: string, place: string): boolean {
  const [, itsPlace, pid, start = ''] = marked.exec(name) ?? [];
  return itsPlace === place && isGone(Number(pid), start);
}

/**
 * Removes the private directories in `parent` whose owners are gone: this user's own, and a bounded number. What cannot be
 * removed stays, as another may be removing the same.
 */
export function removeRemains(parent: string): void {
  const place = readPlace();
  if (place === undefined) return;
  let directory: Dir;
  try {
    directory = opendirSync(parent);
  } catch {
    return; // whoever makes something in it has the error
  }
  const found: string[] = [];
  try {
    for (let seen = 0; seen < mostNames && found.length < mostRemoved; seen++) {
      const entry = directory.readSync();
      if (entry === null) break;
      if (isRemains(entry.name, place)) found.push(join(parent, entry.name));
    }
  } finally {
    directory.closeSync();
  }
  for (const path of found) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true || stats.uid !== process.geteuid?.()) continue;
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {
      // A later launch tries again.
    }
  }
}
