/**
 * Gzip data as its contents, bounded in memory whatever it expands to. RFC 1952. A file that is not gzip is given
 * as it is, as `zgrep` and `zcat -f` do.
 */

import { gunzipSync } from 'node:zlib';
import { CorruptError, GuestfsError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import type { Call } from './call.js';
import { piecesOf, readBytes } from './contents.js';

/** The largest compressed file that is taken in one piece, and the most it may expand to, in bytes. */
const compressedLimit = 256 * 1024 * 1024;
const expandedLimit = 1024 * 1024 * 1024;

/** Whether a disk begins as gzip data does. */
export function isGzip(disk: Disk): boolean {
  if (disk.size < 18) return false;
  const mark = new Uint8Array(3);
  disk.read(mark, 0);
  return mark[0] === 0x1f && mark[1] === 0x8b && mark[2] === 8;
}

/** The pieces of what is in a gzip file. Damaged: CorruptError; beyond the limits: EFBIG. */
export function* gunzipped(call: Call, disk: Disk, what: string): Generator<Uint8Array, void> {
  if (!isGzip(disk)) return yield* piecesOf(call, disk);
  if (disk.size > compressedLimit)
    throw new GuestfsError('EFBIG', `${what}: too large to be expanded in place; download it`);
  const packed = readBytes(call, disk, what);
  try {
    yield gunzipSync(packed, { maxOutputLength: expandedLimit });
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new GuestfsError('EFBIG', `${what}: expands to more than ${expandedLimit} bytes; download it`, {
        cause,
      });
    }
    throw new CorruptError('gzip file', (cause as Error).message, {}, { cause });
  }
}
