/** The caller's streams, in whichever of the usual kinds they come. */
import { GuestfsError } from './errors.js';
import { encodeText } from './text.js';

/** The chunks of a source. Ends the source when it is left before its end. */
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
    // `drain` never comes from a stream that is destroyed meanwhile; `close` does.
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
