/**
 * The handle behind the public class: from a method's arguments to the action's result, in every state.
 *
 * A call is checked, and `enter` is sent. Then a setting answers at once, an action of the handle itself runs at
 * once, and other actions are queued for the backend of the queue.
 */
import {
  type ActionName,
  type ActionsBy,
  actions,
  type CallControls,
  type CheckedCall,
  camelCase,
  checkCall,
  type DirectoryPage,
  firstSerial,
  type InternalArguments,
  type InternalName,
  type InternalResult,
  type Mountable,
  type OsInfo,
  type Pathname,
  type StartBackend,
  type SyncActionName,
  type TreeListing,
  type Unreadable,
} from '../api/index.js';
import { AbortError, asGuestfsError, GuestfsError, type Limits } from '../base/index.js';
import { prepareThread } from '../engine/index.js';
import { backendConfig } from './backend-config.js';
import { BackendQueue, type QueuedCall } from './backend-queue.js';
import { findBackend } from './backends.js';
import { driveActions, libvirtActions } from './drives/drive-actions.js';
import { DriveList, mostDrives } from './drives/drives.js';
import { applyEnvironment } from './environment.js';
import { EventHub, type TextOutput } from './events/events.js';
import type { Clock } from './events/progress.js';
import { traceCall, traceFailure, traceResult } from './events/trace.js';
import { closeAtExit, type ExitTarget, forgetAtExit } from './exit.js';
import { failureOf, withElsewhere } from './failure.js';
import type {
  AsyncHandlers,
  BackendCallArguments,
  BackendCallName,
  BackendCallResult,
  HandleInternals,
  SyncHandlers,
} from './handle-internals.js';
import { withHostPaths } from './host-paths.js';
import { PrivateData } from './private-data.js';
import { type HostTask, hostTasks } from './programs/host-task.js';
import { copySession, type SessionCopy } from './programs/session-copy.js';
import { cancelledError } from './queue.js';
import { sessionActions, sessionAsyncActions } from './session-actions.js';
import { Settings } from './settings.js';
import { settingActions } from './settings-actions.js';
import { destroySink, endSink, sinkOf } from './sinks.js';
import {
  closedError,
  type HandleState,
  notConfigError,
  notLaunchedError,
  stillLaunchingError,
} from './state.js';
import type { CallOutput } from './streams/call-output.js';

const syncActions: SyncHandlers<SyncActionName> = { ...settingActions, ...driveActions, ...sessionActions };
const ownActions: AsyncHandlers<ActionsBy<'handle'>> = { ...sessionAsyncActions, ...libvirtActions };
type SyncHandler = (handle: HandleInternals, ...args: unknown[]) => unknown;
type OwnHandler = (handle: HandleInternals, controls: CallControls, ...args: unknown[]) => Promise<unknown>;

const isOwn = (name: ActionName): name is ActionsBy<'handle'> => actions[name].by === 'handle';

interface HandleOptions {
  readonly backend: string | undefined;
  readonly policy: 'untrusted' | 'trusted';
  readonly limits: Partial<Limits>;
  readonly workerUrl: string | undefined;
  readonly environment: boolean;
  readonly closeOnExit: boolean;
  readonly output: TextOutput | null;
  readonly clock: Clock;
  /** Replaces the known backends. */
  readonly startBackend: StartBackend | undefined;
}

/** A launch that is under way. */
interface Launching {
  readonly abort: AbortController;
  /** Resolves when it is over, well or not. */
  settled: Promise<void>;
}

export class Handle implements HandleInternals, ExitTarget {
  readonly settings = new Settings();
  readonly drives = new DriveList();
  readonly hub: EventHub;
  /** The streams that were made of calls of this handle. */
  readonly ownStreams = new WeakMap<object, CallOutput>();
  readonly #options: HandleOptions;
  readonly #privateData = new PrivateData();
  #serial = firstSerial;
  #launching: Launching | undefined;
  #queue: BackendQueue | undefined;
  /** The name of the backend that was launched last. */
  #launched = '';
  /** From the beginning of `close`. */
  #closed: Promise<void> | undefined;
  /** From the end of the close callbacks. */
  #gone = false;

  constructor(options: HandleOptions) {
    this.#options = options;
    this.hub = new EventHub({
      output: options.output,
      isVerbose: () => this.settings.verbose,
      identifier: () => this.settings.identifier,
    });
    if (options.environment) applyEnvironment(this.settings, process.env, true);
    if (options.backend !== undefined) this.settings.setBackend(options.backend);
    if (options.closeOnExit) closeAtExit(this);
  }

  get state(): HandleState {
    if (this.#closed !== undefined) return 'closed';
    if (this.#launching !== undefined) return 'launching';
    if (this.#queue === undefined) return 'config';
    return this.#queue.busy ? 'busy' : 'ready';
  }

  get pid(): number | undefined {
    return this.#queue?.pid;
  }

  /** The backend that does the calls at present. */
  get backend(): 'embedded' | 'direct' | undefined {
    if (this.#queue === undefined) return undefined;
    return this.#queue.atWork ?? (this.#launched === 'direct' ? 'direct' : 'embedded');
  }

  /** The private data area. Throws GuestfsError (EBADF) once the close callbacks have run. */
  get privateData(): PrivateData {
    if (this.#gone) throw new GuestfsError('EBADF', 'the handle is closed, and its private data gone');
    return this.#privateData;
  }

  /** Throws GuestfsError (EBADF) for calls after `close`. */
  requireOpen(what: string): void {
    if (this.#gone) throw failureOf(what, closedError());
  }

  /** Throws if a call is refused before its `enter` event. */
  #check(name: ActionName, given: readonly unknown[]): CheckedCall {
    if (this.#closed !== undefined) throw failureOf(name, closedError());
    return checkCall(name, given, camelCase(name));
  }

  /** Throws GuestfsError (EBADFD) where it is too late for an action. */
  #requireState(name: ActionName): void {
    if (actions[name].configOnly === true && this.state !== 'config') throw notConfigError();
  }

  /** An action that answers at once. */
  callSync(name: SyncActionName, given: readonly unknown[]): unknown {
    const { args, options } = this.#check(name, withHostPaths(name, given, camelCase(name)));
    const handler = syncActions[name] as SyncHandler; // the arguments were checked against the table
    if (name === 'user_cancel') return handler(this); // a program may call it from anywhere; nobody is told
    this.hub.emitMessage('enter', name);
    const { trace } = this.settings;
    if (trace) this.hub.emitMessage('trace', traceCall(name, args, options));
    try {
      this.#requireState(name);
      const value = handler(this, ...args, options);
      if (trace) this.hub.emitMessage('trace', traceResult(name, value));
      return value;
    } catch (thrown) {
      if (trace) this.hub.emitMessage('trace', traceFailure(name));
      throw failureOf(name, thrown, args);
    }
  }

  /** An action that takes its time. */
  async callAsync(name: ActionName, arguments_: readonly unknown[]): Promise<unknown> {
    const given = withHostPaths(name, arguments_, camelCase(name));
    const sink = sinkOf(name, given);
    if (sink === undefined) return await this.#callAsync(name, given);
    try {
      return await this.#callAsync(name, given, () => endSink(sink));
    } catch (thrown) {
      destroySink(sink, failureOf(name, thrown));
      throw thrown;
    }
  }

  async #callAsync(
    name: ActionName,
    given: readonly unknown[],
    ending?: () => Promise<void>,
  ): Promise<unknown> {
    const { args, options, controls } = this.#check(name, given);
    this.#refuseOwnStreams(name, args);
    this.hub.emitMessage('enter', name);
    const { trace } = this.settings;
    const watcher = {
      started: () => {
        if (trace) this.hub.emitMessage('trace', traceCall(name, args, options));
      },
      succeeded: (value: unknown) => {
        if (trace) this.hub.emitMessage('trace', traceResult(name, value));
      },
      failed: () => {
        if (trace) this.hub.emitMessage('trace', traceFailure(name));
      },
    };
    if (!isOwn(name)) {
      try {
        return await this.#ready().call({ action: name, args, options, controls, ending }, watcher);
      } catch (thrown) {
        throw failureOf(name, thrown, args);
      }
    }
    watcher.started();
    try {
      this.#requireState(name);
      if (controls.signal?.aborted === true) throw cancelledError(controls.signal.reason);
      const handler = ownActions[name] as OwnHandler; // the arguments were checked against the table
      const value = await handler(this, controls, ...args, options);
      watcher.succeeded(value);
      return value;
    } catch (thrown) {
      watcher.failed();
      throw failureOf(name, thrown, args);
    }
  }

  /** Refuses a stream of this handle as a source: its call and the one that reads would wait for each other. */
  #refuseOwnStreams(name: string, args: readonly unknown[]): void {
    for (const arg of args) {
      if (typeof arg !== 'object' || arg === null || this.ownStreams.get(arg)?.isOver !== false) continue;
      const error = new GuestfsError(
        'EDEADLK',
        'its source is a stream of the same handle, which does one call at a time; read it from a fork() of the handle, ' +
          'or copy within the guest (copyFileToFile, copyFileToDevice, copyDeviceToFile, copyDeviceToDevice)',
      );
      throw failureOf(name, error, args);
    }
  }

  /** The session that takes calls. Throws GuestfsError (EBADFD) if there is none yet. */
  #ready(): BackendQueue {
    if (this.#closed !== undefined) throw closedError();
    if (this.#launching !== undefined) throw stillLaunchingError();
    if (this.#queue === undefined) throw notLaunchedError();
    return this.#queue;
  }

  async backendCall<N extends BackendCallName>(
    name: N,
    args: BackendCallArguments<N>,
    { signal }: CallControls,
  ): Promise<BackendCallResult<N>> {
    const call = { action: name, args: args as readonly unknown[], options: {}, controls: { signal } };
    // safe: the backend gives the result that the table says
    return (await this.#ready().call(call)) as BackendCallResult<N>;
  }

  /** A call behind a public method that is no action: its failures have the method's name. */
  async methodCall(method: string, call: QueuedCall): Promise<unknown> {
    try {
      return await this.#ready().call(call);
    } catch (thrown) {
      throw failureOf(method, thrown, call.args);
    }
  }

  async #internalCall<N extends InternalName>(
    name: N,
    args: InternalArguments<N>,
    controls: CallControls,
    method: string,
  ): Promise<InternalResult<N>> {
    // safe: the backend gives the result that the table says
    return (await this.methodCall(method, {
      action: name,
      args,
      options: {},
      controls,
    })) as InternalResult<N>;
  }

  async walk(given: readonly unknown[]): Promise<TreeListing> {
    const { args, controls } = checkCall('find', given, 'walk');
    // safe: it takes what `find` takes, which was checked
    return await this.#internalCall('internal_walk', args as [Pathname], controls, 'walk');
  }

  async readPage(
    args: InternalArguments<'internal_directory_page'>,
    controls: CallControls,
  ): Promise<DirectoryPage> {
    return await this.#internalCall('internal_directory_page', args, controls, 'readdir');
  }

  async unreadable(controls: CallControls): Promise<readonly Unreadable[]> {
    const found = await this.#internalCall('internal_unreadable', [], controls, 'unreadable');
    return found.map((each) => ({ ...each, message: withElsewhere(each.message, each.elsewhere) }));
  }

  async osInfo(root: Mountable, controls: CallControls): Promise<OsInfo> {
    return await this.#internalCall('internal_os_info', [root], controls, 'osInfo');
  }

  /** A task on files of the host, for which nothing of the session counts. */
  async hostTask<N extends HostTask>(
    name: N,
    request: object,
    controls: CallControls,
  ): Promise<InternalResult<N>> {
    const args = [JSON.stringify(request)] as unknown as InternalArguments<N>; // safe: of each it is one text
    return await this.#internalCall(name, args, controls, hostTasks[name]);
  }

  /** What a second handle needs to become the same. Asked in turn, after all earlier calls. */
  async tellSession(controls: CallControls): Promise<SessionCopy> {
    const calls = await this.#internalCall('internal_session', [], controls, 'fork');
    try {
      return copySession(this.settings, this.drives.all, calls);
    } catch (thrown) {
      throw failureOf('fork', thrown);
    }
  }

  /** Has a thread started for a copy of this session, which will be launched soon. A launched appliance needs none. */
  prepareCopy(): void {
    if (this.backend === 'embedded' && this.#options.startBackend === undefined)
      prepareThread(this.#options.workerUrl);
  }

  /** Launches as the copy of another handle's session. */
  async launchCopy({ settings, drives, calls }: SessionCopy, controls: CallControls): Promise<void> {
    this.settings.takeOver(settings);
    this.drives.takeOver(drives);
    try {
      await this.launch(controls);
      for (const { action, args, options, fails } of calls) {
        try {
          await this.#ready().call({ action, args, options, controls });
        } catch (thrown) {
          const error = asGuestfsError(thrown);
          if (fails !== true || error.code === 'ECANCELED') throw error.within(action);
        }
      }
    } catch (thrown) {
      throw failureOf('fork', thrown);
    }
  }

  async launch({ signal, onProgress }: CallControls): Promise<void> {
    const count = this.drives.all.length;
    if (count === 0) throw new GuestfsError('EINVAL', 'there are no drives: call add_drive before launch');
    if (count > mostDrives)
      throw new GuestfsError('EINVAL', `there are ${count} drives, and ${mostDrives} at most`);
    const start = this.#options.startBackend ?? findBackend(this.settings.backend);
    const abort = new AbortController();
    const cancel = (): void => abort.abort(signal?.reason);
    signal?.addEventListener('abort', cancel, { once: true });
    const launching: Launching = { abort, settled: Promise.resolve() };
    this.#launching = launching;
    const done = this.#start(start, abort.signal, onProgress);
    launching.settled = done.then(
      () => {},
      () => {}, // told to the caller of launch
    );
    try {
      await done;
    } catch (thrown) {
      throw abort.signal.aborted ? cancelledError(abort.signal.reason) : thrown;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Starts a queue. The handle is then `ready`; after a failure it is `config` again. */
  async #start(
    start: StartBackend,
    signal: AbortSignal,
    onProgress: CallControls['onProgress'],
  ): Promise<void> {
    const queue = new BackendQueue({
      hub: this.hub,
      clock: this.#options.clock,
      autosync: () => this.settings.autosync,
      nextSerial: () => this.#serial++,
      ended: (ended) => this.#queueEnded(ended),
    });
    try {
      await queue.start(
        start,
        backendConfig(
          this.settings,
          this.drives.all,
          this.#options.policy,
          this.#options.limits,
          this.#options.workerUrl,
        ),
        signal,
        onProgress,
      );
      if (queue.ended) throw new GuestfsError('EIO', 'the backend ended while it was launched');
      if (signal.aborted) {
        await queue.kill();
        throw cancelledError(signal.reason);
      }
      this.#queue = queue;
      this.#launched = this.settings.backend;
    } finally {
      this.#launching = undefined;
    }
    this.hub.emit('launchDone');
  }

  /** The handle is in `config` again. As in the C library, its drives are dropped. */
  #queueEnded(queue: BackendQueue): void {
    if (this.#queue !== queue) return; // it ended while it was launched: launch tells
    this.#queue = undefined;
    this.drives.clear();
    this.hub.emit('subprocessQuit');
  }

  async shutdown(): Promise<void> {
    if (this.#launching !== undefined) throw stillLaunchingError();
    await this.#queue?.shutdown();
  }

  async killSubprocess(): Promise<void> {
    if (this.#launching !== undefined) {
      this.#launching.abort.abort(new AbortError('the backend was killed'));
      return this.#launching.settled;
    }
    await this.#queue?.kill();
  }

  cancelRunning(): void {
    this.#queue?.cancelRunning();
  }

  /** Closes the handle. Its callbacks have run when this returns; the promise is for the end of the backend. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      let finish: (end: Promise<void>) => void = () => {};
      this.#closed = new Promise((resolve) => {
        finish = resolve;
      });
      this.#tellClose();
      finish(this.#end());
    }
    return this.#closed;
  }

  exit(): void {
    if (this.#closed === undefined) {
      this.#closed = Promise.resolve();
      this.#tellClose();
    }
    this.#launching?.abort.abort();
    this.#queue?.killAtExit();
  }

  #tellClose(): void {
    if (this.settings.trace) this.hub.emitMessage('trace', 'close');
    this.hub.emit('close');
    this.hub.clear();
    this.#privateData.clear();
    this.#gone = true;
  }

  async #end(): Promise<void> {
    try {
      if (this.#launching !== undefined) {
        this.#launching.abort.abort(new AbortError('the handle was closed'));
        await this.#launching.settled;
      }
      await this.#queue?.close().catch((thrown) => {
        throw failureOf('shutdown', thrown);
      });
    } finally {
      // Only now: a process that exits before must still end the backend.
      forgetAtExit(this);
    }
  }
}
