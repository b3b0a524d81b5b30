/** The tests that every scenario of a suite is answered as libguestfs answered it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Guestfs } from '../../src/guestfs/index.js';
import type { Difference } from './difference.js';
import { keptAnswers } from './oracle.js';
import { type Outcome, problemOf } from './outcome.js';
import { withDriveFiles } from './reading/drives.js';
import { runScenarios } from './run.js';
import type { Suite } from './scenario.js';

export interface Side {
  /** The backend. */
  readonly name: string;
  readonly handle: () => Guestfs;
  readonly differences: readonly Difference[];
  /** Options of the tests: a reason to skip them. */
  readonly needs: { skip?: string };
}

/** Defines one test for each scenario; they share one launch. */
export function testSuite(suite: Suite, { name, handle, differences, needs }: Side): void {
  describe(`scenarios on ${suite.name}, ${name}`, needs, () => {
    let answers: Promise<Outcome[][]> | undefined;
    const kept = keptAnswers(suite);
    const answered = (): Promise<Outcome[][]> => {
      answers ??= withDriveFiles(suite, (files) => runScenarios(handle(), files, suite));
      return answers;
    };
    for (const [index, scenario] of suite.scenarios.entries()) {
      test(`${scenario.name}: as libguestfs`, async () => {
        const ours = (await answered())[index] ?? [];
        const theirs = kept(scenario);
        assert.equal(ours.length, theirs.length);
        const problems = ours.flatMap(
          (answer, step) => problemOf(differences, scenario, step, answer, theirs[step] as Outcome) ?? [],
        );
        assert.deepEqual(problems, [], problems.join('\n'));
      });
    }
  });
}
