/** One running call, for its handler: reporting progress, and asking whether to continue. */
import { AbortError, monotonicTime } from '../../base/index.js';
import type { Session } from '../session/session.js';

/** The least time between progress messages to the handle, in milliseconds; the handle drops more of them. */
const progressIntervalInMs = 50;

type TellProgress = (position: number, total: number) => void;

/** Passes progress on, but not more often than the handle wants it. What is over sooner tells none. */
export function sparseProgress(tell: TellProgress): TellProgress {
  let last = monotonicTime();
  return (position, total) => {
    const time = monotonicTime();
    if (time - last < progressIntervalInMs) return;
    last = time;
    tell(position, total);
  };
}

/** What a call can tell the handle. For tests. */
export interface CallOutlet {
  isCancelled(): boolean;
  progress(position: number, total: number): void;
}

export class Call {
  readonly action: string;
  readonly session: Session;
  readonly #outlet: CallOutlet;
  /** Whether somebody listened to its progress at its start: computing a total is then worth some work. */
  readonly wantsProgress: boolean;
  readonly #began = monotonicTime();
  readonly #tellProgress: TellProgress;
  readonly #handedOver: ArrayBuffer[] = [];
  #touched = false;

  constructor(action: string, session: Session, outlet: CallOutlet, wantsProgress: boolean) {
    this.action = action;
    this.session = session;
    this.#outlet = outlet;
    this.#tellProgress = sparseProgress((position, total) => outlet.progress(position, total));
    this.wantsProgress = wantsProgress;
  }

  /** Must be called at least every few milliseconds of work: throws ECANCELED if the caller has cancelled. */
  checkpoint(): void {
    if (this.#outlet.isCancelled()) throw new AbortError();
  }

  /** How long it has been running, in milliseconds. */
  get ageInMs(): number {
    return monotonicTime() - this.#began;
  }

  /** A checkpoint that also reports progress, in the action's own units; `total` 0: the end is unknown. */
  progress(position: number, total: number): void {
    this.checkpoint();
    this.#tellProgress(position, total);
  }

  /**
   * To be said before anything is written, on a drive or on the host, that stays when the call fails. Every sink and
   * every writer says so.
   */
  touch(): void {
    this.#touched = true;
  }

  /** Whether the call, if it failed now, would leave a change behind. */
  get touched(): boolean {
    return this.#touched;
  }

  /** Memory of the result that is transferred to the handle's thread without a copy, and is gone here afterwards. */
  handOver(buffers: readonly ArrayBuffer[]): void {
    this.#handedOver.push(...buffers);
  }

  get handedOver(): readonly ArrayBuffer[] {
    return this.#handedOver;
  }
}
