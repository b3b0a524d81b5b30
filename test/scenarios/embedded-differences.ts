/**
 * Where the embedded backend answers otherwise than libguestfs 1.48.6 in its appliance, and why it is right to; and
 * what it answers where that libguestfs has no answer.
 */
import { commonDifferences } from './common-differences.js';
import { damageDifferences } from './damage-differences.js';
import { type Difference, isText } from './difference.js';
import { labelDifferences } from './label-differences.js';
import { each, out } from './scenario.js';

export const embeddedDifferences: readonly Difference[] = [
  ...commonDifferences,
  ...damageDifferences,
  ...labelDifferences,
  {
    because: 'a label in a link may also be written as it is, where udev writes a blank as \\x20',
    steps: [['blockdev_getsize64', '/dev/disk/by-partlabel/EFI System']],
    ours: { value: 2097152 },
  },
  {
    because: 'the name of a label is another name of the drive, which libguestfs judges by its letters alone',
    steps: [['is_whole_device', '/dev/disk/guestfs/boot']],
    ours: { value: true },
  },
  {
    because: 'the drive of a labelled partition has a name that list_devices gives',
    steps: [['part_to_dev', '/dev/disk/guestfs/boot1']],
    ours: { value: '/dev/sdc' },
  },
  {
    because:
      'a partition can be made smaller: parted, which libguestfs calls, asks whether it may, and nobody answers',
    steps: [['part_resize', '/dev/sdc', 1, 60_000]],
    ours: { value: null },
  },
  {
    because: 'the partition was made smaller',
    scenario: 'a partition made smaller',
    steps: [['part_list', '/dev/sdc']],
    ours: {
      value: [{ partNum: 1, partStart: 65_536, partEnd: 30_720_511, partSize: 30_654_976 }],
    },
  },
  {
    because: 'on GPT there is no MBR id: libguestfs reads the first digits of the type’s GUID as one',
    scenario: 'part_get_mbr_id of every partition',
    steps: [1, 2, 3, 5].map((number) => ['part_get_mbr_id', '/dev/sdb', number]),
    ours: 'EINVAL',
  },
  {
    because:
      'without a GPT there are no GUIDs: sgdisk, which libguestfs asks, makes one up in memory, with random GUIDs',
    steps: [
      ...(['part_get_gpt_type', 'part_get_gpt_guid', 'part_get_gpt_attributes'] as const).flatMap((action) =>
        each(action, ['/dev/sdc', 1], ['/dev/sdc', 5], ['/dev/sdc', 6], ['/dev/sdf', 1]),
      ),
      ...each('part_get_disk_guid', ['/dev/sda'], ['/dev/sdc'], ['/dev/sdf'], ['/dev/sdg'], ['/dev/sdb1']),
    ],
    ours: 'EINVAL',
  },
  {
    because: 'a name that is not ASCII gets lost in the appliance’s C locale',
    steps: [['part_get_name', '/dev/sdb', 2]],
    ours: { value: 'rööt' },
  },
  {
    because:
      'of names that differ in case alone, libguestfs takes the one that is stored first, ours the one that is meant',
    steps: [['case_sensitive_path', '/Mixed/other']],
    ours: { value: '/Mixed/other' },
  },
  {
    because: 'nothing runs, so nothing has a security context: libguestfs gives that of its own daemon',
    steps: [['getcon']],
    ours: 'ENOTSUP',
  },
  {
    because: 'a directory has no contents: the programs that libguestfs runs say so and are not heard',
    steps: [
      ['hexdump', '/dir'],
      ['equal', '/dir', '/dir'],
      ['strings', '/dir'],
    ],
    ours: 'EISDIR',
  },
  {
    because: 'an absolute link is followed inside the guest: libguestfs runs cmp outside of it',
    steps: [['equal', '/rel', '/abs']],
    ours: { value: true },
  },
  {
    because: 'the appliance lacks the program that looks into zstd files',
    steps: [['file', '/arch/program.zst']],
    ours: isText(/^ELF 64-bit LSB executable.*\(Zstandard compressed data/),
  },
  {
    because: 'bzip2 is not decompressed here; the compressed file is still known',
    steps: [['file', '/arch/text.bz2']],
    ours: { value: 'bzip2 compressed data, block size = 900k' },
  },
  {
    because: 'an initrd need not be compressed with gzip: libguestfs unpacks nothing else',
    steps: [['initrd_list', '/arch/initrd.cpio']],
    ours: { value: ['.', 'bin', 'bin/sh', 'init', 'file', 'twin'] },
  },
  {
    because: 'an initrd need not be compressed with gzip: libguestfs unpacks nothing else',
    steps: [['initrd_cat', '/arch/initrd.cpio', 'file']],
    ours: { value: { bytes: Buffer.from('in\n').toString('base64') } },
  },
  {
    because: 'what is above the guest’s root is the root: libguestfs shows a directory of its appliance',
    steps: [['ll', '/']],
    ours: isText(/^total \d+\n(d.*) \.\n\1 \.\.\n/),
  },
  {
    because: 'the path is one of the guest: libguestfs shows that of its appliance, in /sysroot',
    steps: each('ll', ['/hello.txt'], ['/rel']),
    ours: { value: '-rw-r--r-- 3 0 0 13 Sep 13  2020 /hello.txt\n' },
  },
  {
    because: 'FAT has no inode numbers: Linux gives them as it meets files, ours are where the entries lie',
    steps: [
      ['statns', '/SHORT.TXT'],
      ['readdir', '/EFI'],
    ],
    ours: (value) => JSON.stringify(value).length > 80,
  },
  {
    because: 'only what the caller mounted is shown: libguestfs shows its appliance’s own filesystems too',
    scenario: 'how full',
    steps: [['df'], ['df_h']],
    ours: isText(/^Filesystem .*\n\/dev\/sda .* 4% \/\n$/),
  },
  {
    because:
      'where there are no files there are no checksums: libguestfs has that of nothing, under the name -',
    steps: [['checksums_out', 'sha256', '/emptydir', out]],
    ours: { value: [''] },
  },
  {
    because: 'the target of a link is in its inode, also when it was deleted',
    steps: [['download_inode', '/dev/sda2', 18, out]],
    ours: { value: { bytes: Buffer.from('first').toString('base64') } },
  },
  {
    because: 'one block is a range as well',
    steps: [['download_blocks', '/dev/sda1', 1, 1, out]],
    ours: (value) => Buffer.from((value as { bytes: string }).bytes, 'base64').length === 1024,
  },
  {
    because: 'false is what it is when nothing is said: libguestfs looks whether something was said',
    steps: [['download_blocks', '/dev/sda2', 0, 1023, out, { unallocated: false }]],
    ours: (value) => Buffer.from((value as { bytes: string }).bytes, 'base64').length === 1024 * 1024,
  },
  {
    because:
      'the metadata is as it is on the disk: libguestfs has it printed anew, with comments and the time of day',
    steps: [['vgmeta', 'VG-one']],
    ours: (value) =>
      Buffer.from((value as { bytes: string }).bytes, 'base64')
        .toString()
        .startsWith('VG-one {\nid = '),
  },
  {
    because:
      'a group that was deactivated stays so: the appliance’s udev activates it again when somebody looks',
    scenario: 'activation',
    steps: [['list_filesystems']],
    ours: (value) => !Object.keys(value as object).some((name) => name.includes('VG-one')),
  },
  {
    because: 'a device in use stays as it is: libguestfs erases the label before mkswap finds it in use',
    scenario: 'volumes',
    steps: [['lvcreate', 'again', 'a-b', 100]],
    ours: { value: null },
  },
  {
    because: 'a device in use stays as it is: libguestfs erases the label before mkswap finds it in use',
    scenario: 'volumes',
    steps: [['blockdev_getsize64', '/dev/a-b/again']],
    ours: { value: 100 * 1024 * 1024 },
  },
  {
    because: 'a device in use stays as it is: libguestfs erases the label before mkswap finds it in use',
    scenario: 'volumes',
    steps: [['pvs']],
    ours: { value: ['/dev/sda', '/dev/sdb'] },
  },
  {
    because: 'the subcommands are each backend’s own',
    steps: [['debug', 'help', []]],
    ours: isText(/^help: /),
  },
  {
    because:
      'the filesystem on which a system was found is its root, whatever hardware its fstab names: in libguestfs, whose caller then mounts what is not here, nothing of the guest can be reached; and of one drive, the other partitions of that hardware’s disk are certain',
    steps: [['inspect_get_mountpoints', '/dev/sda1']],
    scenario: 'the root that was found',
    ours: { value: { '/home': '/dev/sda2', '/': '/dev/sda1' } },
  },
  {
    because:
      'the filesystem on which a system was found is its root, whatever hardware its fstab names: in libguestfs, whose caller then mounts what is not here, nothing of the guest can be reached; and of one drive, the other partitions of that hardware’s disk are certain',
    steps: [['inspect_get_filesystems', '/dev/sda1']],
    scenario: 'the root that was found',
    ours: { value: ['/dev/sda2', '/dev/sda1'] },
  },
  {
    because:
      'the packages of a distribution that is not known are those of what it says it is like (ID_LIKE)',
    scenario: 'packages of a distribution that is not known',
    steps: [['inspect_get_package_format', '/dev/sda1']],
    ours: { value: 'deb' },
  },
  {
    because:
      'the packages of a distribution that is not known are those of what it says it is like (ID_LIKE)',
    scenario: 'packages of a distribution that is not known',
    steps: [['inspect_get_package_management', '/dev/sda1']],
    ours: { value: 'apt' },
  },
  {
    because:
      'that there is no system is said only where everything could be read: an empty list of what cannot be read would count it as a disk of data',
    scenario: 'nothing found',
    steps: [['inspect_os']],
    ours: 'ENOTSUP',
  },
  {
    because:
      'that there are no filesystems is said only where everything could be read: libguestfs leaves out what is encrypted',
    scenario: 'an encrypted disk',
    steps: [['list_filesystems']],
    ours: 'ENOTSUP',
  },
  ...(
    [
      [['findfs_partuuid', '44444444-0001-3333-4444-555555555555'], { value: '/dev/sdb1' }],
      [['findfs_partuuid', 'deadbeef-05'], { value: '/dev/sdc5' }],
      [['findfs_partuuid', 'DEADBEEF-05'], { value: '/dev/sdc5' }],
      [['findfs_partuuid', 'none'], 'ENOENT'],
      [['findfs_partlabel', 'home'], { value: '/dev/sdb5' }],
      [['findfs_partlabel', 'EFI System'], { value: '/dev/sdb1' }],
      [['findfs_partlabel', 'röööt'], 'ENOENT'],
      [['findfs_partlabel', 'none'], 'ENOENT'],
      [['inspect_get_build_id', '/dev/sda2'], { value: 'unknown' }],
      [['inspect_get_windows_group_policy', '/dev/sda2'], 'EINVAL'],
    ] as const
  ).map(([step, ours]) => ({ because: 'newer than libguestfs 1.48.6', steps: [step], ours })),
  {
    because: 'a NUL byte is a byte like others: in libguestfs, the text of all lines ends with the first one',
    steps: [
      ['head_n', 2, '/nul.bin'],
      ['tail_n', 2, '/nul.bin'],
    ],
    ours: { value: ['abc\0def', 'ghi\0'] },
  },
  {
    because:
      'ext2 has no journal to leave alone, so that noload asks for nothing there: Linux refuses to mount',
    scenario: 'noload of ext2',
    steps: [
      ['mount_options', 'ro,noload', '/dev/sde', '/'],
      ['mount_vfs', 'ro,noload', 'ext2', '/dev/sde', '/'],
    ],
    ours: { value: null },
  },
  {
    because:
      'ext2 has no journal to leave alone, so that noload asks for nothing there: Linux refuses to mount',
    scenario: 'noload of ext2',
    steps: [['ls', '/']],
    ours: { value: ['bin', 'etc', 'lost+found'] },
  },
  {
    because: 'the last setting counts, as in the shell that reads the file: libguestfs takes none of two',
    steps: [['inspect_get_hostname', '/dev/sde']],
    ours: { value: 'second.example' },
  },
  ...(
    [
      ['//etc/*', ['/etc/fstab', '/etc/redhat-release', '/etc/sysconfig/']],
      ['/etc//*', ['/etc/fstab', '/etc/redhat-release', '/etc/sysconfig/']],
      ['/etc//sys*//net*', ['/etc/sysconfig/network']],
      ['//', ['/']],
      ['/etc/sysconfig//network', ['/etc/sysconfig/network']],
    ] as const
  ).map(([pattern, paths]) => ({
    because: 'a file has one path, whatever slashes its pattern had: glob(3) keeps them as they were written',
    scenario: 'globs with several slashes',
    steps: [['glob_expand', pattern]] as const,
    ours: { value: [...paths] },
  })),
  {
    because: 'links are followed: libguestfs 1.48.6 looks at the link itself',
    steps: [['file_architecture', '/bin/sh']],
    ours: { value: 'x86_64' },
  },
];
