/**
 * The errors that callers see. Every failure of an action is a {@link GuestfsError}; drivers throw its two
 * subclasses, which carry where on the disk the trouble is.
 */
import { describeErrno, type ErrnoName, errnoNumbers, isErrnoName } from './errno.js';

/** What an error can carry beside its message. */
export interface ErrorDetails {
  /** The action that failed, by its libguestfs name (`mount`, `part_list`). */
  action?: string | undefined;
  cause?: unknown;
}

/** Keeps a class's own name, which a bundler shortens and which people read where an error is printed. */
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

  constructor(code: ErrnoName, message: string, details: ErrorDetails = {}) {
    const prefix = details.action === undefined ? '' : `${details.action}: `;
    super(prefix + message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.action = details.action;
  }

  /** The Linux number of {@link code}. */
  get errno(): number {
    return errnoNumbers[this.code];
  }
}

/** `what: no such file or directory` and the like, with the words for `code`. */
export function systemError(code: ErrnoName, what: string, details: ErrorDetails = {}): GuestfsError {
  return new GuestfsError(code, `${what}: ${describeErrno(code)}`, details);
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
}

/**
 * What could be read was delivered, whole but for what could not be: a tree with damaged files in it. `EIO`, as the tools of
 * libguestfs's appliance fail when they have done the rest. Warnings have told of each.
 */
export class PartialError extends GuestfsError {
  static {
    named(PartialError, 'PartialError');
  }

  override name = 'PartialError';
  /** How many files and directories are missing, or are not all there. */
  readonly leftOut: number;

  constructor(message: string, leftOut: number, extra: ErrorDetails = {}) {
    super('EIO', message, extra);
    this.leftOut = leftOut;
  }
}

/** The disk is valid, but uses what this driver does not implement. `ENOTSUP`. */
export class UnsupportedError extends GuestfsError {
  static {
    named(UnsupportedError, 'UnsupportedError');
  }

  override name = 'UnsupportedError';
  /** What was being opened or read: `qcow2 image`, `ext4 file`. */
  readonly structure: string;
  /** The features in the way, by the format's own names. */
  readonly features: readonly string[];

  constructor(structure: string, features: readonly string[], extra: ErrorDetails = {}) {
    super('ENOTSUP', `${structure}: not supported: ${features.join(', ')}`, extra);
    this.structure = structure;
    this.features = features;
  }
}

/** The system of this machine refused something about a file of its own: it is none of the guest's. Keeps the system's code. */
export class HostError extends GuestfsError {
  static {
    named(HostError, 'HostError');
  }

  override name = 'HostError';
}

/** V8's words for memory that there is not: strings, buffers and collections that are too long. */
const tooLong =
  /^(?:Invalid (?:string|array|typed array) length|Cannot create a string|Array buffer allocation|(?:Map|Set) maximum size)/;

/**
 * Any thrown value as a GuestfsError; one that is none already becomes EIO, or keeps Node's own error code. Where V8 gave up,
 * its words would tell a user nothing: such an error says what was too much, and has V8's as its cause.
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

/** An error as plain data, for the way from one thread to another. */
export interface PlainError {
  readonly code: ErrnoName;
  /** The message without the action in front. */
  readonly message: string;
  readonly corrupt?: Pick<CorruptError, 'structure' | 'problem' | 'details'>;
  readonly unsupported?: Pick<UnsupportedError, 'structure' | 'features'>;
  readonly partial?: Pick<PartialError, 'leftOut'>;
  readonly host?: true;
}

/** An error as plain data; `restoreError` is the way back. */
export function plainError(error: GuestfsError): PlainError {
  const prefix = error.action === undefined ? '' : `${error.action}: `;
  const { code } = error;
  const message = error.message.slice(prefix.length);
  if (error instanceof CorruptError) {
    const { structure, problem, details } = error;
    return { code, message, corrupt: { structure, problem, details } };
  }
  if (error instanceof UnsupportedError) {
    const { structure, features } = error;
    return { code, message, unsupported: { structure, features } };
  }
  if (error instanceof PartialError) return { code, message, partial: { leftOut: error.leftOut } };
  if (error instanceof HostError) return { code, message, host: true };
  return { code, message };
}

/** The error that plain data stands for, as the failure of `action`. */
export function restoreError(plain: PlainError, action?: string): GuestfsError {
  const { corrupt, unsupported, partial } = plain;
  if (corrupt) return new CorruptError(corrupt.structure, corrupt.problem, corrupt.details, { action });
  if (unsupported) return new UnsupportedError(unsupported.structure, unsupported.features, { action });
  if (partial) return new PartialError(plain.message, partial.leftOut, { action });
  const Kind = plain.host === true ? HostError : GuestfsError;
  return new Kind(plain.code, plain.message, { action });
}

/** The same error as the failure of `action`, unless it names an action already. */
export function asFailureOf(action: string, thrown: unknown): GuestfsError {
  const error = asGuestfsError(thrown);
  if (error.action !== undefined) return error;
  const named = restoreError(plainError(error), action);
  if (thrown instanceof Error) named.cause = thrown;
  return named;
}
