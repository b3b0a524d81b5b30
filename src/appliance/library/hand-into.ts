/** The bytes of a daemon's call, piece by piece, for whoever works on them. */
import { Writable } from 'node:stream';

/** A stream that hands each piece on and waits for it. `failure`: why the first piece was refused. */
class Handing extends Writable {
  readonly #take: (piece: Uint8Array) => Promise<void>;
  #last: Promise<void> = Promise.resolve();
  failure: { readonly thrown: unknown } | undefined;

  constructor(take: (piece: Uint8Array) => Promise<void>) {
    super({ highWaterMark: 1024 * 1024 });
    this.#take = take;
    // The error is reported by the writer and by `into`. An error event without a listener would end the process.
    this.on('error', () => {});
  }

  override _write(piece: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.#last = this.#take(piece).then(
      () => done(),
      (thrown: Error) => {
        this.failure = { thrown };
        done(thrown);
      },
    );
  }

  /** Resolves when all that was written has been taken. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.destroyed || this.writableFinished) return resolve();
      this.once('close', resolve);
      this.end(resolve);
    });
    await this.#last;
  }
}

/** Calls `work` with a stream whose pieces `take` gets, and waits for both. */
export async function handInto(
  take: (piece: Uint8Array) => Promise<void>,
  work: (sink: Writable) => Promise<unknown>,
): Promise<void> {
  const sink = new Handing(take);
  try {
    await work(sink);
  } catch (thrown) {
    sink.destroy();
    await sink.settled();
    throw sink.failure === undefined ? thrown : sink.failure.thrown;
  }
  await sink.settled();
  if (sink.failure !== undefined) throw sink.failure.thrown;
}
