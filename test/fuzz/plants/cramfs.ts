/** Plants in the cramfs driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/cramfs/contents.ts',
    original: "throw new CorruptError(this.#what, 'has a bad block pointer'",
    planted: "throw new RangeError(this.#what + ' has a bad block pointer'",
    target: 'fs/cramfs',
    fixtures: ['cramfs/plain.img.gz'],
    finding: /RangeError: .* has a bad block pointer/,
  },
];
