/**
 * Reads metadata in large pieces and caches them: an inode table, or a bitmap that is read bit by bit, then costs one
 * read for many uses. A block of at most 64 KiB never crosses the border of a piece.
 */
import { CorruptError, LruMap } from '../base/index.js';
import type { Disk } from './disk.js';

/** Bytes of a piece: at least the largest block. */
const pieceSize = 65536;
/** How many pieces are kept: 8 MiB at most. */
const pieceLimit = 128;

/** Bytes of the disk from `start`. */
export interface CachedPiece {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Reads metadata; what it returns is valid until the next call. */
export interface BlockReader {
  /** The bytes around `offset`, of which those of its own block count. `structure`: what is looked for. */
  at(offset: number, structure: string): CachedPiece;
  /** A structure that lies in one block. */
  bytes(offset: number, size: number, structure: string): Uint8Array;
  /** Drops what is kept of the bytes at `offset`, because they were written to. */
  forget(offset: number): void;
  clear(): void;
}

/**
 * A returned view is valid until the next call, because the memory of a dropped piece is used for the next one. A
 * walk with new memory for each piece would spend its time, and that of all other threads of the process, on the
 * kernel's page tables.
 */
export class BlockCache implements BlockReader {
  readonly #disk: Disk;
  readonly #pieces = new LruMap<number, CachedPiece>(pieceLimit);
  // A walk alternates between an inode table and a directory, so the last two pieces are found without the map.
  #last: CachedPiece | undefined;
  #lastButOne: CachedPiece | undefined;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /**
   * The piece with the byte at `offset`, valid until the next call. `structure` names the wanted structure, in case
   * it lies outside the disk.
   */
  at(offset: number, structure: string): CachedPiece {
    const start = offset - (offset % pieceSize);
    const last = this.#last;
    if (last !== undefined && last.start === start) return last;
    const lastButOne = this.#lastButOne;
    if (lastButOne !== undefined && lastButOne.start === start) {
      this.#lastButOne = last;
      this.#last = lastButOne;
      return lastButOne;
    }
    let piece = this.#pieces.get(start);
    if (piece === undefined) {
      const size = Math.min(pieceSize, this.#disk.size - start);
      if (!(start >= 0 && size > 0)) throw new CorruptError(structure, 'lies outside the disk', { offset });
      const memory = this.#takeMemory();
      const bytes = new Uint8Array(memory, 0, size); // all of it is read over
      this.#disk.read(bytes, start);
      piece = { start, bytes, view: new DataView(memory, 0, size) };
      this.#pieces.set(start, piece);
    }
    this.#lastButOne = last;
    this.#last = piece;
    return piece;
  }

  /**
   * Bytes that do not cross a piece's border, valid until the next call: their size divides 64 KiB, and they are
   * aligned to it.
   */
  bytes(offset: number, size: number, structure: string): Uint8Array {
    const piece = this.at(offset, structure);
    const at = offset - piece.start;
    if (at + size > piece.bytes.length)
      throw new CorruptError(structure, 'lies outside the disk', { offset, size });
    return piece.bytes.subarray(at, at + size);
  }

  /** Memory for a piece: if the cache is full, that of the piece unused for longest. */
  #takeMemory(): ArrayBuffer {
    const old = this.#pieces.makeRoom();
    if (old === undefined) return new ArrayBuffer(pieceSize);
    // Dropped pieces must not be found through these shortcuts.
    if (this.#last === old) this.#last = undefined;
    if (this.#lastButOne === old) this.#lastButOne = undefined;
    return old.view.buffer as ArrayBuffer;
  }

  /** Stores a block in the piece that has it, if one has, because it was written so. */
  update(offset: number, bytes: Uint8Array): void {
    const start = offset - (offset % pieceSize);
    this.#pieces.peek(start)?.bytes.set(bytes, offset - start);
  }

  /** Drops the pieces of a range, because it was written to. */
  forgetRange(offset: number, length: number): void {
    for (let at = offset - (offset % pieceSize); at < offset + length; at += pieceSize) this.forget(at);
  }

  /** Drops the piece at `offset`, because its bytes were written to. */
  forget(offset: number): void {
    this.#pieces.delete(offset - (offset % pieceSize));
    this.#last = undefined;
    this.#lastButOne = undefined;
  }

  clear(): void {
    this.#pieces.clear();
    this.#last = undefined;
    this.#lastButOne = undefined;
  }
}
