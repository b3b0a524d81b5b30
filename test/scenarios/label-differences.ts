/**
 * Where the embedded backend answers otherwise than libguestfs about labels of other machines and half of a volume group,
 * and why it is right to.
 */
import type { Difference, Json } from './difference.js';
import { each, type Step } from './scenario.js';

const labels = 'what else a label tells';
const half = 'half of a volume group';
const activated = 'half of a volume group, activated';
const scanned = 'half of a volume group, scanned';
const halfListed: Step = ['list_filesystems'];

const allTables =
  'partitions are there whichever machine’s label tells of them: the appliance’s kernel knows GPT and MBR alone';
const partial =
  'what lies on the disks that are here can be used: libguestfs looks at all volumes and fails at the first that is not';

/** Filesystems by device: those of labels that the appliance’s kernel does not know, and of volumes that are active. */
const hasFilesystems = (volumes: Record<string, string>) => (value: Json) => {
  const found = Object.entries(value as Record<string, string>);
  return (
    found.some(([device, type]) => device === '/dev/sdc2' && type === 'ext2') &&
    found.every(([device]) => device !== '/dev/sdc') &&
    JSON.stringify(found.filter(([device]) => device.startsWith('/dev/vg/'))) ===
      JSON.stringify(Object.entries(volumes))
  );
};

export const labelDifferences: readonly Difference[] = [
  {
    because:
      'the kind of a label is known where its partitions are not: parted cannot read this one and fails',
    scenario: 'names of labels',
    steps: [['part_get_parttype', '/dev/sdg']],
    ours: { value: 'pc98' },
  },
  {
    because:
      'the kind of a label is known where its partitions are not: parted cannot read this one and fails',
    scenario: 'names of labels',
    steps: [['part_get_parttype', '/dev/sdj']],
    ours: { value: 'aix' },
  },
  {
    because:
      'a label of which only the kind is known shows no partitions, as on a disk without any: parted fails',
    scenario: 'partitions by labels',
    steps: each('part_list', '/dev/sdg', '/dev/sdj'),
    ours: { value: [] },
  },
  {
    because: allTables,
    scenario: 'devices of labels',
    steps: [['list_partitions']],
    ours: (value) =>
      'a1 a2 a3 b1 b2 b9 b11 c1 c2 c3 e1 e2 f1 f2 h1 h5 h15 i1 i14'
        .split(' ')
        .every((name) => (value as string[]).includes(`/dev/sd${name}`)) && (value as string[]).length === 45,
  },
  {
    because: 'a label of BSD is one wherever parted writes it: blkid looks for it in one place',
    scenario: 'devices of labels',
    steps: [['blkid', '/dev/sdd']],
    ours: (value) => (value as Record<string, string>).PTTYPE === 'bsd',
  },
  {
    because:
      'a partition that has a device has an answer: parted leaves out free space, and slices within partitions',
    scenario: labels,
    steps: [
      ['part_get_bootable', '/dev/sdc', 5],
      ['part_get_bootable', '/dev/sdi', 5],
    ],
    ours: { value: false },
  },
  {
    because:
      'without extended partitions all are primary, as libguestfs itself says of GPT: sfdisk does not know the label',
    scenario: labels,
    steps: [
      ['part_get_mbr_part_type', '/dev/sdc', 1],
      ['part_get_mbr_part_type', '/dev/sdc', 5],
      ['part_get_mbr_part_type', '/dev/sdd', 1],
      ['part_get_mbr_part_type', '/dev/sde', 1],
      ['part_get_mbr_part_type', '/dev/sdf', 1],
    ],
    ours: { value: 'primary' },
  },
  {
    because:
      'slices have numbers behind the four primary ones, as the logical have: sfdisk does not see them',
    scenario: labels,
    steps: [['part_get_mbr_part_type', '/dev/sdi', 5]],
    ours: { value: 'logical' },
  },
  {
    because: 'labels of Sun and SGI have no MBR ids: libguestfs takes their own types of partitions for some',
    scenario: labels,
    steps: each('part_get_mbr_id', ['/dev/sda', 1], ['/dev/sdb', 1]),
    ours: 'EINVAL',
  },
  {
    because:
      'without a GPT there are no GUIDs: sgdisk, which libguestfs asks, makes one up in memory, with random GUIDs',
    scenario: labels,
    steps: each('part_get_disk_guid', ...'bdehij'.split('').map((letter) => `/dev/sd${letter}`)),
    ours: 'EINVAL',
  },
  { because: allTables, scenario: half, steps: [halfListed], ours: hasFilesystems({}) },
  {
    because: partial,
    scenario: activated,
    steps: [halfListed],
    ours: hasFilesystems({ '/dev/vg/here': 'ext2', '/dev/vg/later': 'unknown' }),
  },
  {
    because: partial,
    scenario: activated,
    steps: each('is_lv', '/dev/vg/here', '/dev/vg/later'),
    ours: { value: true },
  },
  {
    because:
      'whoever asks for activation hears what is missing: the scan activates whole groups alone, and is silent',
    scenario: scanned,
    steps: [['lvm_scan', true]],
    ours: 'ENODEV',
  },
  {
    because: partial,
    scenario: scanned,
    steps: [['mount_ro', '/dev/vg/here', '/']],
    ours: { value: null },
  },
];
