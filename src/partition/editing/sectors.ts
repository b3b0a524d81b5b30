/**
 * Writing whole sectors of a disk, all or nothing, with barriers between the steps; and forgetting what was on a disk.
 */
import type { Disk } from '../../disk/index.js';

/** Bytes to be stored, or a range of zeroes. */
export type SectorChange =
  | { readonly offset: number; readonly bytes: Uint8Array }
  | { readonly offset: number; readonly length: number };

const lengthOf = (piece: SectorChange): number => ('bytes' in piece ? piece.bytes.length : piece.length);

/** Stores the steps one after the other, with a barrier behind each. Asks the disk about all of them first. */
export function writeSteps(disk: Disk, steps: readonly (readonly SectorChange[])[]): void {
  for (const piece of steps.flat()) disk.checkWritable(piece.offset, lengthOf(piece));
  for (const step of steps) {
    if (step.length === 0) continue;
    for (const piece of step)
      if ('bytes' in piece) disk.write(piece.bytes, piece.offset);
      else disk.zero(piece.offset, piece.length);
    disk.flush();
  }
}

/** As parted, which clears this much, and one sector, at both ends of a disk that gets a new table. */
const clearedBytes = 9 * 1024;

/** Both ends of a disk as zeroes, but for the first sector: nothing is found of an older table or filesystem. */
export function bothEnds(
  disk: Disk,
  sectorSize: number,
): { readonly start: SectorChange[]; readonly end: SectorChange[] } {
  const cleared = (Math.floor(clearedBytes / sectorSize) + 1) * sectorSize;
  const size = Math.floor(disk.size / sectorSize) * sectorSize;
  const startLength = Math.min(cleared, size) - sectorSize;
  const endLength = Math.min(cleared, size - sectorSize - startLength);
  return {
    start: startLength > 0 ? [{ offset: sectorSize, length: startLength }] : [],
    end: endLength > 0 ? [{ offset: size - endLength, length: endLength }] : [],
  };
}
