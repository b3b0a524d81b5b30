/** The calls of a launched handle: one runs, the others wait in the order in which they came. */
import { GuestfsError } from '../base/index.js';

/** A call that waits or runs. */
export interface Job<T = unknown> {
  /** The action, for errors. */
  readonly action: string;
  /** Does it. Called when its turn comes. */
  readonly run: () => Promise<T>;
  /** Takes the call out while it waits. While it runs, ending it is its own affair. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of a call that was refused while it waited. */
  readonly refused?: (error: GuestfsError) => void;
}

interface Waiting {
  readonly job: Job;
  start(): void;
  refuse(error: GuestfsError): void;
}

/** For a call that its signal ended. */
export const cancelledError = (action: string, reason: unknown): GuestfsError =>
  new GuestfsError('ECANCELED', 'cancelled', { action, cause: reason });

export class CallQueue {
  /** A set keeps the order of arrival, and lets go of one in the middle at no cost. */
  readonly #waiting = new Set<Waiting>();
  #running = false;

  /** Whether a call runs. None waits while none runs. */
  get busy(): boolean {
    return this.#running;
  }

  /** Runs a job: at once if none runs, before this returns; else after all that came before it. */
  add<T>(job: Job<T>): Promise<T> {
    const { action, signal } = job;
    return new Promise<T>((resolve, reject) => {
      const settle = (tell: () => void): void => {
        this.#next();
        tell();
      };
      const waiting: Waiting = {
        job,
        start: () => {
          signal?.removeEventListener('abort', abort);
          this.#running = true;
          job.run().then(
            (value) => settle(() => resolve(value)),
            (error) => settle(() => reject(error)),
          );
        },
        refuse: (error) => {
          signal?.removeEventListener('abort', abort);
          this.#waiting.delete(waiting);
          job.refused?.(error);
          reject(error);
        },
      };
      const abort = (): void => waiting.refuse(cancelledError(action, signal?.reason));
      if (signal?.aborted === true) return abort();
      if (!this.#running) return waiting.start();
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** Refuses all calls that wait. */
  refuseWaiting(errorFor: (action: string) => GuestfsError): void {
    for (const waiting of [...this.#waiting]) waiting.refuse(errorFor(waiting.job.action));
  }

  #next(): void {
    this.#running = false;
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      waiting.start();
      return;
    }
  }
}
