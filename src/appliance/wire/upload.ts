/**
 * The chunks of an uploaded file. Chunks have no answers: they are sent as fast as the socket takes them, while the
 * next ones are read.
 */
import { ChunkFrame } from './chunk-frame.js';
import { cancelChunk, longestChunk } from './protocol.js';
import type { UploadSource } from './sources.js';

/** Chunks in one write: 256 KiB. Larger writes are no faster, because the socket's buffer is smaller. */
const chunksOfFrame = 32;
/** While one frame is filled, one may wait in the socket's queue and one may be on its way into it. */
const frames = 3;

/**
 * Sends bytes to the daemon. Resolves when their memory is free again, also if the connection is lost. Never rejects.
 */
export type Send = (bytes: Buffer) => Promise<void>;

export class Upload {
  readonly #source: UploadSource;
  readonly #send: Send;
  #stopped = false;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(source: UploadSource, send: Send) {
    this.#source = source;
    this.#send = send;
  }

  /** Whether the last chunk has been given to the socket. No reply can come before that. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Stops sending, and sends the daemon a cancel chunk. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /**
   * Sends all chunks. Rejects with the source's error after the daemon got a cancel chunk. The source is closed at
   * the end.
   */
  async run(): Promise<void> {
    try {
      await this.#chunks();
    } finally {
      if (!this.#ended) this.#end(cancelChunk);
      this.#source.close();
    }
  }

  async #chunks(): Promise<void> {
    const { sizeInBytes } = this.#source;
    const wanted = sizeInBytes === undefined ? chunksOfFrame : Math.ceil(sizeInBytes / longestChunk);
    const chunks = Math.min(Math.max(wanted, 1), chunksOfFrame);
    const ring = Array.from({ length: frames }, () => ({
      frame: undefined as ChunkFrame | undefined,
      sent: Promise.resolve(),
    }));
    let last = Promise.resolve();
    for (;;) {
      for (const place of ring) {
        await this.#unlessStopped(place.sent);
        if (this.#stopped) return;
        place.frame?.reuse();
        place.frame ??= new ChunkFrame(chunks);
        const { frame } = place;
        const more = await this.#unlessStopped(this.#source.fill(frame, last));
        if (this.#stopped) return;
        if (more !== true) return this.#end(frame.take(true));
        last = this.#send(frame.take());
        place.sent = last;
      }
    }
  }

  #end(bytes: Buffer): void {
    this.#ended = true;
    void this.#send(bytes);
  }

  /** The value of `promise`, or undefined as soon as the upload is stopped; a later rejection is then ignored. */
  #unlessStopped<T>(promise: Promise<T>): Promise<T | undefined> {
    if (this.#stopped) {
      promise.catch(() => {});
      return Promise.resolve(undefined);
    }
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      promise.then(resolve, reject);
    });
  }
}
