/** Plants in the squashfs driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/squashfs/directory.ts',
    original: "throw new CorruptError(what, 'is cut short', { size });",
    planted: "throw new RangeError('is cut short');",
    target: 'fs/squashfs',
    fixtures: ['squashfs/plain.img.gz'],
    finding: /RangeError: is cut short/,
  },
];
