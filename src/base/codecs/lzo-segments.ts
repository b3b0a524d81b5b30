/**
 * LZO1X as btrfs stores it: the size of all, then segments of a sector each, every one with its size before it. A size
 * never lies across the border of a sector, so up to three bytes before one are empty. The kernel's fs/btrfs/lzo.c.
 */
import { CorruptError } from '../errors.js';
import { viewOf } from '../struct.js';
import { decodeLzo1x } from './lzo.js';
import { lzoSegmentLength } from './lzo-sector.js';

const what = 'LZO segments';
const sizeLength = 4;

/** Decodes segments into `into`. Returns how many bytes came out. */
export function decodeLzoSegments(packed: Uint8Array, into: Uint8Array): number {
  const view = viewOf(packed);
  const cutShort = (at: number): CorruptError =>
    new CorruptError(what, 'are cut short', { offset: at, size: packed.length });
  if (packed.length < sizeLength) throw cutShort(0);
  const total = view.getUint32(0, true);
  if (total > packed.length) throw cutShort(total);
  let produced = 0;
  for (let at = sizeLength; at < total && produced < into.length; ) {
    const left = lzoSegmentLength - (at % lzoSegmentLength);
    if (left < sizeLength) at += left;
    if (at + sizeLength > total) break; // what is left is empty
    const end = at + sizeLength + view.getUint32(at, true);
    if (end > total) throw cutShort(end);
    const room = into.subarray(produced, produced + lzoSegmentLength);
    produced += decodeLzo1x(packed.subarray(at + sizeLength, end), room);
    at = end;
  }
  return produced;
}
