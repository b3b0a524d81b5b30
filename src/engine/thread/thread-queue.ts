/**
 * Who computes when many handles are busy at once. Each engine has a thread of its own, and with many more of them
 * than processors each would find its data gone from the processor's caches at every change. So calls begin a few at a
 * time, in the order in which they were made. None is kept from beginning for long, and so none can wait for one that
 * waits for it, as where one handle's stream feeds another's: a call counts only for the first moments of its run.
 */
import { availableParallelism } from 'node:os';

/** Calls of all handles that begin at once, for each processor: some wait for disks rather than compute. */
const callsPerProcessor = 2;
/** How long a call counts as one of them, in milliseconds. */
const momentInMs = 100;

/** A call's place in the line. */
export interface Turn {
  /** Begins at once, if it has not begun. */
  begin(): void;
  /** Ends it, or gives up a place in the line. */
  end(): void;
}

export class ThreadQueue {
  readonly #limit: number;
  readonly #moment: number;
  /** When each of those that count has begun, oldest first. */
  readonly #young = new Map<Turn, number>();
  /** Those that wait, oldest first, and what begins each. */
  readonly #waiting = new Map<Turn, () => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(limit = callsPerProcessor * availableParallelism(), moment = momentInMs) {
    this.#limit = limit;
    this.#moment = moment;
  }

  /** Has `begin` called when it is this call's turn: at once where there is room. */
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
    this.#young.set(turn, performance.now());
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

  /** Makes room, if the oldest has had its moment; else comes back when it will have had it. */
  #forgetOldest(): boolean {
    for (const [turn, since] of this.#young) {
      const left = since + this.#moment - performance.now();
      if (left <= 0) return this.#young.delete(turn);
      // A call that waits keeps the process alive by its thread.
      this.#timer = setTimeout(() => this.#admit(), Math.ceil(left)).unref();
      return false;
    }
    return true;
  }
}

/** The line of this process. */
export const threadQueue = new ThreadQueue();
