/** The handle's end of the embedded engine: starts the worker, sends calls, pumps streams, hears of its death. */
import type { MessagePort, Worker } from 'node:worker_threads';
import {
  type ActionName,
  actions,
  type Backend,
  type BackendEvents,
  type CallControl,
  type FileSink,
  type FileSource,
  isActionName,
  type StartBackend,
} from '../../api/index.js';
import {
  asFailureOf,
  asGuestfsError,
  chunksOf,
  GuestfsError,
  plainError,
  restoreError,
  writerTo,
} from '../../base/index.js';
import { type FileArgument, type IncomingChunk, type Report, type Request, sharedWord } from './messages.js';
import { tableAnswers } from './table-answers.js';
import { keepsProcess, takeThread } from './thread.js';
import { type Turn, turns } from './thread-queue.js';

interface Running {
  readonly serial: number;
  readonly action: string;
  resolve(value: unknown): void;
  reject(error: GuestfsError): void;
  /** Ends the fileIn pump. */
  readonly sourceEnd: AbortController;
  /** Called when the worker took a chunk of the fileIn stream. */
  taken: (() => void) | undefined;
  /** The fileOut stream, and its writes in order. */
  write: ((chunk: Uint8Array) => Promise<void>) | undefined;
  written: Promise<void>;
  /** The worker has done it all; the consumer of the stream may not have taken all yet. */
  workDone: boolean;
  turn: Turn | undefined;
}

class EngineClient implements Backend {
  readonly pid = undefined;
  readonly #worker: Worker;
  /** Where the chunks of fileIn streams are sent. */
  readonly #chunks: MessagePort;
  readonly #shared: Int32Array;
  readonly #events: BackendEvents;
  readonly #exited: Promise<void>;
  #serial = 0;
  #running: Running | undefined;
  #stopError: GuestfsError | undefined;
  #dead = false;

  constructor(worker: Worker, chunks: MessagePort, shared: Int32Array, events: BackendEvents) {
    this.#worker = worker;
    this.#chunks = chunks;
    this.#shared = shared;
    this.#events = events;
    worker.on('message', (report: Report) => this.#hear(report));
    worker.on('error', (error) => events.log('library', `the engine's worker failed: ${error.message}`));
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#dead = true;
        chunks.close();
        const running = this.#running;
        this.#running = undefined;
        running?.turn?.end();
        running?.sourceEnd.abort();
        running?.reject(new GuestfsError('EIO', 'the engine ended unexpectedly', { action: running.action }));
        events.quit();
        resolve();
      });
    });
    // An idle engine does not keep the process alive: only a running call does.
    keepsProcess(worker, false);
  }

  #hear(report: Report): void {
    switch (report.type) {
      case 'log':
        return this.#events.log(report.kind, report.message, report.partial);
      case 'stopped':
        if (report.error) this.#stopError = restoreError(report.error, 'shutdown');
        return;
      case 'ready':
      case 'startFailed':
        return;
    }
    const running = this.#running;
    if (running?.serial !== report.serial) return; // of a call that was already given up
    switch (report.type) {
      case 'progress':
        return this.#events.progress(report.position, report.total);
      case 'taken':
        return running.taken?.();
      case 'chunk':
        return this.#takeChunk(running, report.chunk);
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
      case 'failure': {
        const reject = (): void =>
          this.#finish(running, () => running.reject(restoreError(report.error, running.action)));
        // What could be read is delivered before it is said that some could not.
        if (report.error.partial === undefined) reject();
        else running.written.then(reject, () => {});
        return;
      }
    }
  }

  #finish(running: Running, settle: () => void): void {
    if (this.#running === running) this.#running = undefined;
    running.turn?.end();
    keepsProcess(this.#worker, false);
    running.sourceEnd.abort();
    settle();
  }

  #takeChunk(running: Running, chunk: Uint8Array): void {
    // Of a call that was given up meanwhile nothing is written any more, and nothing counted: the count is the next call's.
    const isOver = (): boolean => this.#running !== running;
    running.written = running.written.then(async () => {
      if (isOver()) return;
      await running.write?.(chunk);
      if (!isOver()) this.#bump(sharedWord.chunksTaken);
    });
    running.written.catch((thrown) => {
      if (isOver()) return;
      // The consumer failed: the call is of no use any more.
      if (!running.workDone) this.cancel();
      this.#finish(running, () => running.reject(asFailureOf(running.action, thrown)));
    });
  }

  #bump(word: number): void {
    Atomics.add(this.#shared, word, 1);
    Atomics.notify(this.#shared, word);
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
    this.#bump(sharedWord.requests);
  }

  async #pump(running: Running, source: Exclude<FileSource, string>): Promise<void> {
    const { serial, sourceEnd } = running;
    const send = async (piece: { chunk?: Uint8Array; error?: unknown }): Promise<void> => {
      if (sourceEnd.signal.aborted) return;
      const taken = new Promise<void>((resolve) => {
        running.taken = resolve;
        sourceEnd.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      const error = piece.error === undefined ? {} : { error: plainError(asGuestfsError(piece.error)) };
      const message: IncomingChunk = { serial, ...(piece.chunk ? { chunk: piece.chunk } : {}), ...error };
      this.#chunks.postMessage(message);
      this.#bump(sharedWord.chunksGiven);
      await taken;
    };
    try {
      for await (const chunk of chunksOf(source)) {
        if (chunk.length > 0) await send({ chunk });
        if (sourceEnd.signal.aborted) return;
      }
      await send({});
    } catch (error) {
      await send({ error });
    }
  }

  call(
    action: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown> {
    // What the tables alone can answer need not travel, and keeps them out of the worker.
    if (isTableAnswer(action)) {
      const answer = tableAnswers[action] as (...given: readonly unknown[]) => unknown; // safe: the arguments were checked
      return Promise.resolve(answer(...args));
    }
    if (this.#dead) return Promise.reject(new GuestfsError('EIO', 'the engine has ended', { action }));
    const serial = ++this.#serial;
    Atomics.store(this.#shared, sharedWord.chunksTaken, 0);
    Atomics.store(this.#shared, sharedWord.chunksGiven, 0);
    return new Promise((resolve, reject) => {
      const running: Running = {
        serial,
        action,
        resolve,
        reject,
        sourceEnd: new AbortController(),
        taken: undefined,
        write: undefined,
        written: Promise.resolve(),
        workDone: false,
        turn: undefined,
      };
      this.#running = running;
      keepsProcess(this.#worker, true);
      const sources: Exclude<FileSource, string>[] = [];
      const sent = args.map((argument, index) => {
        switch (argumentTypes(action)[index]) {
          case 'fileOut': {
            if (typeof argument === 'string') return { fileOut: { path: argument } satisfies FileArgument };
            running.write = writerTo(argument as Exclude<FileSink, string>);
            return { fileOut: { stream: true } satisfies FileArgument };
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
      running.turn = turns.take(() => {
        try {
          this.#post({ type: 'call', serial, action, args: sent, options, wantsProgress });
        } catch (thrown) {
          // Memory that was given away meanwhile cannot be sent. It is this call's fault, not that of whoever made room for it.
          return this.#finish(running, () => reject(asFailureOf(action, thrown)));
        }
        for (const source of sources) void this.#pump(running, source);
      });
      if (this.#running !== running) running.turn.end();
    });
  }

  cancel(): void {
    const running = this.#running;
    if (running === undefined) return;
    const { serial, action, workDone } = running;
    // The worker would not hear of it: it is done, and only the consumer is waited for, who may never take the rest.
    if (workDone)
      return this.#finish(running, () =>
        running.reject(new GuestfsError('ECANCELED', 'the call was cancelled', { action })),
      );
    Atomics.store(this.#shared, sharedWord.cancelled, serial);
    running.turn?.begin(); // it ends before it does anything
  }

  async shutdown(): Promise<void> {
    if (!this.#dead) {
      this.cancel();
      keepsProcess(this.#worker, true);
      this.#post({ type: 'shutdown' });
      await this.#exited;
    }
    if (this.#stopError) throw this.#stopError;
  }

  kill(): void {
    void this.#worker.terminate();
  }
}

function isTableAnswer(action: string): action is keyof typeof tableAnswers {
  return Object.hasOwn(tableAnswers, action);
}

/** The kinds of an action's arguments in order; empty for the engine's own calls, which take no files. */
function argumentTypes(action: string): readonly string[] {
  return isActionName(action) ? actions[action satisfies ActionName].args.map(({ type }) => type) : [];
}

/** Starts the embedded engine in a worker of its own. */
export const startEngine: StartBackend = (config, events, signal) => {
  const { worker, chunks, shared } = takeThread();
  // By name: a worker has listeners of Node's own too, without which no message arrives any more.
  const stopListening = (): void => {
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
  };
  return new Promise((resolve, reject) => {
    const fail = (error: GuestfsError): void => {
      stopListening();
      chunks.close();
      signal?.removeEventListener('abort', aborted);
      void worker.terminate().then(() => reject(error));
    };
    const aborted = (): void =>
      fail(
        new GuestfsError('ECANCELED', 'the launch was cancelled', {
          action: 'launch',
          cause: signal?.reason,
        }),
      );
    if (signal?.aborted) return aborted();
    signal?.addEventListener('abort', aborted, { once: true });
    worker.on('error', (error) => fail(asFailureOf('launch', error)));
    worker.on('exit', () =>
      fail(new GuestfsError('EIO', 'the engine ended before it was ready', { action: 'launch' })),
    );
    worker.on('message', (report: Report) => {
      if (report.type === 'log') events.log(report.kind, report.message, report.partial);
      else if (report.type === 'startFailed') fail(restoreError(report.error, 'launch'));
      else if (report.type === 'ready') {
        stopListening();
        signal?.removeEventListener('abort', aborted);
        resolve(new EngineClient(worker, chunks, shared, events));
      }
    });
    // What is started keeps the process alive until it is ready, or has failed.
    keepsProcess(worker, true);
    worker.postMessage({ type: 'start', config } satisfies Request);
    Atomics.add(shared, sharedWord.requests, 1); // it is in its event loop
  });
};
