/** Plants in the NTFS driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/ntfs/streams/runs.ts',
    original: 'if (!(cluster >= 0 && cluster + count <= this.#clusterCount))\n          throw corrupt(',
    planted: 'if (!(cluster >= 0 && cluster + count <= this.#clusterCount))\n          throw new RangeError(',
    target: 'fs/ntfs',
    fixtures: ['ntfs/packed-512.img.gz'],
    finding: /RangeError: has a run outside the filesystem/,
  },
];
