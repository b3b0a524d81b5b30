/**
 * The engine's thread: started ahead of a launch or by it, and kept for the next launch after its session has ended.
 * Loads nothing else.
 */
import { MessageChannel, type MessagePort, SHARE_ENV, Worker } from 'node:worker_threads';
import { GuestfsError, Mailbox } from '../../base/index.js';
import { findWorker } from './location.js';
import { sharedWords, streamMailbox, type ThreadStart } from './messages.js';

/**
 * The worker's heap limit in megabytes: a hostile image that makes a parser collect data ends the worker, and the
 * process survives. Metadata of the largest honest images stays far below; file contents are never on this heap.
 */
const heapLimitInMegabytes = 512;
/**
 * The size of its young generation in megabytes. V8's default is three times as much, which fifty handles would feel;
 * calls make few long-lived objects, so the smaller size cost nothing in measurements.
 */
const youngLimitInMegabytes = 16;

/** The most threads that are kept without a session. Each takes about ten megabytes. */
const mostSpare = 4;
/** How long a thread without a session is kept, in milliseconds. */
const spareTimeInMs = 10_000;

/** A thread that waits for its session's configuration. */
export interface EngineThread {
  readonly worker: Worker;
  /** The file that it runs, where the program named one. */
  readonly workerUrl: string | undefined;
  /** Where the chunks of fileIn streams are sent. */
  readonly chunks: MessagePort;
  /** The words of the memory that both share. */
  readonly shared: Int32Array;
  /** The mailbox of the streams. */
  readonly streams: Mailbox;
  /** The serial of the last call. Serials continue from session to session, so a late message belongs to no call. */
  lastSerial: number;
}

/**
 * Sets whether a thread keeps the process alive. In Node, adding a `message` listener makes it do so, so this must be
 * called afterwards.
 */
export function keepsProcess(worker: Worker, keeps: boolean): void {
  if (keeps) worker.ref();
  else worker.unref();
}

/**
 * Starts a thread. Before a launch, only programs that will certainly launch soon and then exit may call this, and
 * they hand the thread over by {@link offerThread}: starting a thread takes longer than loading the rest of a short
 * command, and both can run at once. Throws GuestfsError (ENOENT) in a deleted working directory, and without a worker's
 * file. `workerUrl`: the URL of that file; by default it is looked for. `command`: the command that starts it.
 */
export function startThread(workerUrl?: string, command?: string): EngineThread {
  requireWorkingDirectory();
  const shared = new SharedArrayBuffer(sharedWords * Int32Array.BYTES_PER_ELEMENT);
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const streams = new SharedArrayBuffer(Mailbox.sizeOf(streamMailbox));
  const workerData: ThreadStart = { shared, streams, incoming: port2, flags: process.execArgv, command };
  const worker = new Worker(findWorker(workerUrl), {
    workerData,
    transferList: [port2],
    name: 'guestfs engine',
    // The program's own flags mean nothing to the worker, and some (--input-type) would stop it.
    execArgv: [],
    // The thread reads the environment and never changes it: a copy of its own would cost each start of one.
    env: SHARE_ENV,
    // Node would open the process's own streams for these, which takes milliseconds. Nothing writes to the first.
    stdout: true,
    stderr: true,
    resourceLimits: {
      maxOldGenerationSizeMb: heapLimitInMegabytes,
      maxYoungGenerationSizeMb: youngLimitInMegabytes,
    },
  });
  // What Node itself said there, such as a warning, is shown at the thread's end: listening keeps the process alive.
  worker.once('exit', () => {
    const said: Buffer | null = worker.stderr.read();
    if (said !== null) process.stderr.write(said);
  });
  return {
    worker,
    workerUrl,
    chunks: port1,
    shared: new Int32Array(shared),
    streams: new Mailbox(streams, streamMailbox),
    lastSerial: 0,
  };
}

/** In a deleted working directory Node's threads end at their start, with an error that does not say so. */
function requireWorkingDirectory(): void {
  try {
    process.cwd();
  } catch (thrown) {
    throw new GuestfsError(
      'ENOENT',
      'the working directory of this process was deleted, and Node starts no thread without one: change to another first',
      { cause: thrown },
    );
  }
}

interface Spare {
  readonly thread: EngineThread;
  readonly timer: NodeJS.Timeout | undefined;
}

/** Threads without a session, the most recent last. */
const spares: Spare[] = [];
/** So many of them stay, however old. */
let leastSpare: 0 | 1 = 0;

/**
 * Offers a thread without a session to the next launch. It does not keep the process alive: without a launch, it ends
 * with the process.
 */
export function offerThread(thread: EngineThread): void {
  addSpare(thread, undefined);
}

/**
 * Keeps a thread whose session has ended for the next launch, because starting a thread takes longer than the rest of
 * a launch. False if enough are kept: the caller must then end the thread. An unused thread ends after {@link
 * spareTimeInMs}.
 */
export function keepThread(thread: EngineThread): boolean {
  if (spares.length >= mostSpare) return false;
  const timer = setTimeout(() => {
    if (spares.length <= leastSpare) return;
    forgetSpare(thread);
    void thread.worker.terminate();
  }, spareTimeInMs);
  addSpare(thread, timer.unref());
  return true;
}

/**
 * For programs that launch again and again: starts a thread ahead of a launch, unless there is a spare one. From then on
 * the last spare thread does not end by its age.
 */
export function prepareThread(workerUrl?: string): void {
  leastSpare = 1;
  if (spares.length >= mostSpare || findSpare(workerUrl) !== undefined) return;
  try {
    addSpare(startThread(workerUrl), undefined);
  } catch {
    // The launch that finds no thread starts one, and reports the problem.
  }
}

function addSpare(thread: EngineThread, timer: NodeJS.Timeout | undefined): void {
  spares.push({ thread, timer });
  const forget = (): void => {
    if (forgetSpare(thread)) thread.chunks.close();
  };
  // The launch then starts another one, and reports the problem.
  thread.worker.once('error', forget).once('exit', forget);
  keepsProcess(thread.worker, false);
}

function forgetSpare(thread: EngineThread): boolean {
  const index = spares.findIndex((spare) => spare.thread === thread);
  if (index < 0) return false;
  clearTimeout(spares[index]?.timer);
  spares.splice(index, 1);
  return true;
}

/** The thread with that worker that became spare last. */
function findSpare(workerUrl: string | undefined): EngineThread | undefined {
  return spares.findLast((spare) => spare.thread.workerUrl === workerUrl)?.thread;
}

/** A thread for a launch: the one with that worker that became spare last, or a new one. */
export function takeThread(workerUrl?: string): EngineThread {
  const thread = findSpare(workerUrl);
  if (thread === undefined) return startThread(workerUrl);
  forgetSpare(thread);
  return thread;
}
