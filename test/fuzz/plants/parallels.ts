/** Plants in the Parallels driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/parallels/open.ts',
    original: "throw new CorruptError('Parallels header', 'has an impossible cluster size'",
    planted: "throw new RangeError('has an impossible cluster size'",
    target: 'image/parallels',
    fixtures: ['parallels/small.hds.gz'],
    finding: /RangeError: has an impossible cluster size/,
  },
];
