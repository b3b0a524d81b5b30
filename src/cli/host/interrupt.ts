/** Ctrl-C and its like: the first asks the running call to stop, the second ends the process at once. */

import { removePartialOutput } from './partial-output.js';

/** Signals that end us in good order, and the numbers that shells add to 128 for the exit status. */
const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type EndingSignal = keyof typeof numbers;

/** After the first signal, how long an orderly end may take: somebody may hold a pipe that we write to. */
const patienceInMs = 3000;

/** Dies of a signal, so that the caller sees it and no exit handler or blocked thread is waited for. */
function dieOf(signal: EndingSignal): void {
  removePartialOutput();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

export class Interrupt {
  readonly #controller = new AbortController();
  #received: EndingSignal | undefined;
  readonly #listeners = new Map<EndingSignal, () => void>();

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status that the signal asks for; undefined when none came. */
  get status(): number | undefined {
    return this.#received && 128 + numbers[this.#received];
  }

  /** Listens from now on. */
  listen(): void {
    for (const signal of Object.keys(numbers) as EndingSignal[]) {
      const listener = (): void => this.#receive(signal);
      this.#listeners.set(signal, listener);
      process.on(signal, listener);
    }
  }

  /** Leaves signals to what they do by themselves. */
  stop(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener);
    this.#listeners.clear();
  }

  #receive(signal: EndingSignal): void {
    if (this.#received !== undefined) return dieOf(signal);
    this.#received = signal;
    this.#controller.abort();
    setTimeout(dieOf, patienceInMs, signal).unref();
  }
}
