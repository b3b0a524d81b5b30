/** The contents of compressed data, for the actions that unpack it. */
import { inflateGzip, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { packingOf, unpack } from '../../vfs/index.js';
import { piecesOf, readBytes } from '../session/contents.js';
import type { Call } from '../thread/call.js';

/** The largest contents of a compress file in bytes, which are held in memory. */
const expandedLimit = 1024 * 1024 * 1024;

/** Old formats that `zcat` reads but that cannot be read here, by their signatures. */
const unread: readonly (readonly [mark: readonly number[], name: string])[] = [
  [[0x1f, 0x1e], 'pack'],
  [[0x1f, 0xa0], 'lzh'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
];

/**
 * The contents of a file in pieces, as `zcat -f` gives them: the formats of gzip and compress are unpacked, other
 * files are unchanged. Each piece is valid until the next is requested. CorruptError for damage; UnsupportedError for
 * formats that only zcat can unpack, and past the limit.
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
  // Zeroes after it are padding, as on a tape: gzip ignores them.
  if (ignored > 0 && readBytes(call, disk, what, disk.size - ignored, 1)[0] !== 0)
    call.session.warn(`${what}: ${ignored} bytes behind the compressed data are ignored`);
}
