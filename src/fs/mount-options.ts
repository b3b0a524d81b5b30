/**
 * A driver's mount options as a table: the values that each name takes, and what it sets. EINVAL for an option that
 * the table lacks, and for a value of another kind. The kernel's fs/fs_parser.c has the same kinds.
 */
import { GuestfsError } from '../base/index.js';

/** The text after an option's name; `true` for an option without one. */
export type OptionValue = string | true;

/** Options by name, as they were given. */
export type GivenOptions = Readonly<Record<string, OptionValue>>;

/** The meaning of a value; undefined if it is of another kind. */
export type ValueKind<T> = (value: OptionValue) => T | undefined;

/** One option: puts its value into the draft; false if the value is of another kind. */
export type OptionRule<Draft> = (draft: Draft, value: OptionValue) => boolean;

export type MountOptionTable<Draft> = Readonly<Record<string, OptionRule<Draft>>>;

/** An option with values of a kind, and what it sets. Without `put`, the value is checked and has no effect. */
export function option<T, Draft>(
  kind: ValueKind<T>,
  put?: (draft: Draft, value: T) => unknown,
): OptionRule<Draft> {
  return (draft, value) => {
    const read = kind(value);
    if (read === undefined) return false;
    put?.(draft, read);
    return true;
  };
}

/** No value. */
export const flag: ValueKind<true> = (value) => (value === true ? true : undefined);

/** A value that is not empty. */
export const someText: ValueKind<string> = (value) => (value !== true && value !== '' ? value : undefined);

/** Any value, the empty one as well. */
export const anyText: ValueKind<string> = (value) => (value !== true ? value : undefined);

/** Digits of a base, as a number within the bounds. */
const digits =
  (form: RegExp, radix: number, least: number, most: number): ValueKind<number> =>
  (value) => {
    if (value === true || !form.test(value)) return undefined;
    const parsed = Number.parseInt(value, radix);
    return parsed >= least && parsed <= most ? parsed : undefined;
  };

export const decimal = (most: number, least = 0): ValueKind<number> =>
  digits(/^[0-9]{1,12}$/, 10, least, most);

export const octal = (most: number): ValueKind<number> => digits(/^[0-7]{1,12}$/, 8, 0, most);

/** A number in C's notation: octal with a leading zero, hexadecimal with 0x, else decimal. */
export const literal =
  (most: number): ValueKind<number> =>
  (value) => {
    if (value === true || !/^(?:0[0-7]{0,12}|0x[0-9a-f]{1,8}|[1-9][0-9]{0,9})$/i.test(value))
      return undefined;
    const parsed = /^0[0-7]/.test(value) ? Number.parseInt(value, 8) : Number(value);
    return parsed <= most ? parsed : undefined;
  };

export const oneOf =
  <Word extends string>(...words: readonly Word[]): ValueKind<Word> =>
  (value) =>
    words.find((word) => word === value);

/** A switch: alone, it is on. */
export const truth: ValueKind<boolean> = (value) => {
  if (value === true || ['1', 'yes', 'true'].includes(value)) return true;
  return ['0', 'no', 'false'].includes(value) ? false : undefined;
};

/** No value, or one of a kind. */
export const orAlone =
  <T>(kind: ValueKind<T>): ValueKind<T | true> =>
  (value) =>
    value === true ? true : kind(value);

/** Throws the error for an option; `why` is a word before `mount option`: `vfat: unknown mount option: uid=x`. */
export function refusedOption(type: string, name: string, value: OptionValue, why: string): GuestfsError {
  const shown = value === true ? name : `${name}=${value}`;
  return new GuestfsError('EINVAL', `${type}: ${why} mount option: ${shown}`);
}

/**
 * Puts options into a draft that holds the defaults, in the given order. Throws GuestfsError (EINVAL), and the errors
 * of a rule. `type`: the filesystem's, for errors.
 */
export function takeOptions<Draft>(
  type: string,
  table: MountOptionTable<Draft>,
  given: GivenOptions,
  draft: Draft,
): Draft {
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(table, name) ? table[name] : undefined;
    if (rule === undefined) throw refusedOption(type, name, value, 'unknown');
    if (!rule(draft, value)) throw refusedOption(type, name, value, 'invalid');
  }
  return draft;
}
