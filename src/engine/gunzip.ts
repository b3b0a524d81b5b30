/** Gzip data as its contents, for the actions that look through it. A file that is not gzip is given as it is. */
import type { Disk } from '../disk/index.js';
import { packingOf, unpack } from '../vfs/index.js';
import type { Call } from './call.js';
import { piecesOf, readBytes } from './contents.js';

/** The most that a compressed file may expand to, in bytes. */
const expandedLimit = 1024 * 1024 * 1024;

/** The pieces of what is in a gzip file, as `zcat -f` has them. Damaged: CorruptError; past the limit: UnsupportedError. */
export function* gunzipped(call: Call, disk: Disk, what: string): Generator<Uint8Array, void> {
  const mark = readBytes(call, disk, what, 0, Math.min(disk.size, 6));
  const bytes = packingOf(mark) === 'gzip' ? unpack(disk, what, { limit: expandedLimit }) : undefined;
  if (bytes === undefined) yield* piecesOf(call, disk);
  else yield bytes;
}
