/**
 * When progress events are sent, whatever a backend reports: first after two seconds, then at most three times a
 * second, with positions that never fall, and a last event at the end. guestfsd keeps the same times.
 */

import type { Progress } from '../../api/index.js';
import { monotonicTime } from '../../base/index.js';

/** A clock with timers, as an interface so that tests need not wait. */
export interface Clock {
  /** Milliseconds since some moment; never decreases. */
  now(): number;
  /** Calls back once after a number of milliseconds; the returned function cancels that. */
  later(milliseconds: number, callback: () => void): () => void;
}

/** The computer's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: monotonicTime,
  later(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** A shorter call sends no progress. For tests. */
export const firstProgressInMs = 2000;
/** Three messages a second at the most. For tests. */
export const progressPeriodInMs = 1000 / 3;

interface ReporterOptions {
  readonly clock: Clock;
  readonly procNr: number;
  readonly serial: number;
  /** Whether anybody listens at present. */
  readonly listens: () => boolean;
  readonly send: (progress: Progress) => void;
}

/** The progress of one call, from its start to its end. */
export class ProgressReporter {
  readonly #options: ReporterOptions;
  /** When the next message may go. */
  #due: number;
  /** The last message that was sent. */
  #sent: Progress | undefined;
  #stopPulse: (() => void) | undefined;
  #pulsing = false;
  #finished = false;

  /** The call starts now. */
  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#due = options.clock.now() + firstProgressInMs;
  }

  /**
   * The call's progress. A total of 0 means unknown length: from then on, until a report with a total, 0 of 1 is sent
   * again and again, whether or not the backend reports.
   */
  report(position: number, total: number): void {
    if (this.#finished || Number.isNaN(position) || Number.isNaN(total)) return;
    if (total <= 0) {
      if (!this.#pulsing) {
        this.#pulsing = true;
        this.#pulse();
      }
      return;
    }
    this.#endPulse();
    if (this.#options.clock.now() < this.#due) return;
    const before = this.#sent?.position ?? 0;
    const length = Math.max(total, before);
    this.#send(Math.min(Math.max(position, before), length), length);
  }

  /** The call is over. If it succeeded and any event was sent, the last event is that everything is done. */
  finish(succeeded: boolean): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#endPulse();
    if (!succeeded || this.#sent === undefined) return;
    const { position, total } = this.#sent;
    if (position !== total) this.#send(total, total);
  }

  #endPulse(): void {
    this.#pulsing = false;
    this.#stopPulse?.();
    this.#stopPulse = undefined;
  }

  /**
   * Sends a pulse if one is due, and sets the timer for the next. A timer may fire a little early, and is then set
   * again.
   */
  #pulse(): void {
    const { clock } = this.#options;
    // After real positions, a pulse must not fall back to 0 of 1: it repeats the last position.
    if (clock.now() >= this.#due) this.#send(this.#sent?.position ?? 0, this.#sent?.total ?? 1);
    if (this.#pulsing)
      this.#stopPulse = clock.later(Math.max(this.#due - clock.now(), 1), () => this.#pulse());
  }

  #send(position: number, total: number): void {
    const { clock, procNr, serial, listens, send } = this.#options;
    this.#due = clock.now() + progressPeriodInMs;
    if (!listens()) return;
    const progress: Progress = { procNr, serial, position, total };
    this.#sent = progress;
    send(progress);
  }
}
