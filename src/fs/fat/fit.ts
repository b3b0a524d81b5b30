/** The least size of a FAT volume that has room for so much, with the clusters that mkfs.fat gives it. */
import { GuestfsError, work } from '../../base/index.js';
import { chooseShape, type FatFormatOptions, largestSectors, wholeTracks } from './format.js';
import { entrySize } from './layout.js';

const roundUp = (count: number, unit: number): number => Math.ceil(count / unit) * unit;

/** What is to go into a volume. */
export interface FatRoom {
  /** Entries of the root directory. */
  readonly rootEntries: number;
  /** Clusters of a size for all else. */
  clusters(clusterSize: number): number;
}

const sectorSize = 512;
const leastRootEntries = 512;
/** Whole sectors of them, of which the boot sector has the number in 16 bits. */
const mostRootEntries = 65_520;
/** 64 KiB. */
const leastSectors = 128;
/** Each round adds what is missing at least. */
const mostRounds = 1000;

/** What a volume is to be made with, and its size, which is `leastInBytes` at least. EFBIG where none has this room. */
export function fitFat(
  wanted: { readonly bits?: 32; readonly leastInBytes?: number },
  room: FatRoom,
): Pick<FatFormatOptions, 'bits' | 'rootEntries'> & { readonly sizeInBytes: number } {
  const { leastInBytes = 0, bits } = wanted;
  const rootEntries = Math.max(leastRootEntries, roundUp(room.rootEntries, sectorSize / entrySize));
  const options = { ...(bits === undefined ? {} : { bits }), rootEntries };
  if (rootEntries > mostRootEntries)
    throw new GuestfsError('EFBIG', 'the root directory has too many names for FAT');
  let sectors = Math.max(leastSectors, Math.ceil(leastInBytes / sectorSize));
  for (let round = 0; round < mostRounds && sectors <= largestSectors; round++) {
    work.steps.spend(1000);
    const whole = wholeTracks(sectors);
    const shape = chooseShape(whole, sectorSize, options);
    let missing = 1;
    if (shape !== undefined) {
      const clusterSize = shape.perCluster * sectorSize;
      const root =
        shape.bits === 32 ? Math.max(1, Math.ceil((room.rootEntries * entrySize) / clusterSize)) : 0;
      const clusters = room.clusters(clusterSize) + root;
      if (clusters <= shape.clusters && whole * sectorSize >= leastInBytes)
        return { ...options, sizeInBytes: whole * sectorSize };
      missing = Math.max(1, (clusters - shape.clusters) * shape.perCluster);
    }
    sectors = whole + missing;
    while (wholeTracks(sectors) < whole + missing) sectors++;
  }
  throw new GuestfsError('EFBIG', 'no FAT volume has room for all of it');
}
