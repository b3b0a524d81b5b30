/** Where both backends answer otherwise than libguestfs 1.48.6, by code that they share, and why they are right to. */
import type { Difference, Json } from './difference.js';
import { outDirectory } from './scenario.js';

export const commonDifferences: readonly Difference[] = [
  {
    because: 'an inode without names has none: libguestfs then fails with its last error, whatever that was',
    steps: [23, 1000].map((inode) => ['find_inode', '/dev/sda1', inode]),
    ours: { value: [] },
  },
  {
    because:
      'set-id bits stay in a guest that is not trusted: they would give away the rights of whoever copies',
    steps: [['copy_out', '/modes', outDirectory]],
    ours: (value) =>
      (value as [string, number][]).every(([, mode]) => (mode & 0o6000) === 0) &&
      JSON.stringify(value).includes('modes/setgid'),
  },
  {
    because: 'a copied file keeps its time, also one that is copied by itself',
    steps: [['copy_out', '/hello.txt', outDirectory]],
    ours: (value) => (value as Json[][])[0]?.[4] === 1_600_000_000,
  },
  {
    because:
      'a copy that lacks something does not pass for a whole one: libguestfs does not hear that tar failed',
    scenario: 'copies among damage',
    steps: [['copy_out', '/', outDirectory]],
    ours: 'EIO',
  },
  {
    because: 'where the distribution is not known, the packages are those of the database that is there',
    scenario: 'packages of a distribution that is not known',
    steps: [['inspect_list_applications2', '/dev/sda1']],
    ours: (value) => (value as { app2Name: string }[]).map(({ app2Name }) => app2Name).join() === 'hello',
  },
  {
    because: 'a link can be copied as well: libguestfs copies files and directories only',
    steps: [['copy_out', '/rel', outDirectory]],
    ours: (value) => (value as Json[][])[0]?.[6] === 'hello.txt',
  },
];
