/**
 * LZMA with its old header, as `xz --format=lzma` writes it: properties, the size of the dictionary, and how many bytes
 * come out, or all ones where an end marker says so. "The .lzma File Format", 2011.
 */
import { CorruptError, viewOf, work } from '../../base/index.js';
import { corruptLzma, LzmaDecoder, lzmaProperties } from './lzma.js';

const headerLength = 13;
const sizeAt = 5;

/**
 * The contents, at most `limit` bytes, valid until more is decoded; more is a CorruptError. What follows them is ignored.
 */
export function decodeLzma(packed: Uint8Array, limit: number): Uint8Array {
  work.steps.spend(packed.length);
  if (packed.length < headerLength) throw corruptLzma('is cut short');
  const size = viewOf(packed).getBigUint64(sizeAt, true);
  const isMarked = size === 0xffff_ffff_ffff_ffffn;
  if (!isMarked && size > limit)
    throw new CorruptError('LZMA data', 'is larger than allowed', { size, limit });
  const properties = lzmaProperties(packed[0]);
  const literalBits = properties.lc + properties.lp;
  const decoder = new LzmaDecoder({ limit, mostPacked: packed.length, literalBits });
  decoder.setProperties(properties);
  decoder.resetState();
  const most = isMarked ? limit : Number(size);
  decoder.grow(most);
  decoder.start(packed.subarray(headerLength));
  const isWhole = decoder.decode(most);
  if (!isWhole && !isMarked) throw corruptLzma('ends before its size');
  if (isWhole && isMarked && !decoder.hasEndMarker())
    throw new CorruptError('LZMA data', 'is larger than allowed', { limit });
  return decoder.lend();
}
