/**
 * The one data mover: bytes of a disk to wherever they go. It reads in large pieces, keeps holes as holes, says
 * how far it is and stops when asked. No driver and no action has a copy loop of its own.
 */
import type { Disk } from '../disk/index.js';
import type { Call } from './call.js';

/** Takes bytes in order. */
export interface Taker {
  /** Takes bytes; the array is the caller's again when this returns. */
  write(bytes: Uint8Array): void;
  /** Takes `length` bytes that are zeroes and need not be stored. */
  hole(length: number): void;
}

/** The length of one read in bytes: large enough that compressed pieces can be decoded side by side. */
const pieceLength = 2 * 1024 * 1024;

/** Of a longer hole so much is handed over at a time: a taker that writes or compresses zeroes must not be deaf for long. */
const longestHole = 8 * 1024 * 1024;

/**
 * Where the buffer begins in its memory, in bytes. What is read comes from whole pages of the host's cache, and large
 * memory begins 16 bytes into a page: a processor that copies to a place just behind where it reads from, counted within
 * pages, takes each store for one that its next load must wait for. That makes a gibibyte half as long again.
 */
const pieceStart = 256;

/** Enough for most files of a guest: memory of {@link pieceLength} takes longer to get than a small file to read. */
const shortPiece = 64 * 1024;

let piece: Uint8Array | undefined;

/** The buffer for a move, kept for the life of the worker. */
function pieceFor(length: number): Uint8Array {
  const size = length <= shortPiece ? shortPiece : pieceLength;
  if (piece === undefined || piece.length < size)
    piece = new Uint8Array(pieceStart + size).subarray(pieceStart);
  return piece;
}

export interface MoveOptions {
  readonly offset?: number;
  readonly length?: number;
  /** How the progress of this piece of work is part of a larger one; without it, position and total are its own bytes. */
  readonly progress?: (moved: number) => void;
}

/** Moves bytes from a disk to a taker: `length` bytes from `offset`, or all from there. */
export function move(call: Call, from: Disk, to: Taker, options: MoveOptions = {}): void {
  const start = options.offset ?? 0;
  const length = options.length ?? from.size - start;
  const report = options.progress ?? ((moved: number) => call.progress(moved, length));
  // A taker that calls the mover again would overwrite what it was given: none does.
  const buffer = pieceFor(length);
  for (let done = 0; done < length; ) {
    report(done);
    const wanted = Math.min(length - done, buffer.length);
    const span = from.span(start + done, Math.min(length - done, longestHole));
    if (span.hole) {
      to.hole(span.length);
      done += span.length;
      continue;
    }
    const count = Math.min(span.length, wanted);
    const bytes = buffer.subarray(0, count);
    from.read(bytes, start + done);
    to.write(bytes);
    done += count;
  }
  report(length);
}
