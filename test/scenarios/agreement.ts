/** The tests that every scenario of a suite is answered as libguestfs answered it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Guestfs } from '../../src/guestfs/index.js';
import type { Difference } from './difference.js';
import { keptAnswers } from './oracle.js';
import { type Outcome, problemOf } from './outcome.js';
import { withDriveFiles } from './reading/drives.js';
import { runScenarios } from './run.js';
import type { Scenario, Suite } from './scenario.js';

export interface Side {
  /** The backend. */
  readonly name: string;
  readonly handle: () => Guestfs;
  readonly differences: readonly Difference[];
  /** Options of the tests: a reason to skip them. */
  readonly needs: { skip?: string };
  /** The numbers of the steps that are made of a scenario, by what libguestfs answered. Default: all. */
  readonly steps?: (scenario: Scenario, outcomes: readonly Outcome[]) => readonly number[];
}

/** Some of the steps of a scenario, and what libguestfs answered to them. */
interface Asked {
  readonly scenario: Scenario;
  readonly theirs: readonly Outcome[];
}

/** Defines one test for each scenario; they share one launch. */
export function testSuite(suite: Suite, { name, handle, differences, needs, steps }: Side): void {
  describe(`scenarios on ${suite.name}, ${name}`, needs, () => {
    const kept = keptAnswers(suite);
    const ask = (scenario: Scenario): Asked => {
      const theirs = kept(scenario);
      if (steps === undefined) return { scenario, theirs };
      const numbers = new Set(steps(scenario, theirs));
      const isAsked = (_each: unknown, number: number): boolean => numbers.has(number);
      return {
        scenario: { ...scenario, steps: scenario.steps.filter(isAsked) },
        theirs: theirs.filter(isAsked),
      };
    };
    let answers: Promise<Map<string, Outcome[]>> | undefined;
    const answered = (): Promise<Map<string, Outcome[]>> => {
      answers ??= withDriveFiles(suite, async (files) => {
        const scenarios = suite.scenarios.map((scenario) => ask(scenario).scenario);
        const outcomes = await runScenarios(handle(), files, { ...suite, scenarios });
        return new Map(scenarios.map((scenario, index) => [scenario.name, outcomes[index] ?? []]));
      });
      return answers;
    };
    for (const each of suite.scenarios) {
      test(`${each.name}: as libguestfs`, async () => {
        const { scenario, theirs } = ask(each);
        const ours = (await answered()).get(scenario.name) ?? [];
        assert.equal(ours.length, theirs.length);
        const problems = ours.flatMap(
          (answer, step) => problemOf(differences, scenario, step, answer, theirs[step] as Outcome) ?? [],
        );
        assert.deepEqual(problems, [], problems.join('\n'));
      });
    }
  });
}
