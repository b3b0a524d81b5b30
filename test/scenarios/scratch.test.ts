/** Scenarios of the scratch drives of which the engine does every step, against what the real libguestfs answered. */
import { handledActions } from '../../src/engine/thread/dispatch.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { testSuite } from './agreement.js';
import { suites } from './suites.js';

/** Of these a step has another answer: what parted refuses, volumes in use, the order of attributes. */
const elsewhere = new Set([
  'extended attributes',
  'an MBR made and changed',
  'a GPT made and changed',
  'whole drives partitioned',
  'LVM made, resized and removed',
  'by inode',
]);

const done = new Set<string>(await handledActions());
for (const suite of suites) {
  if (suite.name !== 'scratch') continue;
  const scenarios = suite.scenarios.filter(
    ({ name, steps }) =>
      !elsewhere.has(name) && steps.every(([action]) => done.has(action) && action !== 'debug'),
  );
  testSuite(
    { ...suite, scenarios },
    {
      name: 'embedded',
      handle: () => new Guestfs({ environment: false, backend: 'embedded', stderr: null }),
      differences: [],
      needs: {},
    },
  );
}
