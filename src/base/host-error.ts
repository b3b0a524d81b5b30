/** The host's own errors, in our class. */
import { describeErrno, isErrnoName } from './errno.js';
import { GuestfsError, HostError } from './errors.js';

/** Node's error about a host file: its code, and its subject. */
export function hostError(what: string, thrown: unknown): GuestfsError {
  if (thrown instanceof GuestfsError) return thrown;
  const code = (thrown as { code?: unknown } | null)?.code;
  return isErrnoName(code)
    ? new HostError(code, `${what}: ${describeErrno(code)}`, { cause: thrown })
    : new HostError('EIO', `${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
        cause: thrown,
      });
}
