/** Zeroes for disks that can only write them. */
import { work } from '../base/index.js';
import type { Disk, ZeroOptions } from './disk.js';
import { platform } from './platform.js';

/** Bytes that are written, or looked at, at once. */
const pieceSize = 1024 * 1024;
const zeroes = new Uint8Array(pieceSize);

/**
 * Writes zeroes over a range of a writable `disk`. With `discard`, parts that already read as zeroes are left alone,
 * so that a hole in a sparse file stays a hole. A cancelled call ends it half way.
 */
export function zeroByWriting(disk: Disk, offset: number, length: number, options: ZeroOptions = {}): void {
  disk.checkWritable(offset, length);
  const { discard = false } = options;
  const found = discard ? new Uint8Array(Math.min(length, pieceSize)) : undefined;
  for (let done = 0; done < length; ) {
    work.lookups.spend(1);
    const at = offset + done;
    const span = discard ? disk.span(at, length - done) : { length: length - done, hole: false };
    if (span.hole) {
      done += span.length;
      continue;
    }
    const size = Math.min(span.length, pieceSize);
    if (found === undefined || !isZeroAt(disk, at, found.subarray(0, size)))
      disk.write(zeroes.subarray(0, size), at);
    done += size;
  }
}

function isZeroAt(disk: Disk, offset: number, scratch: Uint8Array): boolean {
  disk.read(scratch, offset);
  return areZeroes(scratch);
}

/** Whether bytes are all zero: all of `bytes`, or those from `start` to `end`. */
export function areZeroes(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  // Most of what is not zero begins with it, and a call of native code takes longer than a look.
  return start === end || (bytes[start] === 0 && platform().isZero(bytes, start, end));
}
