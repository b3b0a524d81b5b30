/** Reading the sectors of 512 bytes in which disk labels are counted. */
import type { Disk } from '../disk/index.js';
import { labelSectorSize } from './layout.js';

/** Sectors from `first`; undefined where the disk ends before. */
export function readSectors(disk: Disk, first: number, count = 1): Uint8Array | undefined {
  const offset = first * labelSectorSize;
  const length = count * labelSectorSize;
  if (!Number.isSafeInteger(offset) || offset + length > disk.size) return undefined;
  const bytes = new Uint8Array(length);
  disk.read(bytes, offset);
  return bytes;
}
