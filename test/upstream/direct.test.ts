/** Upstream's own cases on the direct backend: all that the C library passes with the same daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directHandle, needsAppliance } from '../support/appliance.js';
import { casesData, launchWithDrives, needsCases, readCases } from './cases.js';
import { type Case, runCases, summary, withVerdict } from './runner.js';

const cLibraryPasses = ({ libguestfs_1_48_6 }: Case): boolean => libguestfs_1_48_6 === 'PASS';

test("upstream's cases that the C library passes pass on the direct backend", {
  ...needsAppliance(),
  ...needsCases,
}, async (t) => {
  const cases = readCases();
  const outcomes = await runCases(cases, {
    launch: () => launchWithDrives(directHandle()),
    runsPrograms: true,
    daemonFails: (one) => one.libguestfs_1_48_6 === 'FAIL',
    data: casesData,
  });
  for (const line of summary(outcomes)) t.diagnostic(line);
  assert.deepEqual(
    withVerdict(outcomes, 'failed').map(({ name, reason }) => `${name}: ${reason}`),
    [],
  );
  const wanted = new Set(cases.filter(cLibraryPasses).map(({ name }) => name));
  // Which groups the appliance has is a question of the packages that are installed.
  const beyond = withVerdict(outcomes, 'out of reach').filter(({ reason }) => !reason.startsWith('group '));
  assert.deepEqual(
    beyond.filter(({ name }) => wanted.has(name)),
    [],
    'what is within reach of the C library is within reach',
  );
});
