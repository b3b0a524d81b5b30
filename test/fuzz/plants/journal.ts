/** Plants in the parser of systemd's journals. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'formats/journal/file.ts',
    original:
      "throw new CorruptError('journal object', 'is not what leads to it says', { at, type, found, size });",
    planted: "throw new RangeError('is not what leads to it says');",
    target: 'journal',
    fixtures: ['journal/lz4.journal.gz'],
    finding: /RangeError: is not what leads to it says/,
  },
];
