/**
 * Exclusion patterns, as GNU tar's `--exclude` takes them by default: shell wildcards, where `*` also matches a
 * slash, tried at the start of the name and after every slash. GNU tar manual, 6.5 "Wildcards Patterns and Matching".
 */
import { GuestfsError } from '../../base/index.js';

/** A bracket's inside as one of JavaScript's, or undefined when it has no end. */
function bracket(pattern: string, at: number): { text: string; end: number } | undefined {
  const negated = pattern[at + 1] === '!' || pattern[at + 1] === '^';
  const start = at + (negated ? 2 : 1);
  const end = pattern.indexOf(']', start + 1);
  if (end < 0) return undefined;
  const inside = pattern.slice(start, end).replace(/[\\[\]^&~|]/g, '\\$&');
  return { text: `[${negated ? '^' : ''}${inside}]`, end };
}

function translate(pattern: string): string {
  let out = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*') out += '.*';
    else if (character === '?') out += '.';
    else if (character === '[') {
      const found = bracket(pattern, at);
      out += found?.text ?? '\\[';
      at = found?.end ?? at;
    } else {
      const literal = character === '\\' && at + 1 < pattern.length ? (pattern[++at] ?? '') : character;
      out += literal.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  return out;
}

/** Whether a name is left out. A name below one that matches is as well. */
export function excluder(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => {
    try {
      return new RegExp(`(?:^|/)${translate(pattern)}(?:/|$)`, 's');
    } catch (cause) {
      throw new GuestfsError('EINVAL', `${pattern}: not a pattern of file names`, { cause });
    }
  });
  return expressions.length === 0 ? () => false : (name) => expressions.some((one) => one.test(name));
}
