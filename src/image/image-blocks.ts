/**
 * Finds each byte of a disk that an image keeps in blocks of one size, each in a place of its own: VHD, VHDX, VDI,
 * Parallels, QED. A block of a difference may be stored in part: a bitmap then says which of its sectors are.
 */
import type { Disk, Mapping } from '../disk/index.js';
import type { TableCache } from './table-cache.js';

/** What a block is that is not stored; the place of one that is stored is 0 or more. */
export const blocks = {
  /** The disk below shows, or zeroes where there is none. */
  absent: -1,
  /** Zeroes, whatever lies below. */
  zero: -2,
} as const;

/** The bitmaps of blocks that are stored in part. A bit that is set stands for a sector that is stored. */
interface SectorBitmaps {
  readonly tables: TableCache;
  /** Bytes of a bit's sector. Blocks have a whole number of these. */
  readonly sectorSize: number;
  /** Which bit of a byte stands for its first sector. */
  readonly firstBit: 'highest' | 'lowest';
  /** Where the bitmap of a stored block begins in the file, in bytes; undefined for a block that is stored whole. */
  placeOf(block: number): number | undefined;
}

interface ImageBlocksOptions {
  /** Of the guest's disk. */
  readonly sizeInBytes: number;
  readonly blockSize: number;
  readonly file: Disk;
  /** The disk that shows where nothing is stored. May be of any size. */
  readonly backing: Disk | undefined;
  /** Where a block is stored in the file, in bytes, or one of {@link blocks}. */
  placeOf(block: number): number;
  readonly bitmaps?: SectorBitmaps;
  /** Whether stored bytes past the end of the file are zeroes. Without it they are an error, as any read past the end. */
  readonly zeroesPastEnd?: boolean;
}

export class ImageBlocks {
  readonly #of: ImageBlocksOptions;

  constructor(options: ImageBlocksOptions) {
    this.#of = options;
  }

  /** The mapping of a guest's offset, which is below the disk's size, and its length. */
  readonly lookup = (offset: number, wanted: number): Mapping => {
    const { blockSize, sizeInBytes, bitmaps } = this.#of;
    const first = Math.floor(offset / blockSize);
    const skip = offset - first * blockSize;
    const place = this.#of.placeOf(first);
    if (place >= 0) {
      const bitmap = bitmaps?.placeOf(first);
      if (bitmap !== undefined) return this.#partial(offset, skip, wanted, place, bitmap);
    }
    // Blocks of the same kind, or that follow one another in the file.
    const end = Math.min(sizeInBytes, offset + wanted);
    let block = first + 1;
    while (block * blockSize < end) {
      const expected = place < 0 ? place : place + (block - first) * blockSize;
      if (this.#of.placeOf(block) !== expected) break;
      if (place >= 0 && bitmaps?.placeOf(block) !== undefined) break;
      block++;
    }
    const length = (block - first) * blockSize - skip;
    if (place >= 0) return this.#stored(place + skip, length);
    return place === blocks.zero ? { kind: 'hole', length } : this.#below(offset, length);
  };

  /** Sectors of one block that are all stored, or all not. */
  #partial(offset: number, skip: number, wanted: number, place: number, bitmap: number): Mapping {
    const { blockSize } = this.#of;
    const { sectorSize } = this.#of.bitmaps as SectorBitmaps; // safe: only such a block has a bitmap
    const sector = Math.floor(skip / sectorSize);
    const last = Math.ceil(Math.min(blockSize, skip + wanted) / sectorSize);
    const stored = this.#bit(bitmap, sector);
    let next = sector + 1;
    while (next < last && this.#bit(bitmap, next) === stored) next++;
    const length = next * sectorSize - skip;
    return stored ? this.#stored(place + skip, length) : this.#below(offset, length);
  }

  #bit(bitmap: number, sector: number): boolean {
    const { tables, firstBit } = this.#of.bitmaps as SectorBitmaps; // safe: only such a block has a bitmap
    const at = bitmap + Math.floor(sector / 8);
    const inSlice = at % tables.sliceSize;
    const bit = firstBit === 'highest' ? 7 - (sector % 8) : sector % 8;
    return ((tables.slice(at - inSlice).getUint8(inSlice) >>> bit) & 1) !== 0;
  }

  #stored(place: number, length: number): Mapping {
    const { file, zeroesPastEnd } = this.#of;
    if (zeroesPastEnd) {
      if (place >= file.size) return { kind: 'hole', length };
      return { kind: 'data', length: Math.min(length, file.size - place), disk: file, offset: place };
    }
    return { kind: 'data', length, disk: file, offset: place };
  }

  #below(offset: number, length: number): Mapping {
    const { backing } = this.#of;
    if (!backing || offset >= backing.size) return { kind: 'hole', length };
    return { kind: 'data', length: Math.min(length, backing.size - offset), disk: backing, offset };
  }
}
