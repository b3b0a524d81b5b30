/** What of an image could not be read, as every command tells it, and the exit status that follows. */
import type { Unreadable } from '../../api/index.js';
import { asGuestfsError, type ErrnoName, GuestfsError, UnsupportedError } from '../../base/index.js';
import { exitStatus, Failure } from '../command/failure.js';
import { bareMessage, type Guest } from './guest.js';

/** Why something is missing from an answer. */
export interface Problem {
  readonly code: ErrnoName;
  readonly message: string;
}

/** What is wrong with one thing among others; anything else, such as a cancelled call, is thrown on. */
export function problemOf(thrown: unknown): Problem {
  if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
  return { code: thrown.code, message: bareMessage(thrown) };
}

/** What the backend could not read. The appliance does not tell. */
export async function listUnreadable({ g, controls }: Guest): Promise<readonly Unreadable[]> {
  try {
    return await g.unreadable(controls);
  } catch (thrown) {
    if (thrown instanceof UnsupportedError) return [];
    throw thrown;
  }
}

/** An answer that may be missing because nothing could be read: then why, as it is to be reported in the end. */
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

/** `/dev/sda1 (ntfs, not supported), /dev/sdb (damaged)`. */
export function unreadableText(unreadable: readonly Unreadable[]): string {
  return unreadable
    .map(({ device, type, code }) => {
      const why = reasons.get(code) ?? 'damaged';
      return `${device} (${type === null ? why : `${type}, ${why}`})`;
    })
    .join(', ');
}

/** What is damaged is missing from the answer that was given: the status says so. What is whole was only told. */
export function failIfDamaged(
  problems: readonly { readonly device: string; readonly code: ErrnoName }[],
): void {
  const devices = new Set(problems.filter(({ code }) => !reasons.has(code)).map(({ device }) => device));
  if (devices.size === 0) return;
  throw new Failure(`what is on ${[...devices].join(', ')} could not be read in full`, exitStatus.corrupt);
}
