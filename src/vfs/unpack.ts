/**
 * Unpacks compressed files: gzip (RFC 1952), compress, xz and zstd; other compressions are only named. All readers of
 * compressed contents use it: for programs and modules, initrds, `zgrep`.
 */
import {
  type ByteSource,
  CorruptError,
  concatBytes,
  decodeLzw,
  endsCall,
  GuestfsError,
  inflateGzip,
  readUpTo,
  sourceOf,
  UnsupportedError,
  work,
} from '../base/index.js';
import { decodeZstdBeginning, decodeZstdFile, platform } from '../disk/index.js';
import { decodeXz } from '../formats/index.js';

const packings: readonly (readonly [magic: readonly number[], name: string])[] = [
  [[0x1f, 0x8b, 0x08], 'gzip'],
  [[0x1f, 0x9d], 'compress'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0x5d, 0x00, 0x00], 'lzma'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  [[0x02, 0x21, 0x4c, 0x18], 'lz4'],
  [[0x89, 0x4c, 0x5a, 0x4f], 'lzo'],
];

/** The compression of bytes, by its program's name; undefined if they are not compressed. */
export function packingOf(head: Uint8Array): string | undefined {
  return packings.find(([magic]) => magic.every((byte, i) => head[i] === byte))?.[1];
}

/** The most bytes of a file's beginning that {@link packingOf} looks at. */
export const packingMarkLength = 6;

interface UnpackOptions {
  /** Where the compressed bytes begin; 0 by default. */
  readonly start?: number;
  /** How many bytes of the contents are enough; more may be returned. All by default. */
  readonly enough?: number;
  /** The largest allowed contents in bytes, if all of it is wanted. UnsupportedError beyond. */
  readonly limit?: number;
}

/** The largest compressed file, and by default the largest contents, that are held in memory; in bytes. */
const packedLimit = 256 * 1024 * 1024;
const unpackedLimit = 256 * 1024 * 1024;
const firstPiece = 8 * 1024;
/** How much of an xz or zstd file is read for a beginning of its contents, in bytes. */
const packedBeginning = 4 * 1024 * 1024;

/**
 * The contents of a compressed file; undefined if it is not compressed. `what` names the file in errors: an unknown
 * compression and contents past the limit are an UnsupportedError, damage is a CorruptError.
 */
export function unpack(
  source: ByteSource,
  what: string,
  options: UnpackOptions = {},
): Uint8Array | undefined {
  const { start = 0, enough, limit = unpackedLimit } = options;
  const packing = packingOf(readUpTo(source, start, packingMarkLength));
  if (packing === undefined) return undefined;
  if (packing === 'gzip') return gunzip(source, start, what, limit, enough);
  if (packing !== 'xz' && packing !== 'zstd' && packing !== 'compress') {
    // guestfsd's file_architecture has bzcat, its initrd_list nothing but zcat; of the others it has neither program.
    const elsewhere = packing === 'bzip2' ? 'appliance' : 'nowhere';
    throw new UnsupportedError(what, [`${packing} compression`], { elsewhere });
  }
  if (packing === 'compress') return decodeLzw(wholePacked(source, start, what), { limit, enough });
  // Both formats have blocks of about 100 KiB, so a beginning of the file has a beginning of the contents.
  const packed =
    enough === undefined ? wholePacked(source, start, what) : readUpTo(source, start, packedBeginning);
  if (packing === 'zstd') {
    if (enough !== undefined) return decodeZstdBeginning(packed);
    return counted(decodeZstdFile(packed, limit));
  }
  return decodeXz(packed, limit, enough).slice(); // decoded bytes are lent
}

/** Counts the unpacked bytes as memory of the call. */
function counted(bytes: Uint8Array): Uint8Array {
  work.bytes.spend(bytes.length);
  return bytes;
}

function wholePacked(source: ByteSource, start: number, what: string): Uint8Array {
  if (source.size - start > packedLimit) {
    throw new UnsupportedError(what, [`more than ${packedLimit} compressed bytes`]);
  }
  return counted(readUpTo(source, start, source.size - start));
}

/** Unpacks ever larger beginnings until there is enough. */
function gunzip(
  source: ByteSource,
  start: number,
  what: string,
  limit: number,
  enough: number | undefined,
): Uint8Array {
  if (enough === undefined) return gunzipWhole(wholePacked(source, start, what), what, limit);
  // Deflate expands a byte to at most 1032 bytes, so the input bounds the output.
  for (let length = firstPiece; ; length *= 4) {
    const isAll = start + length >= source.size;
    // The beginning of a truncated file may still be enough.
    if (isAll) return gunzipPiece(wholePacked(source, start, what), false, what, limit);
    const bytes = gunzipPiece(readUpTo(source, start, length), false, what, limit);
    if (bytes.length >= enough) return bytes;
  }
}

function gunzipPiece(packed: Uint8Array, isAll: boolean, what: string, limit: number): Uint8Array {
  work.checkpoint();
  try {
    return counted(platform().inflate('gzip', packed, limit, { partial: !isAll }));
  } catch (cause) {
    if (endsCall(cause)) throw cause;
    if (cause instanceof GuestfsError && cause.code === 'EFBIG') {
      throw new UnsupportedError(what, [`expanding to more than ${limit} bytes`], { cause });
    }
    throw new CorruptError('gzip file', (cause as Error).message, {}, { cause });
  }
}

/**
 * A whole file, of one member or several. As in gzip, bytes after the last member that begin no other are ignored.
 * zlib reports these bytes as damage, so a file that zlib refuses is read once more.
 */
function gunzipWhole(packed: Uint8Array, what: string, limit: number): Uint8Array {
  try {
    return gunzipPiece(packed, true, what, limit);
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    const pieces: Uint8Array[] = [];
    for (const piece of inflateGzip(sourceOf(packed))) pieces.push(counted(piece.slice()));
    return concatBytes(pieces);
  }
}
