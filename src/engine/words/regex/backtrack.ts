/** Matches lines with back-references: tries every way through the program, each of its states once. */
import { GuestfsError, work } from '../../../base/index.js';
import { type Beside, beside, besideOf, holds } from './context.js';
import type { Instruction } from './program.js';

/**
 * The most states that are tried in one line, plus a number for each byte: back-references may need exponentially
 * many.
 */
const statesOfLine = 200_000;
const statesOfByte = 100;

/** The texts of the groups: the begin and end of each in the line, by group number. */
type Captures = ReadonlyMap<number, readonly [start: number, end: number]>;

interface State {
  readonly place: number;
  readonly at: number;
  readonly captures: Captures;
}

const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

/** Whether a program matches somewhere in a line. E2BIG if that would take too many steps. */
export function backtrack(
  program: readonly Instruction[],
  line: Uint8Array,
  isInsensitive: boolean,
): boolean {
  const side = (at: number): Beside => (at < 0 || at >= line.length ? beside.edge : besideOf(line[at] ?? 0));
  const isSame = (a: number | undefined, b: number | undefined): boolean =>
    a === b || (isInsensitive && a !== undefined && b !== undefined && lower(a) === lower(b));

  /** The end of a group's text if it is repeated at an offset; undefined if it is not. */
  const again = (captures: Captures, group: number, at: number): number | undefined => {
    const range = captures.get(group);
    if (range === undefined || range[1] < 0) return undefined;
    const [start, end] = range;
    if (at + end - start > line.length) return undefined;
    work.steps.spend(end - start);
    for (let i = 0; i < end - start; i++) if (!isSame(line[start + i], line[at + i])) return undefined;
    return at + end - start;
  };

  const most = statesOfLine + statesOfByte * line.length;
  let steps = 0;

  const matchesFrom = (first: number): boolean => {
    const tried = new Set<string>();
    const pending: State[] = [{ place: 0, at: first, captures: new Map() }];
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      work.steps.spend(1);
      if (++steps > most) {
        throw new GuestfsError('E2BIG', `more than ${most} steps to match a back-reference in one line`);
      }
      const { place, at, captures } = state;
      const go = (next: Partial<State>): unknown => pending.push({ place: place + 1, at, captures, ...next });
      const instruction = program[place] as Instruction; // safe: places lie in the program, which ends with a match
      switch (instruction.kind) {
        case 'match':
          return true;
        case 'set':
          if (instruction.set[line[at] ?? 256] === 1) go({ at: at + 1 });
          break;
        case 'assertion':
          if (holds(instruction.assertion, side(at - 1), side(at))) go({});
          break;
        case 'jump':
          go({ place: instruction.to });
          break;
        case 'fork': {
          // Branches and loops pass through forks, so it is enough to remember the states at forks.
          const key = `${place} ${at} ${[...captures].join(' ')}`;
          if (tried.has(key)) break;
          tried.add(key);
          go({ place: instruction.to });
          go({});
          break;
        }
        case 'open':
          go({ captures: new Map(captures).set(instruction.group, [at, -1]) });
          break;
        case 'close': {
          const start = captures.get(instruction.group)?.[0] ?? at;
          go({ captures: new Map(captures).set(instruction.group, [start, at]) });
          break;
        }
        case 'reference': {
          const end = again(captures, instruction.group, at);
          if (end !== undefined) go({ at: end });
        }
      }
    }
    return false;
  };

  for (let first = 0; first <= line.length; first++) {
    if (matchesFrom(first)) return true;
  }
  return false;
}
