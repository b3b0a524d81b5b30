/** Every scenario, on the embedded backend, against what the real libguestfs answered. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actions } from '../../src/api/index.js';
import { handledActions } from '../../src/engine/dispatch.js';
import { differences } from './differences.js';
import { withDriveFiles } from './drives.js';
import { runEmbedded } from './embedded.js';
import { keptAnswers } from './oracle.js';
import { type Outcome, problemOf } from './outcome.js';
import { suites } from './suites.js';

for (const suite of suites) {
  describe(`scenarios on ${suite.name}`, () => {
    let ours: Promise<Outcome[][]> | undefined;
    const kept = keptAnswers(suite);
    const embedded = (): Promise<Outcome[][]> => {
      ours ??= withDriveFiles(suite, (files) => runEmbedded(files, suite.scenarios));
      return ours;
    };
    for (const [index, scenario] of suite.scenarios.entries()) {
      test(`${scenario.name}: as libguestfs`, async () => {
        const answers = (await embedded())[index] ?? [];
        const theirs = kept(scenario);
        assert.equal(answers.length, theirs.length);
        const problems = answers.flatMap(
          (answer, step) => problemOf(scenario, step, answer, theirs[step] as Outcome) ?? [],
        );
        assert.deepEqual(problems, [], problems.join('\n'));
      });
    }
  });
}

test('every action that the engine does is in a scenario', async () => {
  const inScenarios = new Set(
    suites.flatMap(({ scenarios }) => scenarios.flatMap(({ steps }) => steps.map(([action]) => action))),
  );
  const missing = (await handledActions()).filter((name) => !inScenarios.has(name));
  assert.deepEqual(missing, []);
  assert.ok((await handledActions()).every((name) => name in actions));
});

test('every known difference is of a step that there is, and scenarios have names of their own', () => {
  const steps = new Set(
    suites.flatMap(({ scenarios }) =>
      scenarios.flatMap((scenario) => scenario.steps.map((step) => JSON.stringify(step))),
    ),
  );
  const stale = differences.flatMap((difference) =>
    difference.steps.map((step) => JSON.stringify(step)).filter((step) => !steps.has(step)),
  );
  assert.deepEqual(stale, []);
  for (const { scenarios } of suites) {
    assert.equal(new Set(scenarios.map(({ name }) => name)).size, scenarios.length);
  }
});
