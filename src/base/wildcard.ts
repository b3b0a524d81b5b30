/**
 * Shell patterns for one name. POSIX.1-2017 2.13 (XCU): `*`, `?`, bracket expressions with ranges, classes and
 * negation by `!` or `^`, backslash quoting. Matching is by character, so `caf?` finds `café`.
 */
import { work } from './work.js';

/** A part of a pattern: `*`, or a test for exactly one character. */
type Step = { readonly any: true } | { readonly any: false; readonly takes: (character: string) => boolean };

/** One component of a path, as a pattern. */
export interface NamePattern {
  /** For a pattern without wildcards: the unquoted name. */
  readonly literal: string | undefined;
  matches(name: string): boolean;
}

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[\p{L}\p{Nd}]/u,
  alpha: /\p{L}/u,
  blank: /[ \t]/,
  cntrl: /\p{Cc}/u,
  digit: /[0-9]/,
  graph: /[^\s\p{Cc}\p{Cs}]/u,
  lower: /\p{Ll}/u,
  print: /[^\p{Cc}\p{Cs}]/u,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\v\f\r]/,
  upper: /\p{Lu}/u,
  xdigit: /[0-9A-Fa-f]/,
};

/** The longest name of a class. */
const longestName = 6;

/** Whether a member of a bracket is a character; undefined for an unknown class. */
type Test = (character: string) => boolean | undefined;

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** A bracket expression: its end, and its test. */
interface Brackets {
  readonly next: number;
  readonly takes: (character: string) => boolean;
}

/** Brackets with more members than this cache their answers for characters. */
const fewMembers = 16;

/**
 * Reads the bracket expressions of one pattern in linear time: the text after an unclosed bracket is not read again
 * for the next bracket.
 */
class BracketReader {
  readonly #pattern: readonly string[];
  readonly #insensitive: boolean;
  /**
   * Where each member of an unclosed bracket began, after its first. A bracket that has one of these members does not
   * close either.
   */
  readonly #unclosed = new Set<number>();
  /** For `:` and `=`: the next place before a `]`, at or after each place; computed at first use. */
  readonly #ends = new Map<string, Int32Array>();

  constructor(pattern: readonly string[], insensitive: boolean) {
    this.#pattern = pattern;
    this.#insensitive = insensitive;
  }

  /**
   * The bracket expression that begins at `start` (a `[`). Undefined if it never closes: the bracket is then an
   * ordinary character.
   */
  read(start: number): Brackets | undefined {
    const pattern = this.#pattern;
    let at = start + 1;
    const negated = pattern[at] === '!' || pattern[at] === '^';
    if (negated) at++;
    const tests: Test[] = [];
    const places: number[] = [];
    for (let first = true; first || pattern[at] !== ']'; first = false) {
      const member = this.#unclosed.has(at) ? undefined : this.#readMember(at);
      if (member === undefined) {
        for (const place of places) this.#unclosed.add(place);
        return undefined;
      }
      // A `]` is a member only in the first place.
      if (!first) places.push(at);
      tests.push(member.takes);
      at = member.next;
    }
    const takes = (candidate: string): boolean => {
      for (const test of tests) {
        const answer = test(candidate);
        // After an unknown class, a bracket matches nothing, even if it is negated.
        if (answer === undefined) return false;
        if (answer) return !negated;
      }
      return negated;
    };
    return { next: at + 1, takes: tests.length > fewMembers ? remembering(takes, tests.length) : takes };
  }

  /** A class, a range or a single member. */
  #readMember(at: number): { next: number; takes: Test } | undefined {
    const pattern = this.#pattern;
    const named = this.#readNamed(at);
    if (named !== undefined) return named;
    const low = readEnd(pattern, at);
    if (low === undefined) return undefined;
    if (pattern[low.next] === '-' && pattern[low.next + 1] !== undefined && pattern[low.next + 1] !== ']') {
      const high = readEnd(pattern, low.next + 1);
      if (high === undefined) return undefined;
      const from = codePoint(low.character);
      const to = codePoint(high.character);
      return {
        next: high.next,
        takes: (candidate) => codePoint(candidate) >= from && codePoint(candidate) <= to,
      };
    }
    return { next: low.next, takes: (candidate) => candidate === low.character };
  }

  /** `[:class:]` and `[=x=]` inside brackets. */
  #readNamed(at: number): { next: number; takes: Test } | undefined {
    const kind = this.#pattern[at + 1];
    if (this.#pattern[at] !== '[' || (kind !== ':' && kind !== '=')) return undefined;
    const end = this.#endsOf(kind)[at + 2] ?? -1;
    if (end < 0) return undefined;
    const next = end + 2;
    // No class has a longer name, and no equivalence class of one character is longer.
    const name = end - at - 2 > longestName ? undefined : this.#pattern.slice(at + 2, end).join('');
    if (kind === '=') return { next, takes: (candidate) => candidate === name };
    const test = name !== undefined && Object.hasOwn(classes, name) ? classes[name] : undefined;
    if (test === undefined) return { next, takes: () => undefined };
    return {
      next,
      takes: (candidate) => test.test(candidate) || (this.#insensitive && test.test(candidate.toUpperCase())),
    };
  }

  #endsOf(kind: string): Int32Array {
    let ends = this.#ends.get(kind);
    if (ends === undefined) {
      ends = new Int32Array(this.#pattern.length).fill(-1);
      for (let at = this.#pattern.length - 2; at >= 0; at--) {
        const here = this.#pattern[at] === kind && this.#pattern[at + 1] === ']';
        ends[at] = here ? at : (ends[at + 1] ?? -1);
      }
      this.#ends.set(kind, ends);
    }
    return ends;
  }
}

/** Caches the answers; finding one costs `cost` steps. */
function remembering(takes: (character: string) => boolean, cost: number): (character: string) => boolean {
  const known = new Map<string, boolean>();
  return (candidate) => {
    let answer = known.get(candidate);
    if (answer === undefined) {
      work.steps.spend(cost);
      answer = takes(candidate);
      known.set(candidate, answer);
    }
    return answer;
  };
}

/** One end of a range, or a single member: a character, a quoted character, or `[.x.]`. */
function readEnd(pattern: readonly string[], at: number): { next: number; character: string } | undefined {
  if (pattern[at] === '[' && pattern[at + 1] === '.' && pattern[at + 3] === '.' && pattern[at + 4] === ']') {
    return { next: at + 5, character: pattern[at + 2] ?? '' };
  }
  const quoted = pattern[at] === '\\';
  const character = pattern[quoted ? at + 1 : at];
  return character === undefined ? undefined : { next: at + (quoted ? 2 : 1), character };
}

interface PatternOptions {
  /**
   * A dot at the beginning of a name is an ordinary character (`find -name`); without this option, wildcards do not
   * match it.
   */
  readonly anyDot?: boolean;
  /** Letters match in both cases (`find -iname`). */
  readonly insensitive?: boolean;
}

/** Makes a pattern for one name. A slash is an ordinary character: callers with paths split them first. */
export function namePattern(text: string, { anyDot, insensitive = false }: PatternOptions = {}): NamePattern {
  const fold = (given: string): string => (insensitive ? given.toLowerCase() : given);
  const pattern = [...fold(text)];
  const reader = new BracketReader(pattern, insensitive);
  const steps: Step[] = [];
  let literal: string | undefined = '';
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] ?? '';
    const brackets = character === '[' ? reader.read(at) : undefined;
    if (brackets !== undefined) {
      steps.push({ any: false, takes: brackets.takes });
      literal = undefined;
      at = brackets.next;
    } else if (character === '*') {
      if (steps.at(-1)?.any !== true) steps.push({ any: true });
      literal = undefined;
      at++;
    } else if (character === '?') {
      steps.push({ any: false, takes: () => true });
      literal = undefined;
      at++;
    } else {
      const quoted = character === '\\' && pattern[at + 1] !== undefined;
      const wanted = quoted ? (pattern[at + 1] ?? '') : character;
      steps.push({ any: false, takes: (candidate) => candidate === wanted });
      if (literal !== undefined) literal += wanted;
      at += quoted ? 2 : 1;
    }
  }
  // A dot that begins a name is matched by nothing but a dot that begins the pattern.
  const showsHidden = anyDot === true || text.startsWith('.') || text.startsWith('\\.');
  // The least number of characters in a matching name.
  const shortest = steps.filter(({ any }) => !any).length;
  return {
    literal,
    matches: (given) => {
      if (!showsHidden && given.startsWith('.')) return false;
      const name = [...fold(given)];
      return name.length >= shortest && matchSteps(steps, name);
    },
  };
}

/** Matches in at most (length of name)² steps: only the last `*` is ever tried again. */
function matchSteps(steps: readonly Step[], name: readonly string[]): boolean {
  let step = 0;
  let at = 0;
  let lastAny = -1;
  let retryAt = 0;
  while (at < name.length) {
    work.steps.spend(1);
    const current = steps[step];
    if (current?.any === true) {
      lastAny = step++;
      retryAt = at;
    } else if (current?.takes(name[at] ?? '') === true) {
      step++;
      at++;
    } else if (lastAny >= 0) {
      step = lastAny + 1;
      at = ++retryAt;
    } else return false;
  }
  while (steps[step]?.any === true) step++;
  return step === steps.length;
}
