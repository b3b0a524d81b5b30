/** Compressed pieces of disks. */
import { type Codec, decode, type Shortfall } from './codecs.js';
import type { Disk } from './disk.js';

/** A piece that can only be read as a whole: a compressed cluster or block. */
export interface EncodedUnit {
  /** Names the unit on its disk, for caches. */
  readonly key: string;
  readonly codec: Codec;
  readonly disk: Disk;
  /** The offset of the compressed bytes on `disk`; they end at or before `offset + size`. */
  readonly offset: number;
  readonly size: number;
  /** Bytes after decoding; fewer is a CorruptError. */
  readonly decodedSize: number;
  /** Fewer bytes may come out, where the stream has its end. */
  readonly shortfall?: Shortfall;
}

/** Bytes of compressed units that are read at once: few enough that helpers get their first unit soon. */
const longestRun = 256 * 1024;

/** Units that lie next to each other, and are read together. */
export interface UnitRun {
  readonly disk: Disk;
  readonly offset: number;
  readonly size: number;
}

export const isWithin = ({ disk, offset, size }: EncodedUnit, run: UnitRun): boolean =>
  disk === run.disk && offset >= run.offset && offset + size <= run.offset + run.size;

/**
 * The run that begins with a unit. Units may overlap, because an image gives the last sector of a unit rather than
 * its last byte.
 */
export function runFrom(units: readonly EncodedUnit[], first: number): UnitRun {
  const { disk, offset, size } = units[first] as EncodedUnit; // safe: the caller's unit
  let end = offset + size;
  for (let index = first + 1; index < units.length; index++) {
    const next = units[index] as EncodedUnit; // safe: just compared
    const nextEnd = next.offset + next.size;
    if (next.disk !== disk || next.offset < offset || next.offset > end) break;
    if (nextEnd - offset > longestRun) break;
    end = Math.max(end, nextEnd);
  }
  return { disk, offset, size: end - offset };
}

/** Runs of at most this size are read into memory that is used again: new memory costs a cleaning of it. */
const mostKept = longestRun;
let kept: Uint8Array | undefined;

/**
 * Reads and decodes units in the calling thread, one after the other. `take` gets the bytes of each, valid until it
 * returns.
 */
export function decodeInTurn(
  units: readonly EncodedUnit[],
  take: (bytes: Uint8Array, index: number) => void,
): void {
  for (let first = 0; first < units.length; ) {
    const run = runFrom(units, first);
    // Where the disk below is compressed too, reading it decodes other units: they find no memory kept.
    const room = kept !== undefined && kept.length >= run.size ? kept : new Uint8Array(run.size);
    kept = undefined;
    const bytes = room.subarray(0, run.size);
    run.disk.read(bytes, run.offset);
    for (; first < units.length; first++) {
      const unit = units[first] as EncodedUnit; // safe: just compared
      if (!isWithin(unit, run)) break;
      const at = unit.offset - run.offset;
      const packed = bytes.subarray(at, at + unit.size);
      take(decode(unit.codec, packed, unit.decodedSize, unit.shortfall), first);
    }
    if (room.length <= mostKept) kept = room;
  }
}

/** The same for one unit, whose bytes are valid until the thread decodes more. */
export function decodeAlone(unit: EncodedUnit): Uint8Array {
  let decoded: Uint8Array = new Uint8Array(0);
  decodeInTurn([unit], (bytes) => {
    decoded = bytes;
  });
  return decoded;
}
