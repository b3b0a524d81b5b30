/** Plants in the VHDX driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/vhdx/metadata.ts',
    original: "throw new CorruptError(structure, 'has an impossible sector size'",
    planted: "throw new TypeError(structure + ' has an impossible sector size'",
    target: 'image/vhdx',
    fixtures: ['vhdx/chain-top.vhdx.gz'],
    finding: /TypeError: .* has an impossible sector size/,
  },
];
