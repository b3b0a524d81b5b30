/**
 * The one block walker. The pieces of qcow2 clusters, volume segments and file extents have places on other disks:
 * `lookup(offset)` gives the place, and this class splits reads and writes at the borders.
 *
 * Consecutive pieces of the same source are joined into one read, and the compressed pieces of a read go to the
 * decoder together, so that it can work on them in parallel.
 */
import { CorruptError, LruMap, work } from '../base/index.js';
import { checkRead, checkWrite, readOnly } from './checks.js';
import { decodeUnits } from './decoder.js';
import type { Disk, Span, ZeroOptions } from './disk.js';
import type { EncodedUnit } from './encoded.js';

/** The mapping at an offset. `length` is in bytes, at least 1, and may exceed the requested length. */
export type Mapping =
  | { readonly kind: 'data'; readonly length: number; readonly disk: Disk; readonly offset: number }
  | { readonly kind: 'hole'; readonly length: number }
  /** The bytes from `skip` on of a compressed unit, once decoded. */
  | { readonly kind: 'encoded'; readonly length: number; readonly unit: EncodedUnit; readonly skip: number };

/** The mapping at `offset`. `length` is a hint of how much is wanted; the answer may be shorter or longer. */
export type Lookup = (offset: number, length: number) => Mapping;

interface MappedOptions {
  /** The name for messages: `qcow2 image`, `ext4 inode 12`. */
  readonly name: string;
  /**
   * Disks that are closed with this one. {@link Disk.flush} is independent of this: it reaches the disks that were
   * written to.
   */
  readonly owns?: readonly Disk[];
  /**
   * Whether writes are passed on to `data` pieces. Writing to a hole or a compressed piece is EROFS: a layer that can
   * allocate stores itself.
   */
  readonly writable?: boolean;
  /** In bytes: the largest of the disks below. Default 512. */
  readonly sectorSize?: number;
  /** Bytes of decoded units that are kept for small reads; at least two units. Default 2 MiB. */
  readonly keepBytes?: number;
}

/**
 * The most lookups of one span, counted over all mapped disks below the first one: images can map terabytes in small
 * pieces, layer upon layer. A longer span is given in parts.
 */
const maxSpanLookups = 4096;
let spanLookups = 0;
let spanDepth = 0;

/** A part of a compressed unit, and where it goes in the caller's buffer. */
interface Piece {
  readonly unit: EncodedUnit;
  readonly skip: number;
  readonly at: number;
  readonly length: number;
}

/** A stretch of a write, and where it goes. */
interface Place {
  readonly disk: Disk;
  readonly offset: number;
  /** The offset in the requested range. */
  readonly at: number;
  length: number;
}

export class MappedDisk implements Disk {
  readonly size: number;
  readonly writable: boolean;
  readonly sectorSize: number;
  readonly #lookup: Lookup;
  readonly #name: string;
  readonly #owns: readonly Disk[];
  readonly #keepBytes: number;
  /** Written to since the last flush. */
  readonly #written = new Set<Disk>();
  /** Decoded units by key. Most disks have none, so the map is made with the first. */
  #decoded: LruMap<string, Uint8Array> | undefined;

  constructor(size: number, lookup: Lookup, options: MappedOptions) {
    this.size = size;
    this.#lookup = lookup;
    this.#name = options.name;
    this.#owns = options.owns ?? [];
    this.writable = options.writable ?? false;
    this.sectorSize = options.sectorSize ?? 512;
    this.#keepBytes = options.keepBytes ?? 2 * 1024 * 1024;
  }

  #at(offset: number, wanted: number): Mapping {
    work.lookups.spend(1);
    const mapping = this.#lookup(offset, wanted);
    if (!(mapping.length > 0)) throw new CorruptError(this.#name, 'maps no bytes', { offset });
    return mapping;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead(this.#name, this.size, offset, into.length);
    const encoded: Piece[] = [];
    // One pending run on one source, so that neighbouring pieces become one read.
    let source: Disk | undefined;
    let sourceOffset = 0;
    let runAt = 0;
    let runLength = 0;
    for (let done = 0; done < into.length; ) {
      const wanted = into.length - done;
      const mapping = this.#at(offset + done, wanted);
      const length = Math.min(mapping.length, wanted);
      if (mapping.kind === 'data') {
        if (source === mapping.disk && sourceOffset + runLength === mapping.offset) runLength += length;
        else {
          source?.read(into.subarray(runAt, runAt + runLength), sourceOffset);
          source = mapping.disk;
          sourceOffset = mapping.offset;
          runAt = done;
          runLength = length;
        }
      } else {
        source?.read(into.subarray(runAt, runAt + runLength), sourceOffset);
        source = undefined;
        if (mapping.kind === 'hole') into.fill(0, done, done + length);
        else encoded.push({ unit: mapping.unit, skip: mapping.skip, at: done, length });
      }
      done += length;
    }
    source?.read(into.subarray(runAt, runAt + runLength), sourceOffset);
    if (encoded.length > 0) this.#readEncoded(into, encoded);
  }

  /** Fills in the pieces that lie in compressed units, each of which is decoded once. */
  #readEncoded(into: Uint8Array, pieces: readonly Piece[]): void {
    const units: EncodedUnit[] = [];
    const wanted: Piece[][] = []; // for each unit
    const places = new Map<string, number>();
    for (const piece of pieces) {
      const { key } = piece.unit;
      const known = this.#decoded?.get(key);
      const place = places.get(key);
      if (known) this.#copy(known, piece, into);
      else if (place !== undefined) wanted[place]?.push(piece);
      else {
        places.set(key, units.length);
        units.push(piece.unit);
        wanted.push([piece]);
      }
    }
    if (units.length === 0) return;
    decodeUnits(units, (bytes, index) => {
      const unit = units[index] as EncodedUnit; // safe: an index into units
      let copied = 0;
      for (const piece of wanted[index] as Piece[]) copied += this.#copy(bytes, piece, into); // safe: one for each unit
      // A unit of which only a part was wanted is probably wanted again.
      if (copied < bytes.length) this.#keep(unit, bytes);
    });
  }

  #copy(bytes: Uint8Array, { skip, at, length }: Piece, into: Uint8Array): number {
    if (skip + length > bytes.length) {
      throw new CorruptError(this.#name, 'a compressed unit is too short', {
        skip,
        length,
        decoded: bytes.length,
      });
    }
    into.set(bytes.subarray(skip, skip + length), at);
    return length;
  }

  #keep(unit: EncodedUnit, bytes: Uint8Array): void {
    // Units of one disk are about the same size, so a number of them stands for bytes.
    this.#decoded ??= new LruMap(Math.max(2, Math.floor(this.#keepBytes / bytes.length)));
    this.#decoded.set(unit.key, bytes.slice()); // decoded bytes are lent
  }

  checkWritable(offset: number, length: number): void {
    this.#places(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    for (const { disk, offset: to, at, length } of this.#places(offset, from.length)) {
      this.#written.add(disk);
      disk.write(from.subarray(at, at + length), to);
    }
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    for (const place of this.#places(offset, length)) {
      this.#written.add(place.disk);
      place.disk.zero(place.offset, place.length, options);
    }
  }

  /** The places of a range: all of them, or the error of the first piece that cannot be written. */
  #places(offset: number, length: number): Place[] {
    if (!this.writable) throw readOnly(this.#name);
    checkWrite(this.#name, this.size, offset, length);
    const places: Place[] = [];
    let last: Place | undefined;
    for (let at = 0; at < length; ) {
      const mapping = this.#at(offset + at, length - at);
      if (mapping.kind !== 'data')
        throw readOnly(`${this.#name}: the ${mapping.kind} piece at ${offset + at}`);
      const here = Math.min(mapping.length, length - at);
      if (last !== undefined && last.disk === mapping.disk && last.offset + last.length === mapping.offset)
        last.length += here;
      else {
        last = { disk: mapping.disk, offset: mapping.offset, at, length: here };
        places.push(last);
      }
      at += here;
    }
    for (const place of places) place.disk.checkWritable(place.offset, place.length);
    return places;
  }

  span(offset: number, length: number): Span {
    checkRead(this.#name, this.size, offset, length);
    if (spanDepth === 0) spanLookups = maxSpanLookups;
    spanDepth++;
    try {
      let total = 0;
      let hole: boolean | undefined;
      while (total < length && (total === 0 || spanLookups > 0)) {
        spanLookups--;
        const mapping = this.#at(offset + total, length - total);
        const here = Math.min(mapping.length, length - total);
        const below =
          mapping.kind === 'data'
            ? mapping.disk.span(mapping.offset, here)
            : { length: here, hole: mapping.kind === 'hole' };
        if (hole === undefined) hole = below.hole;
        else if (hole !== below.hole) break;
        total += below.length;
      }
      return { length: total, hole: hole ?? false };
    } finally {
      spanDepth--;
    }
  }

  /** A disk whose flush fails is flushed again by the next one. */
  flush(): void {
    for (const disk of this.#written) {
      disk.flush();
      this.#written.delete(disk);
    }
  }

  close(): void {
    this.#decoded?.clear();
    for (const disk of this.#owns) disk.close();
  }
}
