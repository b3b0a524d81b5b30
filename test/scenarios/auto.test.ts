/**
 * Scenarios on `auto`, with a hand-over to the appliance forced before one of their steps: what was before it is
 * answered as by the embedded engine, and all that comes after as by the appliance from the start.
 *
 * A hand-over takes a launch, so there are as many as fit in a few minutes; which ones depends on a seed.
 * GUESTFS_TEST_HANDOVERS=all has one before each step of each scenario that only reads, in some hours; `states` has one
 * for each session that they hand over, as many are the same, in a quarter of an hour;
 * GUESTFS_TEST_HANDOVERS=SEED has others, and GUESTFS_TEST_HANDOVERS=SEEDxCOUNT as many as one likes.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { actions } from '../../src/api/index.js';
import { autoHandle, needsAppliance } from '../support/appliance.js';
import { chooseHandOvers, onlyStates } from '../support/handovers.js';
import { directDifferences } from './direct-differences.js';
import { embeddedDifferences } from './embedded-differences.js';
import { keptAnswers } from './oracle.js';
import { type Outcome, problemOf } from './outcome.js';
import { withDriveFiles } from './reading/drives.js';
import { launchOn, runScenario } from './run.js';
import type { Scenario, Suite } from './scenario.js';
import { suites } from './suites.js';

/** How many of them there are where not all are wanted. */
const usual = 12;

interface HandOver {
  readonly suite: Suite;
  readonly scenario: Scenario;
  /** The step before which it comes; the number of steps: after the last one. */
  readonly step: number;
}

/** Actions that only read, and yet change what a session knows. */
const remembered =
  /^(?:inspect_os|hivex_(?:open|close)|u?mount(?!s$|points|able)|lvm_(?:set|clear)|vg_activate|blockdev_set)/;
const isMount = (call: string): boolean => call.startsWith('["mount');

/** What is handed over behind the first steps of a scenario: the calls that made it. */
function stateBehind({ steps }: Scenario, count: number): string {
  let calls: string[] = [];
  for (const step of steps.slice(0, count)) {
    const [name] = step;
    if (name === 'umount_all') calls = calls.filter((call) => !isMount(call));
    else if (actions[name].reads !== true || remembered.test(name)) calls.push(JSON.stringify(step));
  }
  return calls.join();
}

/** The first hand-over of each state. */
function ofStates(all: readonly HandOver[]): readonly HandOver[] {
  const first = new Map<string, HandOver>();
  for (const each of all) {
    const key = `${each.suite.name} ${stateBehind(each.scenario, each.step)}`;
    if (!first.has(key)) first.set(key, each);
  }
  return [...first.values()];
}

function chosen(): readonly HandOver[] {
  const all = suites
    .filter(({ writes }) => writes !== true)
    .flatMap((suite) =>
      suite.scenarios.flatMap((scenario) =>
        Array.from({ length: scenario.steps.length + 1 }, (_, step) => ({ suite, scenario, step })),
      ),
    );
  return chooseHandOvers(onlyStates ? ofStates(all) : all, usual);
}

/** The engine mounts what Linux refuses, for options that ask for nothing there: the mount goes along. */
const mountedByEngine: ReadonlySet<string> = new Set(['noload of ext2']);

/** Runs the scenario, and tells which steps were not answered as they should be. */
async function problemsOf({ suite, scenario, step }: HandOver): Promise<string[]> {
  return await withDriveFiles(suite, async (files) => {
    await using g = autoHandle();
    await launchOn(g, files, suite);
    const backends: (string | undefined)[] = [];
    const answers = await runScenario(g, scenario, suite, async (number) => {
      if (number > 0) backends.push(g.backend);
      if (number !== step) return;
      // No engine of ours knows the kernel's version.
      await g.utsname();
      assert.equal(g.backend, 'direct');
    });
    const theirs = keptAnswers(suite)(scenario);
    assert.equal(answers.length, theirs.length);
    let inspector: string | undefined;
    let mounter: string | undefined;
    return answers.flatMap((answer, index) => {
      const [action = ''] = scenario.steps[index] ?? [];
      if (action === 'inspect_os') inspector = backends[index];
      // What an inspection has found goes along, so the getters answer for the one who made it.
      const isFound = inspector !== undefined && /^inspect_(?:get|is)_/.test(action);
      if (action.startsWith('mount_')) mounter = backends[index];
      const answerer = isFound ? inspector : mountedByEngine.has(scenario.name) ? mounter : backends[index];
      const differences = answerer === 'direct' ? directDifferences : embeddedDifferences;
      return problemOf(differences, scenario, index, answer, theirs[index] as Outcome) ?? [];
    });
  });
}

describe('a hand-over', needsAppliance(), () => {
  for (const each of chosen()) {
    const { suite, scenario, step } = each;
    test(`before step ${step} of ‘${scenario.name}’ on ${suite.name} changes no answer`, async () => {
      const problems = await problemsOf(each);
      assert.deepEqual(problems, [], problems.join('\n'));
    });
  }
});
