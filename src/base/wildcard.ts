/**
 * Shell patterns for one name. POSIX.1-2017 2.13 (XCU): `*`, `?`, bracket expressions with ranges, classes and
 * negation by `!` or `^`, backslash quoting. Matching goes by character, not by byte, so `caf?` finds `café`.
 */
import { work } from '../base/index.js';

/** What one place of a pattern takes: `*`, or exactly one character that passes. */
type Step = { readonly any: true } | { readonly any: false; readonly takes: (character: string) => boolean };

/** One component of a path, as a pattern. */
export interface NamePattern {
  /** Without any wildcard: the name it stands for, unquoted. */
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

/** Whether a member of a bracket is a character; undefined for a class that there is not. */
type Test = (character: string) => boolean | undefined;

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/**
 * Reads the bracket expression that begins at `start` (a `[`). Undefined where it never closes: then the bracket is
 * an ordinary character.
 */
function readBrackets(
  pattern: readonly string[],
  start: number,
  insensitive: boolean,
): { next: number; takes: (character: string) => boolean } | undefined {
  let at = start + 1;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at++;
  const tests: Test[] = [];
  for (let first = true; ; first = false) {
    const character = pattern[at];
    if (character === undefined) return undefined;
    if (character === ']' && !first) break;
    const named = readNamed(pattern, at, insensitive);
    if (named !== undefined) {
      tests.push(named.takes);
      at = named.next;
      continue;
    }
    const low = readMember(pattern, at);
    if (low === undefined) return undefined;
    at = low.next;
    if (pattern[at] === '-' && pattern[at + 1] !== undefined && pattern[at + 1] !== ']') {
      const high = readMember(pattern, at + 1);
      if (high === undefined) return undefined;
      at = high.next;
      const from = codePoint(low.character);
      const to = codePoint(high.character);
      tests.push((candidate) => codePoint(candidate) >= from && codePoint(candidate) <= to);
    } else {
      const { character: wanted } = low;
      tests.push((candidate) => candidate === wanted);
    }
  }
  const takes = (candidate: string): boolean => {
    for (const test of tests) {
      const answer = test(candidate);
      // Behind a class that there is not, a bracket takes nothing, not even where it is negated.
      if (answer === undefined) return false;
      if (answer) return !negated;
    }
    return negated;
  };
  return { next: at + 1, takes };
}

/** `[:class:]` and `[=x=]` inside brackets. */
function readNamed(
  pattern: readonly string[],
  at: number,
  insensitive: boolean,
): { next: number; takes: Test } | undefined {
  const kind = pattern[at + 1];
  if (pattern[at] !== '[' || (kind !== ':' && kind !== '=')) return undefined;
  const end = pattern.findIndex((unit, i) => i >= at + 2 && unit === kind && pattern[i + 1] === ']');
  if (end < 0) return undefined;
  const name = pattern.slice(at + 2, end).join('');
  const next = end + 2;
  if (kind === '=') return { next, takes: (candidate) => candidate === name };
  const test = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (test === undefined) return { next, takes: () => undefined };
  return {
    next,
    takes: (candidate) => test.test(candidate) || (insensitive && test.test(candidate.toUpperCase())),
  };
}

/** One end of a range, or a single member: a character, a quoted one, or `[.x.]`. */
function readMember(pattern: readonly string[], at: number): { next: number; character: string } | undefined {
  if (pattern[at] === '[' && pattern[at + 1] === '.' && pattern[at + 3] === '.' && pattern[at + 4] === ']') {
    return { next: at + 5, character: pattern[at + 2] ?? '' };
  }
  const quoted = pattern[at] === '\\';
  const character = pattern[quoted ? at + 1 : at];
  return character === undefined ? undefined : { next: at + (quoted ? 2 : 1), character };
}

export interface PatternOptions {
  /** A dot at the beginning of a name is like any other character (`find -name`); without, wildcards do not match it. */
  readonly anyDot?: boolean;
  /** Letters match in both cases (`find -iname`). */
  readonly insensitive?: boolean;
}

/** Makes a pattern of a name. A slash is like any other character: whoever has paths takes them apart. */
export function namePattern(text: string, { anyDot, insensitive = false }: PatternOptions = {}): NamePattern {
  const fold = (given: string): string => (insensitive ? given.toLowerCase() : given);
  const pattern = [...fold(text)];
  const steps: Step[] = [];
  let literal: string | undefined = '';
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at] ?? '';
    const brackets = character === '[' ? readBrackets(pattern, at, insensitive) : undefined;
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
  return {
    literal,
    matches: (name) => (showsHidden || !name.startsWith('.')) && matchSteps(steps, [...fold(name)]),
  };
}

/** Matches in at most (length of name) × (length of pattern) steps: only the last `*` is ever tried again. */
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
