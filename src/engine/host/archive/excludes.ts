/**
 * Exclusion patterns, as GNU tar's `--exclude` takes them by default: shell wildcards, where `*` also matches a
 * slash, tried at the start of the name and after every slash. GNU tar manual, 6.5 "Wildcards Patterns and Matching".
 */
import { namePattern } from '../../../base/index.js';

/** Where a name is cut: at its ends, and behind or before its slashes. */
function cuts(name: string, behind: boolean): number[] {
  const found = [behind ? 0 : name.length];
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) found.push(behind ? at + 1 : at);
  return found;
}

/** Whether a name is left out. A name below one that matches is as well. */
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
