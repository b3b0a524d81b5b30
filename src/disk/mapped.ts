/**
 * The one block walker. The pieces of qcow2 clusters, volume segments and file extents have places on other disks:
 * `lookup(offset)` gives the place, and this class splits reads and writes at the borders.
 *
 * Consecutive pieces of the same source are joined into one read, and the compressed pieces of a read go to the
 * decoder together, so that it can work on them in parallel.
 */
import { CorruptError, LruMap, work } from '../base/index.js';
import type { Allocator, Placement } from './allocator.js';
import { checkRead, checkWrite, readOnly } from './checks.js';
import { decodeUnits } from './decoder.js';
import type { Disk, Span, ZeroOptions } from './disk.js';
import type { EncodedUnit } from './encoded.js';

/** The mapping at an offset. `length` is in bytes, at least 1, and may exceed the requested length. */
export type Mapping =
  | {
      readonly kind: 'data';
      readonly length: number;
      readonly disk: Disk;
      readonly offset: number;
      /** Others read it too, a snapshot or whoever has the disk below: a write is placed anew. */
      readonly shared?: boolean;
    }
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
  /** Whether writes are passed on to `data` pieces. Default: whether there is an allocator. */
  readonly writable?: boolean;
  /** Has space for all other pieces. Without it, writing to a hole, a compressed or a shared piece is EROFS. */
  readonly allocator?: Allocator | undefined;
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

/** A stretch of a write, and where it goes; without a place, it needs one. */
interface Stretch {
  readonly place: { readonly disk: Disk; readonly offset: number } | undefined;
  /** The offset in the requested range. */
  readonly at: number;
  length: number;
}

/** Up to this many bytes of a write are copied, so that they are written together with what surrounds them. */
const mostCopied = 64 * 1024;
/** Zeroes that are written at once, where an allocator cannot mark a piece. */
const zeroPiece = 1024 * 1024;

export class MappedDisk implements Disk {
  readonly writable: boolean;
  readonly sectorSize: number;
  readonly #size: number | (() => number);
  readonly #lookup: Lookup;
  readonly #allocator: Allocator | undefined;
  readonly #name: string;
  readonly #owns: readonly Disk[];
  readonly #keepBytes: number;
  /** Written to since the last flush. */
  readonly #written = new Set<Disk>();
  /** Decoded units by key. Most disks have none, so the map is made with the first. */
  #decoded: LruMap<string, Uint8Array> | undefined;

  /** `size` is in bytes; a function, where it changes. */
  constructor(size: number | (() => number), lookup: Lookup, options: MappedOptions) {
    this.#size = size;
    this.#lookup = lookup;
    this.#allocator = options.allocator;
    this.#name = options.name;
    this.#owns = options.owns ?? [];
    this.writable = options.writable ?? options.allocator !== undefined;
    this.sectorSize = options.sectorSize ?? 512;
    this.#keepBytes = options.keepBytes ?? 2 * 1024 * 1024;
  }

  get size(): number {
    return typeof this.#size === 'number' ? this.#size : this.#size();
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
    this.#stretches(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    const stretches = this.#stretches(offset, from.length);
    this.#allocator?.prepare?.();
    const placements = this.#place(stretches, offset);
    let linked = 0;
    try {
      for (const { place, at, length } of stretches) {
        if (place === undefined) continue;
        this.#written.add(place.disk);
        place.disk.write(from.subarray(at, at + length), place.offset);
      }
      for (const placement of placements) this.#fill(placement, from, offset);
      for (const placement of placements) {
        this.#allocator?.link(placement);
        linked++;
      }
    } catch (thrown) {
      for (const placement of placements.slice(linked)) this.#allocator?.release(placement);
      throw thrown;
    }
  }

  /** Takes space for what has none: all of it or nothing. */
  #place(stretches: readonly Stretch[], offset: number): Placement[] {
    const placements: Placement[] = [];
    const allocator = this.#allocator;
    if (allocator === undefined) return placements;
    try {
      for (const { place, at, length } of stretches) {
        if (place !== undefined) continue;
        for (let here = offset + at; here < offset + at + length; ) {
          const placement = allocator.place(here, offset + at + length - here);
          placements.push(placement);
          const next = placement.start + placement.length;
          if (placement.start > here || next <= here)
            throw new RangeError(`${this.#name}: was given space for other bytes`);
          here = next;
        }
      }
    } catch (thrown) {
      for (const placement of placements) allocator.release(placement);
      throw thrown;
    }
    return placements;
  }

  /** Writes the bytes of a placement: those of the write, and around them what is there by the present mapping. */
  #fill(
    { disk, offset: to, start, length, blank = false }: Placement,
    from: Uint8Array,
    offset: number,
  ): void {
    const first = Math.max(start, offset);
    const last = Math.min(start + length, offset + from.length);
    const body = from.subarray(first - offset, last - offset);
    // Zeroes around it need not be written to blank space.
    const before = blank && this.#isHole(start, first) ? 0 : first - start;
    const after = blank && this.#isHole(last, start + length) ? 0 : start + length - last;
    const at = to + first - start;
    this.#written.add(disk);
    if (before === 0 && after === 0) {
      disk.write(body, at);
    } else if (body.length <= mostCopied) {
      const whole = new Uint8Array(before + body.length + after);
      this.#readPadded(whole.subarray(0, before), first - before);
      whole.set(body, before);
      this.#readPadded(whole.subarray(before + body.length), last);
      disk.write(whole, at - before);
    } else {
      if (before > 0) disk.write(this.#readPadded(new Uint8Array(before), first - before), at - before);
      disk.write(body, at);
      if (after > 0) disk.write(this.#readPadded(new Uint8Array(after), last), at + body.length);
    }
  }

  /** Reads what the last unit has behind the end of the disk as zeroes. */
  #readPadded(into: Uint8Array, offset: number): Uint8Array {
    const stored = Math.max(0, Math.min(into.length, this.size - offset));
    if (stored > 0) this.read(into.subarray(0, stored), offset);
    return into;
  }

  #isHole(offset: number, end: number): boolean {
    const last = Math.min(end, this.size);
    for (let at = offset; at < last; ) {
      const span = this.span(at, last - at);
      if (!span.hole) return false;
      at += span.length;
    }
    return true;
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    const allocator = this.#allocator;
    if (allocator === undefined) {
      this.#zeroPieces(offset, length, options);
      return;
    }
    if (!this.writable) throw readOnly(this.#name);
    checkWrite(this.#name, this.size, offset, length);
    const { unitSize } = allocator;
    const end = offset + length;
    const first = Math.min(end, Math.ceil(offset / unitSize) * unitSize);
    // The last unit ends with the disk.
    const last = end === this.size ? end : Math.max(first, Math.floor(end / unitSize) * unitSize);
    const edges = [
      [offset, first],
      [last, end],
    ] as const;
    // Holes at the edges are zero already; of what is not, the unit may have to be copied.
    const unplaced = edges.filter(([from, to]) => this.#stretches(from, to - from, true).length > 0);
    allocator.checkRoom(unplaced.length * unitSize);
    allocator.prepare?.();
    for (const [from, to] of edges) this.#zeroPieces(from, to - from, options);
    if (last > first && !allocator.clear(first, last - first, options?.discard ?? false))
      this.#zeroPieces(first, last - first, options);
  }

  /** Zeroes what is no hole: pieces in place by their disks, others by writing. */
  #zeroPieces(offset: number, length: number, options: ZeroOptions | undefined): void {
    for (const { place, at, length: here } of this.#stretches(
      offset,
      length,
      this.#allocator !== undefined,
    )) {
      if (place !== undefined) {
        this.#written.add(place.disk);
        place.disk.zero(place.offset, here, options);
        continue;
      }
      for (let done = 0; done < here; done += zeroPiece)
        this.write(new Uint8Array(Math.min(zeroPiece, here - done)), offset + at + done);
    }
  }

  /**
   * The stretches of a range, or the error of the first one that cannot be written. `holes`: those are left out, as
   * they are zero already.
   */
  #stretches(offset: number, length: number, withoutHoles = false): Stretch[] {
    if (!this.writable) throw readOnly(this.#name);
    checkWrite(this.#name, this.size, offset, length);
    const allocator = this.#allocator;
    const stretches: Stretch[] = [];
    let last: Stretch | undefined;
    let unplaced = 0;
    for (let at = 0; at < length; ) {
      const mapping = this.#at(offset + at, length - at);
      const here = Math.min(mapping.length, length - at);
      const place = mapping.kind === 'data' && mapping.shared !== true ? mapping : undefined;
      if (place === undefined && allocator === undefined) {
        const what = mapping.kind === 'data' ? 'shared' : mapping.kind;
        throw readOnly(`${this.#name}: the ${what} piece at ${offset + at}`);
      }
      if (withoutHoles && mapping.kind === 'hole') last = undefined;
      else if (last !== undefined && continues(last, place)) last.length += here;
      else {
        last = { place, at, length: here };
        stretches.push(last);
      }
      at += here;
    }
    for (const { place, at, length: here } of stretches) {
      if (place !== undefined) place.disk.checkWritable(place.offset, here);
      else unplaced += unitsOf(offset + at, here, allocator?.unitSize ?? 1);
    }
    if (unplaced > 0) allocator?.checkRoom(unplaced);
    return stretches;
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

  flush(): void {
    if (this.#allocator === undefined) this.#flushWritten();
    else this.#allocator.flush(() => this.#flushWritten());
  }

  /** A disk whose flush fails is flushed again by the next one. */
  #flushWritten(): void {
    for (const disk of this.#written) {
      disk.flush();
      this.#written.delete(disk);
    }
  }

  close(): void {
    this.#decoded?.clear();
    try {
      this.#allocator?.close?.();
    } finally {
      for (const disk of this.#owns) disk.close();
    }
  }
}

/** Whether the bytes behind a stretch go to `place`; without places, neighbours are placed together. */
function continues({ place: before, length }: Stretch, place: Stretch['place']): boolean {
  if (before === undefined || place === undefined) return before === place;
  return before.disk === place.disk && before.offset + length === place.offset;
}

/** The length of the units that hold a range, in bytes. */
function unitsOf(offset: number, length: number, unitSize: number): number {
  return (Math.ceil((offset + length) / unitSize) - Math.floor(offset / unitSize)) * unitSize;
}
