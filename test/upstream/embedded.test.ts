/** Upstream's own cases on the embedded engine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { casesData, launchWithDrives, needsCases, readCases } from './cases.js';
import { runCases, summary, withVerdict } from './runner.js';

/** So many at least are within reach. */
const least = 224;

test("upstream's cases that are within reach of the embedded engine pass", needsCases, async (t) => {
  const cases = readCases();
  const outcomes = await runCases(cases, {
    launch: () => launchWithDrives(new Guestfs({ environment: false, backend: 'embedded' })),
    runsPrograms: false,
    data: casesData,
  });
  for (const line of summary(outcomes)) t.diagnostic(line);
  assert.deepEqual(
    withVerdict(outcomes, 'failed').map(({ name, reason }) => `${name}: ${reason}`),
    [],
  );
  const onIso = new Set(cases.filter(({ init }) => init === 'InitISOFS').map(({ name }) => name));
  assert.deepEqual(
    withVerdict(outcomes, 'out of reach').filter(({ name }) => onIso.has(name)),
    [],
    'what starts from the ISO image only reads',
  );
  const passing = withVerdict(outcomes, 'passed').length;
  assert.ok(passing >= least, `only ${passing} pass`);
});
