/** Plants in the codecs. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'base/codecs/copies.ts',
    original: "throw new CorruptError(codec, 'has a copy from before its beginning', { at, distance });",
    planted: "throw new RangeError('has a copy from before its beginning');",
    target: 'base/lzo',
    fixtures: ['codecs/mixed.lzop'],
    finding: /RangeError: has a copy from before/,
  },
];
