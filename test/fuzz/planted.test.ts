/**
 * The fuzzer itself: errors that are planted in the parsers are found in a bounded number of rounds, the source as it
 * is has none there, and the line that a finding prints makes it again.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { buildFuzzer } from '../../fuzz/build.js';
import { Campaign, type Finding, newTally } from '../../fuzz/campaign.js';
import { planting } from '../support/planting.js';
import { type Plant, readPlants } from './plant.js';

const plants = await readPlants();

/** Each plant is to be found in so many rounds, from a fixed seed. */
const mostRounds = 4000;
const firstSeed = 1;
const limits = { milliseconds: 250, bytes: 256 * 2 ** 20 };

// Below the project, where packages are found.
const directory = mkdtempSync(join('build', 'planted-'));
after(() => rmSync(directory, { recursive: true }));

/** Runs rounds until something is found. */
async function find(
  program: string,
  { target, fixtures }: Plant,
): Promise<{ finding: Finding | undefined; rounds: number }> {
  const campaign = new Campaign({ program: join(program, 'runner.js'), limits });
  const tally = newTally(firstSeed);
  try {
    for (const fixture of fixtures) {
      while (tally.rounds < mostRounds && tally.findings.size === 0) {
        const left = {
          seed: firstSeed + tally.rounds,
          rounds: mostRounds - tally.rounds,
          milliseconds: 1000,
        };
        await campaign.batch({ target, fixture, ...left }, tally);
      }
    }
  } finally {
    campaign.end();
  }
  return { finding: [...tally.findings.values()][0]?.finding, rounds: tally.rounds };
}

for (const [index, plant] of plants.entries()) {
  test(`${plant.target}: it is found when ${plant.error}`, async () => {
    const program = join(directory, String(index));
    await buildFuzzer(program, [planting([plant])]);
    const { finding, rounds } = await find(program, plant);
    assert.ok(finding, `not found in ${rounds} rounds`);
    assert.match(finding.text, plant.finding);
    assert.ok(finding.confirmed, 'the round alone has it too');
  });
}

/** Runs the program; gives its status and what it prints. */
function fuzz(program: string, ...args: readonly string[]): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync(process.execPath, [join(program, 'main.js'), ...args], {
    encoding: 'utf8',
  });
  return { status, stdout };
}

test('the line that a finding prints makes that round again, and nothing else is found with it', async () => {
  const plant = plants.find(({ target }) => target === 'inspect');
  assert.ok(plant);
  const program = join(directory, 'line');
  await buildFuzzer(program, [planting([plant])]);
  const found = fuzz(
    program,
    '--target',
    'inspect',
    '--fixture',
    plant.fixtures[0] ?? '',
    '--rounds',
    '200',
    '--seed',
    '1',
  );
  assert.equal(found.status, 1);
  const [, line, text] = /^(--once .*)\n[0-9]+ times: (.*)$/m.exec(found.stdout) ?? [];
  assert.ok(line && text, found.stdout);
  const words = [...line.matchAll(/'([^']*)'|[^ ]+/g)].map(([word, quoted]) => quoted ?? word);
  const again = fuzz(program, ...words, '--seconds', '1');
  assert.equal(again.status, 1);
  assert.equal(again.stdout.split('\n')[0], text);
});

test('a process that dies is a finding with its seed, and the next rounds go on', async () => {
  const program = join(directory, 'death');
  const plant: Plant = {
    error: 'the process ends',
    file: 'formats/guests/apk.ts',
    original: "lists too many packages', { packageLimit });\n    }\n  }",
    planted:
      "lists too many packages', { packageLimit });\n    }\n    if (application === undefined) process.abort();\n  }",
    target: 'inspect',
    fixtures: ['packages: apk'],
    finding: /the process ended \(SIGABRT\)/,
  };
  await buildFuzzer(program, [planting([plant])]);
  const { finding, rounds } = await find(program, plant);
  assert.match(finding?.text ?? `not found in ${rounds} rounds`, plant.finding);
  assert.ok(finding?.confirmed);
  assert.equal(finding.seed, firstSeed + rounds - 1);
});
