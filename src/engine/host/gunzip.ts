/** Compressed data as its contents, for the actions that look through it. */
import { inflateGzip, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { packingOf, unpack } from '../../vfs/index.js';
import { piecesOf, readBytes } from '../session/contents.js';
import type { Call } from '../thread/call.js';

/** The most that a file of compress may expand to, in bytes: it is held in memory. */
const expandedLimit = 1024 * 1024 * 1024;

/** Old kinds that `zcat` reads and that are not read here, by their marks. */
const unread: readonly (readonly [mark: readonly number[], name: string])[] = [
  [[0x1f, 0x1e], 'pack'],
  [[0x1f, 0xa0], 'lzh'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
];

/**
 * The pieces of what is in a file, as `zcat -f` has them: what gzip and compress made is expanded, and all else given as it is.
 * Each is valid until the next is asked for. CorruptError for damage; UnsupportedError for what zcat alone would expand, and
 * past the limit.
 */
export function* gunzipped(call: Call, disk: Disk, what: string): Generator<Uint8Array, void> {
  const mark = readBytes(call, disk, what, 0, Math.min(disk.size, 6));
  const packing = packingOf(mark);
  const known = unread.find(([bytes]) => bytes.every((byte, index) => mark[index] === byte));
  if (known !== undefined)
    throw new UnsupportedError(what, [`${known[1]} compression`], { elsewhere: 'appliance' });
  if (packing !== 'gzip' && packing !== 'compress') return yield* piecesOf(call, disk);
  if (packing === 'compress') {
    yield unpack(disk, what, { limit: expandedLimit }) ?? new Uint8Array(0);
    return;
  }
  const ignored = yield* inflateGzip(disk);
  // Zeroes behind it are padding, as on a tape: gzip says nothing of them.
  if (ignored > 0 && readBytes(call, disk, what, disk.size - ignored, 1)[0] !== 0)
    call.session.warn(`${what}: ${ignored} bytes behind the compressed data are ignored`);
}
