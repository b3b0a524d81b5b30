/** Plants in what only those read who change it. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'a chain of records that ends in nothing is an error of the wrong kind',
    file: 'partition/editing/mbr-editor.ts',
    original: "throw new CorruptError('extended boot record', 'is not there', { sector: lba });",
    planted: "throw new RangeError('extended boot record is not there');",
    target: 'write/partition',
    fixtures: ['partition/mbr-logical.img.gz'],
    finding: /RangeError: extended boot record is not there/,
  },
];
