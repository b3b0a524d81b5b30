/** Where the embedded backend answers otherwise than the kernel about what is damaged, and why it is right to. */
import { type Difference, isText } from './difference.js';
import { each, out, outDirectory, type Step } from './scenario.js';

const archived = (action: 'tar_out' | 'cpio_out' | 'find0', ...paths: string[]): Step[] =>
  each(action, ...paths.map((path) => [path, out]));
const copied = (...paths: string[]): Step[] => each('copy_out', ...paths.map((path) => [path, outDirectory]));
const summed = (...paths: string[]): Step[] =>
  each('checksums_out', ...paths.map((path) => ['sha256', path, out]));

const rest =
  'claims-to-be-a-file data.bin good good/good.txt liar liar/liar.txt link lost lost+found lost/zz-behind.txt noise unmapped'.split(
    ' ',
  );
const eio = 'damage is EIO, whatever part of a filesystem it is in: of an inode, the kernel has EUCLEAN';
const pastDamage =
  'a walk goes on past what is damaged, with a warning of each: libguestfs throws away all that find told, as it ended with 1';
const behind =
  'what stands behind a damaged entry is there: the kernel gives up the rest of the block in silence';
const stillThere =
  'an inode whose map of blocks is damaged still has its type, size and owner: the kernel refuses all of it';

export const damageDifferences: readonly Difference[] = [
  {
    because: eio,
    steps: [
      ...each('find', '/unmapped'),
      ...archived('find0', '/unmapped'),
      ...each('ls', '/unmapped'),
      ...each('readdir', '/unmapped'),
      ...archived('tar_out', '/unmapped'),
      ...summed('/unmapped'),
      ...copied('/unmapped', '/link', '/data.bin'),
    ],
    ours: 'EIO',
  },
  {
    because: eio,
    scenario: 'what damaged paths are',
    steps: [
      ...each('exists', '/lost/lost.txt'),
      ...each('is_file', '/lost/lost.txt'),
      ...each('cat', '/lost/lost.txt', '/link', '/data.bin'),
      ...each('filesize', '/lost/lost.txt', '/link'),
      ...each('readlink', '/link'),
    ],
    ours: 'EIO',
  },
  {
    because:
      'a directory that cannot be read is not an empty one: the kernel skips its damaged block in silence',
    steps: [
      ...each('find', '/noise'),
      ...archived('find0', '/noise'),
      ...each('ls', '/noise'),
      ...each('readdir', '/noise'),
    ],
    ours: 'EIO',
  },
  {
    because:
      'what is copied, archived or summed in part is told at the end: the kernel hides what it cannot read, and the programs know nothing of it',
    steps: [
      ...archived('tar_out', '/noise', '/lost'),
      ...archived('cpio_out', '/noise', '/lost'),
      ...summed('/noise', '/lost'),
      ...copied('/noise', '/lost'),
    ],
    ours: 'EIO',
  },
  { because: pastDamage, scenario: 'find among damage', steps: [['find', '/']], ours: { value: rest } },
  {
    because: pastDamage,
    scenario: 'find0 among damage',
    steps: archived('find0', '/'),
    ours: { value: ['', ...rest] },
  },
  { because: behind, steps: [['find', '/lost']], ours: { value: ['/zz-behind.txt'] } },
  { because: behind, steps: archived('find0', '/lost'), ours: { value: ['', '/zz-behind.txt'] } },
  { because: behind, steps: [['ls', '/lost']], ours: { value: ['zz-behind.txt'] } },
  {
    because: behind,
    steps: [['readdir', '/lost']],
    ours: (value) => (value as { name: string }[]).map(({ name }) => name).join() === '.,..,zz-behind.txt',
  },
  {
    because: behind,
    steps: [['ll', '/lost']],
    ours: isText(/^total 3\n.* \.\n.* \.\.\n-.* zz-behind\.txt\n$/),
  },
  { because: behind, steps: [['du', '/lost']], ours: { value: 2 } },
  {
    because:
      'a directory that cannot be read still is in one, and both are told: a long list is for looking, with a warning',
    steps: each('ll', '/noise', '/unmapped'),
    ours: isText(/^total 2\nd.* \.\nd.* \.\.\n$/),
  },
  { because: stillThere, scenario: 'sizes among damage', steps: [['du', '/']], ours: { value: 44 } },
  { because: stillThere, steps: each('du', '/unmapped', '/link'), ours: { value: 1 } },
  { because: stillThere, steps: [['du', '/data.bin']], ours: { value: 20 } },
  {
    because: stillThere,
    steps: [
      ...each('exists', '/unmapped', '/link', '/data.bin'),
      ...each('is_dir', '/unmapped'),
      ...each('is_file', '/data.bin'),
      ...each('is_symlink', '/link'),
    ],
    ours: { value: true },
  },
  { because: stillThere, steps: [['is_file', '/link']], ours: { value: false } },
  { because: stillThere, steps: [['filesize', '/data.bin']], ours: { value: 20_000 } },
];
