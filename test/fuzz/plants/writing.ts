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
  {
    error: 'blocks of structures are given to files where a bitmap has them as free',
    file: 'fs/ext/write/space.ts',
    original: 'this.checkFile(range, bitmapName);',
    planted: '',
    target: 'write/ext',
    fixtures: ['ext/ext2-1k.img.gz'],
    finding: /what a file was given lies in a|a part of a table of inodes is cleared|does not open again/,
  },
  {
    error: 'blocks that are free already are an error of the wrong kind',
    file: 'fs/ext/write/space.ts',
    original: "throw new CorruptError(bitmapName, 'has blocks as free that a file has'",
    planted: "throw new RangeError('blocks as free that a file has'",
    target: 'write/ext',
    fixtures: ['ext/ext2-1k.img.gz'],
    finding: /RangeError: blocks as free/,
  },
  {
    error: 'a directory is taken to have a first cluster',
    file: 'fs/fat/write/writer.ts',
    original:
      "if (!isFixed && first === 0) throw new CorruptError('FAT directory', 'has no clusters', { inode });",
    planted: '',
    target: 'write/fat',
    fixtures: ['fat/fat16.img.gz'],
    finding: /the first entry of the table, which is of no cluster, has changed/,
  },
  {
    error: 'a file is taken to have a cluster for each of its bytes',
    file: 'fs/fat/write/contents.ts',
    original: "throw new CorruptError('FAT file', 'has fewer clusters than bytes'",
    planted: "throw new RangeError('fewer clusters than bytes'",
    target: 'write/fat',
    fixtures: ['fat/fat12.img.gz'],
    finding: /RangeError: fewer clusters/,
  },
  {
    error: 'a physical volume is cut off before extents in use',
    file: 'volume/lvm2/write/group.ts',
    original: 'if (count < used)',
    planted: 'if (count < 0 * used)',
    target: 'write/lvm2',
    fixtures: ['lvm/one-a.img.gz'],
    finding: /a change would have left no valid group: LVM metadata of /,
  },
  {
    error: 'extents within a piece of another volume are taken for free',
    file: 'volume/lvm2/write/extents.ts',
    original: 'at = Math.max(at, first + count);',
    planted: 'at = first;',
    target: 'write/lvm2',
    fixtures: ['lvm/big-4k.img.gz'],
    finding: /a change would have left no valid group: LVM metadata of .* gives an extent of/,
  },
];
