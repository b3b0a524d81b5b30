/**
 * Checks the arguments of a call against the tables. A wrong call is an error of the caller's program, so it throws a
 * TypeError (or a RangeError for a number out of range) rather than an error of the action.
 */
import { encodeText } from '../base/index.js';
import type { Action, Argument, ArgumentType, OptionalArgument } from './action.js';
import { type ActionName, actions } from './actions.js';
import { nearestName } from './nearest.js';
import type { CallControls } from './types.js';

/** A call with checked arguments, in the form of backends. */
export interface CheckedCall {
  /** The required arguments in order: text of a `bufferIn` is converted to bytes, and bits to a bigint. */
  readonly args: readonly unknown[];
  /** The given optional arguments, without undefined ones. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly controls: CallControls;
}

const intRange = { low: -0x80000000, high: 0x7fffffff } as const;
const bitsHigh = 0xffffffffffffffffn;

/** A value's kind, as an error message names it. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'undefined') return 'undefined';
  if (typeof value === 'object') {
    const name = value.constructor?.name;
    return name === undefined || name === 'Object' ? 'an object' : `a ${name}`;
  }
  return `a ${typeof value}`;
}

type Complaint = { readonly wrong: 'type' | 'range'; readonly words: string } | undefined;

const complainOfType = (wanted: string, value: unknown): Complaint => ({
  wrong: 'type',
  words: `must be ${wanted}, not ${kindOf(value)}`,
});
const complainOfRange = (words: string): Complaint => ({ wrong: 'range', words });

function checkText(value: unknown, wanted = 'a string'): Complaint {
  if (typeof value !== 'string') return complainOfType(wanted, value);
  if (value.includes('\0')) return { wrong: 'type', words: 'must not contain a NUL character' };
  return undefined;
}

function checkList(value: unknown): Complaint {
  if (!Array.isArray(value)) return complainOfType('an array of strings', value);
  for (const [index, element] of value.entries()) {
    const complaint = checkText(element);
    if (complaint !== undefined)
      return { wrong: complaint.wrong, words: `element ${index + 1} ${complaint.words}` };
  }
  return undefined;
}

function checkInt(value: unknown): Complaint {
  if (typeof value !== 'number') return complainOfType('a number', value);
  if (!Number.isInteger(value)) return complainOfRange(`must be a whole number, not ${value}`);
  if (value < intRange.low || value > intRange.high)
    return complainOfRange(`must fit in 32 bits, not ${value}`);
  return undefined;
}

function checkInt64(value: unknown): Complaint {
  if (typeof value !== 'number') return complainOfType('a number', value);
  if (!Number.isInteger(value)) return complainOfRange(`must be a whole number, not ${value}`);
  if (!Number.isSafeInteger(value))
    return complainOfRange(`must be within ±(2^53 − 1), where numbers are exact, not ${value}`);
  return undefined;
}

function checkBits(value: unknown): Complaint {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0)
      return complainOfRange(`must be a whole number from 0 to 2^53 − 1, or a bigint, not ${value}`);
    return undefined;
  }
  if (typeof value !== 'bigint') return complainOfType('a bigint or a number', value);
  if (value < 0n || value > bitsHigh) return complainOfRange(`must fit in 64 bits, not ${value}`);
  return undefined;
}

const has = (value: unknown, method: PropertyKey): boolean =>
  typeof value === 'object' && value !== null && typeof Reflect.get(value, method) === 'function';

function checkSource(value: unknown): Complaint {
  if (typeof value === 'string') return checkPath(value);
  if (has(value, Symbol.asyncIterator) || has(value, 'getReader')) return undefined;
  return complainOfType('a path on the host or a stream', value);
}

function checkSink(value: unknown): Complaint {
  if (typeof value === 'string') return checkPath(value);
  if (has(value, 'write') || has(value, 'getWriter')) return undefined;
  return complainOfType('a path on the host or a writable stream', value);
}

function checkPath(value: string): Complaint {
  if (value === '') return { wrong: 'type', words: 'must name a file, but is empty' };
  return checkText(value);
}

const guidForm = /^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$/i;

function checkGuid(value: unknown): Complaint {
  const complaint = checkText(value);
  if (complaint !== undefined || guidForm.test(value as string)) return complaint;
  return { wrong: 'type', words: `must be a GUID like 01234567-89ab-cdef-0123-456789abcdef, not '${value}'` };
}

const checks: Readonly<Record<ArgumentType, (value: unknown) => Complaint>> = {
  string: checkText,
  optString: (value) => (value === null ? undefined : checkText(value, 'a string or null')),
  stringList: checkList,
  deviceList: checkList,
  pathnameList: checkList,
  filenameList: checkList,
  device: checkText,
  pathname: checkText,
  mountable: checkText,
  devOrPathname: checkText,
  mountableOrPathname: checkText,
  guid: checkGuid,
  key: checkText,
  int: checkInt,
  int64: checkInt64,
  bits64: checkBits,
  bool: (value) => (typeof value === 'boolean' ? undefined : complainOfType('a boolean', value)),
  bufferIn: (value) =>
    typeof value === 'string' || value instanceof Uint8Array
      ? undefined
      : complainOfType('a Uint8Array or a string', value),
  hostPath: (value) => checkText(value, 'a path on the host'),
  optHostPath: (value) => (value === null ? undefined : checkText(value, 'a path on the host or null')),
  fileIn: checkSource,
  fileOut: checkSink,
  pointer: () => ({ wrong: 'type', words: 'is a pointer of the C library, which cannot be given here' }),
};

function complain(subject: string, complaint: Exclude<Complaint, undefined>): never {
  const message = `${subject} ${complaint.words}`;
  throw complaint.wrong === 'range' ? new RangeError(message) : new TypeError(message);
}

/** How many arguments, in words. */
const counted = (count: number): string => `${count} argument${count === 1 ? '' : 's'}`;

function describeArguments(action: Action): string {
  const names = action.args.map((argument) => argument.name);
  if (action.options !== undefined) names.push('options');
  return names.length === 0 ? 'none' : names.join(', ');
}

function arriving(argument: Argument, value: unknown): unknown {
  if (argument.type === 'bufferIn' && typeof value === 'string') return encodeText(value);
  if (argument.type === 'bits64' && typeof value === 'number') return BigInt(value);
  return value;
}

const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

const hasSink = (action: Action): boolean => action.args.some(({ type }) => type === 'fileOut');

/**
 * Splits the object after the required arguments into optional arguments and controls. A synchronous method ends
 * before anything could watch it, so it takes no controls.
 */
function checkOptions(name: string, action: Action, given: unknown): Omit<CheckedCall, 'args'> {
  const options: Record<string, unknown> = {};
  const controls: CallControls = {};
  if (given === undefined) return { options, controls };
  if (!isPlainObject(given))
    throw new TypeError(`${name}: the optional arguments must be an object, not ${kindOf(given)}`);
  const known: Readonly<Record<string, OptionalArgument>> = action.options ?? {};
  for (const [option, value] of Object.entries(given)) {
    const optional = Object.hasOwn(known, option) ? known[option] : undefined;
    if (optional !== undefined) {
      if (value === undefined) continue;
      const complaint = checks[optional.type](value);
      if (complaint !== undefined) complain(`${name}: option ${option}`, complaint);
      options[option] = value;
    } else if (option === 'signal' && action.nonBlocking !== true) {
      if (value === undefined) continue;
      if (!has(value, 'addEventListener') || typeof Reflect.get(value as object, 'aborted') !== 'boolean')
        complain(`${name}: signal`, { wrong: 'type', words: `must be an AbortSignal, not ${kindOf(value)}` });
      controls.signal = value as AbortSignal;
    } else if (option === 'onProgress' && action.nonBlocking !== true) {
      if (value === undefined) continue;
      if (typeof value !== 'function')
        complain(`${name}: onProgress`, { wrong: 'type', words: `must be a function, not ${kindOf(value)}` });
      controls.onProgress = value as NonNullable<CallControls['onProgress']>;
    } else if (option === 'end' && hasSink(action)) {
      // The handle ends the stream, and checks it itself (guestfs/sinks.ts).
      if (value !== undefined && typeof value !== 'boolean')
        complain(`${name}: end`, { wrong: 'type', words: `must be a boolean, not ${kindOf(value)}` });
    } else {
      const controlNames = action.nonBlocking === true ? [] : ['signal', 'onProgress'];
      const names = [...Object.keys(known), ...controlNames, ...(hasSink(action) ? ['end'] : [])];
      const near = nearestName(option, names);
      const hint =
        near !== undefined
          ? `; did you mean ${near}?`
          : names.length > 0
            ? `; it has ${names.join(', ')}`
            : '';
      throw new TypeError(`${name}: no option ${option}${hint}`);
    }
  }
  return { options, controls };
}

/**
 * Checks a call of an action: the number and types of its required arguments, and its optional ones. Returns the call
 * in the form of backends.
 *
 * Throws TypeError for a wrong count, a wrong type, a NUL in a string or an unknown option; RangeError for a number
 * that is not whole or does not fit. The message has the caller's name for the action: `callee`, by default the
 * action's own.
 */
export function checkArguments(
  name: ActionName,
  args: readonly unknown[],
  options?: unknown,
  callee: string = name,
): CheckedCall {
  const action = actions[name];
  const wanted = action.args.length;
  if (args.length > wanted)
    throw new TypeError(
      `${callee}: takes ${counted(wanted)} (${describeArguments(action)}), not ${args.length}`,
    );
  const arrived: unknown[] = [];
  for (const [index, argument] of action.args.entries()) {
    const value = args[index];
    const complaint = checks[argument.type](value);
    if (complaint !== undefined) complain(`${callee}: argument ${index + 1} (${argument.name})`, complaint);
    arrived.push(arriving(argument, value));
  }
  return { args: arrived, ...checkOptions(callee, action, options) };
}

/** As {@link checkArguments}, with all given values in one list: required arguments, then the options. */
export function checkCall(name: ActionName, given: readonly unknown[], callee: string = name): CheckedCall {
  const wanted = actions[name].args.length;
  if (given.length > wanted + 1)
    throw new TypeError(
      `${callee}: takes ${counted(wanted)} (${describeArguments(actions[name])}) and an object of options, not ${given.length}`,
    );
  return checkArguments(name, given.slice(0, wanted), given[wanted], callee);
}
