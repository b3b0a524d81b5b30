/** Plants in the VDI driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/vdi/header.ts',
    original: "throw new CorruptError(structure, 'has parts that are not aligned'",
    planted: "throw new RangeError('has parts that are not aligned'",
    target: 'image/vdi',
    fixtures: ['vdi/dynamic.vdi.gz'],
    finding: /RangeError: has parts that are not aligned/,
  },
];
