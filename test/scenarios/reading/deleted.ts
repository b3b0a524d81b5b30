/** Deleted files and free blocks, and what a filesystem could be shrunk to. */
import { each, out, type Scenario } from '../scenario.js';

export const deletedScenarios: readonly Scenario[] = [
  {
    name: 'names, deleted ones too',
    steps: each('filesystem_walk', '/dev/sda1', '/dev/sda2', '/dev/sda9'),
  },
  {
    name: 'names of an inode',
    steps: each(
      'find_inode',
      ...[2, 12, 13, 14, 19, 20, 21, 22, 23, 65, 1000].map((inode) => ['/dev/sda1', inode]),
      ['/dev/sda2', 14],
      ['/dev/sda9', 14],
    ),
  },
  {
    name: 'contents by inode, deleted or not',
    steps: each(
      'download_inode',
      ...[13, 14, 16, 17, 19, 21, 22].flatMap((inode) => [
        ['/dev/sda1', inode, out],
        ['/dev/sda2', inode, out],
      ]),
      ['/dev/sda1', 12, out],
      ['/dev/sda2', 18, out],
    ),
  },
  {
    name: 'blocks',
    steps: each(
      'download_blocks',
      ['/dev/sda1', 0, 3, out],
      ['/dev/sda1', 1, 1, out],
      ['/dev/sda1', 100, 1_000_000, out],
      ['/dev/sda1', 0, 1023, out, { unallocated: true }],
      ['/dev/sda2', 0, 1023, out, { unallocated: true }],
      ['/dev/sda2', 0, 1023, out, { unallocated: false }],
      ['/dev/sda2', 5, 4, out],
      ['/dev/sda2', -1, 4, out],
    ),
  },
  {
    name: 'how small a filesystem can be',
    steps: each('vfs_minimum_size', '/dev/sda1', '/dev/sda2', '/dev/sda9'),
  },
  { name: 'promises of a device', steps: each('blkdiscardzeroes', '/dev/sda', '/dev/sda1', '/dev/sda9') },
  { name: 'no dynamic disks', steps: [['list_ldm_volumes'], ['list_ldm_partitions']] },
  {
    name: 'mounted anew',
    mounted: '/dev/sda1',
    steps: each(
      'remount',
      ['/', { rw: true }],
      ['/', { rw: false }],
      ['/'],
      ['/docs', { rw: true }],
      ['/missing', { rw: true }],
    ),
  },
];
