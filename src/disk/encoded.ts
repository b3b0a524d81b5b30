/** Compressed pieces of disks. */
import { type Codec, decode } from './codecs.js';
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
  /** Whether fewer bytes may come out, where the stream has its end: those that are missing are zeroes. */
  readonly isCut?: boolean;
}

/** Compressed bytes of at most this size are read into memory that is used again: new memory costs a cleaning of it. */
const mostKept = 256 * 1024;
let kept: Uint8Array | undefined;

/** Reads and decodes one unit in the calling thread. The bytes are valid until it decodes more. */
export function decodeAlone({ disk, offset, size, codec, decodedSize, isCut }: EncodedUnit): Uint8Array {
  // Where the disk below is compressed too, reading it decodes other units: they find no memory kept.
  const room = kept !== undefined && kept.length >= size ? kept : new Uint8Array(size);
  kept = undefined;
  const packed = room.subarray(0, size);
  disk.read(packed, offset);
  const decoded = decode(codec, packed, decodedSize, isCut);
  if (room.length <= mostKept) kept = room;
  return decoded;
}
