/**
 * The one block walker. qcow2 clusters, volume segments and file extents are all a disk whose pieces lie
 * elsewhere: `lookup(offset)` says what is there, and this class splits reads and writes at the borders.
 *
 * Pieces that follow each other on the same source are joined into one read, and compressed pieces of one read
 * are handed to the decoder together, so that it may work on them in parallel.
 */
import { CorruptError, LruMap } from '../base/index.js';
import { checkRead, checkWrite, readOnly } from './checks.js';
import { decodeUnits, type EncodedUnit } from './decoder.js';
import type { Disk, Span } from './disk.js';

/** What lies at an offset, and how far it goes. `length` is in bytes, at least 1, and may reach past what was asked for. */
export type Mapping =
  | { readonly kind: 'data'; readonly length: number; readonly disk: Disk; readonly offset: number }
  | { readonly kind: 'hole'; readonly length: number }
  /** The bytes from `skip` on of a compressed unit, once decoded. */
  | { readonly kind: 'encoded'; readonly length: number; readonly unit: EncodedUnit; readonly skip: number };

/** Says what lies at `offset`. `length` hints how much is wanted; the answer may be shorter or longer. */
export type Lookup = (offset: number, length: number) => Mapping;

export interface MappedOptions {
  /** What it is, for messages: `qcow2 image`, `ext4 inode 12`. */
  readonly name: string;
  /** Disks that end with this one. */
  readonly owns?: readonly Disk[];
  /** Whether writes are passed on to `data` pieces. Writing to a hole or a compressed piece is EROFS: a layer that can allocate stores itself. */
  readonly writable?: boolean;
  /** How many decoded units are kept for small reads. */
  readonly keepUnits?: number;
}

export class MappedDisk implements Disk {
  readonly size: number;
  readonly writable: boolean;
  readonly #lookup: Lookup;
  readonly #name: string;
  readonly #owns: readonly Disk[];
  readonly #decoded: LruMap<string, Uint8Array>;

  constructor(size: number, lookup: Lookup, options: MappedOptions) {
    this.size = size;
    this.#lookup = lookup;
    this.#name = options.name;
    this.#owns = options.owns ?? [];
    this.writable = options.writable ?? false;
    this.#decoded = new LruMap(options.keepUnits ?? 16);
  }

  #at(offset: number, wanted: number): Mapping {
    const mapping = this.#lookup(offset, wanted);
    if (!(mapping.length > 0)) throw new CorruptError(this.#name, 'maps no bytes', { offset });
    return mapping;
  }

  read(into: Uint8Array, offset: number): void {
    checkRead(this.#name, this.size, offset, into.length);
    const encoded: { unit: EncodedUnit; skip: number; at: number; length: number }[] = [];
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

  #readEncoded(
    into: Uint8Array,
    pieces: readonly { unit: EncodedUnit; skip: number; at: number; length: number }[],
  ): void {
    const ready = new Map<string, Uint8Array>();
    const missing = new Map<string, EncodedUnit>();
    for (const { unit } of pieces) {
      const known = this.#decoded.get(unit.key);
      if (known) ready.set(unit.key, known);
      else missing.set(unit.key, unit);
    }
    const units = [...missing.values()];
    decodeUnits(units).forEach((bytes, index) => {
      const unit = units[index] as EncodedUnit; // safe: one result per unit
      ready.set(unit.key, bytes);
      this.#decoded.set(unit.key, bytes);
    });
    for (const { unit, skip, at, length } of pieces) {
      const bytes = ready.get(unit.key) as Uint8Array; // safe: every unit is known or was just decoded
      if (skip + length > bytes.length) {
        throw new CorruptError(this.#name, 'a compressed unit is too short', {
          skip,
          length,
          decoded: bytes.length,
        });
      }
      into.set(bytes.subarray(skip, skip + length), at);
    }
  }

  write(from: Uint8Array, offset: number): void {
    if (!this.writable) throw readOnly(this.#name);
    checkWrite(this.#name, this.size, offset, from.length);
    for (let done = 0; done < from.length; ) {
      const mapping = this.#at(offset + done, from.length - done);
      if (mapping.kind !== 'data')
        throw readOnly(`${this.#name}: the ${mapping.kind} piece at ${offset + done}`);
      const length = Math.min(mapping.length, from.length - done);
      mapping.disk.write(from.subarray(done, done + length), mapping.offset);
      done += length;
    }
  }

  span(offset: number, length: number): Span {
    checkRead(this.#name, this.size, offset, length);
    let total = 0;
    let hole: boolean | undefined;
    while (total < length) {
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
  }

  flush(): void {
    for (const disk of this.#owns) disk.flush();
  }

  close(): void {
    for (const disk of this.#owns) disk.close();
  }
}
