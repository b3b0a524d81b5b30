/**
 * The one data mover: bytes of a disk to wherever they go. It reads in large pieces, keeps holes as holes, says
 * how far it is and stops when asked. No driver and no action has a copy loop of its own.
 */
import type { Disk } from '../../disk/index.js';
import { isDamage, type OnDamage } from '../../fs/index.js';
import type { Call } from '../thread/call.js';

/** Takes bytes in order. */
export interface DataSink {
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

/** Gives the memory back that moves have used: a session has ended. */
export function forgetCopyBuffer(): void {
  piece = undefined;
}

/** The buffer for a move, kept for the session. */
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
  /** Told once of what cannot be read, in whose place zeroes are moved; without, that is an error. */
  readonly onDamage?: OnDamage;
}

/** What is damaged is looked at again in pieces of so many bytes, so that no more than that is lost with it. */
const salvagedPiece = 4096;

/** Moves bytes from a disk to a taker: `length` bytes from `offset`, or all from there. */
export function move(call: Call, from: Disk, to: DataSink, options: MoveOptions = {}): void {
  const start = options.offset ?? 0;
  const length = options.length ?? from.size - start;
  const report = options.progress ?? ((moved: number) => call.progress(moved, length));
  // A taker that calls the mover again would overwrite what it was given: none does.
  const buffer = pieceFor(length);
  const { onDamage } = options;
  /** Up to here small pieces are read, as a large one was damaged. */
  let carefulTo = 0;
  let isTold = false;
  for (let done = 0; done < length; ) {
    report(done);
    const at = start + done;
    const careful = done < carefulTo;
    const most = careful ? Math.min(length - done, salvagedPiece - (at % salvagedPiece)) : length - done;
    let count = Math.min(most, buffer.length);
    let isHole: boolean;
    try {
      const span = from.span(at, Math.min(most, longestHole));
      isHole = span.hole;
      count = isHole ? span.length : Math.min(span.length, count);
      if (!isHole) from.read(buffer.subarray(0, count), at);
    } catch (thrown) {
      if (onDamage === undefined || !isDamage(thrown)) throw thrown;
      if (!careful) {
        carefulTo = done + count;
        continue;
      }
      if (!isTold) onDamage(thrown);
      isTold = true;
      isHole = true;
    }
    if (isHole) to.hole(count);
    else to.write(buffer.subarray(0, count));
    done += count;
  }
  report(length);
}
