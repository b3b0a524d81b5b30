/** One compressed piece to its bytes, in the calling thread. */
import { CorruptError } from '../base/index.js';
import { platform } from './platform.js';
import { decodeZstd } from './zstd.js';

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
const inflate = (format: 'raw' | 'zlib', packed: Uint8Array, size: number): Uint8Array =>
  platform().inflate(format, packed, size, { partial: true, expected: size });

const decoders: Record<Codec, (packed: Uint8Array, decodedSize: number) => Uint8Array> = {
  deflate: (packed, size) => inflate('raw', packed, size),
  zlib: (packed, size) => inflate('zlib', packed, size),
  zstd: decodeZstd,
};
