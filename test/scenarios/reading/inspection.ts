/** Which operating system is on a real guest's drive. */
import type { ActionName } from '../../../src/api/index.js';
import type { Scenario } from '../scenario.js';

const root = '/dev/sda2';
const getters: readonly ActionName[] = [
  'inspect_get_type',
  'inspect_get_distro',
  'inspect_get_product_name',
  'inspect_get_product_variant',
  'inspect_get_osinfo',
  'inspect_get_major_version',
  'inspect_get_minor_version',
  'inspect_get_build_id',
  'inspect_get_arch',
  'inspect_get_hostname',
  'inspect_get_mountpoints',
  'inspect_get_filesystems',
  'inspect_get_drive_mappings',
  'inspect_get_package_format',
  'inspect_get_package_management',
  'inspect_get_format',
  'inspect_is_live',
  'inspect_is_multipart',
  'inspect_is_netinst',
  'inspect_get_windows_systemroot',
  'inspect_get_windows_current_control_set',
  'inspect_get_windows_software_hive',
  'inspect_get_windows_system_hive',
  'inspect_get_windows_group_policy',
];

export const inspectionScenarios: readonly Scenario[] = [
  { name: 'before inspection', steps: [['inspect_get_roots'], ['inspect_get_type', root]] },
  {
    name: 'found',
    steps: [
      ['inspect_os'],
      ['inspect_get_roots'],
      ...getters.map((getter) => [getter, root] as const),
      ['inspect_get_type', '/dev/sdz'],
      ['inspect_get_type', '/dev/sda1'],
    ],
  },
  {
    name: 'installed',
    mounted: root,
    steps: [
      ['inspect_list_applications', root],
      ['inspect_list_applications2', root],
      ['inspect_get_icon', root],
      ['inspect_get_icon', root, { favicon: false, highquality: true }],
    ],
  },
  {
    name: 'a real system',
    mounted: root,
    steps: [
      ['file_architecture', '/bin/sh'],
      ['file', '/bin/sh'],
      ['file', '/etc/os-release'],
      ['readlink', '/etc/os-release'],
      ['ls', '/'],
      ['find', '/etc'],
      ['statvfs', '/'],
      ['tune2fs_l', root],
    ],
  },
];
