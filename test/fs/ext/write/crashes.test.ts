/** Operations on filesystems, cut at every place: what was synced is there, and the rest happened or did not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '../../../support/tools.js';
import { crashesByKernel } from './crash-kernel.js';
import { byE2fsck, crashOperations, failOperations, journalled, unjournalled } from './crash-model.js';
import { stacks } from './crash-stacks.js';

const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);
const seed = Number(process.env.GUESTFS_TEST_SEED ?? 1);

for (const [index, kind] of journalled.entries()) {
  for (const stack of campaign > 0 ? stacks : stacks.slice(index, index + (index === 2 ? 2 : 1)))
    test(
      `${kind[0]}, ${stack.name}: each operation happened or did not, whatever the crash (seed ${seed})`,
      needs('mke2fs', 'qemu-img'),
      (t) => {
        const work = { seed, operations: campaign > 0 ? 300 : 40, most: campaign || 50, stack };
        const { cuts, wrong, recording } = crashOperations(kind, work);
        t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
        assert.ok(cuts > 40);
        assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
      },
    );

  const title = `${kind[0]}: e2fsck replays what a crash left, and comes to the same (seed ${seed})`;
  test(title, needs('mke2fs', 'e2fsck'), (t) => {
    const work = { seed: seed + 1, operations: campaign > 0 ? 120 : 30, most: campaign || 6 };
    const { cuts, wrong } = crashOperations(kind, work, byE2fsck(kind));
    t.diagnostic(`${cuts} cuts`);
    assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
  });
}

for (const kind of unjournalled) {
  const title = `${kind[0]}: before any repair names lead to files, and those have bytes of their own (seed ${seed})`;
  test(title, needs('mke2fs'), (t) => {
    const work = { seed: seed + 2, operations: campaign > 0 ? 120 : 40, most: campaign || 300 };
    const { cuts, wrong } = crashOperations(kind, work);
    t.diagnostic(`${cuts} cuts`);
    assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
  });

  test(
    `${kind[0]}: e2fsck repairs what a crash left, and what was synced is whole (seed ${seed})`,
    needs('mke2fs', 'e2fsck'),
    (t) => {
      const work = { seed: seed + 2, operations: campaign > 0 ? 120 : 30, most: campaign || 8 };
      const { cuts, wrong } = crashOperations(kind, work, byE2fsck(kind));
      t.diagnostic(`${cuts} cuts`);
      assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
    },
  );
}

for (const kind of [...journalled.slice(0, 2), ...unjournalled.slice(0, 1)])
  test(
    `${kind[0]}: a host that fails is told of, and nothing is half done`,
    needs('mke2fs', 'e2fsck'),
    (t) => {
      let failures = 0;
      for (const code of ['EIO', 'ENOSPC'] as const)
        for (let at = failures % 3; ; at += campaign > 0 ? 1 : 31) {
          if (!failOperations(kind, { seed: seed + 3, operations: 25, at, code })) break;
          failures++;
        }
      t.diagnostic(`${failures} failures`);
      assert.ok(failures > 3, `${failures} failures`);
    },
  );

test(
  `Linux replays what a crash left, and shows what may be there (seed ${seed})`,
  needs('mke2fs', 'e2fsck', 'linux.uml', 'qemu-img'),
  (t) => {
    const cases = journalled.map((kind, index) => {
      const stack = stacks[(index + seed) % stacks.length] ?? assert.fail();
      return [kind, { seed: seed + 4, operations: 30, most: Math.min(campaign || 3, 80), stack }] as const;
    });
    const { cuts, wrong } = crashesByKernel(cases);
    t.diagnostic(`${cuts} cuts`);
    assert.ok(cuts > 6);
    assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
  },
);
