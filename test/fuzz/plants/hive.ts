/** Plants in the parser of registry hives. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'a list of values that is longer than its cell is read',
    file: 'formats/hive/hive.ts',
    original: 'if (cellHead + count * 4 > list.bytes.length)',
    planted: 'if (count < 0)',
    target: 'hive',
    fixtures: ['hive/merged.hive.gz'],
    finding: /RangeError/,
  },
];
