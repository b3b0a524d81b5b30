/** The real libguestfs as oracle, and its answers as they are kept. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { actions } from '../../src/api/index.js';
import { type DriveFile, withDriveFiles } from './drives.js';
import type { Outcome } from './outcome.js';
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
  scenarios: readonly Scenario[],
): Promise<Outcome[][]> {
  const names = new Set(scenarios.flatMap(({ steps }) => steps.map(([action]) => action)));
  const results = Object.fromEntries([...names].map((name) => [name, actions[name].result.type]));
  const child = spawn(python, ['test/api/oracle.py'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ drives: files, scenarios, results }));
  const [answer] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (child.exitCode !== 0) throw new Error(`oracle.py ended with ${child.exitCode ?? child.signalCode}`);
  return JSON.parse(answer) as Outcome[][];
}

/** Answers by the step, as JSON, within a scenario by its name: so that a change elsewhere does not shift them. */
type Kept = Record<string, { readonly steps: string; readonly outcomes: Outcome[] }>;

const keptPath = ({ name }: Suite): string => `test/api/answers/${name}.json.gz`;
const stepsText = ({ mounted, steps }: Scenario): string => JSON.stringify({ mounted, steps });

/** The kept answers to a scenario. An error where it was changed since they were made. */
export function keptAnswers(suite: Suite): (scenario: Scenario) => readonly Outcome[] {
  const kept = JSON.parse(gunzipSync(readFileSync(keptPath(suite))).toString()) as Kept;
  return (scenario) => {
    const found = kept[scenario.name];
    if (found?.steps !== stepsText(scenario))
      throw new Error(`${scenario.name}: no kept answer; run node scripts/fixtures/scenario-answers.mjs`);
    return found.outcomes;
  };
}

/** Asks the real libguestfs and keeps its answers. */
export async function keepAnswers(suite: Suite): Promise<void> {
  const outcomes = await withDriveFiles(suite, (files) => askLibguestfs(files, suite.scenarios));
  const kept: Kept = Object.fromEntries(
    suite.scenarios.map((scenario, index) => [
      scenario.name,
      { steps: stepsText(scenario), outcomes: outcomes[index] ?? [] },
    ]),
  );
  writeFileSync(keptPath(suite), gzipSync(JSON.stringify(kept), { level: 9 }));
}
