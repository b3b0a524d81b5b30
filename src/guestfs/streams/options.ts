/** The options that all streams of a handle have. */
import type { ActionOptions, CallControls } from '../../api/index.js';
import type { GuestfsError } from '../../base/index.js';
import { failureOf } from '../failure.js';
import { cancelledError } from '../queue.js';

/** How a stream of the guest's bytes is read. */
export interface StreamOptions extends CallControls {
  /**
   * How many bytes the stream holds ready for its reader: 256 KiB by default, 0 for web streams. The backend reads up
   * to 4 MiB ahead in any case.
   */
  highWaterMark?: number | undefined;
}

/** Which bytes of a file or a device are read. */
export interface ReadStreamOptions extends StreamOptions {
  /** The first byte, counted from 0; 0 by default. */
  start?: number | undefined;
  /** The last byte, which is included, as in node:fs. By default, all that follow. */
  end?: number | undefined;
}

/** How a directory becomes a stream of a tar archive: with the options of `tarOut`. */
export interface TarStreamOptions extends StreamOptions, ActionOptions<'tar_out'> {}

/** How a directory becomes a stream of a zip file. */
export interface ZipStreamOptions extends StreamOptions {
  /** How hard deflate tries, from 1 to 9; 0 only stores; 6 by default. */
  level?: number | undefined;
  /** Patterns of what is left out, as of `tarOut`. */
  excludes?: string[] | undefined;
}

/** Throws TypeError or RangeError unless an option is a whole number from `least` on, or absent. */
export function checkWhole(method: string, name: string, value: unknown, least: number): void {
  if (value === undefined) return;
  if (typeof value !== 'number') throw new TypeError(`${method}: ${name} must be a number`);
  if (!Number.isSafeInteger(value) || value < least)
    throw new RangeError(`${method}: ${name} must be a whole number from ${least} on, not ${value}`);
}

/** Calls back when a signal aborts, also if it has aborted already. Returns a function that ends the listening. */
export function onAbort(
  method: string,
  signal: AbortSignal | undefined,
  abort: (error: GuestfsError) => void,
): () => void {
  if (signal === undefined) return () => {};
  const aborted = (): void => abort(failureOf(method, cancelledError(signal.reason)));
  if (signal.aborted) aborted();
  else signal.addEventListener('abort', aborted, { once: true });
  return () => signal.removeEventListener('abort', aborted);
}
