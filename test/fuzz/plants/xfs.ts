/** Plants in the XFS driver. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'fs/xfs/inode.ts',
    original: "throw corrupt('has no valid type', { mode });",
    planted: "throw new TypeError('has no valid type');",
    target: 'fs/xfs',
    fixtures: ['xfs/plain-v4.img.gz'],
    finding: /TypeError: has no valid type/,
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
