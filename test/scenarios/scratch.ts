/** The scenarios of the scratch drives of which the engine does every step. */
import { handledActions } from '../../src/engine/thread/dispatch.js';
import type { Difference } from './difference.js';
import type { Suite } from './scenario.js';
import { suites } from './suites.js';

/** Of these a step has another answer: what parted refuses, volumes in use, the order of attributes. */
const elsewhere = new Set([
  'extended attributes',
  'an MBR made and changed',
  'a GPT made and changed',
  'whole drives partitioned',
  'LVM made, resized and removed',
  'by inode',
]);

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
];
