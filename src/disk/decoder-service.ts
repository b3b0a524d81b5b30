/**
 * The work of a decoder thread: it takes units from the shared memory until it is told to stop, or had no work for a
 * while, so that fifty handles that once read a compressed image do not keep fifty threads. The platform starts it.
 */
import { decode } from './codecs.js';
import { DecoderMemory, type Task } from './decoder-memory.js';
import type { DecoderStart } from './platform.js';
import { loadZstdModule, useZstdModule, type ZstdModule, zstdReady } from './zstd.js';

/** Where the thread that is served receives the zstd module. */
interface Port {
  postMessage(module: ZstdModule): void;
  close(): void;
}

/** Decodes for another thread, until there is nothing more to do. Rejects where the thread is of no use any more. */
export async function serveDecoder(
  { buffer, helpers, helper, idleMilliseconds, zstd }: DecoderStart,
  port: Port,
): Promise<void> {
  if (zstd !== undefined) useZstdModule(zstd);
  const memory = new DecoderMemory(helpers, buffer);
  const { mailbox } = memory;
  try {
    while (!mailbox.isClosed) {
      const seen = mailbox.signal();
      let task = memory.take(0, helper);
      const idle = task === undefined;
      for (; task !== undefined && !mailbox.isClosed; task = memory.take(task.letter + 1, helper))
        mailbox.answer(task.letter, await (task.codec === undefined ? lendZstd(port) : decodeUnit(task)));
      if (idle && !mailbox.sleep(seen, idleMilliseconds)) break;
    }
  } finally {
    mailbox.leave(helper);
    port.close();
  }
}

/** Whether a unit could be decoded. What went wrong goes wrong again in the thread that asked, and there it is told. */
async function decodeUnit({
  codec,
  packed,
  room,
  isCut,
}: Exclude<Task, { codec: undefined }>): Promise<boolean> {
  try {
    if (codec === 'zstd' && !zstdReady()) useZstdModule(await loadZstdModule());
    room.set(decode(codec, packed, room.length, isCut));
    return true;
  } catch {
    return false;
  }
}

/** Whether the zstd module lies in the port now. What keeps it away is told by the thread that asked. */
async function lendZstd(port: Port): Promise<boolean> {
  try {
    port.postMessage(await loadZstdModule());
    return true;
  } catch {
    return false;
  }
}
