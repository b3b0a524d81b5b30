/** The bytes of a call as a Readable of Node. */
import { Readable } from 'node:stream';
import type { CallOutput } from './call-output.js';
import { onAbort, type StreamOptions } from './options.js';

/** As much as goes to a socket in one write without waste. */
const defaultHighWaterMark = 256 * 1024;

export class CallReadable extends Readable {
  readonly #output: CallOutput;
  #stopListening = (): void => {};
  /** The rest of a piece of the call. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Why the call failed, for when all bytes before are read. */
  #failure: Error | undefined;

  constructor(method: string, output: CallOutput, { highWaterMark, signal }: StreamOptions) {
    super({ highWaterMark: highWaterMark ?? defaultHighWaterMark });
    this.#output = output;
    this.#stopListening = onAbort(method, signal, (error) => this.destroy(error));
  }

  override _read(): void {
    if (this.#failure !== undefined) return this.#fail(this.#failure);
    if (this.#rest.length > 0) return this.#pushRest();
    this.#output.next().then(
      (piece) => {
        if (this.destroyed) return;
        if (piece === undefined) return void this.push(null);
        this.#rest = piece;
        this.#pushRest();
      },
      (thrown) => {
        this.#failure = thrown;
        if (!this.destroyed) this.#fail(thrown);
      },
    );
  }

  #pushRest(): void {
    for (let goesOn = true; goesOn && this.#rest.length > 0; ) {
      const part = this.#rest.subarray(0, this.readableHighWaterMark);
      this.#rest = this.#rest.subarray(part.length);
      goesOn = this.push(part);
    }
  }

  /** Destroying drops what is not read yet, so the stream asks again as long as there is something. */
  #fail(error: Error): void {
    if (this.readableLength > 0) this.push(new Uint8Array(0));
    else this.destroy(error);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stopListening();
    this.#rest = new Uint8Array(0);
    // `close` tells that the call is over, and the handle free for the next one.
    void this.#output.cancel(error ?? undefined).then(() => done(error));
  }
}
