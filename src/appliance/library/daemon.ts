/**
 * How the actions of this folder call guestfsd. These are the actions that the C library does on the host, because
 * the answer may be larger than one message, or because a file of the host is involved.
 */
import type { BackendConfig } from '../../api/index.js';
import type { ProcedureControl } from '../wire/connection.js';

/** The daemon of a launched appliance. */
export interface Daemon {
  /**
   * Calls a procedure of the daemon by its libguestfs name, public or not. Results have the shapes of the tables of
   * `api/`; rejects with a GuestfsError.
   */
  call(
    procedure: string,
    args: readonly unknown[],
    options?: Readonly<Record<string, unknown>>,
    control?: ProcedureControl,
  ): Promise<unknown>;
  /** A directory of the host for temporary files. */
  readonly tmpdir: string;
  /** How far the guest is trusted: see `BackendConfig`. */
  readonly policy: BackendConfig['policy'];
  /** Told of what was left out, and why. */
  warn?(message: string): void;
}

/** How a call of this folder ends early, and who follows it. */
export interface LibraryControl extends ProcedureControl {
  /** Takes the call's progress, as `BackendEvents` has it; absent where nobody listens. */
  readonly progress?: ((position: number, total: number) => void) | undefined;
}

/** An action built of the daemon's calls. Arguments and options are checked before, as for a backend. */
export type LibraryAction = (
  daemon: Daemon,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
  control: LibraryControl,
) => Promise<unknown>;
