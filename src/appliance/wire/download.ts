/**
 * The data of a file that comes out, on its way to its sink. Pieces are written together, some hundred KiB at once, while
 * the next ones arrive; where the sink is slower than the daemon, the socket is not read any more until it has caught up.
 */
import type { DownloadSink } from './sinks.js';

/** Bytes that may wait for the sink before the socket is paused. */
const mostInBytes = 1024 * 1024;

/** The socket's reading. */
export interface Flow {
  pause(): void;
  resume(): void;
}

export class Download {
  readonly #sink: DownloadSink;
  readonly #flow: Flow;
  readonly #failed: (thrown: unknown) => void;
  /** What waits for the sink. */
  #pieces: Buffer[] = [];
  #waiting = 0;
  #paused = false;
  #ending = false;
  #abandoned = false;
  /** The opening, or a row of writes. */
  #work: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  /** `failed` hears once what the sink threw; then nothing is left to do but `abandon`. */
  constructor(sink: DownloadSink, flow: Flow, failed: (thrown: unknown) => void) {
    this.#sink = sink;
    this.#flow = flow;
    this.#failed = failed;
    this.#do(() => sink.open());
  }

  push(piece: Buffer): void {
    if (this.#abandoned) return;
    this.#pieces.push(piece);
    this.#waiting += piece.length;
    if (!this.#paused && this.#waiting >= mostInBytes) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#writeOn();
  }

  /** All has come: resolves when all is written and closed. Never resolves where the sink fails. */
  finish(): Promise<void> {
    this.#ending = true;
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        this.#do(async () => {
          await this.#sink.finish();
          resolve();
        });
      };
      this.#writeOn();
    });
  }

  /** Drops what was not written. Resolves when the sink is given up; at once where that may take long. */
  async abandon(): Promise<void> {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#pieces = [];
    this.#waiting = 0;
    this.#resume();
    this.#sink.stopWaiting();
    const over = (this.#work ?? Promise.resolve()).then(() => this.#sink.abandon());
    // The call has failed already; what removing its remains says would hide why.
    const quiet = over.catch(() => {});
    if (!this.#sink.mayWait) await quiet;
  }

  #resume(): void {
    if (this.#paused) this.#flow.resume();
    this.#paused = false;
  }

  /** One thing at a time; then the next, if there is one. */
  #do(work: () => Promise<void>): void {
    this.#work = work().then(
      () => {
        this.#work = undefined;
        this.#writeOn();
      },
      (thrown) => {
        this.#work = undefined;
        this.#ending = false;
        if (!this.#abandoned) this.#failed(thrown);
      },
    );
  }

  #writeOn(): void {
    if (this.#work !== undefined || this.#abandoned) return;
    const enough = this.#ending ? 1 : this.#sink.batchInBytes;
    if (this.#waiting >= enough) this.#do(() => this.#write());
    else if (this.#ending) this.#wake?.();
  }

  async #write(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#waiting = 0;
    // What is being written does not wait any more: at most twice as much is held in all.
    this.#resume();
    await this.#sink.write(pieces);
  }
}
