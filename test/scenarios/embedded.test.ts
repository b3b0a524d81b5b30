/** Every scenario that the engine does, on the embedded backend, against what the real libguestfs answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actions } from '../../src/api/index.js';
import { handledActions } from '../../src/engine/thread/dispatch.js';
import { writingHandlers } from '../../src/engine/thread/writing-handlers.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { testSuite } from './agreement.js';
import { staleSteps } from './difference.js';
import { embeddedDifferences } from './embedded-differences.js';
import { scratchSuites } from './scratch.js';
import { suites } from './suites.js';

const engineSuites = suites.filter(({ writes, embedded }) => writes !== true || embedded === true);

for (const suite of engineSuites) {
  testSuite(suite, {
    name: 'embedded',
    handle: () => new Guestfs({ environment: false, backend: 'embedded', stderr: null }),
    differences: embeddedDifferences,
    needs: {},
  });
}

/**
 * Actions whose program Debian's appliance lacks, so that libguestfs has no answer to compare with: test/engine/ has
 * tests that compare them with the program on this machine.
 */
const withoutProgram = new Set(['rsync', 'xfs_info', 'xfs_info2']);

/** No guest of the scenarios is on btrfs: test/engine/ compares these with what btrfs's own program said. */
const withoutGuest = new Set([
  'btrfs_balance_status',
  'btrfs_filesystem_show',
  'btrfs_qgroup_show',
  'btrfs_scrub_status',
  'btrfs_subvolume_get_default',
  'btrfs_subvolume_list',
  'btrfs_subvolume_show',
]);

/** No guest of the scenarios is Windows: test/engine/ compares these with what libguestfs said of other disks. */
const withoutWindows = new Set(['ntfs_3g_probe', 'ntfscat_i']);

/** In a scenario that writes, which this engine does in part: engine/txz-out has a test of it. */
const withinOthers = new Set(['txz_out']);

test('every action that the engine does is in a scenario', async () => {
  const inScenarios = new Set(
    [...engineSuites, ...(await scratchSuites())].flatMap(({ scenarios }) =>
      scenarios.flatMap(({ steps }) => steps.map(([action]) => action)),
    ),
  );
  const inWritingScenarios = new Set(
    suites.flatMap(({ scenarios }) => scenarios.flatMap(({ steps }) => steps.map(([action]) => action))),
  );
  const missing = (await handledActions()).filter(
    (name) => !(name in writingHandlers ? inWritingScenarios : inScenarios).has(name),
  );
  assert.deepEqual(
    new Set(missing),
    new Set([...withoutProgram, ...withoutGuest, ...withoutWindows, ...withinOthers]),
  );
  assert.ok((await handledActions()).every((name) => name in actions));
});

test('every known difference is of a step that there is, and scenarios have names of their own', () => {
  assert.deepEqual(staleSteps(embeddedDifferences, engineSuites), []);
  for (const { scenarios } of suites) {
    assert.equal(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
  }
});
