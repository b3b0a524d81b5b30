/**
 * Finds each byte of a sparse extent, of any of the three kinds. A directory of grain tables, whose entries say where
 * grains are: the lookup has exactly these two steps, so tables that point at themselves give wrong data rather than
 * loops.
 */
import { CorruptError, readUpTo, viewOf } from '../../base/index.js';
import type { Disk, Mapping } from '../../disk/index.js';
import { TableCache } from '../table-cache.js';
import { grainMarkerSize, marker, sectorSize, zeroedGrain } from './layout.js';

/** What a grain is that is not stored. Of one that is stored the offset is told: more than 0. */
export const unallocated = -1;
export const zero = -2;

/** How the entries of the directory and of the tables are read. */
export interface GrainEntries {
  /** In bytes, of both. */
  readonly entrySize: number;
  /** Where the table of an entry of the directory is, in bytes of the file; 0 for none. */
  table(slice: DataView, at: number): number;
  /** Where the grain of an entry of a table is, in bytes of the file; else {@link unallocated} or {@link zero}. */
  grain(slice: DataView, at: number): number;
}

/** Where the tables of a sparse extent are, and what they hold. */
export interface Grains extends GrainEntries {
  readonly sizeInBytes: number;
  readonly grainBytes: number;
  readonly entriesPerTable: number;
  /** In bytes. */
  readonly directoryOffset: number;
  readonly directoryEntries: number;
  /** Bytes that the file has at the least. */
  readonly leastFileBytes: number;
  /** Compressed grains have their length before them (`marked`), or begin without it. */
  readonly compression: 'none' | 'marked' | 'bare';
}

/** Entries of 32 bits that are sectors: of hosted and of COWD extents. */
export function hostedEntries(zeroedGrains: boolean): GrainEntries {
  return {
    entrySize: 4,
    table: (slice, at) => slice.getUint32(at, true) * sectorSize,
    grain(slice, at) {
      const sector = slice.getUint32(at, true);
      if (sector === 0) return unallocated;
      return sector === zeroedGrain && zeroedGrains ? zero : sector * sectorSize;
    },
  };
}

interface GrainMapOptions {
  readonly file: Disk;
  /** What follows the names of tables in messages: ` of disk-s001.vmdk`; empty for the image itself. */
  readonly name: string;
  /** The offset of the extent in the guest's disk. */
  readonly start: number;
  /** The disk that shows where nothing is stored. May be of any size. */
  readonly backing: Disk | undefined;
  /** Bytes of tables that are kept in memory. */
  readonly budget: number;
}

export class GrainMap {
  readonly #grains: Grains;
  readonly #of: GrainMapOptions;
  readonly #tables: TableCache;
  /** Bytes of the guest that one table covers. */
  readonly #reach: number;
  readonly #tableBytes: number;

  /** Checks that the file has the directory. */
  constructor(grains: Grains, options: GrainMapOptions) {
    this.#grains = grains;
    this.#of = options;
    this.#reach = grains.grainBytes * grains.entriesPerTable;
    this.#tableBytes = grains.entriesPerTable * grains.entrySize;
    this.#tables = new TableCache(options.file, {
      name: `VMDK grain table${options.name}`,
      mostInSlice: this.#tableBytes <= 4096 ? 4096 : 16_384,
      budget: options.budget,
    });
    const { size } = options.file;
    const { directoryOffset, directoryEntries, entrySize, leastFileBytes } = grains;
    const end = directoryOffset + directoryEntries * entrySize;
    if (directoryEntries > 0 && (directoryOffset === 0 || end > size || leastFileBytes > size))
      throw new CorruptError(
        `VMDK grain directory${options.name}`,
        'lies outside the file, which is cut short',
        {
          offset: directoryOffset,
          entries: directoryEntries,
          fileSize: size,
        },
      );
  }

  /** The mapping of an offset in the extent, which is below its size, and its length, which may go beyond its end. */
  readonly lookup = (offset: number, wanted: number): Mapping => {
    const { grainBytes, entriesPerTable, entrySize, compression } = this.#grains;
    const index = Math.floor(offset / this.#reach);
    const tableAt = this.#table(index);
    if (tableAt === 0) return this.#emptyTables(offset, index, wanted);

    const within = offset - index * this.#reach;
    const entry = Math.floor(within / grainBytes);
    const inGrain = within % grainBytes;
    const entryAt = tableAt + entry * entrySize;
    const tables = this.#tables;
    const sliceAt = entryAt - (entryAt % tables.sliceSize);
    const slice = tables.slice(sliceAt);
    let at = entryAt - sliceAt;
    const place = this.#grains.grain(slice, at);
    if (place >= 0 && compression !== 'none') return this.#compressed(offset - inGrain, place, inGrain);

    // Grains of the same kind, to the end of the table or of the slice: MappedDisk joins slices.
    const end = Math.min(slice.byteLength, at + (entriesPerTable - entry) * entrySize);
    let length = grainBytes - inGrain;
    while (length < wanted) {
      at += entrySize;
      if (at >= end) break;
      if (this.#grains.grain(slice, at) !== (place < 0 ? place : place + inGrain + length)) break;
      length += grainBytes;
    }
    if (place >= 0) return this.#stored(place, inGrain, length);
    return place === zero ? { kind: 'hole', length } : this.#below(offset, length);
  };

  /** The place of the table of an entry of the directory; 0 for none. */
  #table(index: number): number {
    const { directoryOffset, entrySize } = this.#grains;
    const at = directoryOffset + index * entrySize;
    const inSlice = at % this.#tables.sliceSize;
    const place = this.#grains.table(this.#tables.slice(at - inSlice), inSlice);
    if (place > 0 && place + this.#tableBytes > this.#of.file.size)
      throw new CorruptError(`VMDK grain table${this.#of.name}`, 'lies outside the file', {
        index,
        offset: place,
        fileSize: this.#of.file.size,
      });
    return place;
  }

  /** A run of entries of the directory without tables, to the end of the slice that has them. */
  #emptyTables(offset: number, index: number, wanted: number): Mapping {
    const { directoryOffset, directoryEntries, entrySize } = this.#grains;
    const { sliceSize } = this.#tables;
    const inSlice = (directoryOffset + index * entrySize) % sliceSize;
    const end = Math.min(directoryEntries, index + (sliceSize - inSlice) / entrySize);
    let next = index + 1;
    while (next < end && next * this.#reach < offset + wanted && this.#table(next) === 0) next++;
    return this.#below(offset, next * this.#reach - offset);
  }

  /** Bytes in the file. Programs write the last grain only as far as the guest wrote it: the rest is zeroes. */
  #stored(place: number, inGrain: number, length: number): Mapping {
    const { file } = this.#of;
    if (place >= file.size)
      throw new CorruptError(`VMDK grain table${this.#of.name}`, 'has a grain outside the file', {
        offset: place,
        fileSize: file.size,
      });
    const at = place + inGrain;
    if (at >= file.size) return { kind: 'hole', length: Math.min(length, this.#grains.grainBytes - inGrain) };
    return { kind: 'data', length: Math.min(length, file.size - at), disk: file, offset: at };
  }

  /** Nothing is stored here: the disk below shows; past its end, or without one, zeroes. */
  #below(offset: number, length: number): Mapping {
    const { backing, start } = this.#of;
    const at = start + offset;
    if (!backing || at >= backing.size) return { kind: 'hole', length };
    return { kind: 'data', length: Math.min(length, backing.size - at), disk: backing, offset: at };
  }

  /** A compressed grain. The one at the end of the extent may be cut there. */
  #compressed(offset: number, place: number, skip: number): Mapping {
    const { grainBytes, sizeInBytes, compression } = this.#grains;
    const { file, start } = this.#of;
    const { at, size } = compression === 'marked' ? this.#marked(place) : this.#bare(place);
    return {
      kind: 'encoded',
      length: grainBytes - skip,
      unit: {
        key: `${start + offset}`,
        codec: 'zlib',
        disk: file,
        offset: at,
        size,
        decodedSize: grainBytes,
        ...(offset + grainBytes > sizeInBytes ? { shortfall: 'zeroes' as const } : {}),
      },
      skip,
    };
  }

  /** Where the compressed bytes of a grain are that has a marker. */
  #marked(place: number): { at: number; size: number } {
    const { file } = this.#of;
    const head = readUpTo(file, place, grainMarkerSize);
    const size = head.length < grainMarkerSize ? 0 : marker.get(viewOf(head), 0, 'size');
    const at = place + grainMarkerSize;
    // A grain that does not compress is longer than one, by less than twice its length.
    if (size === 0 || size > 2 * this.#grains.grainBytes || at + size > file.size)
      throw new CorruptError(`VMDK grain${this.#of.name}`, 'has an impossible compressed size', {
        offset: place,
        size,
      });
    return { at, size };
  }

  /** The same without a marker: deflate adds five bytes to each stored block, so a 256th is enough. */
  #bare(place: number): { at: number; size: number } {
    const { file } = this.#of;
    const { grainBytes } = this.#grains;
    if (place >= file.size)
      throw new CorruptError(`VMDK grain table${this.#of.name}`, 'has a grain outside the file', {
        offset: place,
        fileSize: file.size,
      });
    return { at: place, size: Math.min(grainBytes + Math.ceil(grainBytes / 256) + 64, file.size - place) };
  }
}
