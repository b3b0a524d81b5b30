/** The failure of an action: the one place where an error gets the action's name, and says which backend may do more. */
import { actions, isActionName, needsAppliance } from '../api/index.js';
import {
  asGuestfsError,
  CorruptError,
  type Elsewhere,
  type GuestfsError,
  UnsupportedError,
} from '../base/index.js';
import { Unreachable } from './auto/reason.js';

const elsewhereTexts: Readonly<Record<Elsewhere, string>> = {
  appliance: 'the direct backend may have it',
  nowhere: 'the direct backend lacks it too',
};

/** A message of the embedded engine about what it does not do, with who else may. */
export function withElsewhere(message: string, elsewhere: Elsewhere | undefined): string {
  return elsewhere === undefined ? message : `${message} (${elsewhereTexts[elsewhere]})`;
}

function remarkOn(error: GuestfsError, action: string): string | undefined {
  if (!(error instanceof UnsupportedError) || error.elsewhere === undefined) return undefined;
  if (error.cause instanceof Unreachable) return error.cause.message;
  return isActionName(action) && needsAppliance(action)
    ? 'the direct backend can do it'
    : elsewhereTexts[error.elsewhere];
}

/** The kinds of arguments that name something which an error may be about. */
const namingKinds: ReadonlySet<string> = new Set([
  'device',
  'pathname',
  'mountable',
  'devOrPathname',
  'mountableOrPathname',
  'deviceList',
  'pathnameList',
  'fileIn',
  'fileOut',
]);

/**
 * The argument that an error is about: the one that stands in its message between colons, as both backends write it.
 * An error about bytes of a disk has no path in it; where a call has one argument that names something, those bytes
 * belong to that.
 */
function pathOf(error: GuestfsError, action: string, args: readonly unknown[]): string | undefined {
  if (error.path !== undefined) return undefined;
  const named = isActionName(action)
    ? actions[action].args.flatMap(({ type }, index) => (namingKinds.has(type) ? args[index] : []))
    : args;
  const text = `: ${error.bareMessage}: `;
  const isNamed = (each: unknown): each is string =>
    typeof each === 'string' && each !== '' && text.includes(`: ${each}: `);
  const found = named.find(isNamed);
  if (found !== undefined) return found;
  const isAboutBytes =
    error instanceof CorruptError ||
    (error instanceof UnsupportedError && !(isActionName(action) && needsAppliance(action)));
  const [only] = named;
  return isAboutBytes && named.length === 1 && typeof only === 'string' ? only : undefined;
}

/**
 * What was thrown as the failure of an action, or of a method that is none; an error that has a name already keeps
 * it. `args`: what the action was called with. Must be called by an asynchronous function that the caller of the method
 * waits for: V8 then adds the caller's frames to the stack of the error, which costs calls that succeed nothing.
 */
export function failureOf(action: string, thrown: unknown, args: readonly unknown[] = []): GuestfsError {
  const error = asGuestfsError(thrown);
  if (error.action !== undefined) return error;
  const failure = error.of(action, { remark: remarkOn(error, action), path: pathOf(error, action, args) });
  Error.captureStackTrace(failure, failureOf);
  return failure;
}
