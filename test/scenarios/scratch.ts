/** The scenarios of the scratch drives of which the engine does every step. */
import { handledActions } from '../../src/engine/thread/dispatch.js';
import type { Difference } from './difference.js';
import type { Suite } from './scenario.js';
import { suites } from './suites.js';

/**
 * Of these a step is the appliance's: kinds of tables that are only read, and volumes that grow while they are in use.
 */
const elsewhere = new Set(['whole drives partitioned', 'LVM made, resized and removed']);

const withoutAppliance = new Set(['debug']);

export async function scratchSuites(): Promise<Suite[]> {
  const done = new Set<string>(await handledActions());
  return suites
    .filter(({ name }) => name === 'scratch')
    .map((suite) => ({
      ...suite,
      scenarios: suite.scenarios.filter(
        ({ name, steps }) =>
          !elsewhere.has(name) &&
          steps.every(([action]) => done.has(action) && !withoutAppliance.has(action)),
      ),
    }));
}

/** Where the engine answers otherwise there, and why it is right to. */
export const scratchDifferences: readonly Difference[] = [
  {
    because:
      'what is not compressed in that way has no contents: libguestfs does not hear that its program failed',
    scenario: 'inside of compressed files',
    steps: [
      ['zfile', 'bzip2', '/text.gz'],
      ['zfile', 'gzip', '/plain'],
    ],
    ours: 'EINVAL',
  },
  {
    because: 'a directory has no contents: libguestfs does not hear that its program failed',
    steps: [['zfile', 'gzip', '/']],
    ours: 'EISDIR',
  },
  {
    because: 'a directory is no file, whatever it was to be opened for',
    steps: [['hivex_open', '/', { write: true }]],
    ours: 'EISDIR',
  },
  {
    because:
      'the root of a hive says nothing of a parent that can be relied on: following it is following damage',
    scenario: 'the registry',
    steps: [['hivex_node_parent', 4128]],
    ours: 'EIO',
  },
  {
    because:
      'a partition can be made smaller: parted, which libguestfs calls, asks whether it may, and nobody answers',
    scenario: 'an MBR made and changed',
    steps: [['part_resize', '/dev/sdc', 2, 30_000]],
    ours: { value: null },
  },
  {
    because: 'the partition was made smaller',
    scenario: 'an MBR made and changed',
    steps: [['part_list', '/dev/vdc']],
    ours: {
      value: [
        { partNum: 1, partStart: 1_048_576, partEnd: 10_485_759, partSize: 9_437_184 },
        { partNum: 2, partStart: 10_485_760, partEnd: 15_360_511, partSize: 4_874_752 },
        { partNum: 3, partStart: 20_971_520, partEnd: 66_060_799, partSize: 45_089_280 },
        { partNum: 5, partStart: 22_020_096, partEnd: 30_720_511, partSize: 8_700_416 },
      ],
    },
  },
  {
    because: 'a name is all of it: parted, which libguestfs calls, takes the first word',
    scenario: 'a GPT made and changed',
    steps: [['part_get_name', '/dev/sdc', 1]],
    ours: { value: 'boot loader' },
  },
  {
    because: 'what is not there gets no GUID: sgdisk, which libguestfs calls, says nothing',
    scenario: 'a GPT made and changed',
    steps: [['part_set_gpt_guid', '/dev/sdc', 9, '33333333-2222-3333-4444-555555555555']],
    ours: 'EINVAL',
  },
  {
    because: 'an inode without names has none: libguestfs then fails with its last error, whatever that was',
    steps: [['find_inode', '/dev/sdc', 100_000]],
    ours: { value: [] },
  },
];
