/**
 * Many chunks in one piece of memory, each with its length and header in front, to be sent in one write. The headers of full
 * chunks are all alike and written once; data is read into its place between them.
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
  /** The chunk whose header is not that of a full one. */
  #begun: number | undefined;

  /** Room for `chunks` full chunks. */
  constructor(chunks: number) {
    // The last chunk, the only one that may not be full, leaves the room that its padding takes; the end needs its own.
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

  /** The places that are free, in order; what is put there is told with {@link advance}. */
  room(): Buffer[] {
    const first = Math.floor(this.#filled / longestChunk);
    const room = this.#places.slice(first);
    const begun = room[0];
    if (begun !== undefined && this.#filled % longestChunk !== 0)
      room[0] = begun.subarray(this.#filled % longestChunk);
    return room;
  }

  /** So many bytes were put where {@link room} said. */
  advance(count: number): void {
    this.#filled += count;
  }

  /** Copies as much as there is room for, and says how much that was. */
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

  /** What is to be sent; with `last`, the chunk behind it that ends the transfer. Empties the frame. */
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

  /** Makes the frame ready to be filled again: what {@link take} gave has been sent. */
  reuse(): void {
    // The end chunk ends a transfer, so nothing of it is ever in the way here.
    if (this.#begun !== undefined) this.#writeHead(this.#begun, longestChunk);
    this.#begun = undefined;
  }
}
