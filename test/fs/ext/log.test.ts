/** The log as we write it: what a crash leaves of it, and what other programs say to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';
import { logKinds, makeLogImage } from './log-images.js';
import { crashLog } from './log-model.js';

const directory = scratchDirectory();

/** Crashes that are looked at of each kind. With GUESTFS_TEST_CRASHES more. */
const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);
const work = { seed: 3, runs: campaign > 0 ? 1500 : 200, commitEvery: 12, closeEvery: 60 };

for (const kind of logKinds)
  test(
    `${kind.name}: after a crash there is a state that was, and all that was promised`,
    needs('mke2fs', ...(kind.isQcow2 ? ['qemu-img'] : [])),
    (t) => {
      const image = makeLogImage(directory, kind);
      const { cuts, wrong, recording } = crashLog(image, work, {
        most: campaign || 150,
        sectorSize: kind.sectorSize,
      });
      t.diagnostic(`${cuts} cuts of ${recording.log.length} writes and barriers`);
      assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${cuts} cuts`);
    },
  );
