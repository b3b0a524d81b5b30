/**
 * Upstream's own cases on `auto`. Each begins with the engine, and a session that has gone over serves no other case:
 * so each hand-over is the case's own, in whatever state its calls have brought the session to by then.
 *
 * A hand-over takes a launch. So of the cases that leave the engine there are as many as fit in a minute; which ones
 * depends on a seed (test/support/handovers.ts). GUESTFS_TEST_HANDOVERS=all has all of them, in a quarter of an hour.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoHandle, needsAppliance } from '../support/appliance.js';
import { allHandOvers, chooseHandOvers } from '../support/handovers.js';
import { scratchDirectory } from '../support/scratch.js';
import { casesData, launchWithDrives, needsCases, readCases } from './cases.js';
import { type Case, isWithinEngine, type Outcome, runCases, summary, withVerdict } from './runner.js';
import { makeScratchDrive, needsScratch } from './scratch.js';

/** How many of the cases that leave the engine there are where not all are wanted. */
const usual = 6;
/** How many of all must pass with a daemon like that of the C library, and how many of them without the appliance. */
const least = 256;
const leastEmbedded = 140;

const cLibraryPasses = ({ libguestfs_1_48_6 }: Case): boolean => libguestfs_1_48_6 === 'PASS';

function chosen(): readonly Case[] {
  const cases = readCases();
  if (allHandOvers) return cases;
  const leaving = cases.filter((one) => !isWithinEngine(one) && cLibraryPasses(one));
  const some = new Set(chooseHandOvers(leaving, usual));
  return cases.filter((one) => isWithinEngine(one) || some.has(one));
}

test("upstream's cases that the C library passes pass on `auto`, and those that the engine can do never leave it", {
  ...needsAppliance(),
  ...needsCases,
  ...needsScratch,
}, async (t) => {
  const cases = chosen();
  const scratch = makeScratchDrive(scratchDirectory());
  const stayed: Outcome[] = [];
  const outcomes = await runCases(cases, {
    launch: () => launchWithDrives(autoHandle(), scratch),
    runsPrograms: true,
    hasScratch: true,
    daemonFails: (one) => one.libguestfs_1_48_6 === 'FAIL',
    data: casesData,
    after(g, outcome) {
      const isEmbedded = g.backend === 'embedded';
      if (isEmbedded) stayed.push(outcome);
      return isEmbedded;
    },
  });
  for (const line of summary(outcomes)) t.diagnostic(line);
  const embedded = withVerdict(stayed, 'passed').length;
  t.diagnostic(`${embedded} of those that pass never left the engine`);
  assert.deepEqual(
    withVerdict(outcomes, 'failed').map(({ name, reason }) => `${name}: ${reason}`),
    [],
  );
  const passing = new Set(cases.filter(cLibraryPasses).map(({ name }) => name));
  // Which groups the appliance has is a question of the packages that are installed.
  const lacking = withVerdict(outcomes, 'out of reach').filter(
    ({ name, reason }) => passing.has(name) && !reason.startsWith('group '),
  );
  assert.deepEqual(lacking, [], 'what is within reach of the C library is within reach');
  assert.ok(embedded >= leastEmbedded, `only ${embedded} pass without leaving the engine`);
  if (allHandOvers) {
    const passed = withVerdict(outcomes, 'passed').length;
    assert.ok(passed >= Math.min(least, passing.size), `only ${passed} pass`);
  }
});
