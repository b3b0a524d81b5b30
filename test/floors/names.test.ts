/** Names: one meaning for each, and no export that nobody uses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameAsListed } from './baseline.js';
import { declarationOf, exportsOf, findSource, roomOf, type Source, sources } from './sources.js';
import { findDeadExports, isDoor } from './usage.js';

/** Names that still mean two things at two doors. */
const doorNamesListed = {};
/** Classes and types of several rooms that still have one name. */
const typesListed = {};

/** For each name the places where it is declared. */
function places(
  entries: Iterable<readonly [name: string, file: string]>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const all = new Map<string, Set<string>>();
  for (const [name, file] of entries) all.set(name, (all.get(name) ?? new Set()).add(file));
  return all;
}

/** What every driver is asked, and calls by the same name. */
const namesOfDrivers = new Set(['open', 'probe']);

test('a name at a door has one meaning', () => {
  const atDoors = places(
    sources
      .filter(isDoor)
      .flatMap(({ path }) =>
        [...exportsOf(findSource(path) as Source).keys()].map((name) => [name, path] as const),
      )
      .map(([name, path]) => {
        const origin = declarationOf(path, name);
        return [name, `${origin.file} ${origin.name}`] as const;
      }),
  );
  const twice = [...atDoors].filter(([name, files]) => files.size > 1 && !namesOfDrivers.has(name));
  sameAsListed(
    'names with two meanings',
    twice.map(([name, files]) => [name, files.size]),
    doorNamesListed,
  );
});

test('a class or a type has a name that no other room uses', () => {
  const types = places(
    sources.flatMap(({ path, exports }) =>
      exports
        .filter(({ isType, origin }) => isType && origin === undefined)
        .map(({ name }) => [name, path] as const),
    ),
  );
  const twice = [...types].filter(([, files]) => new Set([...files].map(roomOf)).size > 1);
  sameAsListed(
    'types of one name',
    twice.map(([name, files]) => [name, [...files].map(roomOf).sort().join(' ')]),
    typesListed,
  );
});

test('every export is used by another file, and what a door exports by another room', () => {
  assert.deepEqual(
    findDeadExports().map(
      ({ file, name, inTests }) => `${file}: ${name}${inTests ? ' (in tests only)' : ''}`,
    ),
    [],
  );
});
