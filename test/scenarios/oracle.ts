/** The real libguestfs as oracle, and its answers as they are kept. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { actions } from '../../src/api/index.js';
import type { Outcome } from './outcome.js';
import { type DriveFile, withDriveFiles } from './reading/drives.js';
import type { Scenario, Suite } from './scenario.js';

const python = '/usr/bin/python3';

/** Options for a test that asks the real libguestfs. */
export function needsLibguestfs(): { skip?: string } {
  const { status } = spawnSync(python, ['-c', 'import guestfs']);
  return status === 0 ? {} : { skip: 'not installed: python3-guestfs' };
}

/** What the real libguestfs answers to every step of every scenario. */
export async function askLibguestfs(
  files: readonly DriveFile[],
  { scenarios, writes }: Suite,
): Promise<Outcome[][]> {
  const names = new Set(scenarios.flatMap(({ steps }) => steps.map(([action]) => action)));
  const results = Object.fromEntries([...names].map((name) => [name, actions[name].result.type]));
  const child = spawn(python, ['test/scenarios/oracle.py'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ drives: files, writes: writes === true, scenarios, results }));
  const [answer] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`oracle.py ended with ${child.exitCode ?? child.signalCode}`);
  return JSON.parse(answer) as Outcome[][];
}

/** Answers by the step, as JSON, within a scenario by its name: so that a change elsewhere does not shift them. */
type Kept = Record<string, { readonly steps: string; readonly outcomes: Outcome[] }>;

const keptPath = ({ name }: Suite): string => `test/scenarios/answers/${name}.json.gz`;
const stepsText = ({ mounted, steps }: Scenario): string => JSON.stringify({ mounted, steps });

function readKept(suite: Suite): Kept {
  return existsSync(keptPath(suite)) ? JSON.parse(gunzipSync(readFileSync(keptPath(suite))).toString()) : {};
}

/** The kept answers to a scenario. An error where it was changed since they were made. */
export function keptAnswers(suite: Suite): (scenario: Scenario) => readonly Outcome[] {
  const kept = readKept(suite);
  return (scenario) => {
    const found = kept[scenario.name];
    if (found?.steps !== stepsText(scenario))
      throw new Error(`${scenario.name}: no kept answer; run node scripts/fixtures/scenario-answers.mjs`);
    return found.outcomes;
  };
}

/**
 * Asks the real libguestfs and keeps its answers. `changedOnly`: keeps those it has to scenarios that have not
 * changed, as long as the drives have not either. Gives the names of the scenarios that it asked about.
 */
export async function keepAnswers(suite: Suite, changedOnly: boolean): Promise<string[]> {
  const before = changedOnly ? readKept(suite) : {};
  const asked = suite.scenarios.filter((scenario) => before[scenario.name]?.steps !== stepsText(scenario));
  const outcomes =
    asked.length === 0
      ? []
      : await withDriveFiles(suite, (files) => askLibguestfs(files, { ...suite, scenarios: asked }));
  const fresh: Kept = Object.fromEntries(
    asked.map((scenario, index) => [
      scenario.name,
      { steps: stepsText(scenario), outcomes: outcomes[index] ?? [] },
    ]),
  );
  const all = { ...before, ...fresh };
  const kept = Object.fromEntries(suite.scenarios.map(({ name }) => [name, all[name]]));
  writeFileSync(keptPath(suite), gzipSync(JSON.stringify(kept), { level: 9 }));
  return asked.map(({ name }) => name);
}
