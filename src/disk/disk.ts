/**
 * A disk: bytes at random access. Files, slices, overlays, images, partitions, volumes and the contents of files
 * are all disks, stacked on each other; each layer changes only what differs.
 */

/** What the bytes at some place are, without reading them. */
export interface Span {
  /** How far this goes, in bytes; at least 1. What follows may be of the same kind: a long span is told in parts. */
  readonly length: number;
  /** Reading gives zeroes and nothing is stored for it: a hole, a zero cluster, an unwritten extent. */
  readonly hole: boolean;
}

/** Random access to bytes, synchronous. Offsets and lengths are in bytes. */
export interface Disk {
  /** Size in bytes. */
  readonly size: number;
  /** Whether {@link write} works. */
  readonly writable: boolean;
  /** Fills all of `into` from `offset`. Reading past the end is a CorruptError: something on the disk led there. */
  read(into: Uint8Array, offset: number): void;
  /** Stores all of `from` at `offset`. A disk that is not writable throws EROFS; past the end ENOSPC. */
  write(from: Uint8Array, offset: number): void;
  /** What lies at `offset`, looking no further than `length` bytes. Cheap: reads metadata at most. */
  span(offset: number, length: number): Span;
  /** Makes what was written durable. */
  flush(): void;
  /** Gives up descriptors and memory. A layer closes what it owns: see each constructor. Closing twice is harmless. */
  close(): void;
}
