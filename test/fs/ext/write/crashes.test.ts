/** Operations on filesystems with a journal, cut at every place: each happened, or nothing of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../../../support/tools.js';
import { crashOperations, journalled } from './crash-model.js';
import { replayedByE2fsck } from './images.js';

const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);
const seed = Number(process.env.GUESTFS_TEST_SEED ?? 1);

for (const kind of journalled) {
  test(
    `${kind[0]}: each operation happened or did not, whatever the crash (seed ${seed})`,
    needs('mke2fs'),
    (t) => {
      const work = { seed, operations: campaign > 0 ? 300 : 40, most: campaign || 80 };
      const { cuts, wrong, recording } = crashOperations(kind, work);
      t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
      assert.ok(cuts > 50);
      assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
    },
  );

  const title = `${kind[0]}: e2fsck replays what a crash left, and comes to the same (seed ${seed})`;
  test(title, needs('mke2fs', 'e2fsck'), (t) => {
    const work = { seed: seed + 1, operations: campaign > 0 ? 120 : 30, most: campaign || 6 };
    const { cuts, wrong } = crashOperations(kind, work, replayedByE2fsck);
    t.diagnostic(`${cuts} cuts`);
    assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
  });
}
