/** Files, devices and trees of the guest as streams. */
import type { Readable } from 'node:stream';
import { checkCall } from '../../api/index.js';
import type { Handle } from '../handle.js';
import { CallOutput } from './call-output.js';
import { CallReadable } from './node-stream.js';
import { checkWhole, type ReadStreamOptions, type StreamOptions } from './options.js';
import { webStream } from './web-stream.js';

export type { ReadStreamOptions, StreamOptions } from './options.js';

/** More than any file has, from any offset, in a number that is exact. */
const allThatFollows = (start: number): number => Number.MAX_SAFE_INTEGER - start;

/** A place for the sink of a call whose arguments are checked before it exists. */
const noSink = { write() {} };

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
  return new CallReadable('createReadStream', readOutput(handle, 'createReadStream', path, options), options);
}

export function readable(
  handle: Handle,
  path: string,
  given?: ReadStreamOptions,
): ReadableStream<Uint8Array> {
  const options = checkedOptions('readable', given);
  return webStream('readable', readOutput(handle, 'readable', path, options), options);
}
