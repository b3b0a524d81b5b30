/**
 * A disk: bytes at random access. Files, slices, overlays, images, partitions, volumes and the contents of files
 * are all disks, stacked on each other; each layer changes only what differs.
 */

/** The kind of the bytes at some offset, without reading them. */
export interface Span {
  /** The length in bytes, at least 1. The next span may be of the same kind: a long span is given in parts. */
  readonly length: number;
  /** Reading gives zeroes and nothing is stored for it: a hole, a zero cluster, an unwritten extent. */
  readonly hole: boolean;
}

/** How {@link Disk.zero} may do its work. */
export interface ZeroOptions {
  /** The space of the range may be given back. Without it, what is allocated stays allocated. */
  readonly discard?: boolean;
}

/** Random access to bytes, synchronous. Offsets and lengths are in bytes. */
export interface Disk {
  /** Size in bytes. */
  readonly size: number;
  /** The logical sector in bytes, mostly 512 or 4096: a crash never leaves half of one written. */
  readonly sectorSize: number;
  /** Whether {@link write} works. */
  readonly writable: boolean;
  /** Fills all of `into` from `offset`. Reading past the end is a CorruptError: something on the disk led there. */
  read(into: Uint8Array, offset: number): void;
  /**
   * Throws the error that {@link write} and {@link zero} would throw for a range, and changes nothing: EROFS if it
   * cannot be written, ENOSPC past the end. A layer asks every disk below before it writes to the first of them.
   */
  checkWritable(offset: number, length: number): void;
  /**
   * Stores all of `from` at `offset`, or throws as {@link checkWritable} does before the first byte. Only an error of
   * the host's own input or output can leave a part of it written.
   */
  write(from: Uint8Array, offset: number): void;
  /** Makes a range read as zeroes; refuses as {@link write} does. */
  zero(offset: number, length: number, options?: ZeroOptions): void;
  /** What lies at `offset`, looking no further than `length` bytes. Cheap: reads metadata at most. */
  span(offset: number, length: number): Span;
  /**
   * A barrier: everything written through this disk is durable before anything written later. It reaches every disk
   * below that was written to. In an overlay nothing is ever durable.
   */
  flush(): void;
  /**
   * Releases descriptors and memory. A layer closes the disks that it owns: see each constructor. Closing twice is
   * harmless.
   */
  close(): void;
}

/** A disk whose size can change: a host file, memory. What image formats allocate in. */
export interface GrowableDisk extends Disk {
  /**
   * Makes it `size` bytes long. Bytes that are added read as zeroes. EROFS where the disk is not writable, EINVAL for a
   * block device, ENOSPC and EFBIG where the host has no room.
   */
  resize(size: number): void;
}

/** Whether the size of a disk can change. */
export function isGrowable(disk: Disk): disk is GrowableDisk {
  return 'resize' in disk;
}
