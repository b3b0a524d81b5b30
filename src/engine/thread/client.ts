/** The handle's side of the embedded engine: starts the worker, sends calls, passes on streams, notices its death. */
import type { Worker } from 'node:worker_threads';
import {
  type ActionName,
  actions,
  type Backend,
  type BackendConfig,
  type BackendEvents,
  type CallControl,
  type Carried,
  type FileSink,
  type FileSource,
  type InternalCall,
  internal,
  isActionName,
  type ShutdownOptions,
  type StartBackend,
} from '../../api/index.js';
import {
  AbortError,
  asGuestfsError,
  borrowsChunks,
  chunksOf,
  GuestfsError,
  plainError,
  restoreError,
  writerTo,
} from '../../base/index.js';
import type { LayerPaths } from '../host/layer-files.js';
import {
  type FileArgument,
  type IncomingChunk,
  type Report,
  sharedWord,
  type WorkerRequest,
  wishLetter,
} from './messages.js';
import { tableAnswers } from './table-answers.js';
import { type EngineThread, keepsProcess, keepThread, takeThread } from './thread.js';
import { type Turn, threadQueue } from './thread-queue.js';

interface Running {
  readonly serial: number;
  resolve(value: unknown): void;
  reject(error: GuestfsError): void;
  /** Ends the pump of a fileIn stream; absent where the call reads none. */
  sourceEnd: AbortController | undefined;
  /** Whether the worker waits for the next chunk of the fileIn stream. */
  isWanted: boolean;
  /** Called when it does, or when the call is over. */
  wanted: (() => void) | undefined;
  /** The fileOut stream, and its writes in order. */
  write: ((chunk: Uint8Array) => Promise<void>) | undefined;
  written: Promise<void>;
  /** The worker has finished; the consumer of the stream may not have taken everything yet. */
  workDone: boolean;
  turn: Turn | undefined;
}

class EngineClient implements Backend {
  readonly pid = undefined;
  readonly #thread: EngineThread;
  readonly #events: BackendEvents;
  readonly #config: BackendConfig;
  readonly #ended: Promise<void>;
  #tellEnded!: () => void;
  #running: Running | undefined;
  #stopError: GuestfsError | undefined;
  #dead = false;
  /** Set while the session is being left, and what it was once that is known. */
  #leaving: Promise<Carried> | undefined;
  #carried: Carried | undefined;

  constructor(thread: EngineThread, events: BackendEvents, config: BackendConfig) {
    this.#thread = thread;
    this.#config = config;
    this.#events = events;
    this.#ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
    const { worker, chunks } = thread;
    worker.on('message', (report: Report) => this.#hear(report));
    worker.on('error', (error) => events.log('library', `the engine's worker failed: ${error.message}`));
    worker.once('exit', () => {
      chunks.close();
      this.#end();
    });
    // An idle engine does not keep the process alive; only a running call does.
    keepsProcess(worker, false);
  }

  /** The session is over: its thread has ended, or is kept for another session. */
  #end(): void {
    this.#dead = true;
    const running = this.#running;
    this.#running = undefined;
    running?.turn?.end();
    running?.sourceEnd?.abort();
    if (this.#carried === undefined)
      running?.reject(new GuestfsError('EIO', 'the engine ended unexpectedly'));
    else running?.resolve(this.#carried);
    this.#events.quit();
    this.#tellEnded();
  }

  #stopped(report: Report & { type: 'stopped' }): void {
    this.#carried = report.carried;
    if (report.error) this.#stopError = restoreError(report.error);
    if (!report.kept) return; // it ends by itself
    const { worker } = this.#thread;
    stopListening(worker);
    if (keepThread(this.#thread)) return this.#end();
    worker.once('exit', () => {
      this.#thread.chunks.close();
      this.#end();
    });
    void worker.terminate();
  }

  #hear(report: Report): void {
    switch (report.type) {
      case 'log':
        return this.#events.log(report.kind, report.message, report.partial, report.elsewhere);
      case 'stopped':
        return this.#stopped(report);
      case 'ready':
      case 'startFailed':
        return;
    }
    const running = this.#running;
    if (running?.serial !== report.serial) return; // of a call that was already given up
    switch (report.type) {
      case 'progress':
        return this.#events.progress(report.position, report.total);
      case 'wanted':
        running.isWanted = true;
        return running.wanted?.();
      case 'chunk':
        return this.#takeChunk(running, report.letter, report.chunk);
      case 'result':
        // The stream's last chunks may still be on their way to the consumer.
        running.workDone = true;
        running.written.then(
          () => {
            if (this.#running === running) this.#finish(running, () => running.resolve(report.value));
          },
          () => {},
        );
        return;
      case 'stayed':
        return this.#finish(running, () => running.reject(restoreError(report.error)));
      case 'failure': {
        const reject = (): void => this.#finish(running, () => running.reject(restoreError(report.error)));
        // The readable part is delivered before the error about the rest.
        if (report.error.partial === undefined) reject();
        else running.written.then(reject, () => {});
        return;
      }
    }
  }

  #finish(running: Running, settle: () => void): void {
    if (this.#running === running) this.#running = undefined;
    running.turn?.end();
    keepsProcess(this.#thread.worker, false);
    running.sourceEnd?.abort();
    settle();
  }

  #takeChunk(running: Running, letter: number, chunk: Uint8Array): void {
    // For a cancelled call nothing is written or answered any more: the letters belong to the next call.
    const isOver = (): boolean => this.#running !== running;
    running.written = running.written.then(async () => {
      if (isOver()) return;
      await running.write?.(chunk);
      if (!isOver()) this.#thread.streams.answer(letter, true);
    });
    running.written.catch((thrown) => {
      if (isOver()) return;
      // The consumer failed, so the call is useless.
      if (!running.workDone) this.cancel();
      this.#finish(running, () => running.reject(asGuestfsError(thrown)));
    });
  }

  async #pump(running: Running, source: Exclude<FileSource, string>): Promise<void> {
    const { serial } = running;
    running.sourceEnd ??= new AbortController();
    const { signal } = running.sourceEnd;
    signal.addEventListener('abort', () => running.wanted?.(), { once: true });
    const send = async (piece: { chunk?: Uint8Array; error?: unknown }): Promise<void> => {
      if (signal.aborted) return;
      if (!running.isWanted)
        await new Promise<void>((resolve) => {
          running.wanted = resolve;
        });
      if (signal.aborted) return;
      running.isWanted = false;
      const error = piece.error === undefined ? {} : { error: plainError(asGuestfsError(piece.error)) };
      const message: IncomingChunk = { serial, ...(piece.chunk ? { chunk: piece.chunk } : {}), ...error };
      this.#thread.chunks.postMessage(message);
      this.#thread.streams.answer(wishLetter, true);
    };
    try {
      for await (const chunk of chunksOf(source)) {
        if (chunk.length > 0) await send({ chunk });
        if (signal.aborted) return;
      }
      await send({});
    } catch (error) {
      await send({ error });
    }
  }

  #begin(serial: number, resolve: Running['resolve'], reject: Running['reject']): Running {
    const running: Running = {
      serial,
      resolve,
      reject,
      sourceEnd: undefined,
      isWanted: false,
      wanted: undefined,
      write: undefined,
      written: Promise.resolve(),
      workDone: false,
      turn: undefined,
    };
    this.#running = running;
    keepsProcess(this.#thread.worker, true);
    return running;
  }

  call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown> {
    // Answers from the tables alone are given here, which keeps the tables out of the worker.
    if (isTableAnswer(action)) {
      // safe: the arguments were checked
      const answer = tableAnswers[action] as (...given: readonly unknown[]) => unknown;
      return Promise.resolve(answer(...args));
    }
    if (this.#dead) return Promise.reject(new GuestfsError('EIO', 'the engine has ended'));
    const serial = ++this.#thread.lastSerial;
    return new Promise((resolve, reject) => {
      const running = this.#begin(serial, resolve, reject);
      const sources: Exclude<FileSource, string>[] = [];
      const sent = args.map((argument, index) => {
        switch (argumentTypes(action)[index]) {
          case 'fileOut': {
            if (typeof argument === 'string') return { fileOut: { path: argument } satisfies FileArgument };
            running.write = writerTo(argument as Exclude<FileSink, string>);
            const borrows = (argument as { readonly [borrowsChunks]?: unknown })[borrowsChunks] === true;
            return { fileOut: { stream: true, borrows } satisfies FileArgument };
          }
          case 'fileIn': {
            if (typeof argument === 'string') return { fileIn: { path: argument } satisfies FileArgument };
            sources.push(argument as Exclude<FileSource, string>);
            return { fileIn: { stream: true } satisfies FileArgument };
          }
          default:
            return argument;
        }
      });
      const { wantsProgress } = control;
      running.turn = threadQueue.take(() => {
        try {
          post(this.#thread, { type: 'call', serial, action, args: sent, options, wantsProgress });
        } catch (thrown) {
          // Memory that was transferred elsewhere meanwhile cannot be sent. This is the fault of this call alone.
          return this.#finish(running, () => reject(asGuestfsError(thrown)));
        }
        for (const source of sources) void this.#pump(running, source);
      });
      if (this.#running !== running) running.turn.end();
    });
  }

  cancel(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { serial, workDone } = running;
    // The worker would not notice: it has finished, and only the consumer is waited for, who may never take the rest.
    if (workDone) return this.#finish(running, () => running.reject(new AbortError()));
    Atomics.store(this.#thread.shared, sharedWord.cancelled, serial);
    this.#thread.streams.nudge();
    running.turn?.begin(); // it ends before it does anything
  }

  leave(files: LayerPaths): Promise<Carried> {
    this.#leaving ??= this.#leave(files).finally(() => {
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  async #leave(files: LayerPaths): Promise<Carried> {
    if (this.#dead) throw new GuestfsError('EIO', 'the engine has ended');
    const serial = ++this.#thread.lastSerial;
    return await new Promise<Carried>((resolve, reject) => {
      // safe: the answer to a departure is what was carried
      this.#begin(serial, (value) => resolve(value as Carried), reject);
      post(this.#thread, { type: 'leave', serial, files });
    });
  }

  async shutdown({ autosync = this.#config.autosync }: ShutdownOptions = {}): Promise<void> {
    // After a departure the thread may belong to another session, so its end is awaited.
    if (this.#leaving !== undefined) {
      this.cancel();
      await this.#leaving.catch(() => {});
    }
    if (!this.#dead) {
      this.cancel();
      keepsProcess(this.#thread.worker, true);
      post(this.#thread, { type: 'shutdown', sync: autosync });
      await this.#ended;
    }
    if (this.#stopError) throw this.#stopError;
  }

  kill(): void {
    // A kept thread may belong to another session by now.
    if (!this.#dead) void this.#thread.worker.terminate();
  }
}

function isTableAnswer(action: string): action is keyof typeof tableAnswers {
  return Object.hasOwn(tableAnswers, action);
}

function post({ worker, shared }: EngineThread, request: WorkerRequest): void {
  worker.postMessage(request);
  Atomics.add(shared, sharedWord.requests, 1);
  Atomics.notify(shared, sharedWord.requests);
}

/** Removed by name: a worker also has Node's own listeners, without which no message arrives. */
function stopListening(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
}

/** The kinds of the arguments of an action, or of an internal call, in order. */
function argumentTypes(action: string): readonly string[] {
  const internals: Readonly<Record<string, InternalCall>> = internal;
  const table = isActionName(action) ? actions[action satisfies ActionName] : internals[action];
  return table?.args.map(({ type }) => type) ?? [];
}

/** Starts the embedded engine in a worker of its own. */
export const startEngine: StartBackend = (config, events, signal) => {
  return new Promise((resolve, reject) => {
    const thread = takeThread(config.workerUrl);
    const { worker, chunks } = thread;
    const fail = (error: GuestfsError): void => {
      stopListening(worker);
      chunks.close();
      signal?.removeEventListener('abort', aborted);
      void worker.terminate().then(() => reject(error));
    };
    const aborted = (): void => fail(new AbortError('the launch was cancelled', { cause: signal?.reason }));
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    worker.on('error', (error) => fail(asGuestfsError(error)));
    worker.on('exit', () => fail(new GuestfsError('EIO', 'the engine ended before it was ready')));
    worker.on('message', (report: Report) => {
      if (report.type === 'log') events.log(report.kind, report.message, report.partial, report.elsewhere);
      else if (report.type === 'progress') events.progress(report.position, report.total);
      else if (report.type === 'startFailed') fail(restoreError(report.error));
      else if (report.type === 'ready') {
        stopListening(worker);
        signal?.removeEventListener('abort', aborted);
        resolve(new EngineClient(thread, events, config));
      }
    });
    // A starting engine keeps the process alive until it is ready, or has failed.
    keepsProcess(worker, true);
    post(thread, { type: 'start', config });
  });
};
