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
  {
    error: 'a part of a security descriptor that lies outside of it is looked at',
    file: 'fs/ntfs/security.ts',
    original: 'if (at + headSize > bytes.length || at + size() > bytes.length) throw invalid(at);',
    planted: 'if (at + size() > bytes.length) throw invalid(at);',
    target: 'fs/ntfs',
    fixtures: ['ntfs/attributes.img.gz'],
    finding: /RangeError/,
  },
];
