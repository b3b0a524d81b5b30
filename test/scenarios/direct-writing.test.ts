/** The scenarios that write, on the direct backend: see direct.test.ts. */
import { directHandle, needsAppliance } from '../support/appliance.js';
import { testSuite } from './agreement.js';
import { directDifferences } from './direct-differences.js';
import { suites } from './suites.js';

for (const suite of suites.filter(({ writes }) => writes === true)) {
  testSuite(suite, {
    name: 'direct',
    handle: directHandle,
    differences: directDifferences,
    needs: needsAppliance(),
  });
}
