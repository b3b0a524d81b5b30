/**
 * Mutation fuzzing: real fixtures are damaged in a few places, and the parser that they are for uses all of what is
 * left. Only errors that name the trouble may come of it, in bounded time and memory. Half of the rounds find
 * checksums verified as always; in the other half they are let pass, so that damage reaches what lies behind them.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Campaign, newTally, type Tally } from './campaign.js';
import type { Target } from './target.js';
import { targets } from './targets/index.js';

const help = `Usage: npm run fuzz -- [OPTIONS]

Damages fixtures at random and has the parsers read them. A finding is an error
that is no GuestfsError, a round that takes too much processor time or memory or
does not end, or a process that dies. The status is 1 where something was found.

  --target NAME    only this target, or those whose names begin so; several times
                   for several
  --fixture NAME   only this fixture
  --seconds N      how long to go on in all (default 60), shared by the targets
  --rounds N       instead: so many rounds for each target
  --seed N         seed of the first round (default: by the clock); each round
                   after it has the next
  --once           only the round of --target, --fixture and --seed; a round
                   depends on nothing else, and a finding prints this line
  --limit-ms N     processor time that one round may take (default 5000)
  --limit-mib N    memory that one round may take (default 512)
  --list           the targets, and how many fixtures each has
  --help           this text`;

/** A mistake in the command line. */
function refuse(problem: string): never {
  console.error(`${problem}\nTry --help.`);
  process.exit(2);
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    return refuse((thrown as Error).message);
  }
}

const { values } = parse(() =>
  parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      fixture: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      rounds: { type: 'string' },
      seed: { type: 'string' },
      once: { type: 'boolean', default: false },
      'limit-ms': { type: 'string', default: '5000' },
      'limit-mib': { type: 'string', default: '512' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }),
);

function numberOf(name: 'seconds' | 'rounds' | 'seed' | 'limit-ms' | 'limit-mib', text: string): number {
  const value = Number(text);
  if (!(value >= 0 && Number.isFinite(value)) || (name !== 'seconds' && !Number.isSafeInteger(value)))
    refuse(`--${name} ${text}: not a number that it can be`);
  return value;
}

function chosenTargets(): readonly Target[] {
  const { target: names } = values;
  if (names === undefined) return targets;
  for (const name of names) {
    if (!targets.some((target) => target.name.startsWith(name)))
      refuse(`there is no target ${name}; there are\n  ${targets.map((target) => target.name).join('\n  ')}`);
  }
  const exact = targets.filter((target) => names.includes(target.name));
  return targets.filter(
    (target) =>
      exact.includes(target) ||
      names.some((name) => target.name.startsWith(name) && !exact.some((each) => each.name === name)),
  );
}

const limits = {
  milliseconds: numberOf('limit-ms', values['limit-ms']),
  bytes: numberOf('limit-mib', values['limit-mib']) * 2 ** 20,
};
const campaign = new Campaign({ program: fileURLToPath(new URL('./runner.js', import.meta.url)), limits });

process.on('exit', () => campaign.end());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

async function once(): Promise<boolean> {
  const { target: names, fixture, seed } = values;
  const [name] = names ?? [];
  if (name === undefined || fixture === undefined || seed === undefined)
    refuse('--once needs --target, --fixture and --seed');
  if (!targets.some((target) => target.name === name)) refuse(`there is no target ${name}`);
  const problem = await campaign.once(name, fixture, numberOf('seed', seed));
  console.log(problem === undefined ? 'no finding' : problem.text);
  return problem !== undefined;
}

/** How long one fixture is kept at before it is the next one's turn, in milliseconds. */
const turn = 1000;
/** A target with so many kinds of findings is left: the parser is broken as a whole. */
const enoughFindings = 20;

/** Fuzzes one target. */
async function fuzz(target: Target, firstSeed: number, milliseconds: number, rounds: number): Promise<Tally> {
  const tally = newTally(firstSeed);
  const fixtures = target.fixtures.filter((name) => values.fixture === undefined || name === values.fixture);
  if (fixtures.length === 0) refuse(`${target.name} has no fixture ${values.fixture ?? ''}`);
  const end = performance.now() + milliseconds;
  // With short shares, each fixture has a turn all the same.
  const share = Math.min(turn, milliseconds / fixtures.length);
  const fewRounds = Math.ceil(rounds / fixtures.length);
  for (
    let i = 0;
    performance.now() < end && tally.rounds < rounds && tally.findings.size < enoughFindings;
    i++
  ) {
    const fixture = fixtures[i % fixtures.length] as string; // safe: below the length, which is not 0
    const left = Math.min(fewRounds, rounds - tally.rounds);
    await campaign.batch(
      { target: target.name, fixture, seed: firstSeed + tally.rounds, rounds: left, milliseconds: share },
      tally,
    );
  }
  return tally;
}

/** A word for a shell. */
const quoted = (word: string): string => (/^[\w./-]+$/.test(word) ? word : `'${word}'`);

function tell(target: Target, tally: Tally): void {
  const { findings, unconfirmed, longest, peakBytes } = tally;
  const perSecond = (tally.rounds / Math.max(1, tally.milliseconds)) * 1000;
  const found = findings.size === 0 ? '' : `  ${findings.size} FINDINGS`;
  const doubtful = unconfirmed === 0 ? '' : `  ${unconfirmed} not confirmed alone`;
  console.log(
    `${target.name.padEnd(20)} ${String(tally.rounds).padStart(9)} rounds  ${perSecond.toFixed(0).padStart(6)}/s  longest ${longest.milliseconds.toFixed(0).padStart(5)} ms` +
      `  peak ${(peakBytes / 2 ** 20).toFixed(0).padStart(4)} MiB${found}${doubtful}`,
  );
  if (longest.milliseconds > limits.milliseconds / 5)
    console.log(
      `    longest: --target ${target.name} --fixture ${quoted(longest.fixture)} --seed ${longest.seed}`,
    );
  for (const { finding, count } of findings.values()) {
    const { fixture, seed, text, confirmed } = finding;
    const also = confirmed ? '' : ' (not by this round alone: something is kept from one round to the next)';
    console.log(
      `\n--once --target ${target.name} --fixture ${quoted(fixture)} --seed ${seed}\n${count} times${also}: ${text}\n`,
    );
  }
}

async function main(): Promise<boolean> {
  if (values.once) return await once();
  const chosen = chosenTargets();
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : numberOf('seed', values.seed);
  const rounds = values.rounds === undefined ? Number.POSITIVE_INFINITY : numberOf('rounds', values.rounds);
  const seconds =
    values.rounds === undefined ? numberOf('seconds', values.seconds) : Number.POSITIVE_INFINITY;
  console.log(`seed ${seed}`);
  let found = false;
  let total = 0;
  for (const target of chosen) {
    const tally = await fuzz(target, seed, (seconds * 1000) / chosen.length, rounds);
    tell(target, tally);
    found ||= tally.findings.size > 0;
    total += tally.rounds;
  }
  console.log(`${total} rounds in all, from seed ${seed}`);
  return found;
}

if (values.help) console.log(help);
else if (values.list)
  for (const { name, fixtures } of targets) console.log(`${name.padEnd(20)} ${fixtures.length} fixtures`);
else process.exit((await main()) ? 1 : 0);
