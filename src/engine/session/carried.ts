/** What a session is, in words that another backend can make true again. */
import type { CarriedCall } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Tree, Watches } from '../../vfs/index.js';
import type { Session } from './session.js';
import { plainCall } from './session-calls.js';

/**
 * How each part of a session gets to another backend. A part that is added is missing here, which the compiler
 * refuses: so nothing that a session knows is lost unnoticed. Exported for the compiler.
 */
export const carriage = {
  config: 'the other backend has it',
  devices: 'the drives are the same; flags are calls',
  tables: 'read from the drives',
  contents: 'read from the drives',
  scan: 'read from the drives; filters, activations and locks are calls',
  fileSystems: 'opened by the mounts; what is in memory alone is written before',
  mounts: 'calls',
  tree: 'made of the mounts',
  umask: 'a call',
  inspection: 'a call, which has the same devices before it',
  directoryRuns: 'found again by the next pass',
  swaps: 'calls',
  hive: 'calls, on a mount that is there',
  journal: 'calls, on a mount that is there',
  watches: 'calls, which give each its number; no event waits',
  keys: 'each is in the call that unlocked something with it',
  calls: 'themselves',
  warnings: 'settled at the end of each call',
  damage: 'of one call',
} as const satisfies Readonly<Record<StateOf<Session>, string>>;

/** The members of a class that are no functions. */
type StateOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? never : K }[keyof T];

/** The calls that make another backend's session the same. ENOTSUP if there is a mount that no call makes again. */
export function carriedCalls({
  calls,
  devices,
  mounts,
  scan,
  hive,
  journal,
  tree,
  watches,
}: Session): CarriedCall[] {
  const mounted: ReadonlySet<unknown> = new Set(mounts.mounts());
  for (const mount of mounts.mounts())
    if (calls.find('mounts', mount) === undefined)
      throw new GuestfsError('ENOTSUP', `${mount.mountpoint}: this mount cannot be made again elsewhere`);
  const openHive = hive !== undefined && mounted.has(hive.mount) ? hive : undefined;
  // What libhivex would do to it next would have other handles than here.
  if (openHive?.editor?.differsFromLibhivex === true)
    throw new GuestfsError('ENOTSUP', `${openHive.path}: the hive has changes that were not committed`);
  const present: ReadonlySet<unknown> = new Set([
    ...devices.drives,
    ...devices.partitions(),
    ...devices.volumes,
  ]);
  const unlocked: ReadonlySet<unknown> = new Set(scan.locks.unlocked.map(({ name }) => name));
  const made = calls.list((facet, subject) => {
    switch (facet) {
      case 'mounts':
      case 'remounts':
      case 'hive':
        return mounted.has(subject);
      case 'hiveChanges':
        return openHive !== undefined;
      case 'journal':
        return journal !== undefined && mounted.has(journal.mount);
      case 'flags':
        return present.has(subject);
      case 'locks':
        return unlocked.has(subject);
      default:
        return true;
    }
  });
  return watches === undefined ? made : [...made, ...watchCalls(watches, tree)];
}

/** Watches again under their numbers: others that were there before are made and removed. */
function watchCalls(watches: Watches, tree: Tree): CarriedCall[] {
  if (watches.waiting > 0)
    throw new GuestfsError('ENOTSUP', 'events of watches wait to be read: call inotify_read first');
  const calls = [plainCall('inotify_init', watches.limit)];
  let next = 1;
  for (const { number, path, place, mask } of watches.list()) {
    if (tree.find(path)?.inode !== place.inode)
      throw new GuestfsError('ENOTSUP', `${path}: what is watched has another path now`);
    // What is 32 bits there is a number with a sign.
    const add = plainCall('inotify_add_watch', path, mask >= 2 ** 31 ? mask - 2 ** 32 : mask);
    for (; next < number; next++) calls.push(add, plainCall('inotify_rm_watch', next));
    calls.push(add);
    next++;
  }
  return [...calls, plainCall('inotify_read')];
}
