/** The caller's streams, of any usual kind. */
import { GuestfsError } from './errors.js';
import { encodeText } from './text.js';

/** The chunks of a source. A source that is left early is ended. */
export async function* chunksOf(
  source: AsyncIterable<unknown> | ReadableStream<unknown>,
): AsyncGenerator<Uint8Array> {
  // A web stream is async iterable in Node; so is a Node stream, an async generator, …
  for await (const chunk of source as AsyncIterable<unknown>) {
    if (typeof chunk === 'string') yield encodeText(chunk);
    else if (chunk instanceof Uint8Array) yield chunk;
    else throw new GuestfsError('EINVAL', 'a stream gave a chunk that is neither bytes nor a string');
  }
}

/**
 * Marks a stream that has done with a chunk when it has taken it: `true` under this name says that the chunk's memory may
 * then be used again. Others may keep their chunks.
 */
export const borrowsChunks = Symbol.for('guestfs.borrowsChunks');

/** A function that hands one chunk to a sink and resolves when the next may come. The sink is left open at the end. */
export function writerTo(
  sink: NodeJS.WritableStream | WritableStream<Uint8Array>,
): (chunk: Uint8Array) => Promise<void> {
  if ('getWriter' in sink) {
    return async (chunk) => {
      const writer = sink.getWriter();
      try {
        await writer.ready;
        await writer.write(chunk);
      } finally {
        writer.releaseLock();
      }
    };
  }
  let failure: Error | undefined;
  sink.once('error', (error: Error) => {
    failure = error;
  });
  return async (chunk) => {
    if (failure) throw failure;
    if (sink.writable === false)
      throw new GuestfsError('EPIPE', 'the stream was closed before all was written');
    if (sink.write(chunk)) return;
    // A stream that is destroyed meanwhile never sends `drain`, but it does send `close`.
    const events = ['drain', 'close', 'error'];
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        for (const event of events) sink.removeListener(event, goOn);
        resolve();
      };
      for (const event of events) sink.once(event, goOn);
    });
    if (failure) throw failure;
  };
}
