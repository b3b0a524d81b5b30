/** Upstream's own cases on the embedded engine. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { factsDirectory, needsFacts, readFacts } from '../support/facts.js';
import { type Case, type Outcome, prepare, runCase } from './runner.js';

/** Reading alone must bring this many within reach. */
const least = 90;

test(
  "upstream's cases that reading makes possible pass on the embedded engine",
  needsFacts('conformance/cases.json'),
  async (t) => {
    const data = join(factsDirectory, 'conformance', 'data');
    const facts = readFacts<Case[] | { cases: Case[] }>('conformance/cases.json');
    const cases = Array.isArray(facts) ? facts : facts.cases;
    await using g = new Guestfs({ environment: false });
    g.addDriveScratch(2 * 1024 ** 3);
    g.addDriveScratch(2 * 1024 ** 3);
    g.addDriveScratch(10 * 1024 ** 2);
    g.addDrive(join(data, 'test.iso'), { readonly: true, format: 'raw' });
    await g.launch();
    const outcomes: Outcome[] = [];
    const noScratch = await prepare(g, data);
    for (const one of cases) outcomes.push(await runCase(g, one, data, noScratch));

    const of = (verdict: Outcome['verdict']): Outcome[] =>
      outcomes.filter((outcome) => outcome.verdict === verdict);
    const reasons = new Map<string, number>();
    for (const { reason } of of('out of reach')) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    t.diagnostic(
      `${of('passed').length} of ${cases.length} pass, ${of('out of reach').length} are out of reach:`,
    );
    for (const [reason, count] of [...reasons].sort((a, b) => b[1] - a[1]))
      t.diagnostic(`${String(count).padStart(4)}  ${reason}`);
    assert.deepEqual(
      of('failed').map(({ name, reason }) => `${name}: ${reason}`),
      [],
    );
    const onIso = new Set(cases.filter(({ init }) => init === 'InitISOFS').map(({ name }) => name));
    assert.deepEqual(
      of('out of reach').filter(({ name }) => onIso.has(name)),
      [],
      'what starts from the ISO image only reads',
    );
    assert.ok(of('passed').length >= least, `only ${of('passed').length} pass`);
  },
);
