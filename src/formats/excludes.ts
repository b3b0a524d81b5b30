/**
 * Exclusion patterns as in GNU tar's `--exclude` by default: shell wildcards, where `*` also matches a slash, tried
 * at the start of the name and after every slash. GNU tar manual, 6.5 "Wildcards Patterns and Matching".
 */
import { namePattern } from '../base/index.js';

/** The places where a name is split: its ends, and before and after its slashes. */
function cuts(name: string, behind: boolean): number[] {
  const found = [behind ? 0 : name.length];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) found.push(behind ? at + 1 : at);
  return found;
}

/** Whether a name is excluded. Everything below a matching name is too. */
export function excluder(patterns: readonly string[]): (name: string) => boolean {
  const wanted = patterns.map((pattern) => namePattern(pattern, { anyDot: true }));
  return (name) =>
    wanted.length > 0 &&
    cuts(name, true).some((start) =>
      cuts(name, false).some(
        (end) => end >= start && wanted.some(({ matches }) => matches(name.slice(start, end))),
      ),
    );
}
