/** One compressed piece to its bytes, in the calling thread. */
import {
  CorruptError,
  decodeLz4,
  decodeLznt1,
  decodeLzo1x,
  decodeLzoSegments,
  decodeLzx,
  decodeXpress,
} from '../base/index.js';
import { decodeLzma, decodeXz, decodeXzBlock } from '../formats/index.js';
import { platform } from './platform.js';
import { decodeZstd } from './zstd.js';

/**
 * How a unit is compressed. `deflate` is raw (no zlib header); of `xz` a unit is a block, of `xz-file` all that xz
 * writes; `lzma` has the header of 13 bytes; `lzo` is LZO1X, `lzo-segments` that in btrfs's frame, `xpress` that with
 * Huffman codes, and `lzx` that of WIM.
 */
export type Codec =
  | 'deflate'
  | 'zlib'
  | 'zstd'
  | 'xz'
  | 'xz-file'
  | 'lzma'
  | 'lz4'
  | 'lzo'
  | 'lzo-segments'
  | 'lznt1'
  | 'xpress'
  | 'lzx';

/** What a unit that ends early has behind its end: `zeroes`, or nothing, where it is `less`. */
export type Shortfall = 'zeroes' | 'less';

/**
 * Exactly `decodedSize` bytes from `packed`; bytes after the end of the compressed stream are ignored, except for
 * `xz-file`, `lz4` and `lzo`, whose size must be exact. CorruptError for anything else. With a `shortfall` a whole stream
 * of fewer bytes is one too. The result is valid until this thread decodes more. Memory stays within a few times
 * both sizes, whatever `packed` contains.
 */
export function decode(
  codec: Codec,
  packed: Uint8Array,
  decodedSize: number,
  shortfall?: Shortfall,
): Uint8Array {
  const bytes = decodeUpTo(codec, packed, decodedSize, shortfall !== undefined);
  if (bytes.length === decodedSize || shortfall === 'less') return bytes;
  if (shortfall === undefined)
    throw new CorruptError(`${codec} stream`, 'ends too early', { decodedSize, decoded: bytes.length });
  const whole = new Uint8Array(decodedSize);
  whole.set(bytes);
  return whole;
}

/** The same for at most `most` bytes. `isWhole`: a stream must have its end, even where all of them are there. */
export function decodeUpTo(codec: Codec, packed: Uint8Array, most: number, isWhole = true): Uint8Array {
  try {
    return decoders[codec](packed, most, isWhole);
  } catch (cause) {
    if (cause instanceof CorruptError) throw cause;
    const message = (cause as Error).message;
    throw new CorruptError(`${codec} stream`, message, { size: packed.length, most }, { cause });
  }
}

/** At most `most` bytes come out. */
type Decoder = (packed: Uint8Array, most: number, isWhole: boolean) => Uint8Array;

/**
 * A stream may lack its end if all bytes come out: some writers stop once the unit is full. Where fewer bytes may come
 * out, the end of the stream alone tells that none is missing.
 */
const inflate =
  (format: 'raw' | 'zlib'): Decoder =>
  (packed, most, isWhole) =>
    platform().inflate(format, packed, most, { partial: !isWhole, expected: most });

/** Pieces of at most this size are decoded into memory that is used again: new memory costs more than simple codecs. */
const mostKept = 256 * 1024;
let kept = new Uint8Array(0);

function roomFor(size: number): Uint8Array {
  if (size > mostKept) return new Uint8Array(size);
  if (kept.length < size) kept = new Uint8Array(size);
  return kept.subarray(0, size);
}

/** A decoder that fills what it is given. */
const filling =
  (fill: (packed: Uint8Array, into: Uint8Array) => number): Decoder =>
  (packed, most) => {
    const into = roomFor(most);
    return into.subarray(0, fill(packed, into));
  };

const decoders: Record<Codec, Decoder> = {
  deflate: inflate('raw'),
  zlib: inflate('zlib'),
  zstd: decodeZstd,
  xz: decodeXzBlock,
  'xz-file': (packed, most) => decodeXz(packed, most),
  lzma: decodeLzma,
  lz4: filling(decodeLz4),
  lzo: filling(decodeLzo1x),
  'lzo-segments': filling(decodeLzoSegments),
  lznt1: decodeLznt1,
  xpress: filling(decodeXpress),
  lzx: filling(decodeLzx),
};
