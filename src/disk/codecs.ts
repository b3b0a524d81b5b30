/** One compressed piece to its bytes, in the calling thread. */
import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import { CorruptError } from '../base/index.js';
import { chunkFor, decodeZstd } from './zstd.js';

/** How a unit is compressed. `deflate` is raw (no zlib header). */
export type Codec = 'deflate' | 'zlib' | 'zstd';

/**
 * Exactly `decodedSize` bytes out of `packed`; what follows the end of the compressed stream is not looked at. Anything
 * else is a CorruptError. The bytes are good until more is decoded in this thread, and `packed` never makes this take more memory than a few times both sizes.
 */
export function decode(codec: Codec, packed: Uint8Array, decodedSize: number): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = decoders[codec](packed, decodedSize);
  } catch (cause) {
    if (cause instanceof CorruptError) throw cause;
    throw new CorruptError(
      `${codec} stream`,
      (cause as Error).message,
      { size: packed.length, decodedSize },
      { cause },
    );
  }
  if (bytes.length !== decodedSize) {
    throw new CorruptError(`${codec} stream`, 'ends too early', { decodedSize, decoded: bytes.length });
  }
  return bytes;
}

/** A stream may lack its end, as long as all bytes come out: some writers cut it off once the unit is full. */
function inflateOptions(decodedSize: number) {
  return {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: decodedSize,
    chunkSize: chunkFor(decodedSize),
  };
}

const decoders: Record<Codec, (packed: Uint8Array, decodedSize: number) => Uint8Array> = {
  deflate: (packed, size) => inflateRawSync(packed, inflateOptions(size)),
  zlib: (packed, size) => inflateSync(packed, inflateOptions(size)),
  zstd: decodeZstd,
};
