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

/** Reads and decodes one unit in the calling thread. The bytes are valid until it decodes more. */
export function decodeAlone(unit: EncodedUnit): Uint8Array {
  const packed = new Uint8Array(unit.size);
  unit.disk.read(packed, unit.offset);
  return decode(unit.codec, packed, unit.decodedSize, unit.isCut);
}
