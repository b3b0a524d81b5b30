/** Shell patterns for one file name, as `find -name` takes them: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before any of them. */
import { usageFailure } from './failure.js';

const special = /[\\^$.*+?()[\]{}|/]/g;
const literal = (text: string): string => text.replace(special, '\\$&');

/** A class from `[` on: its regular expression and where it ends; undefined for a bracket that is never closed. */
function readClass(pattern: string, start: number): { source: string; end: number } | undefined {
  let at = start + 1;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at++;
  let members = '';
  for (let first = true; at < pattern.length; first = false, at++) {
    const character = pattern.charAt(at);
    if (character === ']' && !first) return { source: `[${negated ? '^' : ''}${members}]`, end: at };
    if (character === '\\' && at + 1 < pattern.length) members += `\\${pattern.charAt(++at)}`;
    else members += character === '-' ? '-' : literal(character);
  }
  return undefined;
}

/** Whether names match a pattern as a whole. Throws a usage failure for a range that runs backwards. */
export function globMatcher(pattern: string, ignoreCase = false): (name: string) => boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern.charAt(at);
    if (character === '*') {
      // A row of stars is one star: more would only make the matching slow.
      if (pattern.charAt(at - 1) !== '*' || at === 0) source += '.*';
    } else if (character === '?') source += '.';
    else if (character === '\\' && at + 1 < pattern.length) source += literal(pattern.charAt(++at));
    else if (character === '[') {
      const found = readClass(pattern, at);
      source += found?.source ?? literal('[');
      if (found !== undefined) at = found.end;
    } else source += literal(character);
  }
  let expression: RegExp;
  try {
    expression = new RegExp(`^${source}$`, ignoreCase ? 'si' : 's');
  } catch {
    throw usageFailure(`'${pattern}' is no pattern`, 'a class such as [a-z] must not run backwards');
  }
  return (name) => expression.test(name);
}
