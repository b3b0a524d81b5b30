/**
 * The backend `auto`: a session that the embedded engine begins, and that goes over to the appliance at the first call
 * that only the appliance can do. It stays there.
 *
 * Going over: the engine leaves, which gives up every file and tells what the session was; the appliance is launched
 * with the same drives; the calls that bring it to the same state are made; then the call itself. A hand-over that
 * fails or is cancelled goes back: the appliance ends, and the engine is started again with the same drives and calls.
 * Nothing is lost then, since the appliance only reads the layers that have what was written to read-only drives. Only if
 * the engine cannot be started again either, the session ends. A launch that failed is not tried again for a minute.
 */
import type {
  Backend,
  BackendConfig,
  BackendEvents,
  CallControl,
  Carried,
  ShutdownOptions,
  StartBackend,
} from '../../api/index.js';
import {
  AbortError,
  asGuestfsError,
  type Elsewhere,
  GuestfsError,
  monotonicTime,
  UnsupportedError,
} from '../../base/index.js';
import { type LayerFiles, makeLayerFiles } from '../../engine/index.js';
import { type CallOutcome, reasonAfter, settled } from './answers.js';
import { withFormats, withLayers } from './drives.js';
import { inspectionAnswers } from './inspection.js';
import { type Reason, reasonOfAction, reasonOfFailure, withoutAppliance } from './reason.js';
import { Side, type SideName } from './side.js';

/** The two backends that `auto` is made of. */
interface AutoParts {
  readonly startEngine: StartBackend;
  readonly startDirect: StartBackend;
  /** Rejects with a GuestfsError if a launch of the appliance cannot succeed on this machine. Must be quick. */
  readonly checkDirect: (config: BackendConfig) => Promise<void>;
}

/** For how long a launch that failed is not tried again, in milliseconds. */
const forgetsAfterInMs = 60_000;

/** A warning of the running call about what the appliance may do: if the call goes over, it was none. */
type Held = readonly [message: string, partial: boolean | undefined, elsewhere: Elsewhere];

/** A hand-over that is under way. */
interface HandOver {
  /** Aborts when the call is cancelled, and when the session is killed. */
  readonly abort: AbortController;
  readonly killed: AbortController;
  /** The backend that starts. */
  coming: Side | undefined;
  carried: Carried | undefined;
  layers: LayerFiles | undefined;
  inspection: BackendConfig['inspection'];
}

const killedError = (): GuestfsError => new GuestfsError('EIO', 'the backend was killed');

/** Rejects when a signal aborts. */
function abortion(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

class AutoBackend implements Backend {
  readonly #parts: AutoParts;
  /** With the formats that the images had at launch: what is written meanwhile makes no image another one. */
  #config: BackendConfig;
  readonly #events: BackendEvents;
  #side: Side;
  #handOver: HandOver | undefined;
  #held: Held[] | undefined;
  /** What the last inspection has found; undefined without one. */
  #roots: readonly string[] | undefined;
  #failed: { readonly error: GuestfsError; readonly at: number } | undefined;
  #hasQuit = false;

  private constructor(parts: AutoParts, config: BackendConfig, events: BackendEvents) {
    this.#parts = parts;
    this.#config = config;
    this.#events = {
      progress: (position, total) => events.progress(position, total),
      quit: (reason) => {
        if (this.#hasQuit) return;
        this.#hasQuit = true;
        events.quit(reason);
      },
      log: (kind, message, partial, elsewhere) => {
        if (kind === 'warning' && elsewhere === 'appliance' && this.#held !== undefined)
          this.#held.push([message, partial, elsewhere]);
        else events.log(kind, message, partial, elsewhere);
      },
    };
    this.#side = new Side('embedded', this.#events);
  }

  /** Starts embedded; with the appliance at once, if only that can open the drives. */
  static async start(
    parts: AutoParts,
    config: BackendConfig,
    events: BackendEvents,
    signal?: AbortSignal,
  ): Promise<AutoBackend> {
    const auto = new AutoBackend(parts, config, events);
    try {
      const engine = auto.#side.start(parts.startEngine, config, signal);
      // Meanwhile, since the engine has its own thread.
      [auto.#config] = await Promise.all([withFormats(config), engine]);
    } catch (thrown) {
      const reason = reasonOfFailure(thrown);
      if (reason === undefined) throw thrown;
      auto.#side = new Side('direct', auto.#events);
      try {
        await auto.#require(reason);
        await auto.#side.start(parts.startDirect, config, signal);
      } catch (failure) {
        const error = asGuestfsError(failure);
        throw error.code === 'ECANCELED' ? error : withoutAppliance(reason, error);
      }
    }
    auto.#side.isHeard = true;
    return auto;
  }

  get pid(): number | undefined {
    return this.#side.hasStarted ? this.#side.backend.pid : undefined;
  }

  get atWork(): SideName {
    return this.#side.name;
  }

  async call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown> {
    const made = (): Promise<unknown> => this.#side.backend.call(action, args, options, control);
    if (this.#side.name === 'direct') return await made();
    const lacked = reasonOfAction(action);
    if (lacked !== undefined) {
      await this.#goOver(lacked);
      return await made();
    }
    this.#held = [];
    const outcome = await made().then(
      (value): CallOutcome => ({ value }),
      (thrown: unknown): CallOutcome => ({ thrown }),
    );
    // safe: the result of this action
    if (action === 'inspect_os' || action === 'internal_inspection')
      this.#roots = 'value' in outcome ? (outcome.value as string[]) : undefined;
    const reason = await reasonAfter(this.#side.backend, action, args, outcome, this.#held.length > 0);
    if (reason === undefined) {
      this.#tellHeld();
      return settled(outcome);
    }
    try {
      await this.#goOver(reason);
    } catch (failure) {
      this.#tellHeld();
      // The engine's own answer is as good as the machine lets it be.
      if (!('value' in outcome && failure instanceof UnsupportedError)) throw failure;
      this.#events.log('library', failure.cause instanceof Error ? failure.cause.message : failure.message);
      return outcome.value;
    }
    this.#held = undefined;
    return await made();
  }

  #tellHeld(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const [message, partial, elsewhere] of held)
      this.#events.log('warning', message, partial, elsewhere);
  }

  /** Rejects if the appliance cannot be started here; else says that it is. */
  async #require({ text }: Reason): Promise<void> {
    if (this.#failed !== undefined && monotonicTime() - this.#failed.at < forgetsAfterInMs)
      throw this.#failed.error;
    this.#failed = undefined;
    await this.#parts.checkDirect(this.#config);
    this.#events.log('library', `starting the appliance: ${text}`);
  }

  /** Afterwards the appliance is at work. Rejects if the session goes on as it was, or has ended. */
  async #goOver(reason: Reason): Promise<void> {
    const handOver: HandOver = {
      abort: new AbortController(),
      killed: new AbortController(),
      coming: undefined,
      carried: undefined,
      layers: undefined,
      inspection: undefined,
    };
    this.#handOver = handOver;
    try {
      await this.#require(reason);
      const { backend } = this.#side;
      if (this.#roots !== undefined) handOver.inspection = await inspectionAnswers(backend, this.#roots);
      handOver.abort.signal.throwIfAborted();
      handOver.layers = makeLayerFiles(this.#config);
      await this.#arrive(handOver, await this.#leave(handOver, handOver.layers));
    } catch (thrown) {
      if (handOver.killed.signal.aborted) {
        await this.#side.gone;
        this.#events.quit();
        throw killedError();
      }
      if (thrown instanceof SessionLost) throw thrown;
      throw handOver.abort.signal.aborted
        ? new AbortError()
        : withoutAppliance(reason, asGuestfsError(thrown));
    } finally {
      // Whoever has started has the files open, and whoever has not has ended.
      handOver.layers?.remove();
      this.#handOver = undefined;
    }
  }

  /** Lets the engine go. If that fails, the engine is still at work. */
  async #leave(handOver: HandOver, { paths }: LayerFiles): Promise<Carried> {
    const { backend } = this.#side;
    if (backend.leave === undefined) throw new GuestfsError('ENOTSUP', 'this session cannot be handed over');
    this.#side.isHeard = false;
    try {
      handOver.carried = await Promise.race([backend.leave(paths), abortion(handOver.killed.signal)]);
    } catch (thrown) {
      if (!handOver.killed.signal.aborted) this.#side.isHeard = true;
      throw thrown;
    }
    await this.#side.gone;
    return handOver.carried;
  }

  /** Brings the appliance to the state of the engine that has left; if that fails, another engine. */
  async #arrive(handOver: HandOver, carried: Carried): Promise<void> {
    const { abort, killed } = handOver;
    try {
      await this.#resume(handOver, 'direct', carried, abort.signal);
    } catch (thrown) {
      if (killed.signal.aborted) throw thrown;
      const failure = asGuestfsError(thrown);
      if (!abort.signal.aborted) this.#failed = { error: failure, at: monotonicTime() };
      try {
        await this.#resume(handOver, 'embedded', carried, killed.signal);
      } catch (second) {
        const lost = new SessionLost(failure, asGuestfsError(second));
        this.#events.quit(lost);
        throw lost;
      }
      throw failure;
    }
  }

  /** Starts a backend in the state that another has left, and makes it the one at work. Rejects, leaving none. */
  async #resume(handOver: HandOver, name: SideName, carried: Carried, signal: AbortSignal): Promise<void> {
    const side = new Side(name, this.#events);
    const { inspection } = handOver;
    const config = withLayers(this.#config, carried);
    let { calls } = carried;
    if (name === 'embedded') await side.start(this.#parts.startEngine, config, signal);
    else if (inspection === undefined) await side.start(this.#parts.startDirect, config, signal);
    else {
      calls = calls.filter(({ action }) => action !== 'inspect_os');
      await side.start(this.#parts.startDirect, { ...config, inspection }, signal);
    }
    handOver.coming = side;
    try {
      await side.replay(calls, signal);
    } catch (thrown) {
      if (handOver.killed.signal.aborted) side.backend.kill();
      else await side.end();
      await side.gone;
      throw thrown;
    } finally {
      handOver.coming = undefined;
    }
    this.#side = side;
    side.isHeard = true;
  }

  cancel(): void {
    if (this.#handOver === undefined) return this.#side.backend.cancel();
    const { abort, coming, carried } = this.#handOver;
    abort.abort(new AbortError());
    if (carried === undefined)
      this.#side.backend.cancel(); // it may be leaving
    else if (coming?.name === 'direct') coming.backend.cancel();
  }

  async shutdown(options?: ShutdownOptions): Promise<void> {
    await this.#side.backend.shutdown(options);
  }

  kill(): void {
    const handOver = this.#handOver;
    if (handOver === undefined) return this.#side.backend.kill();
    handOver.killed.abort(killedError());
    handOver.abort.abort(killedError());
    (handOver.coming ?? this.#side).backend.kill();
  }
}

/** Neither backend could go on with the session. */
class SessionLost extends GuestfsError {
  constructor(failure: GuestfsError, second: GuestfsError) {
    super(
      'EIO',
      `the session has ended: the appliance cannot be started (${failure.message}), and the engine cannot go on where it was (${second.message})`,
      { cause: failure },
    );
  }
}

/** Makes the function that starts `auto`, of the two other backends. */
export function autoStarter(parts: AutoParts): StartBackend {
  return (config, events, signal) => AutoBackend.start(parts, config, events, signal);
}
