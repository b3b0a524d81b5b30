/** The bytes of a call as a ReadableStream of the web. */
import type { ReadableByteStreamController, UnderlyingByteSource } from 'node:stream/web';
import type { CallOutput } from './call-output.js';
import { onAbort, type StreamOptions } from './options.js';

/** Bytes with memory of their own, which a stream of bytes takes away. */
function ownBytes(piece: Uint8Array): Uint8Array {
  const isWhole = !Buffer.isBuffer(piece) && piece.byteLength === piece.buffer.byteLength;
  return isWhole ? piece : new Uint8Array(piece);
}

/** By default nothing is read before it is asked for. */
export function webStream(
  method: string,
  output: CallOutput,
  { highWaterMark = 0, signal }: StreamOptions,
): ReadableStream<Uint8Array> {
  let failure: { readonly thrown: unknown } | undefined;
  let stopListening = (): void => {};
  const source: UnderlyingByteSource = {
    type: 'bytes',
    start(controller: ReadableByteStreamController) {
      stopListening = onAbort(method, signal, (error) => {
        controller.error(error);
        void output.cancel(error);
      });
    },
    async pull(controller: ReadableByteStreamController) {
      let piece: Uint8Array | undefined;
      try {
        if (failure === undefined) piece = await output.next();
      } catch (thrown) {
        failure = { thrown };
      }
      if (failure !== undefined) {
        // An error drops what is not read yet, so the stream asks again when that is read.
        if (controller.desiredSize === highWaterMark) {
          stopListening();
          controller.error(failure.thrown);
        }
        return;
      }
      if (piece !== undefined) return controller.enqueue(ownBytes(piece));
      stopListening();
      controller.close();
      controller.byobRequest?.respond(0);
    },
    async cancel(reason) {
      stopListening();
      await output.cancel(reason);
    },
  };
  return new ReadableStream(source, { highWaterMark });
}
