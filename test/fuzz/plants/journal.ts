/** Plants in the parser of systemd's journals. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an object that is shorter than its structure is read',
    file: 'formats/journal/file.ts',
    original: 'size < least ||',
    planted: 'size < 0 ||',
    target: 'journal',
    fixtures: ['journal/lz4.journal.gz'],
    finding: /RangeError/,
  },
];
