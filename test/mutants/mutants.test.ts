/** Errors that are planted into what writes are found: some of them each day here, all by `npm run fuzz -- mutants`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/tools.js';
import { left, mutants } from './index.js';
import { barrierFiles } from './lists/barriers.js';
import { findMutant, type Mutant } from './mutant.js';

const seed = Number(process.env.GUESTFS_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));

/** So many of a list, each day others. */
function some<T>(list: readonly T[], count: number): T[] {
  const first = (seed * count) % list.length;
  // safe: below the length
  return Array.from({ length: count }, (_, index) => list[(first + index) % list.length] as T);
}

// Where e2fsck looks at each crash it takes long, but for two.
const quick = new Set([
  'the filesystem is said to be valid while it is written',
  'no barrier between the phases',
]);
const quickHunts = new Set(['log', 'qcow2', 'partition']);
const isQuick = ({ error, hunts }: Mutant): boolean =>
  hunts.every(([name]) => quickHunts.has(name)) && !error.startsWith('no barrier in ');
const ofEach = [
  ...some(
    mutants.filter(({ error }) => quick.has(error)),
    1,
  ),
  ...some(mutants.filter(isQuick), 5),
];

for (const mutant of ofEach)
  test(`found: ${mutant.error} (seed ${seed})`, needs('mke2fs', 'e2fsck', 'qemu-img'), async (t) => {
    const found = await findMutant(mutant);
    t.diagnostic(String(found));
    assert.ok(found !== undefined);
  });

test('each error can be planted: the text that it replaces is there, once', () => {
  for (const { error, file, original } of mutants)
    assert.equal(readFileSync(join('src', file), 'utf8').split(original).length, 2, `${file}: ${error}`);
});

test('each barrier that is said to be harmless is there', () => {
  const listed = barrierFiles.flatMap(({ harmless = [] }) => harmless);
  assert.deepEqual(new Set(left), new Set(listed));
});
