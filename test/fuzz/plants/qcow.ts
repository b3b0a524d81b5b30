/** Plants in the qcow driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/qcow/open.ts',
    original: "throw new CorruptError(structure, 'has a backing file name that does not fit'",
    planted: "throw new RangeError('has a backing file name that does not fit'",
    target: 'image/qcow',
    fixtures: ['qcow/over.qcow.gz'],
    finding: /RangeError: has a backing file name that does not fit/,
  },
];
