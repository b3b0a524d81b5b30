/**
 * Limits how many handles compute at once. Each engine has a thread of its own; with many more threads than
 * processors, each thread would lose its data from the processor's caches at every switch. So only a few calls begin
 * at a time, in order. A call counts only for the first moments of its run, so no call waits for long: a call may
 * depend on a later one, as when one handle's stream feeds another's.
 */

import { availableParallelism } from 'node:os';
import { monotonicTime } from '../../base/index.js';

/** Calls of all handles that begin at once, for each processor: some wait for disks rather than compute. */
const callsPerProcessor = 2;
/** How long a call counts, in milliseconds. */
const momentInMs = 100;

/** A call's place in the line. */
export interface Turn {
  /** Begins at once, if it has not begun. */
  begin(): void;
  /** Ends it, or gives up a place in the line. */
  end(): void;
}

/** For tests. */
export class ThreadQueue {
  readonly #limit: number;
  readonly #moment: number;
  /** The start time of each call that counts, oldest first. */
  readonly #young = new Map<Turn, number>();
  /** The waiting calls, oldest first, and the function that begins each. */
  readonly #waiting = new Map<Turn, () => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limit = callsPerProcessor * availableParallelism(), moment = momentInMs) {
    this.#limit = limit;
    this.#moment = moment;
  }

  /** Calls `begin` when it is this call's turn: at once if there is room. */
  take(begin: () => void): Turn {
    const turn: Turn = {
      begin: () => this.#begin(turn),
      end: () => {
        if (this.#young.delete(turn) || this.#waiting.delete(turn)) this.#admit();
      },
    };
    this.#waiting.set(turn, begin);
    this.#admit();
    return turn;
  }

  #begin(turn: Turn): void {
    const begin = this.#waiting.get(turn);
    if (begin === undefined) return;
    this.#waiting.delete(turn);
    this.#young.set(turn, monotonicTime());
    begin();
  }

  #admit(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [turn] of this.#waiting) {
      if (this.#young.size >= this.#limit && !this.#forgetOldest()) return;
      this.#begin(turn);
    }
  }

  /** Makes room if the oldest call has had its time; else sets a timer for that moment. */
  #forgetOldest(): boolean {
    for (const [turn, since] of this.#young) {
      const left = since + this.#moment - monotonicTime();
      if (left <= 0) return this.#young.delete(turn);
      // A waiting call keeps the process alive through its thread.
      this.#timer = setTimeout(() => this.#admit(), Math.ceil(left)).unref();
      return false;
    }
    return true;
  }
}

/** The line of this process. */
export const threadQueue = new ThreadQueue();
