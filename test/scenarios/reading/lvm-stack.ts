/**
 * LVM on a partition of a volume, and on a volume: neither Linux nor lvm2 looks there, and the table of a volume can
 * be read.
 */
import { each, type Scenario } from '../scenario.js';

const volumes = ['/dev/outer/disk', '/dev/outer/whole'];
/** What is there in truth, by names that a device of it could have. */
const hidden = [
  '/dev/outer/disk1',
  '/dev/mapper/outer-disk1',
  '/dev/mapper/outer-disk-part1',
  '/dev/inner/deep',
  '/dev/nested/leaf',
];

export const stackScenarios: readonly Scenario[] = [
  {
    name: 'devices on volumes',
    steps: [
      ['list_devices'],
      ['list_partitions'],
      ['list_filesystems'],
      ['list_dm_devices'],
      ['pvs'],
      ['vgs'],
      ['lvs'],
      ['inspect_os'],
      ['lvm_scan', true],
      ['lvs'],
      ['vg_activate_all', true],
      ['lvs'],
      ['vgscan'],
      ['vgs'],
    ],
  },
  {
    name: 'what is on a volume',
    steps: [
      ...each('vfs_type', ...volumes),
      ...each('vfs_uuid', '/dev/outer/whole'),
      ...each('is_lv', ...volumes),
      ...each('pvuuid', ...volumes),
      ...each('mount_ro', ...volumes.map((volume) => [volume, '/'])),
    ],
  },
  {
    name: 'the partition table of a volume',
    steps: [
      ...each('part_list', ...volumes),
      ...each('part_get_parttype', ...volumes),
      ...each('part_get_mbr_id', ['/dev/outer/disk', 1], ['/dev/outer/disk', 3]),
      ...each('part_get_bootable', ['/dev/outer/disk', 1]),
      ...each('part_get_mbr_part_type', ['/dev/outer/disk', 1]),
      ...each('blkid', ...volumes),
      ...each('part_to_dev', ...volumes),
      ...each('is_whole_device', ...volumes),
      ...each('blockdev_rereadpt', '/dev/outer/disk'),
    ],
  },
  {
    name: 'names of what lies on volumes',
    steps: [...each('vfs_type', ...hidden), ...each('is_lv', ...hidden)],
  },
];
