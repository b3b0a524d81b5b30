/**
 * Upstream's own cases on `auto`: all that the C library passes with the same daemon, as on the direct backend, and as
 * many as on the embedded engine without leaving it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { autoHandle, needsAppliance } from '../support/appliance.js';
import { casesData, launchWithDrives, needsCases, readCases } from './cases.js';
import { type Case, isWithinEngine, type Outcome, runCases, summary, withVerdict } from './runner.js';

const cLibraryPasses = ({ libguestfs_1_48_6 }: Case): boolean => libguestfs_1_48_6 === 'PASS';
/** How many must pass with a daemon like that, and how many of them without the appliance. */
const least = 256;
const leastEmbedded = 90;

// Each of the 175 cases that leave the engine boots an appliance of its own, so this is for a long run.
const isLongRun = process.env.GUESTFS_TEST_HANDOVERS === 'all';

const run = isLongRun ? test : () => {};
run(
  "upstream's cases that the C library passes pass on `auto`, and those that read never leave the engine",
  {
    ...needsAppliance(),
    ...needsCases,
  },
  async (t) => {
    const cases = readCases();
    const ground = {
      launch: () => launchWithDrives(autoHandle()),
      runsPrograms: true,
      daemonFails: (one: Case) => one.libguestfs_1_48_6 === 'FAIL',
      data: casesData,
    };
    const embedded: Outcome[] = [];
    const left: string[] = [];
    // Each handle serves as long as it stays with the engine; else the rest would be the appliance's, whatever it is.
    const within = await runCases(cases.filter(isWithinEngine), {
      ...ground,
      hasScratch: false,
      after(g, outcome) {
        if (g.backend === 'embedded') embedded.push(outcome);
        else left.push(outcome.name);
        return g.backend === 'embedded';
      },
    });
    const beyond = await runCases(
      cases.filter((one) => !isWithinEngine(one)),
      ground,
    );
    const outcomes = [...within, ...beyond];
    const passed = withVerdict(outcomes, 'passed');
    const stayed = withVerdict(embedded, 'passed');
    for (const line of summary(outcomes)) t.diagnostic(line);
    t.diagnostic(
      `${stayed.length} of those that pass never left the engine; ${left.length} more did: ${left.join(', ')}`,
    );
    assert.deepEqual(
      withVerdict(outcomes, 'failed').map(({ name, reason }) => `${name}: ${reason}`),
      [],
    );
    const wanted = new Set(cases.filter(cLibraryPasses).map(({ name }) => name));
    const lacking = withVerdict(outcomes, 'out of reach').filter(
      ({ name, reason }) => wanted.has(name) && !reason.startsWith('group '),
    );
    assert.deepEqual(lacking, [], 'what is within reach of the C library is within reach');
    assert.ok(passed.length >= Math.min(least, wanted.size), `only ${passed.length} pass`);
    assert.ok(stayed.length >= leastEmbedded, `only ${stayed.length} pass without leaving the engine`);
  },
);
