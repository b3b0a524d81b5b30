/**
 * The engine's thread: how it is started, before a launch wants it or then, and how it is kept for the next launch once its
 * session has ended. Loads nothing else.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { GuestfsError, isBundled } from '../../base/index.js';
import { sharedWords, type ThreadStart } from './messages.js';

/**
 * The worker's heap limit in megabytes: a hostile image that makes a parser hoard ends the worker, not the process.
 * Metadata of the largest honest images stays far below; file contents never live on this heap.
 */
const heapLimitInMegabytes = 512;
/**
 * Where its new objects live, in megabytes. V8's own choice is three times as much, which fifty handles at once would
 * feel; calls make few objects that outlive them, so that a smaller one costs nothing that was measured.
 */
const youngLimitInMegabytes = 16;

/** Beside this file; of the bundles it is the one that is loaded with its compiled code. */
const workerFile = new URL(isBundled ? './worker.cjs' : './worker.js', import.meta.url);

/** Threads that are kept without a session at most. Each holds some ten megabytes. */
const mostSpare = 4;
/** How long a thread without a session is kept, in milliseconds. */
const spareTimeInMs = 10_000;

/** A thread that waits for its session's configuration. */
export interface EngineThread {
  readonly worker: Worker;
  /** Where the chunks of fileIn streams are sent. */
  readonly chunks: MessagePort;
  /** The words of the memory that both share. */
  readonly shared: Int32Array;
  /** The serial of the last call. Serials go on counting from session to session: what comes late is then of no call. */
  lastSerial: number;
}

/**
 * Says whether a thread keeps the process alive. A listener for `message` makes it do so, as Node has it: whoever adds one
 * says afterwards what is meant.
 */
export function keepsProcess(worker: Worker, keeps: boolean): void {
  if (keeps) worker.ref();
  else worker.unref();
}

/**
 * Starts a thread. To be called before a launch only by programs that are sure to launch soon and to exit afterwards, and
 * that hand it over by {@link offerThread}: a thread takes longer to start than the rest of a short command takes to load,
 * and both can go on at once. Throws GuestfsError (ENOENT) where the working directory was deleted.
 */
export function startThread(): EngineThread {
  requireWorkingDirectory();
  const shared = new SharedArrayBuffer(sharedWords * Int32Array.BYTES_PER_ELEMENT);
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const workerData: ThreadStart = { shared, incoming: port2 };
  const worker = new Worker(workerFile, {
    workerData,
    transferList: [port2],
    name: 'guestfs engine',
    // The program's own flags mean nothing to the worker, and some (--input-type) would hinder it.
    execArgv: [],
    resourceLimits: {
      maxOldGenerationSizeMb: heapLimitInMegabytes,
      maxYoungGenerationSizeMb: youngLimitInMegabytes,
    },
  });
  return { worker, chunks: port1, shared: new Int32Array(shared), lastSerial: 0 };
}

/** Node's threads end at their start where there is none, with an error that names nothing of it. */
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

/** Threads without a session, the one that had one last at the end. */
const spares: Spare[] = [];

/**
 * Lets the next launch have a thread that has no session. It does not keep the process alive: where no launch comes, it ends
 * with the process.
 */
export function offerThread(thread: EngineThread): void {
  addSpare(thread, undefined);
}

/**
 * Keeps a thread whose session has ended for the next launch: a new thread takes longer to start than all else that a
 * launch does. False where there are enough of them: the thread is the caller's to end. One that nobody wants ends after
 * {@link spareTimeInMs}.
 */
export function keepThread(thread: EngineThread): boolean {
  if (spares.length >= mostSpare) return false;
  const timer = setTimeout(() => {
    forgetSpare(thread);
    void thread.worker.terminate();
  }, spareTimeInMs);
  addSpare(thread, timer.unref());
  return true;
}

function addSpare(thread: EngineThread, timer: NodeJS.Timeout | undefined): void {
  spares.push({ thread, timer });
  const forget = (): void => {
    if (forgetSpare(thread)) thread.chunks.close();
  };
  // The launch starts another one then, and tells what is wrong with that.
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

/** A thread for a launch: the one that became spare last, or a new one. */
export function takeThread(): EngineThread {
  const thread = spares.at(-1)?.thread;
  if (thread === undefined) return startThread();
  forgetSpare(thread);
  return thread;
}
