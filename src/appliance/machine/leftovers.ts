/**
 * Removes the private directories of processes that were killed together with their watchdog. The name of such a
 * directory contains its owner, so that a later launch removes only directories whose owner is gone.
 *
 * An owner is a process number with its start time, the boot of the machine and the namespace of processes: a number
 * alone is used again, and means another process elsewhere.
 */
import { type Dir, lstatSync, opendirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** How many names in a directory one launch looks at, and how many it removes. */
const mostNames = 4096;
const mostRemoved = 16;

/** Where processes are looked up; undefined without a usable /proc. */
function readPlace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
    const namespace = /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/pid'))?.[1];
    return namespace && /^[0-9a-f]{8}$/.test(boot) ? `${boot}.${namespace}` : undefined;
  } catch {
    return undefined; // not Linux, or /proc is hidden: then nothing is marked, and nothing removed
  }
}

/** When a process started, in ticks since boot; undefined if that is hidden. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program name in parentheses may contain any character. The start time is the twentieth field after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/**
 * The mark of this process in the names of its directories; undefined if a later launch could not check whether the
 * process is gone.
 */
export function ownerMark(): string | undefined {
  const place = readPlace();
  const start = startOf(process.pid);
  return place === undefined || start === undefined ? undefined : `${place}.${process.pid}.${start}`;
}

const marked = /^guestfs-([0-9a-f]{8}\.\d{1,20})\.(\d{1,10})\.(\d{1,20})-[A-Za-z0-9_-]{12}$/;

/** Whether a process has ended. A process that is hidden, or cannot be told from another, counts as running. */
function isGone(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ESRCH';
  }
  const seen = startOf(pid);
  return seen !== undefined && seen !== start;
}

/** Whether a name is that of a private directory whose owner ran on this machine and is gone. */
function isRemains(name: string, place: string): boolean {
  const [, itsPlace, pid, start = ''] = marked.exec(name) ?? [];
  return itsPlace === place && isGone(Number(pid), start);
}

/**
 * Removes the private directories in `parent` whose owners are gone: only this user's, and a limited number. Errors
 * are ignored, because another process may be removing the same directory.
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
