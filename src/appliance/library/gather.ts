/** Collects in memory what a procedure would write to a file of the host. */

import { Writable } from 'node:stream';
import { resultLimit } from '../../api/index.js';
import { decodeText, GuestfsError } from '../../base/index.js';

/** Takes pieces up to a limit. */
class Gathering extends Writable {
  readonly #limitInBytes: number;
  readonly #what: string;
  readonly #pieces: Uint8Array[] = [];
  #length = 0;
  failure: GuestfsError | undefined;

  constructor(limitInBytes: number, what: string) {
    // Pieces are kept as they arrive, so a write never waits.
    super({ highWaterMark: 1024 * 1024 });
    this.#limitInBytes = limitInBytes;
    this.#what = what;
    // The error is reported by the writer and by `gather`. An error event without a listener would end the process.
    this.on('error', () => {});
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#length += piece.length;
    if (this.#length > this.#limitInBytes) {
      this.failure = new GuestfsError(
        'EFBIG',
        `${this.#what}: more than ${this.#limitInBytes} bytes are too many for one result; download it instead`,
      );
      return done(this.failure);
    }
    this.#pieces.push(piece);
    done();
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces, this.#length);
  }
}

/** Runs `work` with a stream, and resolves to everything that was written to it. EFBIG past the limit. */
export async function gather(
  what: string,
  work: (sink: Writable) => Promise<unknown>,
  limitInBytes = resultLimit,
): Promise<Buffer> {
  const sink = new Gathering(limitInBytes, what);
  try {
    await work(sink);
  } catch (thrown) {
    throw sink.failure ?? thrown;
  }
  if (sink.failure !== undefined) throw sink.failure;
  return sink.bytes();
}

/** Texts that are each ended by a NUL. */
export function textsOf(bytes: Uint8Array): string[] {
  if (bytes.length === 0) return [];
  const texts = decodeText(bytes).split('\0');
  // What follows the last NUL is nothing.
  if (texts.at(-1) === '') texts.pop();
  return texts;
}
