/** What a handle needs to become the same as another one, read-only. */
import type { CarriedCall, DriveConfig } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import { Settings } from '../settings.js';

export interface SessionCopy {
  readonly settings: Settings;
  readonly drives: readonly DriveConfig[];
  readonly calls: readonly CarriedCall[];
}

/** The keys of a handle's members for its copies; not exported from the package. */
export const tellSession: unique symbol = Symbol('guestfs.tellSession');
export const launchCopy: unique symbol = Symbol('guestfs.launchCopy');
export const prepareCopy: unique symbol = Symbol('guestfs.prepareCopy');

function readonlyDrive(drive: DriveConfig, index: number): DriveConfig {
  if (drive.path === undefined)
    throw new GuestfsError(
      'ENOTSUP',
      `drive ${index} is a scratch drive, whose contents no other handle can read: use an image file instead`,
    );
  // A drive that is only read has nothing to discard.
  const { discard: _, ...rest } = drive;
  return { ...rest, readonly: true };
}

/** Mount options with `ro` in the place of `rw`. */
function readonlyOptions(options: unknown): string {
  const given = String(options)
    .split(',')
    .filter((option) => option !== '' && option !== 'rw' && option !== 'ro');
  return ['ro', ...given].join(',');
}

/** A call of the first session as the second one makes it; undefined for one that only makes something writable. */
function readonlyCall(call: CarriedCall): CarriedCall | undefined {
  const { action, args } = call;
  switch (action) {
    case 'mount_options':
    case 'mount_vfs':
      return { ...call, args: [readonlyOptions(args[0]), ...args.slice(1)] };
    case 'remount':
    case 'blockdev_setrw':
      return undefined;
    default:
      return call;
  }
}

/** Throws GuestfsError (ENOTSUP) for scratch drives. */
export function copySession(
  settings: Settings,
  drives: readonly DriveConfig[],
  calls: readonly CarriedCall[],
): SessionCopy {
  const own = new Settings();
  own.takeOver(settings);
  return {
    settings: own,
    drives: drives.map(readonlyDrive),
    calls: calls.map(readonlyCall).filter((call) => call !== undefined),
  };
}
