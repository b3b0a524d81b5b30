/** One of the two backends that a session has in turn, and what the handle hears of it. */
import type { Backend, BackendConfig, BackendEvents, CarriedCall, StartBackend } from '../../api/index.js';
import { asGuestfsError, GuestfsError } from '../../base/index.js';

export type SideName = 'embedded' | 'direct';

/** How long a backend may take to end in good order when the session goes on with the other, in milliseconds. */
const patienceInMs = 5000;

export class Side {
  readonly name: SideName;
  readonly #events: BackendEvents;
  /** Resolves when the backend reports its end. */
  readonly gone: Promise<void>;
  #backend: Backend | undefined;
  #end: { readonly reason: GuestfsError | undefined } | undefined;
  #isHeard = false;
  readonly #tellEnd: () => void;

  /** `events`: where everything goes that the backend tells, its end only while it is heard. */
  constructor(name: SideName, events: BackendEvents) {
    this.name = name;
    let tellGone = (): void => {};
    this.gone = new Promise((resolve) => {
      tellGone = resolve;
    });
    this.#tellEnd = () => events.quit(this.#end?.reason);
    this.#events = {
      progress: (position, total) => events.progress(position, total),
      log: (kind, message, partial, elsewhere) => events.log(kind, message, partial, elsewhere),
      quit: (reason) => {
        this.#end = { reason };
        tellGone();
        if (this.#isHeard) this.#tellEnd();
      },
    };
  }

  /** Starts the backend. Rejects as a launch does, leaving nothing behind. */
  async start(start: StartBackend, config: BackendConfig, signal?: AbortSignal): Promise<void> {
    this.#backend = await start(config, this.#events, signal);
  }

  /** The backend, once it has started. */
  get backend(): Backend {
    if (this.#backend === undefined)
      throw new GuestfsError('EIO', `the ${this.name} backend has not started`);
    return this.#backend;
  }

  get hasStarted(): boolean {
    return this.#backend !== undefined;
  }

  /** Whether the end of this backend is the end of the session. An end that came before is told at once. */
  set isHeard(isHeard: boolean) {
    this.#isHeard = isHeard;
    if (isHeard && this.#end !== undefined) this.#tellEnd();
  }

  /**
   * Makes the calls that bring the backend to the state of another. Rejects with the first failure that the other did
   * not have too.
   */
  async replay(calls: readonly CarriedCall[], signal: AbortSignal): Promise<void> {
    for (const { action, args, options, fails } of calls) {
      signal.throwIfAborted();
      try {
        await this.backend.call(action, args, options, { wantsProgress: false });
      } catch (thrown) {
        const error = asGuestfsError(thrown);
        if (fails === true && error.code !== 'ECANCELED' && this.#end === undefined) continue;
        throw error.code === 'ECANCELED' ? error : error.within(`${action} again`);
      }
    }
    signal.throwIfAborted();
  }

  /** Ends a backend that has started, in good order. Resolves when everything of it is gone. */
  async end(): Promise<void> {
    try {
      await this.backend.shutdown({ patienceInMs });
    } catch (thrown) {
      const { message } = asGuestfsError(thrown);
      this.#events.log('library', `the ${this.name} backend did not end in good order: ${message}`);
      this.backend.kill();
    }
    await this.gone;
  }
}
