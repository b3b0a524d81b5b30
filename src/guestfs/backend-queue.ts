/**
 * One launch of a handle: the backend from its start to its end, its calls one after another, and its events. After a
 * session has ended, no event of its backend is passed on.
 */
import {
  type ActionName,
  actions,
  type Backend,
  type BackendConfig,
  type BackendEvents,
  type CallControls,
  isActionName,
  type StartBackend,
} from '../api/index.js';
import { AbortError, asGuestfsError, GuestfsError } from '../base/index.js';
import type { EventHub } from './events/events.js';
import { type Clock, ProgressReporter } from './events/progress.js';
import { withElsewhere } from './failure.js';
import { CallQueue, cancelledError } from './queue.js';
import { notLaunchedError } from './state.js';

/** A call in the form that backends take. */
export interface QueuedCall {
  readonly action: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly controls: CallControls;
  /** What remains after the backend has finished: the end of the stream that it wrote to. */
  readonly ending?: (() => Promise<void>) | undefined;
}

/** Called with the result of a call, for the trace. */
interface CallWatcher {
  started(): void;
  succeeded(value: unknown): void;
  /** Also for a call that never started. */
  failed(): void;
}

interface BackendQueueOptions {
  readonly hub: EventHub;
  readonly clock: Clock;
  /** The setting, as it is at that moment. */
  readonly autosync: () => boolean;
  /** The next number of a call of this handle. */
  readonly nextSerial: () => number;
  /** The backend has ended, or was given up. Called once. */
  readonly ended: (queue: BackendQueue) => void;
}

/** How long `close` waits for the running call to react to its cancellation before it kills the backend. */
const patienceInMs = 5000;

/** For a call that the end of its handle cut short. */
const cutError = (): GuestfsError => new AbortError('the handle was closed');

export class BackendQueue {
  readonly #options: BackendQueueOptions;
  readonly #queue = new CallQueue();
  #backend: Backend | undefined;
  #reporter: ProgressReporter | undefined;
  /** Rejects the call that the backend is running. */
  #abandon: ((error: GuestfsError) => void) | undefined;
  /** Asks the running call to end. */
  #cancel: (() => void) | undefined;
  #ended = false;
  #closing = false;
  /** Resolves when the backend reports its end. */
  readonly #gone: Promise<void>;
  #tellGone!: () => void;

  constructor(options: BackendQueueOptions) {
    this.#options = options;
    this.#gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  get busy(): boolean {
    return this.#queue.busy;
  }

  get pid(): number | undefined {
    return this.#backend?.pid;
  }

  /** The name of the backend that does the calls at present; undefined if the launched one is made of no others. */
  get atWork(): 'embedded' | 'direct' | undefined {
    return this.#backend?.atWork;
  }

  readonly #events: BackendEvents = {
    progress: (position, total) => this.#reporter?.report(position, total),
    log: (kind, message, partial, elsewhere) => {
      if (this.#ended) return;
      this.#options.hub.emitMessage(kind, withElsewhere(message, elsewhere), partial);
    },
    quit: (reason) => {
      this.#tellGone();
      this.#end(reason);
    },
  };

  /** Starts the backend. Rejects, leaving nothing behind, if that fails or if `signal` aborts. */
  async start(
    start: StartBackend,
    config: BackendConfig,
    signal: AbortSignal,
    onProgress: CallControls['onProgress'],
  ): Promise<void> {
    const reporter = this.#report('launch', 0, onProgress);
    try {
      const backend = await start(config, this.#events, signal);
      this.#backend = backend;
      if (this.#ended) throw new GuestfsError('EIO', 'the backend ended while it was launched');
      if (signal.aborted) {
        await backend.shutdown();
        throw cancelledError(signal.reason);
      }
      reporter.finish(true);
    } catch (thrown) {
      reporter.finish(false);
      this.#ended = true;
      throw thrown;
    } finally {
      this.#reporter = undefined;
    }
  }

  /** Calls the backend when all earlier calls are done. */
  call(call: QueuedCall, watcher?: CallWatcher): Promise<unknown> {
    return this.#queue.add({
      signal: call.controls.signal,
      refused: () => {
        watcher?.started();
        watcher?.failed();
      },
      run: () => this.#run(call, watcher),
    });
  }

  async #run(
    { action, args, options, controls, ending }: QueuedCall,
    watcher?: CallWatcher,
  ): Promise<unknown> {
    watcher?.started();
    const backend = this.#backend;
    const { signal, onProgress } = controls;
    const { hub } = this.#options;
    let cancelBackend = (): void => backend?.cancel();
    let wasCancelled = false;
    const cancel = (): void => {
      wasCancelled = true;
      cancelBackend();
    };
    const reporter = this.#report(action, this.#options.nextSerial(), onProgress);
    try {
      const value = await new Promise((resolve, reject) => {
        // A callback for the start of this call may have ended the backend.
        if (backend === undefined || this.#ended) throw notLaunchedError();
        this.#abandon = reject;
        this.#cancel = cancel;
        const wantsProgress = onProgress !== undefined || hub.listens('progress');
        const work = async (): Promise<unknown> => {
          const result = await backend.call(action, args, options, { wantsProgress });
          if (ending === undefined) return result;
          // The backend has finished, but the stream may take for ever: from here on a cancellation takes effect at
          // once.
          cancelBackend = () => reject(new AbortError());
          if (wasCancelled) cancelBackend();
          else await ending();
          return result;
        };
        work().then(resolve, reject);
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted === true) cancel();
      });
      reporter.finish(true);
      watcher?.succeeded(value);
      return value;
    } catch (thrown) {
      reporter.finish(false);
      watcher?.failed();
      throw this.#failure(thrown, signal);
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#abandon = undefined;
      this.#cancel = undefined;
      if (this.#reporter === reporter) this.#reporter = undefined;
    }
  }

  #report(action: string, serial: number, onProgress: CallControls['onProgress']): ProgressReporter {
    const { hub, clock } = this.#options;
    const procNr = isActionName(action) ? (actions[action satisfies ActionName].proc ?? 0) : 0;
    this.#reporter = new ProgressReporter({
      clock,
      procNr,
      serial,
      listens: () => onProgress !== undefined || hub.listens('progress'),
      send: (progress) => {
        if (onProgress !== undefined) hub.guard(`onProgress of ${action}`, () => onProgress(progress));
        hub.emitProgress(progress);
      },
    });
    return this.#reporter;
  }

  /** The backend's error, in the words of the canceller. */
  #failure(thrown: unknown, signal: AbortSignal | undefined): GuestfsError {
    const error = asGuestfsError(thrown);
    if (error.code !== 'ECANCELED') return error;
    if (signal?.aborted === true) return cancelledError(signal.reason);
    return this.#closing ? cutError() : error;
  }

  /** Asks the running call to stop. */
  cancelRunning(): void {
    this.#cancel?.();
  }

  /** Ends the backend in good order after all earlier calls. Rejects if the backend reported a problem. */
  async shutdown(before?: () => void): Promise<void> {
    let began = false;
    const run = async (): Promise<void> => {
      began = true;
      before?.();
      if (this.#ended) return;
      try {
        await this.#backend?.shutdown({
          autosync: this.#options.autosync(),
          ...(this.#closing ? { patienceInMs } : {}),
        });
      } finally {
        this.#end();
      }
    };
    try {
      await this.#queue.add({ run });
    } catch (thrown) {
      // Refused in the queue: the backend ended first, which was the purpose.
      if (began) throw thrown;
    }
  }

  /** Kills the backend and its calls now. Resolves when it has ended. */
  kill(): Promise<void> {
    this.#backend?.kill();
    this.#end();
    return this.#gone;
  }

  /** As `kill`, for the exit of the process, which cannot wait. */
  killAtExit(): void {
    this.#ended = true;
    this.#backend?.kill();
  }

  /** Ends the backend in good order, but soon: the running call is cancelled, and waiting calls are refused. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#queue.refuseWaiting(cutError);
    this.cancelRunning();
    const stopWaiting = this.#options.clock.later(patienceInMs, () => this.#backend?.kill());
    try {
      await this.shutdown(stopWaiting);
    } finally {
      stopWaiting();
    }
  }

  #end(reason = new GuestfsError('EIO', 'the backend ended before the call was done')): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#abandon?.(this.#closing ? cutError() : reason);
    this.#queue.refuseWaiting(this.#closing ? cutError : notLaunchedError);
    this.#options.ended(this);
  }
}
