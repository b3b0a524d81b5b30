/** Compressed data as its contents, for the actions that look through it. */
import { UnsupportedError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { packingOf, unpack } from '../vfs/index.js';
import type { Call } from './call.js';
import { piecesOf, readBytes } from './contents.js';

/** The most that a compressed file may expand to, in bytes. */
const expandedLimit = 1024 * 1024 * 1024;

/** Old kinds that `zcat` reads and that are not read here, by their marks. */
const unread: readonly (readonly [mark: readonly number[], name: string])[] = [
  [[0x1f, 0x1e], 'pack'],
  [[0x1f, 0xa0], 'lzh'],
  [[0x50, 0x4b, 0x03, 0x04], 'zip'],
];

/**
 * The pieces of what is in a file, as `zcat -f` has them: what gzip and compress made is expanded, and all else given as it is.
 * CorruptError for damage; UnsupportedError past the limit, and for what zcat alone would expand.
 */
export function* gunzipped(call: Call, disk: Disk, what: string): Generator<Uint8Array, void> {
  const mark = readBytes(call, disk, what, 0, Math.min(disk.size, 6));
  const packing = packingOf(mark);
  const known = unread.find(([bytes]) => bytes.every((byte, index) => mark[index] === byte));
  if (known !== undefined)
    throw new UnsupportedError(what, [`${known[1]} compression (the direct backend has it)`]);
  if (packing !== 'gzip' && packing !== 'compress') return yield* piecesOf(call, disk);
  const warn = (message: string): void => call.session.warn(message);
  const bytes = unpack(disk, what, { limit: expandedLimit, warn });
  if (bytes !== undefined) yield bytes;
}
