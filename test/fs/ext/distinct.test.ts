import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDistinct, DistinctRuns } from '../../../src/fs/ext/distinct.js';
import { Random } from '../../support/random.js';

test('runs are taken as long as they share no block, as a set of blocks has it', () => {
  const random = new Random(12345);
  for (let round = 0; round < 200; round++) {
    const runs = new DistinctRuns();
    const blocks = new Set<number>();
    for (let i = 0; i < 60; i++) {
      const start = random.below(400);
      const run = Array.from({ length: 1 + random.below(8) }, (_, at) => start + at);
      const isNew = run.every((block) => !blocks.has(block));
      assert.equal(runs.add(start, run.length), isNew, `round ${round}, ${start}+${run.length}`);
      if (isNew) for (const block of run) blocks.add(block);
    }
  }
});

test('a file of which one block is named twice is damaged, and one with holes is not', () => {
  const map = (starts: readonly (number | undefined)[]) => ({
    find: (logical: number) => ({ block: starts[logical], count: 1 }),
  });
  checkDistinct(map([5, 6, undefined, undefined, 9]), 5, 'file');
  assert.throws(() => checkDistinct(map([5, 6, 9, 5]), 4, 'file'), /used twice/);
});
