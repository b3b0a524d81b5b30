/** Reads sectors of 512 bytes, the unit of disk labels. */
import { readMaybe } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { labelSectorSize } from './layout.js';

/** Sectors from `first`; undefined if the disk ends before. */
export function readSectors(disk: Disk, first: number, count = 1): Uint8Array | undefined {
  return readMaybe(disk, first * labelSectorSize, count * labelSectorSize);
}
