/** Partition tables. */
import { each, type Scenario, type Step } from '../scenario.js';

const drives = ['/dev/sda', '/dev/sdb', '/dev/sdc', '/dev/sdf', '/dev/sdg', '/dev/sdb1', '/dev/sdz'];
const numbered = (
  [
    ['/dev/sdb', [0, 1, 2, 3, 4, 5, -1, 128]],
    ['/dev/sdc', [0, 1, 2, 3, 5, 6, 7]],
    ['/dev/sdf', [1]],
    ['/dev/sdg', [1]],
    ['/dev/sdb1', [1]],
    ['/dev/sdz', [1]],
  ] as const
).flatMap(([drive, numbers]) => numbers.map((number) => [drive, number]));

export const partitionScenarios: readonly Scenario[] = [
  { name: 'partitions listed', steps: each('part_list', ...drives) },
  { name: 'schemes', steps: each('part_get_parttype', ...drives) },
  ...(
    [
      'part_get_bootable',
      'part_get_mbr_id',
      'part_get_mbr_part_type',
      'part_get_gpt_type',
      'part_get_gpt_guid',
      'part_get_gpt_attributes',
      'part_get_name',
    ] as const
  ).map(
    (action): Scenario => ({
      name: `${action} of every partition`,
      steps: each(action, ...numbered) as Step[],
    }),
  ),
  { name: 'GUIDs of drives', steps: each('part_get_disk_guid', ...drives) },
  {
    name: 'partitions found',
    steps: [
      ...each(
        'findfs_partuuid',
        '44444444-0001-3333-4444-555555555555',
        'deadbeef-05',
        'DEADBEEF-05',
        'none',
      ),
      ...each('findfs_partlabel', 'home', 'EFI System', 'röööt', 'none'),
    ],
  },
  {
    name: 'cylinders, heads and sectors of tables',
    steps: ['sda', 'sdb', 'sdb1', 'sdc', 'sdc1', 'sdc5', 'sdd', 'sdg'].flatMap((name): Step[] => [
      ['sfdisk_kernel_geometry', `/dev/${name}`],
      ['sfdisk_disk_geometry', `/dev/${name}`],
    ]),
  },
];
