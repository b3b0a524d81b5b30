/**
 * Waits for the other end of a pipe or terminal of the host, which may never come. A wait in the kernel would hold a
 * thread that nothing can wake, and so would keep the process from ending. Files are therefore opened non-blocking
 * and tried again after a while.
 */
import { constants } from 'node:fs';
import { AbortError } from '../../base/index.js';

// Windows lacks some of these constants, and the features behind them.
const { O_WRONLY, O_CREAT, O_RDONLY, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
export const { O_EXCL, O_TRUNC } = constants;
/** To write, and to read. */
export const patientFlags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY;
export const patientReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

/** In milliseconds. */
const shortestNap = 1;
const longestNap = 50;

export const codeOf = (thrown: unknown): unknown => (thrown as { code?: unknown } | null)?.code;

export class Patience {
  #nap = shortestNap;
  #ended = false;
  #wake: (() => void) | undefined;

  /** Resolves after a delay, which grows each time. Rejects with ECANCELED after it was ended. */
  async wait(): Promise<void> {
    if (!this.#ended)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#nap);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#nap = Math.min(2 * this.#nap, longestNap);
    if (this.#ended) throw new AbortError('nobody waits for it any more');
  }

  rewarded(): void {
    this.#nap = shortestNap;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
