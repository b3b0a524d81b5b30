/** Guests of which libguestfs finds the system and then not its parts, or finds nothing: what ours makes of them. */
import type { Scenario } from '../scenario.js';

const root = '/dev/sda1';

/** An fstab with the names of the guest's own hardware, and a distribution that is not known. */
export const phoneScenarios: readonly Scenario[] = [
  {
    name: 'the root that was found',
    steps: [
      ['inspect_os'],
      ['inspect_get_distro', root],
      ['inspect_get_product_name', root],
      ['inspect_get_mountpoints', root],
      ['inspect_get_filesystems', root],
    ],
  },
  {
    name: 'packages of a distribution that is not known',
    steps: [
      ['inspect_os'],
      ['inspect_get_package_format', root],
      ['inspect_get_package_management', root],
      ['mount_ro', root, '/'],
      ['inspect_list_applications2', root],
    ],
  },
];

/** Guests with rpm: one with SQLite, whose log only a writable mount lets librpm use, and one with Berkeley DB. */
export const rpmScenarios: readonly Scenario[] = [
  {
    name: 'packages of SQLite',
    steps: [
      ['inspect_os'],
      ['inspect_get_package_format', root],
      ['inspect_get_package_management', root],
      ['mount', root, '/'],
      ['inspect_list_applications2', root],
      ['inspect_list_applications', root],
    ],
  },
  {
    name: 'packages of Berkeley DB',
    steps: [
      ['inspect_os'],
      ['mount_ro', '/dev/sda2', '/'],
      ['inspect_list_applications2', '/dev/sda2'],
      ['inspect_list_applications', '/dev/sda2'],
    ],
  },
];

/** A drive of which nothing can be read without its key. */
export const encryptedScenarios: readonly Scenario[] = [
  { name: 'nothing found', steps: [['vfs_type', '/dev/sda'], ['inspect_os'], ['inspect_get_roots']] },
  {
    name: 'an encrypted disk',
    steps: [
      ['list_filesystems'],
      ['list_partitions'],
      ['vfs_uuid', '/dev/sda'],
      ['vfs_label', '/dev/sda'],
      ['blkid', '/dev/sda'],
      ['mount_ro', '/dev/sda', '/'],
    ],
  },
];
