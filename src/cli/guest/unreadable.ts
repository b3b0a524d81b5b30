/** The parts of an image that could not be read, how commands report them, and the exit status for them. */
import type { Unreadable } from '../../api/index.js';
import { asGuestfsError, type ErrnoName, GuestfsError, UnsupportedError } from '../../base/index.js';
import { exitStatus, Failure } from '../command/failure.js';
import type { Guest } from './guest.js';

/** Why something is missing from an answer. */
export interface Problem {
  readonly code: ErrnoName;
  readonly message: string;
}

/** The problem with one of several things. Throws errors of another kind, such as a cancelled call. */
export function problemOf(thrown: unknown): Problem {
  if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
  return { code: thrown.code, message: thrown.bareMessage };
}

/** The devices that the backend could not read. The appliance reports none. */
export async function listUnreadable({ g, controls }: Guest): Promise<readonly Unreadable[]> {
  try {
    return await g.unreadable(controls);
  } catch (thrown) {
    if (thrown instanceof UnsupportedError) return [];
    throw thrown;
  }
}

/**
 * For an answer that may be missing because something could not be read: the reason, as the report at the end gives
 * it.
 */
export async function attempt<T>(answer: Promise<T>): Promise<{ value?: T; failure?: GuestfsError }> {
  try {
    return { value: await answer };
  } catch (thrown) {
    problemOf(thrown);
    return { failure: asGuestfsError(thrown) };
  }
}

/** Why what is whole cannot be read. */
const reasons: ReadonlyMap<ErrnoName, string> = new Map([
  ['ENOTSUP', 'not supported'],
  ['EINVAL', 'which one is meant is not known'],
]);

/** `/dev/sda1 (ntfs, not supported), /dev/sdb (damaged)`; `(btrfs, incomplete)` where devices of it are missing. */
export function unreadableText(unreadable: readonly Unreadable[]): string {
  return unreadable
    .map(({ device, type, code }) => {
      const why = reasons.get(code) ?? (code === 'ENODEV' ? 'incomplete' : 'damaged');
      return `${device} (${type === null ? why : `${type}, ${why}`})`;
    })
    .join(', ');
}

/**
 * Damaged parts are missing from the answer, so the exit status says so. Unsupported but intact parts were only
 * reported.
 */
export function failIfDamaged(
  problems: readonly { readonly device: string; readonly code: ErrnoName }[],
): void {
  const devices = new Set(problems.filter(({ code }) => !reasons.has(code)).map(({ device }) => device));
  if (devices.size === 0) return;
  throw new Failure(`what is on ${[...devices].join(', ')} could not be read in full`, exitStatus.corrupt);
}
