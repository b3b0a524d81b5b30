/** The worker thread of the embedded engine: starts a session, then runs one call after another; perhaps more sessions follow. */
import { getHeapStatistics } from 'node:v8';
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { BackendConfig } from '../../api/index.js';
import {
  asGuestfsError,
  beginWork,
  endWork,
  GuestfsError,
  PartialError,
  plainError,
  recordCompiledCode,
} from '../../base/index.js';
import { endDecoders } from '../../disk/index.js';
import { forgetCopyBuffer } from '../host/copy-data.js';
import { type FileInSource, type FileOutSink, HostFileSink, HostFileSource } from '../host/data-sinks.js';
import { Session } from '../session/session.js';
import { Call } from './call.js';
import { findHandler } from './dispatch.js';
import {
  type FileArgument,
  type Report,
  sharedWord,
  type ThreadStart,
  type WorkerRequest,
} from './messages.js';
import { StreamSink, StreamSource } from './streams.js';

type CallRequest = WorkerRequest & { type: 'call' };

/**
 * What a thread that is kept for another session holds at most, in bytes: 10 MiB after a few calls, 60 MiB where many threads
 * have decoded for it, whose memory V8 has not yet let go of.
 */
const keptHeapInBytes = 64 * 2 ** 20;

/** How long it sleeps for the next request before the event loop, and with it V8's tidying of an idle heap, goes on. */
const lullInMs = 5000;

interface Wires {
  readonly port: MessagePort;
  readonly incoming: MessagePort;
  readonly shared: Int32Array;
}

function isFileArgument(argument: unknown): argument is { fileOut: FileArgument } | { fileIn: FileArgument } {
  return typeof argument === 'object' && argument !== null && ('fileOut' in argument || 'fileIn' in argument);
}

async function runCall(
  { port, incoming, shared }: Wires,
  session: Session,
  request: CallRequest,
): Promise<void> {
  const { serial, action, options } = request;
  const post = (report: Report): void => port.postMessage(report);
  const call = new Call(
    action,
    session,
    {
      isCancelled: () => Atomics.load(shared, sharedWord.cancelled) === serial,
      progress: (position, total) => post({ type: 'progress', serial, position, total }),
    },
    request.wantsProgress,
  );
  const touch = (): void => call.touch();
  const end = { port, incoming, shared, serial, checkpoint: () => call.checkpoint(), touch };
  const sinks: FileOutSink[] = [];
  const sources: FileInSource[] = [];
  try {
    const handler = await findHandler(action);
    const args = request.args.map((argument) => {
      if (!isFileArgument(argument)) return argument;
      if ('fileOut' in argument) {
        const sink =
          'path' in argument.fileOut
            ? new HostFileSink(argument.fileOut.path, end.checkpoint, touch)
            : new StreamSink(end);
        sinks.push(sink);
        return sink;
      }
      const source =
        'path' in argument.fileIn ? new HostFileSource(argument.fileIn.path) : new StreamSource(end);
      sources.push(source);
      return source;
    });
    call.checkpoint();
    beginWork(session.config.limits, () => call.checkpoint());
    session.damage.begin();
    const value = handler(call, ...args, options);
    endWork();
    for (const sink of sinks) sink.finish();
    endFiles([], sources, call);
    session.warnings.settle();
    port.postMessage({ type: 'result', serial, value } satisfies Report, [...call.handedOver]);
  } catch (thrown) {
    endWork();
    // Before the caller hears of the failure: by then the files may be the caller's again.
    const failure = thrown instanceof PartialError ? deliver(thrown, sinks) : thrown;
    endFiles(failure instanceof PartialError ? [] : sinks, sources, call);
    session.warnings.settle();
    post({ type: 'failure', serial, error: plainError(asGuestfsError(failure), !call.touched) });
  }
}

/** Ends files in which all is that could be read. Gives how the call failed: it is another way when that fails. */
function deliver(partial: PartialError, sinks: readonly FileOutSink[]): unknown {
  try {
    for (const sink of sinks) sink.finish();
    return partial;
  } catch (thrown) {
    return thrown;
  }
}

/** Lets go of a call's files. Trouble with that is worth a warning, and does not hide how the call ended. */
function endFiles(unfinished: readonly FileOutSink[], sources: readonly FileInSource[], call: Call): void {
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      call.touch();
      call.session.warn(asGuestfsError(thrown).message);
    }
  };
  for (const sink of unfinished) attempt(() => sink.abandon());
  for (const source of sources) attempt(() => source.close());
}

/** Ends the session; whether the thread may have another one. Only one that is as it was before the session may. */
function stop(session: Session): Report & { type: 'stopped' } {
  try {
    session.close();
    endDecoders();
    forgetCopyBuffer();
    return { type: 'stopped', kept: isHeapSmall() };
  } catch (thrown) {
    return { type: 'stopped', kept: false, error: plainError(asGuestfsError(thrown)) };
  }
}

/** Whether the session has left no more memory behind than the next one would take by itself. */
function isHeapSmall(): boolean {
  const { total_heap_size, external_memory } = getHeapStatistics();
  return total_heap_size + external_memory <= keptHeapInBytes;
}

/** Opens the drives; undefined when that failed, which is told. */
async function start({ port }: Wires, config: BackendConfig): Promise<Session | undefined> {
  const post = (report: Report): void => port.postMessage(report);
  try {
    // A launch that is given up ends the thread: nothing is to be asked.
    beginWork(config.limits, () => {});
    const session = await Session.start(config, (kind, message, partial, elsewhere) =>
      post({ type: 'log', kind, message, partial, elsewhere }),
    );
    endWork();
    post({ type: 'ready' });
    return session;
  } catch (thrown) {
    post({ type: 'startFailed', error: plainError(asGuestfsError(thrown), true) });
    port.close();
    return undefined;
  }
}

function main(port: MessagePort, { shared, incoming }: ThreadStart): void {
  const wires: Wires = { port, incoming, shared: new Int32Array(shared) };
  let session: Session | undefined;
  let ended = false;
  const serve = async (request: WorkerRequest): Promise<void> => {
    if (request.type === 'start') {
      session = await start(wires, request.config);
      ended = session === undefined;
    } else if (session === undefined) throw new GuestfsError('EPROTO', `${request.type} without a session`);
    else if (request.type === 'call') await runCall(wires, session, request);
    else {
      const report = stop(session);
      session = undefined;
      ended = !report.kept;
      if (report.kept) recordCompiledCode();
      port.postMessage(report);
      if (ended) port.close();
    }
  };
  /** Requests that were taken. */
  let taken = 0;
  const serveUntilLull = async (first: WorkerRequest): Promise<void> => {
    for (let request: WorkerRequest | undefined = first; request !== undefined; request = nextRequest()) {
      taken++;
      await serve(request);
    }
  };
  // Asleep on the count rather than in the event loop, where V8 has a thread without work ask again and again whether its
  // concurrent marking is done; with many engines that takes their processors from those that have work.
  const nextRequest = (): WorkerRequest | undefined => {
    if (ended) return undefined;
    if (Atomics.load(wires.shared, sharedWord.requests) === taken)
      Atomics.wait(wires.shared, sharedWord.requests, taken, lullInMs);
    return receiveMessageOnPort(port)?.message as WorkerRequest | undefined;
  };
  // One after the other: a call may have to wait for its code to be loaded.
  let last = Promise.resolve();
  port.on('message', (request: WorkerRequest) => {
    last = last.then(() => serveUntilLull(request));
  });
}

// safe: this module is only ever the entry of a worker, which has a port, started with ThreadStart
main(parentPort as MessagePort, workerData as ThreadStart);
