/** Disk labels of other machines, and a volume group of which a disk is missing. */
import { each, type Scenario, type Step } from '../scenario.js';

/** The drives of the suite, in order, but for the last, on which half of a volume group is. */
export const labelledDrives = [
  'sun.img',
  'dvh.img',
  'mac.img',
  'bsd.img',
  'amiga.img',
  'atari.img',
  'pc98.img',
  'slices.img',
  'solaris.img',
  'aix.img',
] as const;
const devices = labelledDrives.map((_, index) => `/dev/sd${String.fromCharCode(0x61 + index)}`);

export const labelScenarios: readonly Scenario[] = [
  { name: 'names of labels', steps: each('part_get_parttype', ...devices) },
  { name: 'partitions by labels', steps: each('part_list', ...devices) },
  { name: 'devices of labels', steps: [['list_partitions'], ...each('blkid', ...devices)] },
  {
    name: 'what else a label tells',
    steps: [
      ...(
        ['part_get_bootable', 'part_get_mbr_part_type', 'part_get_name', 'part_get_mbr_id'] as const
      ).flatMap((action) =>
        each(
          action,
          ...devices.flatMap((device) => [
            [device, 1],
            [device, 5],
          ]),
        ),
      ),
      ...each('part_get_disk_guid', ...devices),
    ],
  },
  {
    name: 'half of a volume group',
    steps: [
      ['lvs'],
      ['vgs'],
      ['pvs'],
      ['lvs_full'],
      ['vgs_full'],
      ['pvs_full'],
      ['list_filesystems'],
      ...each('is_lv', '/dev/vg/here', '/dev/vg/there'),
      ['lvuuid', '/dev/vg/here'],
      ['mount_ro', '/dev/vg/here', '/'],
    ],
  },
  {
    name: 'half of a volume group, activated',
    steps: [
      ['vg_activate', true, ['vg']],
      ['lvs_full'],
      ['list_filesystems'],
      ...each('is_lv', '/dev/vg/here', '/dev/vg/later', '/dev/vg/there'),
      ['mount_ro', '/dev/vg/here', '/'],
      ['cat', '/f'],
      ['umount_all'],
      ['mount_ro', '/dev/vg/there', '/'],
      ['lvuuid', '/dev/vg/here'],
      ['lvuuid', '/dev/vg/there'],
      ['vg_activate', false, ['vg']],
      ['mount_ro', '/dev/vg/here', '/'],
      ['vg_activate_all', true],
      ['mount_ro', '/dev/vg/here', '/'],
      ['umount_all'],
      ['vg_activate_all', false],
      ['vg_activate', true, []],
    ] as Step[],
  },
  {
    name: 'half of a volume group, scanned',
    steps: [
      ['vg_activate_all', false],
      ['lvm_scan', true],
      ['mount_ro', '/dev/vg/here', '/'],
    ],
  },
];
