/** Damaged objects among good ones, and disks that seem to be several things. */
import { each, out, outDirectory, type Scenario } from '../scenario.js';

const damaged = (name: string, ...steps: Scenario['steps']): Scenario => ({
  name,
  mounted: '/dev/sda',
  steps,
});
/** What is damaged, or lies, in the drive; see scripts/fixtures/ext/damaged.sh. */
const directories = ['/noise', '/unmapped', '/lost', '/liar', '/claims-to-be-a-file', '/good'];
const files = ['/link', '/data.bin', '/lost/lost.txt', '/lost/zz-behind.txt', '/liar/liar.txt'];

export const damageScenarios: readonly Scenario[] = [
  damaged('find among damage', ...each('find', '/', ...directories)),
  damaged('find0 among damage', ...each('find0', ...['/', ...directories].map((path) => [path, out]))),
  damaged('listings among damage', ...each('ls', '/', ...directories), ...each('ll', ...directories)),
  damaged('entries among damage', ...each('readdir', '/', ...directories)),
  damaged('sizes among damage', ...each('du', '/', ...directories, ...files)),
  damaged(
    'what damaged paths are',
    ...each('exists', ...directories, ...files),
    ...each('is_dir', ...directories),
    ...each('is_file', ...files),
    ...each('is_symlink', '/link'),
    ...each('readlink', '/link'),
    ...each('cat', ...files),
    ...each('filesize', ...files),
  ),
  damaged(
    'archives among damage',
    ...each('tar_out', ...['/', ...directories].map((path) => [path, out])),
    ...each('cpio_out', ...['/lost', '/noise', '/good'].map((path) => [path, out])),
  ),
  damaged(
    'copies among damage',
    ...each('copy_out', ...['/', ...directories, '/link', '/data.bin'].map((path) => [path, outDirectory])),
  ),
  damaged(
    'checksums among damage',
    ...each('checksums_out', ...['/', ...directories].map((path) => ['sha256', path, out])),
  ),
];

const several = ['/dev/sdb', '/dev/sdc', '/dev/sdd'];

export const oddScenarios: readonly Scenario[] = [
  {
    name: 'disks that seem to be several things',
    steps: [
      ...each('vfs_type', ...several),
      ...each('vfs_label', ...several),
      ...each('vfs_uuid', ...several),
      ...each('blkid', ...several),
      ['list_filesystems'],
    ],
  },
  {
    name: 'the remains of XFS under ext4',
    steps: [
      ['mount_ro', '/dev/sdb', '/'],
      ['ls', '/'],
    ],
  },
  {
    name: 'the remains of XFS under ext4, by its type',
    steps: [
      ['mount_vfs', 'ro', 'ext4', '/dev/sdb', '/'],
      ['ls', '/'],
    ],
  },
  {
    name: 'the remains of ext4 under FAT',
    steps: [
      ['mount_ro', '/dev/sdc', '/'],
      ['ls', '/'],
    ],
  },
  {
    name: 'the remains of ext4 under FAT, by its type',
    steps: [
      ['mount_vfs', 'ro', 'vfat', '/dev/sdc', '/'],
      ['ls', '/'],
    ],
  },
  {
    name: 'a disc that is UDF and ISO',
    steps: [
      ['mount_ro', '/dev/sdd', '/'],
      ['ls', '/'],
      ['cat', '/file'],
    ],
  },
  {
    name: 'a disc that is UDF and ISO, as ISO',
    steps: [
      ['mount_vfs', 'ro', 'iso9660', '/dev/sdd', '/'],
      ['ls', '/'],
      ['cat', '/file'],
    ],
  },
  {
    name: 'two settings of HOSTNAME',
    steps: [['inspect_os'], ['inspect_get_hostname', '/dev/sde']],
  },
  {
    name: 'globs with several slashes',
    mounted: '/dev/sde',
    steps: each(
      'glob_expand',
      '//etc/*',
      '/etc//*',
      '/etc//sys*//net*',
      '//',
      '/etc//',
      '/*//',
      '/etc/sysconfig//network',
      '/etc/./sys*',
    ),
  },
  {
    name: 'noload of ext2',
    steps: [
      ['mount_options', 'ro,noload', '/dev/sde', '/'],
      ['ls', '/'],
      ['umount_all'],
      ['mount_vfs', 'ro,noload', 'ext2', '/dev/sde', '/'],
      ['ls', '/'],
    ],
  },
];
