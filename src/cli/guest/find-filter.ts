/** The tests of `guestfs find`. */
import { namePattern } from '../../base/index.js';
import { usageFailure } from '../command/failure.js';
import type { OptionTable, ParsedOptions } from '../command/options.js';
import { parseSize } from '../terminal/sizes.js';
import { typeLetter, typeLetters } from './file-words.js';

/** The facts that a test may use. Times are seconds since 1970, and nanoseconds that count from there. */
interface TestedFacts {
  readonly size: number;
  readonly mtime: number;
  readonly mtimeNanoseconds: number;
}

/** Which files are wanted. */
export interface Filter {
  readonly type: ((mode: number) => boolean) | undefined;
  readonly name: ((name: string) => boolean) | undefined;
  /** Tests on anything but name and type. They run last, because their facts must be fetched. */
  readonly facts: ((facts: TestedFacts) => boolean) | undefined;
  readonly maxDepth: number;
}

type Test = (facts: TestedFacts) => boolean;

/** A moment, or the file of the guest whose modification time is the moment. */
export type Moment = { readonly path: string } | { readonly seconds: number; readonly nanoseconds: number };

export const filterOptions = {
  name: { type: 'text' },
  iname: { type: 'text' },
  type: { type: 'text' },
  size: { type: 'text', signed: true },
  mtime: { type: 'text', signed: true },
  newer: { type: 'text' },
  maxdepth: { type: 'count' },
} as const satisfies OptionTable;

/** `+N`, `-N` or `N`: more, less, or exactly. */
function compareBy(sign: string | undefined, wanted: number): (value: number) => boolean {
  if (sign === '+') return (value) => value > wanted;
  if (sign === '-') return (value) => value < wanted;
  return (value) => value === wanted;
}

function readSize(word: string): Test {
  const [, sign, digits = ''] = /^([+-]?)(.*)$/.exec(word) ?? [];
  // find writes bytes as 100c.
  const size = parseSize(digits.replace(/^([0-9]+)c$/, '$1'));
  if (size === undefined)
    throw usageFailure(
      `--size ${word}: is no size`,
      'write +1M for more, -10K for less, 4096 for so many bytes',
    );
  const isWanted = compareBy(sign, size);
  return (facts) => isWanted(facts.size);
}

const dayInSeconds = 24 * 60 * 60;

/** As `find -mtime`: whole days since the last change. */
function readDays(word: string, nowInSeconds: number): Test {
  const [, sign, digits] = /^([+-]?)([0-9]{1,9})$/.exec(word) ?? [];
  if (digits === undefined)
    throw usageFailure(
      `--mtime ${word}: is no number of days`,
      'write -7 for the last seven days, +30 for longer ago',
    );
  const isWanted = compareBy(sign, Number(digits));
  return ({ mtime, mtimeNanoseconds }) =>
    isWanted(Math.floor((nowInSeconds - mtime - mtimeNanoseconds / 1e9) / dayInSeconds));
}

const calendarForm = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * `2024-05-01`, `2024-05-01 12:30`, `@1714566600`, all UTC unless they say otherwise, or a path of the guest: the value
 * of an option.
 */
export function readMoment(word: string, option = '--newer'): Moment {
  if (word.startsWith('/')) return { path: word };
  const since1970 = /^@(\d{1,15})$/.exec(word);
  if (since1970 !== null) return { seconds: Number(since1970[1]), nanoseconds: 0 };
  const [, date, time = '00:00', zone = 'Z'] = calendarForm.exec(word) ?? [];
  const inMs = date === undefined ? Number.NaN : Date.parse(`${date}T${time}${zone}`);
  if (Number.isNaN(inMs))
    throw usageFailure(
      `${option} ${word}: is no time`,
      "write 2024-05-01, '2024-05-01 12:30', @1714566600, or the path of a file of the guest",
    );
  return { seconds: Math.floor(inMs / 1000), nanoseconds: 0 };
}

/** The tests of the options. `momentOf` finds the modification time of a file of the guest. */
interface FilterPlan {
  /** Of `--newer`. */
  readonly moment: Moment | undefined;
  filter(newerThan: { readonly seconds: number; readonly nanoseconds: number } | undefined): Filter;
}

/**
 * Reads the tests of a command line. Throws a usage failure for a test that makes no sense, before anything is
 * opened.
 */
export function readFilter(options: ParsedOptions, nowInSeconds: number = Date.now() / 1000): FilterPlan {
  const name = options.text('name');
  const iname = options.text('iname');
  const letters = options.text('type')?.split(',');
  const unknown = letters?.find((letter) => !typeLetters.includes(letter));
  if (unknown !== undefined)
    throw usageFailure(
      `--type ${letters?.join(',')}: '${unknown}' is no type`,
      `there are ${typeLetters.join(', ')}; several with commas`,
    );
  const matches = [
    ...(name === undefined ? [] : [namePattern(name, { anyDot: true }).matches]),
    ...(iname === undefined ? [] : [namePattern(iname, { anyDot: true, insensitive: true }).matches]),
  ];
  const size = options.text('size');
  const days = options.text('mtime');
  const newer = options.text('newer');
  const tests: readonly Test[] = [
    ...(size === undefined ? [] : [readSize(size)]),
    ...(days === undefined ? [] : [readDays(days, nowInSeconds)]),
  ];
  return {
    moment: newer === undefined ? undefined : readMoment(newer),
    filter(newerThan) {
      const all = newerThan === undefined ? tests : [...tests, newerThanTest(newerThan)];
      return {
        type: letters && ((mode) => letters.includes(typeLetter(mode))),
        name: matches.length === 0 ? undefined : (each) => matches.every((match) => match(each)),
        facts: all.length === 0 ? undefined : (facts) => all.every((test) => test(facts)),
        maxDepth: options.number('maxdepth') ?? Number.POSITIVE_INFINITY,
      };
    },
  };
}

const newerThanTest =
  ({ seconds, nanoseconds }: { readonly seconds: number; readonly nanoseconds: number }): Test =>
  ({ mtime, mtimeNanoseconds }) =>
    mtime > seconds || (mtime === seconds && mtimeNanoseconds > nanoseconds);
