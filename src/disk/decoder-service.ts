/**
 * The work of a decoder thread: it takes units from the shared memory until it is told to stop, or had no work for a
 * while, so that fifty handles that once read a compressed image do not keep fifty threads. The platform starts it.
 */
import { decode } from './codecs.js';
import { DecoderMemory, unitState } from './decoder-memory.js';
import type { DecoderStart } from './platform.js';
import { loadZstdModule, useZstdModule, type ZstdModule, zstdReady } from './zstd.js';

/** Where the thread that is served receives the zstd module. */
interface Port {
  postMessage(module: ZstdModule): void;
  close(): void;
}

/** Decodes for another thread, until there is nothing more to do. Rejects where the thread is of no use any more. */
export async function serveDecoder(
  { buffer, helper, idleMilliseconds, zstd }: DecoderStart,
  port: Port,
): Promise<void> {
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

async function lendZstd(memory: DecoderMemory, port: Port): Promise<void> {
  try {
    port.postMessage(await loadZstdModule());
    memory.answerZstd(true);
  } catch (thrown) {
    memory.answerZstd(false);
    throw thrown;
  }
}
