/**
 * Streams between the worker, which is synchronous, and the handle's thread, which is not. A chunk from the worker is a
 * letter of a mailbox: the handle answers the letter when its consumer has taken the chunk. Another letter is the
 * worker's wish for a chunk: the handle answers it when the chunk is in the port. The worker sleeps until then, so
 * neither side gets far ahead of the other.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { GuestfsError, type Mailbox, restoreError } from '../../base/index.js';
import { type FileInSource, type FileOutSink, writeZeroes } from '../host/data-sinks.js';
import { chunksUnderWay, type IncomingChunk, type Report, wishLetter } from './messages.js';

/** The most bytes of a chunk from the worker. */
const chunkLength = 1024 * 1024;

/** The first chunk is small, so that a reader of a range soon has its first bytes. */
const firstPieceInBytes = 64 * 1024;

/** What the streams of one call share. */
interface StreamEnd {
  /** The port for chunks, and for the messages that they were taken. */
  readonly port: MessagePort;
  /** The port for chunks of a fileIn stream, separate from all other messages. */
  readonly incoming: MessagePort;
  readonly mailbox: Mailbox;
  readonly serial: number;
  checkpoint(): void;
  /** As of a call: what was sent cannot be taken back. */
  touch(): void;
}

/** The worker's end of a fileOut stream. */
export class StreamSink implements FileOutSink {
  readonly keepsHoles = false;
  readonly firstPieceInBytes = firstPieceInBytes;
  readonly #end: StreamEnd;
  readonly #borrows: boolean;
  /** Memory for each chunk under way, where it is used again when the chunk was taken. */
  readonly #memory: Uint8Array[] = [];
  #sent = 0;

  /** `borrows`: whoever takes a chunk keeps nothing of it. */
  constructor(end: StreamEnd, borrows: boolean) {
    this.#end = end;
    this.#borrows = borrows;
    // What an earlier call left is not answered any more: the handle had given that call up when it made this one.
    for (let letter = 0; letter < chunksUnderWay; letter++) end.mailbox.withdraw(letter);
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; done += chunkLength)
      this.#send(bytes.subarray(done, done + chunkLength));
  }

  #send(bytes: Uint8Array): void {
    const { port, mailbox, serial } = this.#end;
    const interrupted = (): void => this.#end.checkpoint();
    const letter = this.#sent++ % chunksUnderWay;
    interrupted();
    if (!mailbox.isFree(letter)) mailbox.wait(letter, { interrupted });
    this.#end.touch();
    mailbox.post(letter, []);
    const chunk = this.#borrows ? this.#lend(bytes, letter) : new Uint8Array(bytes);
    const report: Report = { type: 'chunk', serial, letter, chunk };
    // A copy with memory of its own is transferred.
    port.postMessage(report, this.#borrows ? [] : [chunk.buffer as ArrayBuffer]);
  }

  /** New memory for each chunk would cost more than copying into it. */
  #lend(bytes: Uint8Array, letter: number): Uint8Array {
    this.#memory[letter] ??= new Uint8Array(new SharedArrayBuffer(chunkLength));
    const chunk = this.#memory[letter].subarray(0, bytes.length);
    chunk.set(bytes);
    return chunk;
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
    const { port, incoming, mailbox, serial } = this.#end;
    const interrupted = (): void => this.#end.checkpoint();
    interrupted();
    mailbox.post(wishLetter, []);
    port.postMessage({ type: 'wanted', serial } satisfies Report);
    mailbox.wait(wishLetter, { interrupted });
    let message: IncomingChunk | undefined;
    // Skips the rest of an earlier call that ended before its stream did.
    do message = receiveMessageOnPort(incoming)?.message as IncomingChunk | undefined;
    while (message !== undefined && message.serial !== serial);
    if (message === undefined)
      throw new GuestfsError('EPROTO', 'a chunk of the stream was announced but did not come');
    if (message.error) throw restoreError(message.error);
    if (message.chunk) this.#chunk = message.chunk;
    else this.#ended = true;
  }

  close(): void {}
}
