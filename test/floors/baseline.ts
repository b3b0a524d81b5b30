/** Comparing what breaks a rule with the list of what is known to break it. */
import assert from 'node:assert/strict';

/**
 * Fails on what is found and not listed, and on what is listed and not found any more: a list only shrinks.
 * Both are a set of places, or a count for each place.
 */
export function sameAsListed(
  rule: string,
  found: Iterable<readonly [string, string | number]>,
  listed: Readonly<Record<string, string | number>>,
): void {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [place, amount] of found) {
    seen.add(place);
    if (!(place in listed)) problems.push(`${place}: ${amount}`);
    else if (listed[place] !== amount) problems.push(`${place}: ${amount}, listed as ${listed[place]}`);
  }
  for (const place of Object.keys(listed)) {
    if (!seen.has(place)) problems.push(`${place}: nothing is found there any more; take it off the list`);
  }
  assert.deepEqual(problems, [], rule);
}

/** How often each of the given places occurs. */
export function counted(places: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const place of places) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
}
