/**
 * Splits the daemon's bytes, in pieces of any length, into messages and chunks. A chunk's data is not copied: its
 * pieces are handed on as they arrive. A message that arrives whole is not copied either.
 */
import {
  chunkHeaderLength,
  flags,
  headerLength,
  hexadecimal,
  longestChunk,
  longestMessage,
  type ProgressMessage,
  progressLength,
  readProgress,
  wordLength,
} from './protocol.js';
import { ProtocolError, XdrReader } from './xdr.js';

/** Callbacks for what arrives. Each may change what is expected next, or stop the reading. */
interface FrameListener {
  launched(): void;
  /** The daemon wants no more chunks. */
  cancelled(): void;
  progress(message: ProgressMessage): void;
  /** A message without its length. Its memory is only lent: a receiver must copy what it keeps. */
  message(bytes: Buffer): void;
  /** A part of a chunk's data. Its memory may be kept. */
  data(bytes: Buffer): void;
  /** The last chunk: the end of the file, or `cancelled` if the file is incomplete. */
  end(cancelled: boolean): void;
}

type Part = 'word' | 'progress' | 'message' | 'chunkHeader' | 'data' | 'padding';

export class FrameReader {
  readonly #listener: FrameListener;
  /** Collects the small parts that arrive in pieces. */
  readonly #scratch = Buffer.allocUnsafe(Math.max(wordLength, progressLength, chunkHeaderLength));
  #part: Part = 'word';
  /** Bytes of the part. */
  #wanted = wordLength;
  /** Bytes of the present part that were collected; for data and padding, that were passed on. */
  #have = 0;
  #gathered: Buffer = this.#scratch;
  /** The length of the message that contains the chunk. */
  #frame = 0;
  #stopped = false;
  /** Whether the next messages are chunks. */
  expectsChunks = false;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** Between two messages. */
  get atBorder(): boolean {
    return this.#part === 'word' && this.#have === 0;
  }

  /** Stops all callbacks, even for bytes that `push` already has. */
  stop(): void {
    this.#stopped = true;
  }

  /** Takes the next bytes. Throws a ProtocolError for invalid bytes; after that, no byte has a meaning. */
  push(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#stopped) {
      const count = Math.min(this.#wanted - this.#have, bytes.length - at);
      if (this.#part === 'data') {
        this.#have += count;
        this.#listener.data(bytes.subarray(at, at + count));
      } else if (this.#part === 'padding') this.#have += count;
      else if (this.#have === 0 && count === this.#wanted) {
        this.#have = count;
        this.#complete(bytes, at);
        at += count;
        continue;
      } else {
        bytes.copy(this.#gather(), this.#have, at, at + count);
        this.#have += count;
      }
      at += count;
      if (this.#have === this.#wanted) this.#complete(this.#gathered, 0);
    }
  }

  /** The buffer for the present part. */
  #gather(): Buffer {
    if (this.#have === 0)
      this.#gathered = this.#part === 'message' ? Buffer.allocUnsafe(this.#wanted) : this.#scratch;
    return this.#gathered;
  }

  #next(part: Part, wanted: number): void {
    this.#part = part;
    this.#wanted = wanted;
    this.#have = 0;
  }

  /** The part is complete, at `at` in `bytes`. */
  #complete(bytes: Buffer, at: number): void {
    switch (this.#part) {
      case 'word':
        return this.#word(bytes.readUInt32BE(at));
      case 'progress': {
        const message = readProgress(new XdrReader(bytes, at));
        this.#next('word', wordLength);
        return this.#listener.progress(message);
      }
      case 'message': {
        const message = bytes.subarray(at, at + this.#wanted);
        this.#gathered = this.#scratch;
        this.#next('word', wordLength);
        return this.#listener.message(message);
      }
      case 'chunkHeader':
        return this.#chunk(bytes.readUInt32BE(at), bytes.readUInt32BE(at + wordLength));
      case 'data':
        if (this.#wanted % wordLength !== 0) return this.#next('padding', -this.#wanted & 3);
        return this.#next('word', wordLength);
      case 'padding':
        return this.#next('word', wordLength);
    }
  }

  #word(value: number): void {
    switch (value) {
      case flags.launch:
        this.#next('word', wordLength);
        return this.#listener.launched();
      case flags.cancel:
        this.#next('word', wordLength);
        return this.#listener.cancelled();
      case flags.progress:
        return this.#next('progress', progressLength);
    }
    if (this.expectsChunks) {
      if (value < chunkHeaderLength || value > chunkHeaderLength + longestChunk)
        throw new ProtocolError(`${hexadecimal(value)} where the length of a chunk belongs`);
      this.#frame = value;
      return this.#next('chunkHeader', chunkHeaderLength);
    }
    if (value < headerLength || value > longestMessage)
      throw new ProtocolError(`${hexadecimal(value)} where the length of a message belongs`);
    this.#next('message', value);
  }

  #chunk(cancel: number, length: number): void {
    if (length > longestChunk || this.#frame !== chunkHeaderLength + length + (-length & 3))
      throw new ProtocolError(`a chunk of ${length} bytes in a message of ${this.#frame}`);
    if (cancel > 1 || (cancel === 1 && length > 0))
      throw new ProtocolError(`a chunk of ${length} bytes whose word for cancelling is ${cancel}`);
    if (length > 0) return this.#next('data', length);
    this.#next('word', wordLength);
    this.#listener.end(cancel === 1);
  }
}
