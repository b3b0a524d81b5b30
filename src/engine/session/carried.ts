/** What a session is, in words that another backend can make true again. */
import type { CarriedCall } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Session } from './session.js';

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
  hive: 'a call, on a mount that is there',
  keys: 'each is in the call that unlocked something with it',
  calls: 'themselves',
  warnings: 'settled at the end of each call',
  damage: 'of one call',
} as const satisfies Readonly<Record<StateOf<Session>, string>>;

/** The members of a class that are no functions. */
type StateOf<T> = { [K in keyof T]: T[K] extends (...args: never[]) => unknown ? never : K }[keyof T];

/** The calls that make another backend's session the same. ENOTSUP if there is a mount that no call makes again. */
export function carriedCalls({ calls, devices, mounts, scan }: Session): CarriedCall[] {
  const mounted: ReadonlySet<unknown> = new Set(mounts.mounts());
  for (const mount of mounts.mounts())
    if (calls.find('mounts', mount) === undefined)
      throw new GuestfsError('ENOTSUP', `${mount.mountpoint}: this mount cannot be made again elsewhere`);
  const present: ReadonlySet<unknown> = new Set([
    ...devices.drives,
    ...devices.partitions(),
    ...devices.volumes,
  ]);
  const unlocked: ReadonlySet<unknown> = new Set(scan.locks.unlocked.map(({ name }) => name));
  return calls.list((facet, subject) => {
    switch (facet) {
      case 'mounts':
      case 'remounts':
      case 'hive':
        return mounted.has(subject);
      case 'flags':
        return present.has(subject);
      case 'locks':
        return unlocked.has(subject);
      default:
        return true;
    }
  });
}
