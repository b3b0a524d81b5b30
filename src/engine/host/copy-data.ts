/**
 * The one data mover: copies bytes of a disk to any sink. It reads in large pieces, keeps holes as holes, reports
 * progress and can be cancelled. No driver and no action has a copy loop of its own.
 */
import type { Disk } from '../../disk/index.js';
import { isDamage, type OnDamage } from '../../fs/index.js';
import type { Call } from '../thread/call.js';

/** Takes bytes in order. */
export interface DataSink {
  /** Whether the sink stores a hole differently from zeroes. */
  readonly keepsHoles: boolean;
  /** The length of the first read, where a reader waits for the first bytes. The next are twice as long each. */
  readonly firstPieceInBytes?: number;
  /** Takes bytes; the array belongs to the caller again when this returns. */
  write(bytes: Uint8Array): void;
  /** Takes `length` zeroes, which need not be stored. */
  hole(length: number): void;
}

/** Gives bytes in order. */
export interface DataSource {
  /** Reads up to `into.length` bytes; 0 at the end. */
  read(into: Uint8Array): number;
  /** All that is left in bytes, where it is known. */
  readonly sizeInBytes: number | undefined;
}

/** The length of one read in bytes: large enough that compressed pieces can be decoded in parallel. */
const pieceLength = 2 * 1024 * 1024;

/**
 * A longer hole is passed on in parts of this size, because a sink that writes or compresses zeroes must notice a
 * cancellation.
 */
const longestHole = 8 * 1024 * 1024;

/**
 * The offset of the buffer in its memory, in bytes. Without it the buffer has the same offset in a page as the data
 * that is copied, which made reading 1 GiB take 1.5 times as long.
 */
const pieceStart = 256;

/** Enough for most files of a guest: allocating {@link pieceLength} takes longer than reading a small file. */
const shortPiece = 64 * 1024;

let piece: Uint8Array | undefined;

/** Frees the memory of earlier moves, because a session has ended. */
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
  /** How this work's progress is part of a larger whole; by default, position and total are its own bytes. */
  readonly progress?: (moved: number) => void;
  /** Called once for unreadable bytes, which are replaced by zeroes; without it, they are an error. */
  readonly onDamage?: OnDamage;
}

/** A damaged piece is read again in parts of this many bytes, so that no more than that is lost. */
const salvagedPiece = 4096;

/** Moves bytes from a disk to a sink: `length` bytes from `offset`, or all from there. */
export function move(call: Call, from: Disk, to: DataSink, options: MoveOptions = {}): void {
  const start = options.offset ?? 0;
  const length = options.length ?? from.size - start;
  const report = options.progress ?? ((moved: number) => call.progress(moved, length));
  // A sink that called the mover again would overwrite its own data: none does.
  const buffer = pieceFor(length);
  const { onDamage } = options;
  // For a small file, finding the holes costs a second lookup, which pays off only if the sink keeps them.
  const asksForHoles = to.keepsHoles || length > shortPiece;
  /** Up to here small pieces are read, because a large one was damaged. */
  let carefulTo = 0;
  let isTold = false;
  let longest = to.firstPieceInBytes ?? buffer.length;
  for (let done = 0; done < length; ) {
    if (done > 0) report(done);
    const at = start + done;
    const careful = done < carefulTo;
    const most = careful ? Math.min(length - done, salvagedPiece - (at % salvagedPiece)) : length - done;
    let count = Math.min(most, longest, buffer.length);
    longest *= 2;
    let isHole = false;
    try {
      if (asksForHoles) {
        const span = from.span(at, Math.min(most, longestHole));
        isHole = span.hole;
        count = isHole ? span.length : Math.min(span.length, count);
      }
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

/** Moves all bytes of a source to a sink, and returns how many they were. */
export function receive(call: Call, from: DataSource, to: DataSink): number {
  const total = from.sizeInBytes ?? 0;
  const buffer = pieceFor(from.sizeInBytes ?? pieceLength);
  for (let done = 0; ; ) {
    call.progress(done, total);
    const count = from.read(buffer);
    if (count === 0) return done;
    to.write(buffer.subarray(0, count));
    done += count;
  }
}
