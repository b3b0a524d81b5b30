/**
 * Mutation fuzzing, bounded in time: real fixtures are damaged in a few places and read in full. Only CorruptError and
 * UnsupportedError (or another GuestfsError that names the trouble) may come out, and no round may take long.
 *
 *     npm run fuzz -- [--seconds N] [--seed N] [--target NAME]
 *
 * A finding prints the target, fixture and seed that make it again, and the run fails.
 */
import { parseArgs } from 'node:util';
import { GuestfsError } from '../src/base/index.js';
import { damage, usedSectors } from './mutate.js';
import { Random } from './random.js';
import { loadFixture, type Target, targets } from './targets.js';

/** A round that takes longer than this is a finding, in milliseconds. */
const longestRound = 5000;

interface Finding {
  readonly target: string;
  readonly fixture: string;
  readonly seed: number;
  readonly problem: string;
}

function round(
  target: Target,
  fixture: string,
  bytes: Uint8Array,
  sectors: readonly number[],
  seed: number,
): Finding | undefined {
  const random = new Random(seed);
  const undo = damage(bytes, sectors, random);
  const found = (problem: string): Finding => ({ target: target.name, fixture, seed, problem });
  // Now and then the image is also cut short.
  const cut = random.below(8) === 0 ? random.below(bytes.length) : bytes.length;
  const start = performance.now();
  try {
    target.run(bytes.subarray(0, cut));
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) return found((thrown as Error).stack ?? String(thrown));
  } finally {
    undo();
  }
  const took = performance.now() - start;
  return took > longestRound ? found(`took ${Math.round(took)} ms`) : undefined;
}

/** Fuzzes one target for some time; gives how many rounds there were and what was found. */
function fuzz(target: Target, seconds: number, firstSeed: number): { rounds: number; findings: Finding[] } {
  const end = performance.now() + seconds * 1000;
  const findings: Finding[] = [];
  let rounds = 0;
  if (target.fixtures.length === 0) throw new Error(`${target.name} has no fixtures`);
  const share = (seconds * 1000) / target.fixtures.length;
  for (const fixture of target.fixtures) {
    const bytes = loadFixture(fixture);
    const sectors = usedSectors(bytes);
    const until = Math.min(end, performance.now() + share);
    do {
      const finding = round(target, fixture, bytes, sectors, firstSeed + rounds);
      rounds++;
      if (finding) findings.push(finding);
    } while (performance.now() < until && findings.length < 20);
  }
  return { rounds, findings };
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    target: { type: 'string' },
    fixture: { type: 'string' },
    once: { type: 'boolean', default: false },
  },
});
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0)
  throw new Error(`no target ${values.target}; there are ${targets.map(({ name }) => name).join(', ')}`);
const seed = Number(values.seed);
let failed = false;
for (const target of chosen) {
  if (values.once && values.fixture !== undefined) {
    const bytes = loadFixture(values.fixture);
    console.log(round(target, values.fixture, bytes, usedSectors(bytes), seed)?.problem ?? 'no finding');
    continue;
  }
  const { rounds, findings } = fuzz(target, Number(values.seconds) / chosen.length, seed);
  const memory = Math.round(process.memoryUsage().rss / 1024 / 1024);
  console.log(
    `${target.name.padEnd(14)} ${String(rounds).padStart(7)} rounds, ${findings.length} findings, ${memory} MB`,
  );
  for (const { target: name, fixture, seed: at, problem } of findings) {
    failed = true;
    console.log(`\n--once --target ${name} --fixture ${fixture} --seed ${at}\n${problem}\n`);
  }
}
console.log(`seed ${seed}`);
process.exit(failed ? 1 : 0);
