/**
 * The errors that callers see. Every failure of an action is a {@link GuestfsError}; drivers throw its two
 * subclasses, which contain the place of the problem on the disk.
 */
import { describeErrno, type ErrnoName, errnoNumbers, isErrnoName } from './errno.js';

/** Extra facts of an error, beside its message. */
interface ErrorDetails {
  /** The action that failed, by its libguestfs name (`mount`, `part_list`). The handle gives it, and nobody below. */
  action?: string | undefined;
  /** More that a reader may want to know: it stands in parentheses at the end. */
  remark?: string | undefined;
  /** See {@link GuestfsError.path}. */
  path?: string | undefined;
  cause?: unknown;
}

/** Sets the class's name, which people see when an error is printed, and which a bundler would shorten. */
function named(errorClass: abstract new (...args: never[]) => Error, name: string): void {
  Object.defineProperty(errorClass, 'name', { value: name });
}

/** The failure of an action. The message reads `action: what: why`, as in `mount: /dev/sda9: no such device`. */
export class GuestfsError extends Error {
  static {
    named(GuestfsError, 'GuestfsError');
  }

  override name = 'GuestfsError';
  /** The name of the Linux error: `ENOENT`, `EIO`, … */
  readonly code: ErrnoName;
  /** The action that failed, by its libguestfs name; undefined outside an action. */
  readonly action: string | undefined;
  /**
   * What the error is about, where one such thing is known: a path or a device of the guest, or of a {@link HostError}
   * and of an image the file of this machine.
   */
  readonly path: string | undefined;

  constructor(code: ErrnoName, message: string, details: ErrorDetails = {}) {
    const prefix = details.action === undefined ? '' : `${details.action}: `;
    const suffix = details.remark === undefined ? '' : ` (${details.remark})`;
    super(prefix + message + suffix, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.action = details.action;
    this.path = details.path;
  }

  /** The message without the action in front. */
  get bareMessage(): string {
    return this.action === undefined ? this.message : this.message.slice(this.action.length + 2);
  }

  /**
   * The same error with `where` in front, which names the file or device that it is about. `path`: that name alone,
   * which an error that knows its path already does not take. This error is the cause of the new one.
   */
  within(where: string, path?: string): this {
    const details = { action: this.action, path: this.path ?? path, cause: this };
    return this.remade(`${where}: `, details) as this; // safe: each class makes its own kind
  }

  /** The same error as the failure of an action. `path`: what the error is about, unless the error knows better. */
  of(action: string, { remark, path }: Pick<ErrorDetails, 'remark' | 'path'> = {}): this {
    const details = { action, remark, path: this.path ?? path, cause: this.cause };
    return this.remade('', details) as this; // safe: each class makes its own kind
  }

  protected remade(front: string, details: ErrorDetails): GuestfsError {
    return new GuestfsError(this.code, front + this.bareMessage, details);
  }

  /** The Linux number of {@link code}. */
  get errno(): number {
    return errnoNumbers[this.code];
  }
}

/**
 * `what: no such file or directory` and the like, with the words for `code`. A `what` that begins with a slash is the
 * error's path; where it is more than that, `details` say the path.
 */
export function systemError(code: ErrnoName, what: string, details: ErrorDetails = {}): GuestfsError {
  const path = details.path ?? (what.startsWith('/') ? what : undefined);
  return new GuestfsError(code, `${what}: ${describeErrno(code)}`, { ...details, path });
}

/**
 * The call was cancelled: by its `signal`, whose reason is the `cause`, by `userCancel`, or by the end of the handle.
 * The `name` is that of all errors of an aborted signal, `AbortError`; the code is `ECANCELED`.
 */
export class AbortError extends GuestfsError {
  static {
    named(AbortError, 'AbortError');
  }

  override name = 'AbortError';

  constructor(message = 'the call was cancelled', details: ErrorDetails = {}) {
    super('ECANCELED', message, details);
  }

  protected override remade(front: string, details: ErrorDetails): AbortError {
    return new AbortError(front + this.bareMessage, details);
  }
}

/** The disk breaks the rules of its format. `EIO`. */
export class CorruptError extends GuestfsError {
  static {
    named(CorruptError, 'CorruptError');
  }

  override name = 'CorruptError';
  /** The on-disk structure at fault: `ext4 inode 12`, `qcow2 L2 table`. */
  readonly structure: string;
  /** What is wrong with it. */
  readonly problem: string;
  /** Numbers that place the fault: offsets, counts, the limit that was passed. */
  readonly details: Readonly<Record<string, number | string | bigint>>;

  constructor(
    structure: string,
    problem: string,
    details: Readonly<Record<string, number | string | bigint>> = {},
    extra: ErrorDetails = {},
  ) {
    const listed = Object.entries(details).map(([name, value]) => `${name}=${value}`);
    super('EIO', `${structure}: ${problem}${listed.length > 0 ? ` (${listed.join(', ')})` : ''}`, extra);
    this.structure = structure;
    this.problem = problem;
    this.details = details;
  }

  protected override remade(front: string, extra: ErrorDetails): CorruptError {
    return new CorruptError(front + this.structure, this.problem, this.details, extra);
  }
}

/**
 * The readable part was delivered, but parts of it are missing: a tree with damaged files in it. `EIO`, as the tools
 * in libguestfs's appliance fail after they have done the rest. A warning reported each missing part.
 */
export class PartialError extends GuestfsError {
  static {
    named(PartialError, 'PartialError');
  }

  override name = 'PartialError';
  /** How many files and directories are missing or incomplete. */
  readonly leftOut: number;

  constructor(message: string, leftOut: number, extra: ErrorDetails = {}) {
    super('EIO', message, extra);
    this.leftOut = leftOut;
  }

  protected override remade(front: string, extra: ErrorDetails): PartialError {
    return new PartialError(front + this.bareMessage, this.leftOut, extra);
  }
}

/** Who else may do what is not supported: the appliance, or neither backend. */
export type Elsewhere = 'appliance' | 'nowhere';

/** What is known of something that is not supported. */
interface UnsupportedDetails extends ErrorDetails {
  elsewhere?: Elsewhere | undefined;
  untouched?: boolean | undefined;
}

/** The disk is valid, but uses a feature that this driver does not implement. `ENOTSUP`. */
export class UnsupportedError extends GuestfsError {
  static {
    named(UnsupportedError, 'UnsupportedError');
  }

  override name = 'UnsupportedError';
  /** What was opened or read: `qcow2 image`, `ext4 file`. */
  readonly structure: string;
  /** The missing features, by the format's own names. */
  readonly features: readonly string[];
  /** Who else may do it; undefined where whoever throws this does not know. */
  readonly elsewhere: Elsewhere | undefined;
  /**
   * Whether nothing was written, on a drive or on the host, before this was thrown, so that the call may be made again
   * elsewhere. Only a whole call knows that: what throws this inside one leaves it false.
   */
  readonly untouched: boolean;

  constructor(structure: string, features: readonly string[], details: UnsupportedDetails = {}) {
    super('ENOTSUP', `${structure}: not supported: ${features.join(', ')}`, details);
    this.structure = structure;
    this.features = features;
    this.elsewhere = details.elsewhere;
    this.untouched = details.untouched ?? false;
  }

  protected override remade(front: string, details: ErrorDetails): UnsupportedError {
    const { structure, features, elsewhere, untouched } = this;
    return new UnsupportedError(front + structure, features, { ...details, elsewhere, untouched });
  }
}

/** Who else may do what an error says is not supported. */
export function elsewhereOf(error: Error): Elsewhere | undefined {
  return error instanceof UnsupportedError ? error.elsewhere : undefined;
}

/**
 * This machine's system refused access to a file of its own, which is no fault of the guest. Keeps the system's code.
 */
export class HostError extends GuestfsError {
  static {
    named(HostError, 'HostError');
  }

  override name = 'HostError';

  protected override remade(front: string, details: ErrorDetails): HostError {
    return new HostError(this.code, front + this.bareMessage, details);
  }
}

/** V8's messages for failed allocations: strings, buffers and collections that are too long. */
const tooLong =
  /^(?:Invalid (?:string|array|typed array) length|Cannot create a string|Array buffer allocation|(?:Map|Set) maximum size)/;

/**
 * Any thrown value as a GuestfsError. Other errors become EIO, or keep Node's own error code. V8's messages about
 * failed allocations would not help a user: such an error says what was too large, and has V8's error as its cause.
 */
export function asGuestfsError(thrown: unknown): GuestfsError {
  if (thrown instanceof GuestfsError) return thrown;
  if (thrown instanceof Error && tooLong.test(thrown.message))
    return new GuestfsError('ENOMEM', 'this would be more than one answer can hold', { cause: thrown });
  if (thrown instanceof RangeError && thrown.message === 'Maximum call stack size exceeded')
    return new GuestfsError('ELOOP', 'what was read is nested too deeply', { cause: thrown });
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = (thrown as { code?: unknown } | null)?.code;
  return new GuestfsError(isErrnoName(code) ? code : 'EIO', message, { cause: thrown });
}
