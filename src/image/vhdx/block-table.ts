/**
 * The block allocation table of a VHDX. Specification: "BAT". The entries of a chunk of blocks are followed by the entry
 * of the block that holds the chunk's sector bitmaps.
 */
import { CorruptError } from '../../base/index.js';
import { blocks } from '../image-blocks.js';
import type { TableCache } from '../table-cache.js';
import type { Region } from './header.js';
import { bitmapPresent, entryBits, mebibyte, sectorsInChunk, state, tableEntry } from './layout.js';
import type { Metadata } from './metadata.js';

const structure = 'VHDX block allocation table';

export class BlockTable {
  readonly #tables: TableCache;
  readonly #offset: number;
  readonly #isDifference: boolean;
  readonly #blocksInChunk: number;
  /** Bytes of bitmap of one block. */
  readonly #bitmapSize: number;
  /** The state in the entry that was read last. */
  #lastState = 0;

  constructor(tables: TableCache, metadata: Metadata, region: Region) {
    const { sizeInBytes, blockSize, sectorSize, parent } = metadata;
    this.#tables = tables;
    this.#offset = region.offset;
    this.#isDifference = parent !== undefined;
    this.#blocksInChunk = (sectorsInChunk * sectorSize) / blockSize;
    this.#bitmapSize = blockSize / sectorSize / 8;
    const count = Math.ceil(sizeInBytes / blockSize);
    const last = this.#isDifference
      ? Math.ceil(count / this.#blocksInChunk) * (this.#blocksInChunk + 1)
      : count + Math.floor(Math.max(0, count - 1) / this.#blocksInChunk);
    if (last * tableEntry.size > region.length) {
      throw new CorruptError(structure, 'is too small for the disk', {
        length: region.length,
        entries: last,
      });
    }
  }

  /** Where a block lies in the file, in bytes, or what it is that is not stored. */
  readonly placeOf = (block: number): number => {
    const place = this.#entry(block + Math.floor(block / this.#blocksInChunk));
    switch (this.#lastState) {
      case state.notPresent:
        return blocks.absent;
      case state.undefined:
      case state.zero:
      case state.unmapped:
        return blocks.zero;
      case state.fullyPresent:
        return checked(place, block);
      case state.partiallyPresent:
        if (this.#isDifference) return checked(place, block);
    }
    throw new CorruptError(structure, 'has a block in an impossible state', {
      block,
      state: this.#lastState,
    });
  };

  /** Where the bitmap of a stored block lies in the file, in bytes; undefined for a block that is whole. */
  readonly bitmapPlaceOf = (block: number): number | undefined => {
    const chunk = Math.floor(block / this.#blocksInChunk);
    this.#entry(block + chunk);
    if (this.#stateIsNot(state.partiallyPresent)) return undefined;
    const place = this.#entry((chunk + 1) * (this.#blocksInChunk + 1) - 1);
    if (this.#stateIsNot(bitmapPresent)) {
      throw new CorruptError(structure, 'has no bitmap for a block that is stored in part', { block });
    }
    return checked(place, block) + (block - chunk * this.#blocksInChunk) * this.#bitmapSize;
  };

  #stateIsNot(expected: number): boolean {
    return this.#lastState !== expected;
  }

  /** The place in the file that an entry has. Its state is kept beside it: this runs for each block of a read. */
  #entry(index: number): number {
    const at = this.#offset + index * tableEntry.size;
    const inSlice = at % this.#tables.sliceSize;
    const slice = this.#tables.slice(at - inSlice);
    const low = tableEntry.fields.low.read(slice, inSlice, true);
    const high = tableEntry.fields.high.read(slice, inSlice, true);
    this.#lastState = low & entryBits.state;
    return high * 0x1_0000_0000 + ((low & entryBits.offset) >>> 0);
  }
}

/** The first MiB holds the headers, so no block lies there. */
function checked(place: number, block: number): number {
  if (place < mebibyte || place > Number.MAX_SAFE_INTEGER) {
    throw new CorruptError(structure, 'has a block in an impossible place', { block, offset: place });
  }
  return place;
}
