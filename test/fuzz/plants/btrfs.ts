/** Plants in the btrfs driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/btrfs/tree/node.ts',
    original: "throw corrupt('has an item at an impossible place', { index })",
    planted: "throw new TypeError('an item at an impossible place')",
    target: 'fs/btrfs',
    fixtures: ['btrfs/blake2.img.gz'],
    finding: /TypeError: an item at an impossible place/,
  },
];
