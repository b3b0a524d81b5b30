/** Damage at random, for a bounded time: only the two kinds of errors may come of it. `npm run fuzz` goes on for longer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFixture } from './fixture.js';
import { mutate, randomNumbers, survive, usedPlaces } from './mutation.js';

/** Without checksums, so that damage gets further, and one with. */
const corpus = [
  'ext2-1k',
  'ext4-inline-512',
  'ext4-hash-tea-unsigned',
  'journal-32bit',
  'journal-checksum-3',
  'fast-commit-4k',
];
const milliseconds = Number(process.env.FUZZ_MILLISECONDS ?? 2500);

test('damage at random is survived', () => {
  const images = corpus.map((name) => {
    const bytes = readFixture(name);
    return { name, bytes, places: usedPlaces(bytes) };
  });
  const end = performance.now() + milliseconds;
  let seed = Number(process.env.FUZZ_SEED ?? 1);
  for (; performance.now() < end; seed++) {
    const image = images[seed % images.length];
    assert.ok(image);
    try {
      survive(mutate(image.bytes, image.places, randomNumbers(seed)));
    } catch (cause) {
      throw new Error(`${image.name} with FUZZ_SEED=${seed}: ${(cause as Error).stack}`, { cause });
    }
  }
  assert.ok(seed > 10, 'some were tried');
});
