/**
 * The bytes that a call writes, one piece after another, for whoever pulls them. The call begins with the first pull,
 * and waits while nobody pulls.
 */
import { Writable } from 'node:stream';
import { asGuestfsError, type GuestfsError } from '../../base/index.js';

/** Starts the call: its bytes go to `sink`, which stays open, and `signal` cancels the call. */
type BeginCall = (sink: Writable, signal: AbortSignal) => Promise<unknown>;

interface Pull {
  resolve(piece: Uint8Array | undefined): void;
  reject(error: GuestfsError): void;
}

export class CallOutput {
  readonly #begin: BeginCall;
  readonly #abort = new AbortController();
  /** Resolves when the call is over, well or not; undefined before its start. */
  #over: Promise<void> | undefined;
  /** A piece that nobody has pulled yet, and what lets the call go on. */
  #offered: { readonly piece: Uint8Array; readonly taken: () => void } | undefined;
  #pull: Pull | undefined;
  #ended = false;
  #failure: GuestfsError | undefined;

  constructor(begin: BeginCall) {
    this.#begin = begin;
  }

  /**
   * The next piece, whose memory is the reader's; undefined at the end. Rejects with the call's error once all pieces
   * before it are taken. One pull at a time.
   */
  next(): Promise<Uint8Array | undefined> {
    this.#over ??= this.#run();
    const offered = this.#offered;
    if (offered !== undefined) {
      this.#offered = undefined;
      offered.taken();
      return Promise.resolve(offered.piece);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#pull = { resolve, reject };
    });
  }

  /** Whether the call is over: what is still to be pulled waits for nobody. */
  get isOver(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  /** Cancels the call. Resolves when the call is over; a call that has not begun never begins. */
  async cancel(reason?: unknown): Promise<void> {
    this.#over ??= Promise.resolve();
    this.#offered = undefined;
    this.#abort.abort(reason);
    await this.#over;
  }

  async #run(): Promise<void> {
    const sink = new Writable({
      // Pieces come as they are, each with memory of its own, and the next one only when this one is taken.
      objectMode: true,
      highWaterMark: 1,
      write: (piece: Uint8Array, _encoding, taken) => this.#offer(piece, taken),
    });
    try {
      await this.#begin(sink, this.#abort.signal);
      this.#ended = true;
      this.#pull?.resolve(undefined);
    } catch (thrown) {
      const failure = asGuestfsError(thrown);
      this.#failure = failure;
      this.#pull?.reject(failure);
    } finally {
      this.#pull = undefined;
      sink.destroy();
    }
  }

  #offer(piece: Uint8Array, taken: () => void): void {
    // A reader that is given no bytes does not ask again.
    if (piece.length === 0) return taken();
    const pull = this.#pull;
    if (pull === undefined) {
      this.#offered = { piece, taken };
      return;
    }
    this.#pull = undefined;
    pull.resolve(piece);
    taken();
  }
}
