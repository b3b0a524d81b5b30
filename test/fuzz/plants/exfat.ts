/** Plants in the exFAT driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/exfat/table.ts',
    original: "throw new CorruptError('exFAT table', 'names no cluster', { cluster, next });",
    planted: "throw new RangeError('names no cluster');",
    target: 'fs/exfat',
    fixtures: ['exfat/clusters-512.img.gz'],
    finding: /RangeError: names no cluster/,
  },
];
