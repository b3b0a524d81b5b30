/**
 * The data of a downloaded file on its way to its sink. Pieces are written together, some hundred KiB at once, while
 * the next ones arrive. If the sink is slower than the daemon, the socket is paused until the sink has caught up.
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

  /** `failed` is called once, with the sink's error; only `abandon` may follow. */
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

  /** All data has arrived. Resolves when it is written and the sink is closed. Never resolves if the sink fails. */
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

  /** Drops unwritten data. Resolves when the sink is closed, or at once if that may take long. */
  async abandon(): Promise<void> {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#pieces = [];
    this.#waiting = 0;
    this.#resume();
    this.#sink.stopWaiting();
    const over = (this.#work ?? Promise.resolve()).then(() => this.#sink.abandon());
    // The call has failed already. An error of removing the leftovers would hide the reason.
    const quiet = over.catch(() => {});
    if (!this.#sink.mayWait) await quiet;
  }

  #resume(): void {
    if (this.#paused) this.#flow.resume();
    this.#paused = false;
  }

  /** Writes one batch at a time, as long as there is one. */
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
    // The batch being written does not count as waiting, so at most twice the limit is held.
    this.#resume();
    await this.#sink.write(pieces);
  }
}
