/**
 * Waiting for whoever is at the other end of a pipe or terminal of the host, who may never come. In the kernel such a wait
 * would hold a thread that nothing can wake, and with it the end of the process; so files are opened not to block, and
 * tried again after a while.
 */
import { constants } from 'node:fs';
import { GuestfsError } from '../../base/index.js';

// Windows lacks some of these, and what they are about.
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

  /** Resolves after a while, a longer one each time. Rejects with ECANCELED once it was ended. */
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
    if (this.#ended) throw new GuestfsError('ECANCELED', 'nobody waits for it any more');
  }

  rewarded(): void {
    this.#nap = shortestNap;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
