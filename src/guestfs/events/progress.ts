/**
 * When progress is told, whatever a backend reports: first after two seconds, then at most three times a second,
 * positions that never fall, and a last message at the end. guestfsd keeps the same times.
 */
import type { Progress } from '../../api/index.js';

/** Time, and something to happen later; given from outside so that tests need not wait. */
export interface Clock {
  /** Milliseconds since some moment; never falls. */
  now(): number;
  /** Calls back once after so many milliseconds; what it gives back stops it. */
  later(milliseconds: number, callback: () => void): () => void;
}

/** The computer's own time. What is to happen later does not keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  later(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls that are done sooner tell nothing. */
export const firstProgressInMs = 2000;
/** Three messages a second at the most. */
export const progressPeriodInMs = 1000 / 3;

export interface ReporterOptions {
  readonly clock: Clock;
  readonly procNr: number;
  readonly serial: number;
  /** Whether anybody listens at this moment. */
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
   * The call has come this far. A total of 0 is an unknown length: from then on, and until a report with a total,
   * 0 of 1 is told again and again, whether or not the backend reports.
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

  /** The call is over. If it succeeded and anything was told, the last thing told is that all is done. */
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

  /** Sends a pulse if it is due, and comes back for the next. A timer may ring a little early: then it is set again. */
  #pulse(): void {
    const { clock } = this.#options;
    // Once positions were told they do not fall back to 0 of 1: the pulse repeats the last.
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
