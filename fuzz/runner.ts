/** The process that runs rounds: told by the campaign what to run, and killed by it when a round does not end. */
import { writeFileSync, writeSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { type Order, type Outcome, type Problem, preparing, stateDescriptor, stateLength } from './orders.js';
import { type Prepared, prepare, runRound } from './round.js';
import { targets } from './targets/index.js';

/** Fixtures that are kept ready until there are more; in bytes. */
const mostPrepared = 640 * 1024 * 1024;
/** Fixtures of one target that are ready. */
const prepared = new Map<string, Prepared>();

/** What escaped from a callback of the round that is running. */
let escaped: unknown;
process.on('uncaughtException', (thrown) => {
  escaped ??= thrown;
});

async function getPrepared(name: string, fixture: string): Promise<Prepared> {
  const known = prepared.get(fixture);
  if (known?.target.name === name) return known;
  const target = targets.find((each) => each.name === name);
  if (target === undefined) throw new Error(`there is no target ${name}`);
  const held = [...prepared.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (known !== undefined || held > mostPrepared) prepared.clear();
  const ready = await prepare(target, fixture);
  prepared.set(fixture, ready);
  return ready;
}

const state = new DataView(new ArrayBuffer(stateLength));
function noteSeed(seed: number): void {
  state.setFloat64(0, seed);
  writeSync(stateDescriptor, state, 0, stateLength, 0);
}

/** Processor time of this process, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * The most memory that the process has had since {@link forgetPeak}, or since it began where the system cannot
 * forget.
 */
const peak = (): number => process.resourceUsage().maxRSS * 1024;

/** Memory outside V8's heap, also such as was asked for and not yet used: the peak does not have that. */
const heldOutside = (): number => getHeapStatistics().external_memory;

function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux: the peak is that of the whole process, and a suspicion is confirmed in a fresh one.
  }
}

async function obey(order: Order): Promise<Outcome> {
  const { limits } = order;
  noteSeed(preparing);
  const begin = processorTime();
  const input = await getPrepared(order.target, order.fixture);
  forgetPeak();
  const before = peak();
  const end = performance.now() + order.milliseconds;
  let longest = { milliseconds: 0, seed: order.seed };
  let problem: Problem | undefined;
  let rounds = 0;
  let most = 0;
  do {
    const seed = order.seed + rounds;
    noteSeed(seed);
    const held = heldOutside();
    const start = processorTime();
    const error = await runRound(input, seed);
    const milliseconds = processorTime() - start;
    rounds++;
    if (milliseconds > longest.milliseconds) longest = { milliseconds, seed };
    const thrown = error ?? (escaped instanceof Error ? escaped.stack : escaped);
    escaped = undefined;
    const grown = Math.max(peak() - before, heldOutside() - held);
    most = Math.max(most, grown);
    if (thrown !== undefined) problem = { seed, kind: 'error', text: String(thrown) };
    else if (milliseconds > limits.milliseconds)
      problem = { seed, kind: 'time', text: `took ${Math.round(milliseconds)} ms of processor time` };
    else if (grown > limits.bytes)
      problem = { seed, kind: 'memory', text: `took ${Math.round(grown / 2 ** 20)} MiB of memory` };
  } while (problem === undefined && rounds < order.rounds && performance.now() < end);
  return {
    rounds,
    milliseconds: processorTime() - begin,
    longest,
    peakBytes: most,
    inputBytes: input.bytes.length,
    ...(problem === undefined ? {} : { problem }),
  };
}

process.on('message', (order: Order) => {
  obey(order).then(
    (outcome) => process.send?.(outcome),
    (thrown: unknown) => {
      console.error(thrown);
      process.exit(70);
    },
  );
});

process.on('disconnect', () => process.exit());
