/**
 * The worker thread of the embedded engine: starts a session, then runs one call after another; more sessions may
 * follow.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { BackendConfig } from '../../api/index.js';
import {
  asGuestfsError,
  beginWork,
  endWork,
  GuestfsError,
  Mailbox,
  PartialError,
  plainError,
  recordCompiledCode,
} from '../../base/index.js';
import { endDecoders, usePlatform } from '../../disk/index.js';
import { node } from '../../platform/index.js';
import { forgetCopyBuffer } from '../host/copy-data.js';
import { type FileInSource, type FileOutSink, HostFileSink, HostFileSource } from '../host/data-sinks.js';
import { Session } from '../session/session.js';
import { Call, sparseProgress } from './call.js';
import { findHandler } from './dispatch.js';
import {
  type FileArgument,
  type Report,
  sharedWord,
  streamMailbox,
  type ThreadStart,
  type WorkerRequest,
} from './messages.js';
import { StreamSink, StreamSource } from './streams.js';

type CallRequest = WorkerRequest & { type: 'call' };

/**
 * The most bytes of a thread that is kept for another session: 10 MiB after a few calls, 40 to 70 MiB if many threads
 * have decoded for it and V8 has not freed their memory yet, by the version of Node.
 */
const keptHeapInBytes = 96 * 2 ** 20;

/** How long it sleeps for the next request before the event loop, and with it V8's cleaning of an idle heap, runs. */
const lullInMs = 5000;

interface Wires {
  readonly port: MessagePort;
  readonly incoming: MessagePort;
  readonly shared: Int32Array;
  readonly mailbox: Mailbox;
}

function isFileArgument(argument: unknown): argument is { fileOut: FileArgument } | { fileIn: FileArgument } {
  return typeof argument === 'object' && argument !== null && ('fileOut' in argument || 'fileIn' in argument);
}

async function runCall(
  { port, incoming, shared, mailbox }: Wires,
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
  const end = { port, incoming, mailbox, serial, checkpoint: () => call.checkpoint(), touch };
  const sinks: FileOutSink[] = [];
  const sources: FileInSource[] = [];
  try {
    const found = findHandler(action);
    const handler = found instanceof Promise ? await found : found;
    const args = request.args.map((argument) => {
      if (!isFileArgument(argument)) return argument;
      if ('fileOut' in argument) {
        const sink =
          'path' in argument.fileOut
            ? new HostFileSink(argument.fileOut.path, end.checkpoint, touch)
            : new StreamSink(end, argument.fileOut.borrows === true);
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
    // Before the caller gets the error, because the files may belong to the caller again from then on.
    const failure = thrown instanceof PartialError ? deliver(thrown, sinks) : thrown;
    endFiles(failure instanceof PartialError ? [] : sinks, sources, call);
    session.warnings.settle();
    post({ type: 'failure', serial, error: plainError(asGuestfsError(failure), !call.touched) });
  }
}

/** Finishes files that have all readable bytes. Returns the call's error, which changes if finishing fails. */
function deliver(partial: PartialError, sinks: readonly FileOutSink[]): unknown {
  try {
    for (const sink of sinks) sink.finish();
    return partial;
  } catch (thrown) {
    return thrown;
  }
}

/** Releases a call's files. An error of that becomes a warning, and does not hide the call's result. */
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

/** Ends the session; returns whether the thread may have another one. It may only if it is as before the session. */
function stop(session: Session, sync: boolean): Report & { type: 'stopped' } {
  try {
    session.close({ sync });
    endDecoders();
    forgetCopyBuffer();
    return { type: 'stopped', kept: isHeapSmall() };
  } catch (thrown) {
    return { type: 'stopped', kept: false, error: plainError(asGuestfsError(thrown)) };
  }
}

/** Ends the session for a backend that follows; undefined if that failed, which is reported. */
async function leave(
  { port, shared }: Wires,
  session: Session,
  { serial, files }: WorkerRequest & { type: 'leave' },
): Promise<(Report & { type: 'stopped' }) | undefined> {
  const post = (report: Report): void => port.postMessage(report);
  const { prepareToLeave } = await import('./leave.js');
  const checkpoint = (): void => {
    if (Atomics.load(shared, sharedWord.cancelled) === serial)
      throw new GuestfsError('ECANCELED', 'the call was cancelled');
  };
  try {
    beginWork(session.config.limits, checkpoint);
    const carried = prepareToLeave(session, {
      files,
      progress(position, total) {
        checkpoint();
        post({ type: 'progress', serial, position, total });
      },
    });
    endWork();
    session.warnings.settle();
    // What is written is safe by now, so a file that does not close well is no error of the session's.
    return { ...stop(session, false), carried };
  } catch (thrown) {
    endWork();
    session.warnings.settle();
    post({ type: 'stayed', serial, error: plainError(asGuestfsError(thrown)) });
    return undefined;
  }
}

/** Whether the session has left no more memory than the next one would use anyway. */
function isHeapSmall(): boolean {
  const { heapTotal, external } = process.memoryUsage(); // of this thread
  return heapTotal + external <= keptHeapInBytes;
}

/** Opens the drives; undefined if that failed, which is reported. */
async function start({ port }: Wires, config: BackendConfig): Promise<Session | undefined> {
  const post = (report: Report): void => port.postMessage(report);
  try {
    // A cancelled launch ends the thread, so there is nothing to check.
    beginWork(config.limits, () => {});
    const session = await Session.start(
      config,
      (kind, message, partial, elsewhere) => post({ type: 'log', kind, message, partial, elsewhere }),
      // It is no call, so it has no serial number.
      sparseProgress((position, total) => post({ type: 'progress', serial: 0, position, total })),
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

function main(port: MessagePort, { shared, streams, incoming }: ThreadStart): void {
  const wires: Wires = {
    port,
    incoming,
    shared: new Int32Array(shared),
    mailbox: new Mailbox(streams, streamMailbox),
  };
  let session: Session | undefined;
  let ended = false;
  const serve = async (request: WorkerRequest): Promise<void> => {
    if (request.type === 'start') {
      session = await start(wires, request.config);
      ended = session === undefined;
    } else if (session === undefined) throw new GuestfsError('EPROTO', `${request.type} without a session`);
    else if (request.type === 'call') await runCall(wires, session, request);
    else {
      const report =
        request.type === 'leave' ? await leave(wires, session, request) : stop(session, request.sync);
      if (report === undefined) return;
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
  // Sleeps on the count instead of in the event loop: there, V8 makes an idle thread ask again and again whether
  // concurrent marking is done. With many engines that takes processors from busy ones.
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

usePlatform(node);
// safe: this module is only ever the entry of a worker, which has a port, started with ThreadStart
main(parentPort as MessagePort, workerData as ThreadStart);
