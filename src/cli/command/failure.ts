/** How the command fails: a message, what to do about it, and an exit status for each kind. */

/** The exit statuses, as `guestfs --help` tells them. */
export const exitStatus = {
  ok: 0,
  /** An action failed, for a reason that has no status of its own. */
  failure: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** The image is not there, may not be read, or is refused by the policy. */
  cannotOpen: 3,
  /** There is no such file or device inside the image. */
  notFound: 4,
  /** Valid, but not what this backend can do. */
  notSupported: 5,
  /** The image or a filesystem in it breaks the rules of its format. */
  corrupt: 6,
  /** Ended by Ctrl-C, as shells have it: 128 and the number of the signal. */
  interrupted: 130,
} as const;

/** What the command itself finds wrong. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly status: number;
  /** What the user can do. */
  readonly hint: string | undefined;

  constructor(message: string, status: number = exitStatus.failure, hint?: string) {
    super(message);
    this.status = status;
    this.hint = hint;
  }
}

/** The command line makes no sense. */
export function usageFailure(message: string, hint?: string): Failure {
  return new Failure(message, exitStatus.usage, hint);
}

/** The reader of our output has gone away, as `head` does. This is no failure. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
  /** The system's code for this, so that a call passes the error on unchanged. */
  readonly code = 'EPIPE';
}

/** Every problem was reported already, one by one. Only the exit status is left. */
export class Reported extends Error {
  override readonly name = 'Reported';
  readonly status: number;

  constructor(status: number) {
    super('some of it failed');
    this.status = status;
  }
}
