/**
 * The ends of the streams that a call writes to. As with `pipeline` and `pipeTo`, a successful call ends its stream
 * and waits until everything is written; a failed call destroys it, so that no reader takes a part for the whole or
 * waits for more. With the control `end: false` the caller alone ends the stream.
 */
import { finished } from 'node:stream';
import { type ActionName, actions } from '../api/index.js';
import { GuestfsError } from '../base/index.js';

type Stream = NodeJS.WritableStream | WritableStream<Uint8Array>;

const isWeb = (stream: Stream): stream is WritableStream<Uint8Array> => 'getWriter' in stream;

/** Streams that other parts of the process also write to are never ended, as in `pipe`. */
const isShared = (stream: Stream): boolean => stream === process.stdout || stream === process.stderr;

/** The stream that a call writes to and must end; undefined without one. */
export function sinkOf(name: ActionName, given: readonly unknown[]): Stream | undefined {
  const { args } = actions[name];
  const index = args.findIndex(({ type }) => type === 'fileOut');
  const sink = index < 0 ? undefined : given[index];
  const controls = given[args.length] as { readonly end?: unknown } | null | undefined;
  if (typeof sink !== 'object' || sink === null || controls?.end === false) return undefined;
  // safe: what is neither is refused when the arguments are checked, and has no method that is called before
  const stream = sink as Stream;
  return isShared(stream) ? undefined : stream;
}

/** Ends a stream, and resolves when it has taken all data. Rejects with the stream's own error. */
export async function endSink(stream: Stream): Promise<void> {
  if (isWeb(stream)) return await stream.close();
  const { destroyed, writableFinished } = stream as { destroyed?: boolean; writableFinished?: boolean };
  if (writableFinished === true) return;
  if (destroyed === true) throw new GuestfsError('EPIPE', 'the stream was closed before all was written');
  // A stream that does not report its end is not waited for.
  if (writableFinished === undefined) return void stream.end();
  await new Promise<void>((resolve, reject) => {
    finished(stream, { readable: false }, (error) => (error ? reject(error) : resolve()));
    stream.end();
  });
}

/** Destroys the stream of a failed call. */
export function destroySink(stream: Stream, error: GuestfsError): void {
  if (isWeb(stream)) {
    // A locked stream belongs to somebody else. An error of aborting it is ignored, since the call has failed
    // already.
    if (!stream.locked) stream.abort(error).catch(() => {});
    return;
  }
  const destroy = (stream as { destroy?: unknown }).destroy;
  if (typeof destroy !== 'function') return;
  // The call rejects with this error. Without a listener, the error event would end the process.
  stream.on('error', () => {});
  destroy.call(stream, error);
}
