/**
 * What the actions of this folder are made of: calls to guestfsd. They are the ones that C libguestfs does on the host,
 * because the answer may be larger than one message, or because a file of the host is at the other end.
 */
import type { BackendConfig, CallControl } from '../../api/index.js';

/** The daemon of a launched appliance. */
export interface Daemon {
  /**
   * Calls one of its procedures by its libguestfs name, public or not. Results have the shapes that the tables of
   * `api/` say; rejects with a GuestfsError.
   */
  call(
    procedure: string,
    args: readonly unknown[],
    options?: Readonly<Record<string, unknown>>,
    control?: CallControl,
  ): Promise<unknown>;
  /** A directory of the host for temporary files. */
  readonly tmpdir: string;
  /** How much the guest is believed: see `BackendConfig`. */
  readonly policy: BackendConfig['policy'];
  /** Told of what was left out, and why. */
  warn?(message: string): void;
}

/** An action in terms of the daemon's calls: arguments and options arrive checked, as a backend gets them. */
export type LibraryAction = (
  daemon: Daemon,
  args: readonly unknown[],
  options: Readonly<Record<string, unknown>>,
  control: CallControl,
) => Promise<unknown>;
