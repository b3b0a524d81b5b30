/** Plants in the XFS driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/xfs/inode.ts',
    original: "throw corrupt('has no magic number');",
    planted: "throw new TypeError('has no magic number');",
    target: 'fs/xfs',
    fixtures: ['xfs/plain-v4.img.gz'],
    finding: /TypeError: has no magic number/,
  },
  {
    error: 'more is read of a directory in its inode than there is',
    file: 'fs/xfs/directory/entries.ts',
    original: 'if (nameLength === 0 || inodeAt + numberSize > bytes.length)',
    planted: 'if (nameLength === 0)',
    target: 'fs/xfs',
    fixtures: ['xfs/plain-v4.img.gz'],
    finding: /RangeError: .*\n(.*\n)*.*entries\.ts/,
  },
];
