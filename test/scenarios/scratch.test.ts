/** Scenarios of the scratch drives of which the engine does every step, against what the real libguestfs answered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { testSuite } from './agreement.js';
import { staleSteps } from './difference.js';
import { scratchDifferences, scratchSuites } from './scratch.js';

const suites = await scratchSuites();
for (const suite of suites)
  testSuite(suite, {
    name: 'embedded',
    handle: () => new Guestfs({ environment: false, backend: 'embedded', stderr: null }),
    differences: scratchDifferences,
    needs: {},
  });

test('every known difference on the scratch drives is of a step that there is', () => {
  assert.deepEqual(staleSteps(scratchDifferences, suites), []);
});
