/**
 * The work of a decoder thread: it takes units from the shared memory until it is told to stop, or had no work for a
 * while, so that fifty handles that once read a compressed image do not keep fifty threads. The platform starts it.
 */
import { decode } from './codecs.js';
import { DecoderMemory, type UnitBytes } from './decoder-memory.js';
import type { DecoderStart } from './platform.js';

/** Decodes for another thread, until there is nothing more to do. Throws where the thread is of no use any more. */
export function serveDecoder({ buffer, helpers, helper, idleMilliseconds }: DecoderStart): void {
  const memory = new DecoderMemory(helpers, buffer);
  const { mailbox } = memory;
  try {
    while (!mailbox.isClosed) {
      const seen = mailbox.signal();
      let task = memory.take(0, helper);
      const idle = task === undefined;
      for (; task !== undefined && !mailbox.isClosed; task = memory.take(task.letter + 1, helper))
        memory.finish(task.letter, decodeInto(task));
      if (idle && !mailbox.sleep(seen, idleMilliseconds)) break;
    }
  } finally {
    mailbox.leave(helper);
  }
}

/**
 * How many bytes a unit has; undefined where it could not be decoded. What went wrong goes wrong again in the thread that
 * asked, and there it is told.
 */
function decodeInto({ codec, packed, room, shortfall }: UnitBytes): number | undefined {
  try {
    const decoded = decode(codec, packed, room.length, shortfall);
    room.set(decoded);
    return decoded.length;
  } catch {
    return undefined;
  }
}
