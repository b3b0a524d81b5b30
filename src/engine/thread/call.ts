/** One running call, as its handler sees it: where to say how far it is, and where to ask whether to go on. */
import { GuestfsError } from '../../base/index.js';
import type { Session } from '../session/session.js';

/** How often progress is handed to the handle at most, in milliseconds; the handle thins it further. */
const progressInterval = 50;

/** Milliseconds of a clock that only goes forward. The first use of `performance` would load a module for it. */
function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/** What a call can tell the handle. */
export interface CallOutlet {
  isCancelled(): boolean;
  progress(position: number, total: number): void;
}

export class Call {
  readonly action: string;
  readonly session: Session;
  readonly #outlet: CallOutlet;
  /** Whether somebody listened to its progress when it began: then a total is worth some work. */
  readonly wantsProgress: boolean;
  readonly #began = now();
  #lastProgress = this.#began;
  readonly #handedOver: ArrayBuffer[] = [];
  #touched = false;

  constructor(action: string, session: Session, outlet: CallOutlet, wantsProgress: boolean) {
    this.action = action;
    this.session = session;
    this.#outlet = outlet;
    this.wantsProgress = wantsProgress;
  }

  /** To be called at least every few milliseconds of work: throws ECANCELED when the caller no longer wants the answer. */
  checkpoint(): void {
    if (this.#outlet.isCancelled()) throw new GuestfsError('ECANCELED', 'the call was cancelled');
  }

  /** How long it has been running, in milliseconds. */
  get ageInMs(): number {
    return now() - this.#began;
  }

  /** A checkpoint that also says how far the call is, in the action's own units; `total` 0: nobody knows the end. */
  progress(position: number, total: number): void {
    this.checkpoint();
    const time = now();
    if (time - this.#lastProgress < progressInterval) return;
    this.#lastProgress = time;
    this.#outlet.progress(position, total);
  }

  /**
   * To be said before anything is written, on a drive or on the host, that stays when the call fails. Every sink and every
   * writer says so.
   */
  touch(): void {
    this.#touched = true;
  }

  /** Whether the call, if it failed now, would leave a change behind. */
  get touched(): boolean {
    return this.#touched;
  }

  /** Memory of the result that goes to the handle's thread instead of being copied there; gone from here afterwards. */
  handOver(buffers: readonly ArrayBuffer[]): void {
    this.#handedOver.push(...buffers);
  }

  get handedOver(): readonly ArrayBuffer[] {
    return this.#handedOver;
  }
}
