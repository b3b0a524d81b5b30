/** With an error planted into the order of writing, crashes are found that lose what was synced. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPlanted } from '../../../support/planting.js';
import { needs } from '../../../support/tools.js';
import type * as model from './crash-model.js';
import { orderMutants } from './order-mutants.js';

/** Each looks for its crash on several filesystems: some here, and all with GUESTFS_TEST_CRASHES. */
const isCampaign = process.env.GUESTFS_TEST_CRASHES !== undefined;
const quick = new Set([
  'the filesystem is said to be valid while it is written',
  'no barrier between the phases',
]);

for (const mutant of orderMutants.filter(({ error }) => isCampaign || quick.has(error)))
  test(`found: ${mutant.error}`, needs('mke2fs', 'e2fsck'), async (t) => {
    const planted = await importPlanted<typeof model>('test/fs/ext/write/crash-model.ts', mutant);
    const kind = [...planted.journalled, ...planted.unjournalled].find(([name]) => name === mutant.kind);
    assert.ok(kind !== undefined, mutant.kind);
    const judge = mutant.judge === 'own' ? undefined : planted.byE2fsck(kind);
    let found: string | undefined;
    for (let seed = 1; seed <= 8 && found === undefined; seed++)
      try {
        const work = { seed, operations: 80, most: judge === undefined ? 400 : 60, untilWrong: true };
        [found] = planted.crashOperations(kind, work, judge).wrong;
      } catch (thrown) {
        // The work itself may come upon it.
        found = String(thrown);
      }
    t.diagnostic(String(found));
    assert.ok(found !== undefined);
  });
