/** The host's own errors, in our class. */
import { describeErrno, isErrnoName } from './errno.js';
import { GuestfsError, HostError } from './errors.js';

/** Node's error about a host file: its code, and its subject. `what`: the path of that file. */
export function hostError(what: string, thrown: unknown): GuestfsError {
  if (thrown instanceof GuestfsError) return thrown;
  const code = (thrown as { code?: unknown } | null)?.code;
  const details = { path: what, cause: thrown };
  return isErrnoName(code)
    ? new HostError(code, `${what}: ${describeErrno(code)}`, details)
    : new HostError('EIO', `${what}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, details);
}
