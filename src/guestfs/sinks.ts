/**
 * The ends of the streams that a call writes to. As with `pipeline` and `pipeTo`, a call that succeeds ends its stream and
 * waits until all is out; one that fails destroys it, so that nobody takes a part for the whole or waits for more. With the
 * control `end: false` the stream is the caller's in every way.
 */
import { finished } from 'node:stream';
import { type ActionName, actions } from '../api/index.js';
import { GuestfsError } from '../base/index.js';

type Stream = NodeJS.WritableStream | WritableStream<Uint8Array>;

const isWeb = (stream: Stream): stream is WritableStream<Uint8Array> => 'getWriter' in stream;

/** What other parts of the process write to as well is never ended, as `pipe` does not. */
const isShared = (stream: Stream): boolean => stream === process.stdout || stream === process.stderr;

/** The stream that a call was given to write to, and is to end; undefined where there is none. */
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

/** Ends a stream to which all was written, and resolves when it has taken that. Rejects with the stream's own failure. */
export async function endSink(stream: Stream): Promise<void> {
  if (isWeb(stream)) return await stream.close();
  const { destroyed, writableFinished } = stream as { destroyed?: boolean; writableFinished?: boolean };
  if (writableFinished === true) return;
  if (destroyed === true) throw new GuestfsError('EPIPE', 'the stream was closed before all was written');
  // A stream that does not say whether it is finished is not waited for.
  if (writableFinished === undefined) return void stream.end();
  await new Promise<void>((resolve, reject) => {
    finished(stream, { readable: false }, (error) => (error ? reject(error) : resolve()));
    stream.end();
  });
}

/** Gives a stream up, of a call that failed. */
export function destroySink(stream: Stream, error: GuestfsError): void {
  if (isWeb(stream)) {
    // Locked, it belongs to somebody else. What it says to being aborted is nothing to the call, which failed already.
    if (!stream.locked) stream.abort(error).catch(() => {});
    return;
  }
  const destroy = (stream as { destroy?: unknown }).destroy;
  if (typeof destroy !== 'function') return;
  // Without a listener the error, which the call rejects with, would end the process.
  stream.on('error', () => {});
  destroy.call(stream, error);
}
