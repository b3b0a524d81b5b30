/**
 * The write half of {@link MappedDisk}: who has space for pieces that have no place of their own yet. Image formats and
 * contents of files give one; the walker cuts a write into pieces, copies what a unit had beside the written bytes, and
 * keeps the order.
 */
import type { Disk } from './disk.js';

/** New space for whole units. Until it is linked nobody finds it: a crash before that loses space and no data. */
export interface Placement {
  readonly disk: Disk;
  /** Where on `disk`, in bytes. */
  readonly offset: number;
  /** The bytes of the mapped disk that it is for: the write, widened to whole units. They may end behind the disk. */
  readonly start: number;
  readonly length: number;
  /** The space reads as zeroes, so that zeroes need not be written to it. */
  readonly blank?: boolean;
}

/**
 * Space for the pieces of a mapped disk. A unit is in place as a whole, or it has to be placed. What an allocator does
 * is seen by the next lookup.
 */
export interface Allocator {
  /** Units have this many bytes, and begin at multiples of it. */
  readonly unitSize: number;
  /** Throws what {@link place} would throw for units of so many bytes: EROFS, ENOSPC, EFBIG. Changes nothing. */
  checkRoom(length: number): void;
  /** Called before each write and each clear, also before a write in place: for marks in a header. */
  prepare?(): void;
  /**
   * Takes space for the units that hold `offset` and, as far as they lie together, those up to `offset + length`; with
   * it, all that linking needs. ENOSPC leaves all as it was.
   */
  place(offset: number, length: number): Placement;
  /** The bytes of a placement are written: from now on the mapping leads there. What was there before is given up. */
  link(placement: Placement): void;
  /** Takes back what was placed and not linked. */
  release(placement: Placement): void;
  /**
   * Makes whole units read as zeroes, unmapped or marked; `discard` as in {@link ZeroOptions}. The range ends with a
   * unit or with the disk. Returns false, having changed nothing, where the format cannot: then zeroes are written.
   */
  clear(offset: number, length: number, discard: boolean): boolean;
  /**
   * Makes its tables durable in an order that every crash survives: counts of used space, then the data, then maps.
   * `data` makes durable what was written to the disks of placements and of pieces in place; it is called in any case.
   */
  flush(data: () => void): void;
  /** Called when the disk is closed: for what has to be written by then. */
  close?(): void;
}
