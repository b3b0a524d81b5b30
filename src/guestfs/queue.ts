/** The calls of a launched handle: one runs, the others wait in order of arrival. */
import { AbortError, type GuestfsError } from '../base/index.js';

/** A call that waits or runs. */
interface Job<T = unknown> {
  /** Does it. Called when its turn comes. */
  readonly run: () => Promise<T>;
  /** Removes the call while it waits. A running call must be ended in another way. */
  readonly signal?: AbortSignal | undefined;
  /** Called if the call was refused while it waited. */
  readonly refused?: (error: GuestfsError) => void;
}

interface Waiting {
  readonly job: Job;
  start(): void;
  refuse(error: GuestfsError): void;
}

/** For a call that its signal ended. */
export const cancelledError = (reason: unknown): GuestfsError =>
  new AbortError('cancelled', { cause: reason });

export class CallQueue {
  /** A Set keeps the order of arrival, and removes an entry in the middle at no cost. */
  readonly #waiting = new Set<Waiting>();
  #running = false;

  /** Whether a call runs. None waits while none runs. */
  get busy(): boolean {
    return this.#running;
  }

  /** Runs a job: if none runs, at once and before this returns; else after all earlier jobs. */
  add<T>(job: Job<T>): Promise<T> {
    const { signal } = job;
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
      const abort = (): void => waiting.refuse(cancelledError(signal?.reason));
      if (signal?.aborted === true) return abort();
      if (!this.#running) return waiting.start();
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  /** Refuses all calls that wait. */
  refuseWaiting(makeError: () => GuestfsError): void {
    for (const waiting of [...this.#waiting]) waiting.refuse(makeError());
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
