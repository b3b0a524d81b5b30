/** The host's own errors, in our class. */
import { isErrnoName } from './errno.js';
import { GuestfsError, systemError } from './errors.js';

/** Node's error of a host file: its code, and what it is about. */
export function hostError(what: string, thrown: unknown): GuestfsError {
  if (thrown instanceof GuestfsError) return thrown;
  const code = (thrown as { code?: unknown } | null)?.code;
  return isErrnoName(code)
    ? systemError(code, what, { cause: thrown })
    : new GuestfsError('EIO', `${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
        cause: thrown,
      });
}
