/** Writes blocks in few large writes. */
import type { Disk } from '../disk.js';

/** Bytes of one write, at most. */
const pieceSize = 1024 * 1024;

/** Bytes and their place on a disk. */
export interface PlacedBytes {
  /** In bytes. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** Writes in the order of their places; those that lie behind each other together. None overlaps another. */
export function writeBlocks(disk: Disk, blocks: Iterable<PlacedBytes>): void {
  writeInOrder(
    disk,
    [...blocks].sort((a, b) => a.start - b.start),
  );
}

/** Writes in the given order; those that lie behind each other together. */
export function writeInOrder(disk: Disk, blocks: readonly PlacedBytes[]): void {
  let piece = new Uint8Array(0);
  for (let from = 0; from < blocks.length; ) {
    const first = blocks[from] as PlacedBytes; // safe: from < length
    let to = from + 1;
    let length = first.bytes.length;
    for (let next = blocks[to]; next !== undefined; next = blocks[++to]) {
      if (next.start !== first.start + length || length + next.bytes.length > pieceSize) break;
      length += next.bytes.length;
    }
    if (to === from + 1) disk.write(first.bytes, first.start);
    else {
      if (piece.length < length) piece = new Uint8Array(Math.min(pieceSize, length * 2));
      for (let at = 0, index = from; index < to; index++) {
        const { bytes } = blocks[index] as PlacedBytes; // safe: index < to ≤ length
        piece.set(bytes, at);
        at += bytes.length;
      }
      disk.write(piece.subarray(0, length), first.start);
    }
    from = to;
  }
}
