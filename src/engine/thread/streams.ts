/**
 * Streams between the worker, which is synchronous, and the handle's thread, which is not. Each side counts chunks in
 * shared memory, and the worker sleeps on that count, so neither side gets far ahead of the other.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { GuestfsError, restoreError } from '../../base/index.js';
import { type FileInSource, type FileOutSink, writeZeroes } from '../host/data-sinks.js';
import { type IncomingChunk, type Report, sharedWord } from './messages.js';

/** The most chunks on their way. With {@link chunkLength} this bounds the memory for a slow consumer. */
const chunksUnderWay = 4;
/** The most bytes of a chunk from the worker. */
const chunkLength = 1024 * 1024;
/** How long the worker sleeps before it checks again for a cancellation, in milliseconds. */
const nap = 50;

/** What the streams of one call share. */
export interface StreamEnd {
  /** The port for chunks, and for the messages that they were taken. */
  readonly port: MessagePort;
  /** The port for chunks of a fileIn stream, separate from all other messages. */
  readonly incoming: MessagePort;
  readonly shared: Int32Array;
  readonly serial: number;
  checkpoint(): void;
  /** As of a call: what was sent cannot be taken back. */
  touch(): void;
}

/** The worker's end of a fileOut stream. */
export class StreamSink implements FileOutSink {
  readonly keepsHoles = false;
  readonly #end: StreamEnd;
  #sent = 0;

  constructor(end: StreamEnd) {
    this.#end = end;
  }

  write(bytes: Uint8Array): void {
    // A copy with memory of its own, which is transferred: `slice` of a Buffer would be a view of shared memory.
    for (let done = 0; done < bytes.length; done += chunkLength)
      this.#send(new Uint8Array(bytes.subarray(done, done + chunkLength)));
  }

  #send(chunk: Uint8Array<ArrayBuffer>): void {
    const { port, shared, serial } = this.#end;
    for (;;) {
      this.#end.checkpoint();
      const taken = Atomics.load(shared, sharedWord.chunksTaken);
      if (this.#sent - taken < chunksUnderWay) break;
      Atomics.wait(shared, sharedWord.chunksTaken, taken, nap);
    }
    this.#sent++;
    this.#end.touch();
    const report: Report = { type: 'chunk', serial, chunk };
    port.postMessage(report, [chunk.buffer]);
  }

  hole(length: number): void {
    writeZeroes(this, length);
  }

  finish(): void {}

  abandon(): void {}
}

/** The worker's end of a fileIn stream. */
export class StreamSource implements FileInSource {
  readonly sizeInBytes = undefined;
  readonly #end: StreamEnd;
  #received = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #ended = false;

  constructor(end: StreamEnd) {
    this.#end = end;
  }

  read(into: Uint8Array): number {
    while (this.#chunk.length === 0 && !this.#ended) this.#receive();
    const count = Math.min(into.length, this.#chunk.length);
    into.set(this.#chunk.subarray(0, count));
    this.#chunk = this.#chunk.subarray(count);
    return count;
  }

  #receive(): void {
    const { port, incoming, shared, serial } = this.#end;
    for (;;) {
      this.#end.checkpoint();
      const given = Atomics.load(shared, sharedWord.chunksGiven);
      if (given > this.#received) break;
      Atomics.wait(shared, sharedWord.chunksGiven, given, nap);
    }
    let message: IncomingChunk | undefined;
    // Skips the rest of an earlier call that ended before its stream did.
    do message = receiveMessageOnPort(incoming)?.message as IncomingChunk | undefined;
    while (message !== undefined && message.serial !== serial);
    if (message === undefined)
      throw new GuestfsError('EPROTO', 'a chunk of the stream was announced but did not come');
    this.#received++;
    if (message.error) throw restoreError(message.error);
    if (message.chunk) this.#chunk = message.chunk;
    else this.#ended = true;
    port.postMessage({ type: 'taken', serial } satisfies Report);
  }

  close(): void {}
}
