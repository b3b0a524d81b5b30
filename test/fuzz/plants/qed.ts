/** Plants in the QED driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/qed/open.ts',
    original: "throw new CorruptError(structure, 'has an impossible table size'",
    planted: "throw new RangeError('has an impossible table size'",
    target: 'image/qed',
    fixtures: ['qed/small.qed.gz'],
    finding: /RangeError: has an impossible table size/,
  },
];
