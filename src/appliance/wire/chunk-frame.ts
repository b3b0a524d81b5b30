/**
 * Many chunks in one buffer, each with its length and header in front, to be sent in one write. The headers of full
 * chunks are all alike and are written once; data is read into the places between them.
 *
 *   │ 8200 │ 0 │ 8192 │ data … 8192 │ 8200 │ 0 │ 8192 │ data … │ … │ end chunk │
 */
import { chunkHeaderLength, endChunk, longestChunk, wordLength } from './protocol.js';

const headLength = wordLength + chunkHeaderLength;
const stride = headLength + longestChunk;

export class ChunkFrame {
  readonly #bytes: Buffer;
  readonly #places: readonly Buffer[];
  /** Bytes of data. */
  #filled = 0;
  /** The chunk whose header differs from that of a full one. */
  #begun: number | undefined;

  /** Room for `chunks` full chunks. */
  constructor(chunks: number) {
    // Only the last chunk may be shorter than a full one. Room is kept for its padding, and for the end chunk.
    this.#bytes = Buffer.allocUnsafeSlow(chunks * stride + endChunk.length);
    this.#places = Array.from({ length: chunks }, (_, index) => {
      this.#writeHead(index, longestChunk);
      const at = index * stride + headLength;
      return this.#bytes.subarray(at, at + longestChunk);
    });
  }

  #writeHead(index: number, length: number): void {
    const at = index * stride;
    this.#bytes.writeUInt32BE(chunkHeaderLength + length + (-length & 3), at);
    this.#bytes.writeUInt32BE(0, at + wordLength);
    this.#bytes.writeUInt32BE(length, at + 2 * wordLength);
  }

  get empty(): boolean {
    return this.#filled === 0;
  }

  get full(): boolean {
    return this.#filled === this.#places.length * longestChunk;
  }

  /** The free places, in order. After filling them, call {@link advance}. */
  room(): Buffer[] {
    const first = Math.floor(this.#filled / longestChunk);
    const room = this.#places.slice(first);
    const begun = room[0];
    if (begun !== undefined && this.#filled % longestChunk !== 0)
      room[0] = begun.subarray(this.#filled % longestChunk);
    return room;
  }

  /** Counts bytes that were put into the places of {@link room}. */
  advance(count: number): void {
    this.#filled += count;
  }

  /** Copies as much as fits, and returns its length. */
  put(bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length && !this.full) {
      // safe: not full, so the chunk that is being filled has a place
      const place = this.#places[Math.floor(this.#filled / longestChunk)] as Buffer;
      const at = this.#filled % longestChunk;
      const count = Math.min(longestChunk - at, bytes.length - done);
      place.set(bytes.subarray(done, done + count), at);
      this.#filled += count;
      done += count;
    }
    return done;
  }

  /** The bytes to send; with `last`, the end chunk of the transfer follows. Empties the frame. */
  take(last = false): Buffer {
    const full = Math.floor(this.#filled / longestChunk);
    const rest = this.#filled % longestChunk;
    let length = full * stride;
    if (rest > 0) {
      this.#writeHead(full, rest);
      const end = length + headLength + rest;
      length = end + (-rest & 3);
      this.#bytes.fill(0, end, length);
      this.#begun = full;
    }
    if (last) length += endChunk.copy(this.#bytes, length);
    this.#filled = 0;
    return this.#bytes.subarray(0, length);
  }

  /** Prepares the frame for new data, after the bytes of {@link take} were sent. */
  reuse(): void {
    // The end chunk ends a transfer, so it never has to be overwritten here.
    if (this.#begun !== undefined) this.#writeHead(this.#begun, longestChunk);
    this.#begun = undefined;
  }
}
