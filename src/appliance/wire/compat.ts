/**
 * Finds out what the daemon supports. The tables are those of the newest libguestfs; an older daemon lacks the last
 * procedures, and the last optional arguments of some. It never reports its libguestfs version.
 */
import { type Action, actions } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { DaemonError } from './protocol.js';

/** A daemon's abilities, as far as the wire shows them. */
export interface DaemonVersion {
  /** In words, for messages. */
  readonly name: string;
  /** Its highest procedure number. */
  readonly lastProcedure: number;
  /** The optional arguments that it lacks, by action. They are the last of their action. */
  readonly lackedOptions: Readonly<Record<string, readonly string[]>>;
}

/** The daemon that the tables describe. */
export const newestDaemon: DaemonVersion = {
  name: 'libguestfs 1.61',
  lastProcedure: 522,
  lackedOptions: {},
};

/** The daemon of Debian 12, and of its whole stable series. For tests. */
export const daemon1_48: DaemonVersion = {
  name: 'libguestfs 1.48',
  lastProcedure: 510,
  lackedOptions: { cryptsetup_open: ['cipher'], e2fsck: ['forceno'], tar_in: ['keepdirlink'] },
};

/** A daemon between the two: trying an option is the only way to find out whether it is supported. */
const daemonWith = (lastProcedure: number): DaemonVersion => ({
  name: `its last procedure is ${lastProcedure}`,
  lastProcedure,
  lackedOptions: {},
});

/**
 * Finds out what a daemon supports by calling procedures of newer versions without their required arguments. A known
 * procedure complains about the arguments; an unknown one is reported as unknown.
 */
export async function identifyDaemon(has: (proc: number) => Promise<boolean>): Promise<DaemonVersion> {
  let low = daemon1_48.lastProcedure;
  let high = newestDaemon.lastProcedure;
  if (!(await has(low + 1))) return daemon1_48;
  low++;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (await has(middle)) low = middle;
    else high = middle - 1;
  }
  return low === newestDaemon.lastProcedure ? newestDaemon : daemonWith(low);
}

/** How many actions of the API work with a daemon, and how many there are. */
export function countActions({ lastProcedure }: DaemonVersion): { possible: number; all: number } {
  const all: readonly Action[] = Object.values(actions);
  // Actions without a number are done by the library.
  const possible = all.filter(({ proc }) => proc === undefined || proc <= lastProcedure);
  return { possible: possible.length, all: all.length };
}

const lacks = (what: string, detail: string): GuestfsError =>
  new GuestfsError('ENOTSUP', `the installed daemon lacks ${what} (${detail})`);

/** Why this daemon cannot do a call; undefined if it can. */
export function lackOf(
  daemon: DaemonVersion,
  action: string,
  proc: number,
  options: Readonly<Record<string, unknown>>,
): GuestfsError | undefined {
  if (proc > daemon.lastProcedure) return lacks('this action', daemon.name);
  const option = daemon.lackedOptions[action]?.find((name) => options[name] !== undefined);
  return option === undefined ? undefined : lacks(`the option ${option} of this action`, daemon.name);
}

/** Whether the daemon reports an unknown procedure. The text is the only sign, because it sends no errno. */
export const saysUnknownProcedure = ({ text }: DaemonError): boolean =>
  /\bunknown procedure number \d/.test(text);

/** The daemon's error about something that it lacks, in our words; undefined for other errors. */
export function lackSaidBy(error: DaemonError): GuestfsError | undefined {
  if (saysUnknownProcedure(error)) return lacks('this action', 'it does not know the procedure');
  if (/^unknown option in optional arguments bitmask\b/.test(error.text))
    return lacks('an option of this action', 'it is older than the option');
  return undefined;
}
