/**
 * Errors on their way from one thread to another. Node's own copies of errors lose the class, the code and all else
 * that was added, so an error travels as plain data, with everything that caused it.
 */
import type { ErrnoName } from './errno.js';
import {
  AbortError,
  CorruptError,
  GuestfsError,
  HostError,
  PartialError,
  UnsupportedError,
} from './errors.js';

/** An error of ours as plain data. Below the handle no error has an action. */
export interface PlainError {
  readonly code: ErrnoName;
  readonly message: string;
  readonly path?: string | undefined;
  readonly cause?: PlainCause | undefined;
  readonly corrupt?: Pick<CorruptError, 'structure' | 'problem' | 'details'>;
  readonly unsupported?: Pick<UnsupportedError, 'structure' | 'features' | 'elsewhere' | 'untouched'>;
  readonly partial?: Pick<PartialError, 'leftOut'>;
  readonly kind?: 'aborted' | 'host';
}

/** The language's own kinds of errors. */
const kinds: Readonly<Record<string, ErrorConstructor>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
};

/** Of Node's errors about the system: what was called, and what was said. */
const systemFacts = ['code', 'errno', 'syscall', 'path', 'dest'] as const;

/** What caused an error. */
type PlainCause =
  | { readonly ours: PlainError }
  | {
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly facts: Readonly<Record<string, string | number>>;
      readonly cause: PlainCause | undefined;
    }
  | { readonly value: string | number | boolean | null };

/** Causes of causes that are sent. An error that is its own cause thus has an end. */
const deepest = 12;

/** An error as plain data; `restoreError` is the way back. `untouched`: as the whole call knows it. */
export function plainError(error: GuestfsError, untouched?: boolean, depth = 0): PlainError {
  const { code, message, path } = error;
  const common = { code, message, path, cause: plainCause(error.cause, depth + 1) };
  if (error instanceof CorruptError) {
    const { structure, problem, details } = error;
    return { ...common, corrupt: { structure, problem, details } };
  }
  if (error instanceof UnsupportedError) {
    const { structure, features, elsewhere } = error;
    const unsupported = { structure, features, elsewhere, untouched: untouched ?? error.untouched };
    return { ...common, unsupported };
  }
  if (error instanceof PartialError) return { ...common, partial: { leftOut: error.leftOut } };
  if (error instanceof AbortError) return { ...common, kind: 'aborted' };
  if (error instanceof HostError) return { ...common, kind: 'host' };
  return common;
}

function plainCause(cause: unknown, depth: number): PlainCause | undefined {
  if (cause === undefined || depth > deepest) return undefined;
  if (cause instanceof GuestfsError) return { ours: plainError(cause, undefined, depth) };
  if (!(cause instanceof Error)) {
    const isPlain =
      cause === null || typeof cause === 'string' || typeof cause === 'number' || typeof cause === 'boolean';
    return { value: isPlain ? cause : String(cause) };
  }
  const facts: Record<string, string | number> = {};
  for (const name of systemFacts) {
    const fact = (cause as unknown as Record<string, unknown>)[name];
    if (typeof fact === 'string' || typeof fact === 'number') facts[name] = fact;
  }
  const { name, message, stack } = cause;
  return { name, message, stack, facts, cause: plainCause(cause.cause, depth + 1) };
}

/** The error that plain data stands for. */
export function restoreError(plain: PlainError): GuestfsError {
  const { code, message, path, corrupt, unsupported, partial, kind } = plain;
  const details = { path, cause: restoreCause(plain.cause) };
  if (corrupt) return new CorruptError(corrupt.structure, corrupt.problem, corrupt.details, details);
  if (unsupported)
    return new UnsupportedError(unsupported.structure, unsupported.features, { ...unsupported, ...details });
  if (partial) return new PartialError(message, partial.leftOut, details);
  if (kind === 'aborted') return new AbortError(message, details);
  return kind === 'host' ? new HostError(code, message, details) : new GuestfsError(code, message, details);
}

/** A cause again. Of an error that is not ours, the stack is that of the thread where the error was made. */
function restoreCause(plain: PlainCause | undefined): unknown {
  if (plain === undefined) return undefined;
  if ('value' in plain) return plain.value;
  const error = withoutFrames(() => {
    if ('ours' in plain) return restoreError(plain.ours);
    const cause = restoreCause(plain.cause);
    const { [plain.name]: Kind = Error } = kinds;
    return new Kind(plain.message, cause === undefined ? undefined : { cause });
  });
  if ('ours' in plain) return error;
  for (const [name, value] of Object.entries({ name: plain.name, stack: plain.stack }))
    Object.defineProperty(error, name, { value, writable: true, configurable: true });
  return Object.assign(error, plain.facts);
}

/** Makes an error whose stack has no frames: those of this thread have nothing to do with it. */
function withoutFrames<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 0;
    return make();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
