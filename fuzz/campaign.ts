/**
 * Keeps a runner busy, and watches it: one that does not come to the end of a round, takes all memory or dies is
 * replaced, and the seed it was at is the finding. Each suspicion is run once more alone in a fresh process.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Limits,
  type Order,
  type Outcome,
  type Problem,
  preparing,
  stateDescriptor,
  stateLength,
} from './orders.js';

/** How often a running round is looked at, in milliseconds. */
const watchInterval = 100;
/** A round that is still running is killed after so many times the processor time that it may take. */
const processorPatience = 2;
/**
 * The same in time that passes: a round that waits for ever takes no processor time, and the machine may have other
 * work.
 */
const patience = 40;
/** The same where the system does not tell the processor time of others. */
const patienceAlone = 4;
/** The kernel counts the processor time of others in ticks, in milliseconds: the same on every Linux machine. */
const tick = 10;
/** A runner may take this long to load its program and a fixture, in milliseconds. */
const startPatience = 120_000;
/** A process that grew by this many times what a round may take is killed at once. */
const memoryPatience = 4;
/** Of V8's heap, in MiB: an input that makes a parser hoard ends the process, as it would end the engine's worker. */
const heapLimit = 1024;
/** Of what a dying process says, this many characters are shown. */
const shownEnd = 2000;

/** A process that runs rounds. */
class Runner {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #state: number;
  #said = '';

  constructor(program: string) {
    this.#directory = mkdtempSync(join(tmpdir(), 'guestfs-fuzz-'));
    this.#state = openSync(join(this.#directory, 'state'), 'w+');
    const stdio: (number | 'ignore' | 'pipe' | 'ipc')[] = ['ignore', 'ignore', 'pipe', 'ipc'];
    stdio[stateDescriptor] = this.#state;
    this.#process = fork(program, {
      execArgv: ['--enable-source-maps', `--max-old-space-size=${heapLimit}`],
      // What it leaves behind when it is killed goes with the directory.
      env: { ...process.env, TMPDIR: this.#directory },
      serialization: 'advanced',
      stdio,
    });
    this.#process.stderr?.on('data', (piece: Buffer) => {
      this.#said = (this.#said + piece.toString()).slice(-shownEnd);
    });
  }

  get #seed(): number {
    const bytes = new DataView(new ArrayBuffer(stateLength));
    return readSync(this.#state, bytes, 0, stateLength, 0) === stateLength ? bytes.getFloat64(0) : preparing;
  }

  /** Processor time, in milliseconds; undefined where the system does not tell. Source: proc(5), /proc/PID/stat. */
  get #processorTime(): number | undefined {
    try {
      const stat = readFileSync(`/proc/${this.#process.pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * tick;
    } catch {
      return undefined;
    }
  }

  /** Resident memory, in bytes; 0 where the system does not tell. */
  get #memory(): number {
    try {
      return Number(readFileSync(`/proc/${this.#process.pid}/statm`, 'latin1').split(' ')[1]) * 4096;
    } catch {
      return 0;
    }
  }

  /** What came of the order; undefined for the outcome of a runner that is gone. */
  run(order: Order): Promise<Outcome | Problem> {
    const { milliseconds, bytes } = order.limits;
    return new Promise((resolve) => {
      let seed = preparing;
      let since = performance.now();
      let used = this.#processorTime;
      let killed: Omit<Problem, 'seed'> | undefined;
      const first = this.#memory;
      const watch = setInterval(() => {
        const now = this.#seed;
        if (now !== seed) [seed, since, used] = [now, performance.now(), this.#processorTime];
        const took = performance.now() - since;
        const all = this.#processorTime;
        const worked = all === undefined || used === undefined ? undefined : all - used;
        if (seed === preparing) {
          if (took > startPatience) killed = { kind: 'end', text: 'was not ready after two minutes' };
        } else if (worked !== undefined && worked > milliseconds * processorPatience)
          killed = { kind: 'time', text: `did not end within ${worked} ms of processor time` };
        else if (took > milliseconds * (worked === undefined ? patienceAlone : patience))
          killed = { kind: 'time', text: `did not end within ${Math.round(took)} ms` };
        const memory = this.#memory - first;
        if (memory > bytes * memoryPatience)
          killed = { kind: 'memory', text: `took more than ${Math.round(memory / 2 ** 20)} MiB of memory` };
        if (killed !== undefined) this.#process.kill('SIGKILL');
      }, watchInterval);
      const settle = (outcome: Outcome | Problem): void => {
        clearInterval(watch);
        this.#process.removeAllListeners();
        resolve(outcome);
      };
      this.#process.once('message', (outcome: Outcome) => settle(outcome));
      this.#process.once('close', (status, signal) => {
        const why = killed ?? {
          kind: 'end' as const,
          text: `the process ended (${signal ?? `status ${status}`}):\n${this.#said}`,
        };
        settle({ ...why, seed: this.#seed });
      });
      this.#process.send(order);
    });
  }

  end(): void {
    this.#process.removeAllListeners();
    this.#process.kill('SIGKILL');
    closeSync(this.#state);
    rmSync(this.#directory, { recursive: true });
  }
}

/** A round that has something wrong. */
export interface Finding extends Problem {
  readonly target: string;
  readonly fixture: string;
  /** Whether the round alone, in a fresh process, has it too. */
  readonly confirmed: boolean;
}

/** What a target's rounds amount to. */
export interface Tally {
  rounds: number;
  /** Processor time, in milliseconds. */
  milliseconds: number;
  /** By what is wrong: the first of each kind, and how often it was met. */
  readonly findings: Map<string, { readonly finding: Finding; count: number }>;
  /** Suspicions of time or memory that the round alone did not have. */
  unconfirmed: number;
  longest: { milliseconds: number; seed: number; fixture: string };
  peakBytes: number;
}

export function newTally(seed: number): Tally {
  return {
    rounds: 0,
    milliseconds: 0,
    findings: new Map(),
    unconfirmed: 0,
    longest: { milliseconds: 0, seed, fixture: '' },
    peakBytes: 0,
  };
}

/** The same trouble from many seeds is one: by the first line that names a place in the source. */
function kindOf({ kind, text }: Problem, fixture: string): string {
  if (kind === 'time' || kind === 'memory') return `${kind} ${fixture}`;
  const [first = '', ...rest] = text.split('\n');
  return `${first.replace(/[0-9]+/g, 'N')} ${rest.find((line) => line.includes(' at '))?.trim() ?? ''}`;
}

export interface CampaignOptions {
  /** The program of the runners. */
  readonly program: string;
  readonly limits: Limits;
}

export class Campaign {
  readonly #options: CampaignOptions;
  #runner: Runner | undefined;
  /** For a round that is run alone. */
  #fresh: Runner | undefined;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** One round in a fresh process; undefined: there is nothing wrong with it. */
  async once(target: string, fixture: string, seed: number): Promise<Problem | undefined> {
    const { limits, program } = this.#options;
    this.#fresh = new Runner(program);
    const outcome = await this.#fresh.run({ target, fixture, seed, rounds: 1, milliseconds: 0, limits });
    this.#fresh.end();
    this.#fresh = undefined;
    return 'kind' in outcome ? outcome : outcome.problem;
  }

  /** Rounds on one fixture; gives how many there were. */
  async batch(order: Omit<Order, 'limits'>, tally: Tally): Promise<number> {
    const { limits, program } = this.#options;
    this.#runner ??= new Runner(program);
    const outcome = await this.#runner.run({ ...order, limits });
    const isGone = 'kind' in outcome;
    // A process without a seed died before its first round.
    const problem = isGone ? outcome : outcome.problem;
    const rounds = isGone ? Math.max(0, outcome.seed - order.seed) + 1 : outcome.rounds;
    tally.rounds += rounds;
    if (!isGone) {
      tally.milliseconds += outcome.milliseconds;
      if (outcome.longest.milliseconds > tally.longest.milliseconds)
        tally.longest = { ...outcome.longest, fixture: order.fixture };
      tally.peakBytes = Math.max(tally.peakBytes, outcome.peakBytes);
    }
    if (problem !== undefined) {
      // After time or memory beyond bounds, the process is no measure for others.
      if (isGone || problem.kind !== 'error') this.#endRunner();
      await this.#add(order, problem, tally);
    }
    return rounds;
  }

  async #add(
    { target, fixture }: { target: string; fixture: string },
    problem: Problem,
    tally: Tally,
  ): Promise<void> {
    const kind = kindOf(problem, fixture);
    const known = tally.findings.get(kind);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const again = await this.once(target, fixture, problem.seed);
    if (again === undefined && (problem.kind === 'time' || problem.kind === 'memory')) {
      tally.unconfirmed++;
      return;
    }
    const finding = { target, fixture, ...(again ?? problem), confirmed: again !== undefined };
    tally.findings.set(kind, { finding, count: 1 });
  }

  #endRunner(): void {
    this.#runner?.end();
    this.#runner = undefined;
  }

  /** Ends all processes at once. */
  end(): void {
    this.#endRunner();
    this.#fresh?.end();
    this.#fresh = undefined;
  }
}
