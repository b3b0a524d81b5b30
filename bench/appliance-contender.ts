/** A program that stays, does one job after another when it is told to, and says how long each took. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** What is asked of it. Sizes in bytes. */
export type WireRequest =
  | { readonly do: 'version' | 'close' }
  /** A handle of its own, launched and closed. */
  | { readonly do: 'launch' | 'ready'; readonly settings: readonly string[]; readonly driveInBytes: number }
  | { readonly do: 'upload' | 'download'; readonly host: string; readonly guest: string }
  | { readonly do: 'hole'; readonly guest: string; readonly sizeInBytes: number }
  | { readonly do: 'calls'; readonly count: number };

/** What a job took. */
export interface Measured {
  readonly seconds: number;
  /** Seconds of the program's own processor time; qemu's are not in it. */
  readonly processor: number;
  /** Seconds of qemu's processor time. */
  readonly guest: number;
  /** The most resident memory in the first and in the second half, in bytes. */
  readonly memory?: readonly [number, number];
}

export interface Answer extends Partial<Measured> {
  readonly version?: string;
  readonly failed?: string;
}

/** Longer than any job takes, in milliseconds. */
const patienceInMs = 600_000;

export class Contender {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #lines: Interface;
  #waiting: ((answer: Answer) => void) | undefined;

  constructor(name: string, program: string, args: readonly string[]) {
    this.name = name;
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // safe: it was asked for as a pipe
    this.#lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    this.#lines.on('line', (line) => this.#tell(JSON.parse(line) as Answer));
    this.#process.on('error', (error) => this.#tell({ failed: error.message }));
    this.#process.on('exit', (status, signal) => this.#tell({ failed: `ended: ${signal ?? status}` }));
    this.#process.stdin?.on('error', () => {}); // its end is told by `exit`
  }

  #tell(answer: Answer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(answer);
  }

  /** One job, to its end. Never rejects: what goes wrong is in the answer. */
  ask(request: WireRequest): Promise<Answer> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null)
      return Promise.resolve({ failed: 'it has ended before' });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), patienceInMs);
      this.#waiting = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Ends it, and the appliance that it has open. */
  end(): void {
    this.#process.stdin?.end();
  }
}
