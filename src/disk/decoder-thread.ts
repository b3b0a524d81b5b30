/**
 * A decoder thread: takes units from the shared memory until it is told to stop, or had no work for a while, so that
 * fifty handles that once read a compressed image do not keep fifty threads.
 */
import { type MessagePort, workerData } from 'node:worker_threads';
import { decode } from './codecs.js';
import { DecoderMemory, unitState } from './decoder-memory.js';
import { loadZstdModule, useZstdModule, type ZstdModule, zstdReady } from './zstd.js';

/** What the thread is started with. */
export interface DecoderThreadData {
  readonly buffer: SharedArrayBuffer;
  /** Which helper this is. */
  readonly helper: number;
  /** Where the zstd module goes when it is asked for. */
  readonly port: MessagePort;
  readonly idleMilliseconds: number;
  /** The zstd decoder, if the served thread has it. */
  readonly zstd: ZstdModule | undefined;
}

async function serve({ buffer, helper, port, idleMilliseconds, zstd }: DecoderThreadData): Promise<void> {
  if (zstd !== undefined) useZstdModule(zstd);
  const memory = new DecoderMemory(buffer);
  try {
    while (!memory.isQuitting) {
      const seen = memory.signal();
      if (memory.isZstdAsked) await lendZstd(memory, port);
      let index = memory.take(0);
      const idle = index < 0;
      for (; index >= 0 && !memory.isQuitting; index = memory.take(index + 1))
        await decodeTaken(memory, index);
      if (idle && !memory.waitForSignal(seen, idleMilliseconds)) break;
    }
  } finally {
    memory.end(helper);
    port.close();
  }
}

async function decodeTaken(memory: DecoderMemory, index: number): Promise<void> {
  const { codec, packed, room } = memory.taken(index);
  let state: typeof unitState.decoded | typeof unitState.failed = unitState.failed;
  try {
    if (codec === 'zstd' && !zstdReady()) useZstdModule(await loadZstdModule());
    room.set(decode(codec, packed, room.length));
    state = unitState.decoded;
  } catch {
    // The same error occurs again in the requesting thread, which reports it.
  }
  memory.finish(index, state);
}

async function lendZstd(memory: DecoderMemory, port: MessagePort): Promise<void> {
  try {
    port.postMessage(await loadZstdModule());
    memory.answerZstd(true);
  } catch (thrown) {
    memory.answerZstd(false);
    throw thrown;
  }
}

void serve(workerData as DecoderThreadData); // safe: DecoderPool starts this thread with nothing else
