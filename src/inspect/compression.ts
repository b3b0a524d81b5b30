/** Compressed files: told by their first bytes, and gzip's beginning (RFC 1952) looked through. */
import { gunzipSync, constants as zlibConstants } from 'node:zlib';

const compressions: readonly (readonly [magic: readonly number[], name: string])[] = [
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], 'xz'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'zstd'],
  [[0x42, 0x5a, 0x68], 'bzip2'],
  [[0x5d, 0x00, 0x00], 'lzma'],
  [[0x04, 0x22, 0x4d, 0x18], 'lz4'],
  [[0x02, 0x21, 0x4c, 0x18], 'lz4'],
  [[0x89, 0x4c, 0x5a, 0x4f], 'lzo'],
];

/** The compression that bytes begin with, of those that are not looked through. */
export function findCompression(head: Uint8Array): string | undefined {
  return compressions.find(([magic]) => magic.every((byte, i) => head[i] === byte))?.[1];
}

export function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8;
}

/**
 * The beginning of what is in gzip data, of which `packed` is the beginning. Deflate makes at most 1032 bytes of one,
 * so what comes out is bounded by what goes in. Empty where the data is damaged from the start.
 */
export function gunzipStart(packed: Uint8Array): Uint8Array {
  try {
    return gunzipSync(packed, { finishFlush: zlibConstants.Z_SYNC_FLUSH });
  } catch {
    // A damaged beginning is the beginning of nothing; the caller says that nothing was recognised.
    return new Uint8Array();
  }
}
