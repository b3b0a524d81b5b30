/** Plants in the VHD driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'image/vhd/header.ts',
    original: "throw new CorruptError(structure, 'has an impossible block size'",
    planted: "throw new RangeError(structure + ' has an impossible block size'",
    target: 'image/vpc',
    fixtures: ['vhd/chain-top.vhd.gz'],
    finding: /RangeError: .* has an impossible block size/,
  },
];
