/**
 * Raw images: the file is the guest's disk. A guest's disk has whole sectors, so an odd size is padded with zeroes.
 */
import { type Disk, type GrowableDisk, PaddedDisk } from '../disk/index.js';
import type { ImageFormat } from './format.js';

const sectorSize = 512;

export const raw = {
  name: 'raw',
  probe: () => true,
  info: (file) => ({ format: 'raw', virtualSizeInBytes: roundUp(file.size), facts: {} }),
  resize: (file: GrowableDisk, sizeInBytes: number): void => file.resize(roundUp(sizeInBytes)),
  writes: true,
  open: (file): Disk => (file.size % sectorSize === 0 ? file : new PaddedDisk(file, roundUp(file.size))),
} satisfies ImageFormat;

function roundUp(size: number): number {
  return Math.ceil(size / sectorSize) * sectorSize;
}
