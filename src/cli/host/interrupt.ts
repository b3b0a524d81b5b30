/** Ctrl-C and similar signals: the first asks the running call to stop, the second ends the process at once. */

import { removePartialOutput } from './partial-output.js';

/** Signals that end the process in good order, and their numbers, which shells add to 128 for the exit status. */
const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
type EndingSignal = keyof typeof numbers;

/** How long an orderly end may take after the first signal: the reader of a pipe may block our writes. */
const patienceInMs = 3000;

/**
 * Ends the process by a signal, so that the caller sees the signal, and no exit handler or blocked thread delays the
 * end.
 */
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

  /** Gives signals their default effect again. */
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
