/** Files, devices and trees of the guest as streams. */
import type { Readable } from 'node:stream';
import {
  type ActionOptions,
  type CallControls,
  checkCall,
  PartReader,
  type TreeListing,
} from '../../api/index.js';
import type { GuestfsError } from '../../base/index.js';
import type { Handle } from '../handle.js';
import { CallOutput } from './call-output.js';
import { CallReadable } from './node-stream.js';
import {
  checkWhole,
  onAbort,
  type ReadStreamOptions,
  type StreamOptions,
  type TarStreamOptions,
  type ZipStreamOptions,
} from './options.js';
import { webStream } from './web-stream.js';

export type { ReadStreamOptions, StreamOptions, TarStreamOptions, ZipStreamOptions } from './options.js';

/** More than any file has, from any offset, in a number that is exact. */
const allThatFollows = (start: number): number => Number.MAX_SAFE_INTEGER - start;

/** A place for the sink of a call whose arguments are checked before it exists. */
const noSink = { write() {} };

/** A Readable of a call, which its handle knows: see `Handle.ownStreams`. */
function nodeStream(handle: Handle, method: string, output: CallOutput, options: StreamOptions): Readable {
  const stream = new CallReadable(method, output, options);
  handle.ownStreams.set(stream, output);
  return stream;
}

/** The call that reads a part of a file or a device. */
function readOutput(handle: Handle, method: string, path: string, options: ReadStreamOptions): CallOutput {
  const { start, end, highWaterMark, ...controls } = options;
  checkWhole(method, 'start', start, 0);
  checkWhole(method, 'end', end, 0);
  checkWhole(method, 'highWaterMark', highWaterMark, 0);
  const first = start ?? 0;
  if (end !== undefined && end < first)
    throw new RangeError(`${method}: end is ${end}, and must not be before start, which is ${first}`);
  checkCall('download', [path, noSink, controls], method);
  const { onProgress } = controls;
  return new CallOutput((sink, signal) => {
    const own = { options: {}, controls: { signal, onProgress } };
    // The whole of a file has a length that both backends know, so that its progress has a total.
    if (first === 0 && end === undefined)
      return handle.methodCall(method, { action: 'download', args: [path, sink], ...own });
    const length = end === undefined ? allThatFollows(first) : end - first + 1;
    return handle.methodCall(method, {
      action: 'download_offset',
      args: [path, sink, first, length],
      ...own,
    });
  });
}

function checkedOptions<T extends StreamOptions>(method: string, options: T | undefined): T {
  if (options === undefined) return {} as T; // safe: all options are optional
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${method}: the options must be an object`);
  return options;
}

export function createReadStream(handle: Handle, path: string, given?: ReadStreamOptions): Readable {
  const options = checkedOptions('createReadStream', given);
  const method = 'createReadStream';
  return nodeStream(handle, method, readOutput(handle, method, path, options), options);
}

export function readable(
  handle: Handle,
  path: string,
  given?: ReadStreamOptions,
): ReadableStream<Uint8Array> {
  const options = checkedOptions('readable', given);
  const output = readOutput(handle, 'readable', path, options);
  const stream = webStream('readable', output, options);
  handle.ownStreams.set(stream, output);
  return stream;
}

export function tarStream(handle: Handle, directory: string, given?: TarStreamOptions): Readable {
  const method = 'tarStream';
  const all = checkedOptions(method, given);
  const { highWaterMark, ...rest } = all;
  checkWhole(method, 'highWaterMark', highWaterMark, 0);
  const { options, controls } = checkCall('tar_out', [directory, noSink, rest], method);
  const { onProgress } = controls;
  const output = new CallOutput((sink, signal) =>
    handle.methodCall(method, {
      action: 'tar_out',
      args: [directory, sink],
      options: options satisfies ActionOptions<'tar_out'>,
      controls: { signal, onProgress },
    }),
  );
  return nodeStream(handle, method, output, all);
}

/** As zlib's own default. */
const defaultLevel = 6;
const mostLevel = 9;

export function zipStream(handle: Handle, directory: string, given?: ZipStreamOptions): Readable {
  const method = 'zipStream';
  const all = checkedOptions(method, given);
  const { highWaterMark, level = defaultLevel, ...rest } = all;
  checkWhole(method, 'highWaterMark', highWaterMark, 0);
  checkWhole(method, 'level', level, 0);
  if (level > mostLevel)
    throw new RangeError(`${method}: level must be from 0 to ${mostLevel}, not ${level}`);
  // Its options are among those of a tar archive.
  const { options, controls } = checkCall('tar_out', [directory, noSink, rest], method);
  for (const name of Object.keys(options))
    if (name !== 'excludes') throw new TypeError(`${method}: no option ${name}`);
  const { onProgress } = controls;
  const output = new CallOutput((sink, signal) =>
    handle.methodCall(method, {
      action: 'internal_zip_out',
      args: [directory, sink, options.excludes ?? [], level],
      options: {},
      controls: { signal, onProgress },
    }),
  );
  return nodeStream(handle, method, output, all);
}

/** The listing of a tree in parts, while it is walked. */
export function walkInParts(
  handle: Handle,
  directory: string,
  given?: CallControls,
): AsyncGenerator<TreeListing, void> {
  const method = 'walkInParts';
  const { args, controls } = checkCall(
    'find',
    given === undefined ? [directory] : [directory, given],
    method,
  );
  const output = new CallOutput((sink, signal) => {
    const own = { signal, onProgress: controls.onProgress };
    return handle.methodCall(method, {
      action: 'internal_walk_out',
      args: [...args, sink],
      options: {},
      controls: own,
    });
  });
  return partsFrom(method, output, controls.signal);
}

async function* partsFrom(
  method: string,
  output: CallOutput,
  signal: AbortSignal | undefined,
): AsyncGenerator<TreeListing, void> {
  let stopped: GuestfsError | undefined;
  const stopListening = onAbort(method, signal, (error) => {
    stopped = error;
    void output.cancel(error);
  });
  try {
    if (stopped !== undefined) throw stopped; // a call that was cancelled before it began gives nothing
    const reader = new PartReader();
    for (let piece = await output.next(); piece !== undefined; piece = await output.next())
      yield* reader.take(piece);
    reader.finish();
  } finally {
    stopListening();
    await output.cancel();
  }
}
