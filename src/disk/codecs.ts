/** One compressed piece to its bytes, in the calling thread. */
import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import { CorruptError } from '../base/index.js';
import { chunkFor, decodeZstd } from './zstd.js';

/** How a unit is compressed. `deflate` is raw (no zlib header). */
export type Codec = 'deflate' | 'zlib' | 'zstd';

/**
 * Exactly `decodedSize` bytes from `packed`; bytes after the end of the compressed stream are ignored. CorruptError
 * for anything else. The result is valid until this thread decodes more. Memory stays within a few times both sizes,
 * whatever `packed` contains.
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

/** A stream may lack its end if all bytes come out: some writers stop once the unit is full. */
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
