/** Checks, repairs and resizes: what is done to an image as a file. */
import type { Disk, GrowableDisk } from '../../disk/index.js';
import type { ImageCheck } from '../../formats/index.js';
import type { ResizeContext } from '../format.js';
import { readHeader } from './header.js';
import { checkQcow2, repairQcow2, resizeQcow2 } from './write/index.js';

export function checkQcow2Image(
  file: Disk,
  progress?: (position: number, total: number) => void,
): ImageCheck {
  const { references: _, lost: __, ...check } = checkQcow2(file, readHeader(file), progress);
  return check;
}

export function repairQcow2Image(file: GrowableDisk, what: 'leaks' | 'all'): void {
  repairQcow2(file, what);
}

export function resizeQcow2Image(file: GrowableDisk, sizeInBytes: number, context: ResizeContext): void {
  resizeQcow2(file, sizeInBytes, context);
}
