/** LVM. */
import { each, type Scenario } from '../scenario.js';

export const lvmScenarios: readonly Scenario[] = [
  { name: 'volumes listed', steps: [['lvs'], ['vgs'], ['pvs'], ['lvs_full'], ['vgs_full'], ['pvs_full']] },
  {
    name: 'identifiers',
    steps: [
      ...each('lvuuid', '/dev/VG-one/ro-ot', '/dev/mapper/VG--one-split', '/dev/sda', '/dev/sdz'),
      ...each('vguuid', 'VG-one', 'none', ''),
      ...each('pvuuid', '/dev/sde', '/dev/sdf1', '/dev/sda', '/dev/sdz'),
      ...each('vglvuuids', 'VG-one', 'none'),
      ...each('vgpvuuids', 'VG-one', 'none'),
    ],
  },
  {
    name: 'names of volumes',
    steps: [
      ...each('is_lv', '/dev/VG-one/ro-ot', '/dev/mapper/VG--one-ro--ot', '/dev/sda', '/dev/sde', '/dev/sdz'),
      ...each(
        'lvm_canonical_lv_name',
        '/dev/mapper/VG--one-ro--ot',
        '/dev/VG-one/split',
        '/dev/sda',
        '/dev/nothing',
        'VG-one/split',
      ),
    ],
  },
  { name: 'metadata', steps: each('vgmeta', 'VG-one', 'none') },
  {
    name: 'activation',
    steps: [
      ['vg_activate', false, ['VG-one']],
      ['lvs'],
      ['list_filesystems'],
      ['vg_activate', true, ['VG-one']],
      ['mount_ro', '/dev/VG-one/ro-ot', '/'],
      ['vg_activate', false, ['VG-one']],
      ['cat', '/on-lvm'],
      ['umount_all'],
      ['vg_activate_all', false],
      ['is_lv', '/dev/VG-one/ro-ot'],
      ['mount_ro', '/dev/VG-one/ro-ot', '/'],
      ['vg_activate_all', true],
      ['is_lv', '/dev/VG-one/ro-ot'],
      ['vg_activate', true, []],
      ['vg_activate', true, ['none']],
    ],
  },
  { name: 'scans', steps: [['lvm_scan', true], ['lvm_scan', false], ['vgscan'], ['lvs']] },
  {
    name: 'filters',
    steps: [
      ['lvm_set_filter', ['/dev/sda']],
      ['lvs'],
      ['vgs'],
      ['pvs'],
      ['lvm_set_filter', ['/dev/sde', '/dev/sdf']],
      ['lvs'],
      ['pvs'],
      ['lvm_set_filter', ['/dev/sde', '/dev/sdf1']],
      ['vgs'],
      ['lvm_set_filter', ['/dev/sdz']],
      ['lvm_clear_filter'],
      ['lvs'],
      ['pvs'],
    ],
  },
  {
    name: 'a filter while a volume is mounted',
    mounted: '/dev/VG-one/ro-ot',
    steps: [['lvm_set_filter', ['/dev/sda']], ['lvm_clear_filter'], ['cat', '/on-lvm']],
  },
];
