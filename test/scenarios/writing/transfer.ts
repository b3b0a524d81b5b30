/** Archives and trees, out of a guest and into it again. */
import { bytes, hostFile, kept, out, type Scenario, type Step } from '../scenario.js';
import { onNewExt4, status } from './ground.js';

/** A small tree with every kind of entry. */
const tree: readonly Step[] = [
  ['mkdir_p', '/src/deep/er'],
  ['write', '/src/a', 'file a'],
  ['fill_pattern', 'pattern', 300_000, '/src/deep/large'],
  ['write', '/src/deep/er/bin', bytes(0, 255, 10)],
  ['chown', 1000, 1001, '/src/a'],
  ['chmod', 0o4710, '/src/a'],
  ['ln_s', '../a', '/src/deep/link'],
  ['ln', '/src/a', '/src/hard'],
  ['mkfifo', 0o600, '/src/fifo'],
  ['setxattr', 'user.kept', 'yes', 3, '/src/a'],
];
const entries = ['', '/a', '/hard', '/deep', '/deep/large', '/deep/link', '/deep/er/bin', '/fifo'];
const compared = (to: string): Step[] => [
  status(...entries.map((entry) => `${to}${entry}`)),
  ['checksum', 'sha256', `${to}/deep/large`],
  ['checksum', 'md5', `${to}/deep/er/bin`],
  ['cat', `${to}/hard`],
  ['getxattrs', `${to}/a`],
];

/** What was copied through the host has the same bytes, and the caller's owner. */
const bytesCompared = (to: string): Step[] => [
  ['find', to],
  ['checksum', 'sha256', `${to}/deep/large`],
  ['checksum', 'md5', `${to}/deep/er/bin`],
  ['readlink', `${to}/deep/link`],
  ['cat', `${to}/hard`],
];

export const transferWritingScenarios: readonly Scenario[] = [
  onNewExt4(
    'a tar archive there and back',
    ...tree,
    ['tar_out', '/src', kept('plain.tar')],
    ['tar_out', '/src', kept('all.tar'), { xattrs: true }],
    ['tar_out', '/src', kept('gzip.tar'), { compress: 'gzip' }],
    ['tar_out', '/src', kept('xz.tar'), { compress: 'xz' }],
    ...['/plain', '/all', '/gzip', '/xz'].map((directory) => ['mkdir', directory] as const),
    ['tar_in', kept('plain.tar'), '/plain'],
    ...compared('/plain'),
    ['tar_in', kept('all.tar'), '/all', { xattrs: true }],
    ...compared('/all'),
    ['tar_in', kept('gzip.tar'), '/gzip', { compress: 'gzip' }],
    ...compared('/gzip'),
    ['tar_in', kept('xz.tar'), '/xz', { compress: 'xz' }],
    ...compared('/xz'),
    ['tar_in', kept('plain.tar'), '/missing'],
    ['tar_in', kept('plain.tar'), '/src/a'],
    ['tar_in', hostFile('this is no archive'), '/plain'],
    ['tar_in', kept('gzip.tar'), '/plain', { compress: 'xz' }],
    ['tar_in', kept('missing.tar'), '/plain'],
    ['ls', '/plain'],
  ),
  onNewExt4(
    'compressed archives there and back',
    ...tree,
    ['tgz_out', '/src', kept('some.tgz')],
    ['txz_out', '/src', kept('some.txz')],
    ['mkdir', '/tgz'],
    ['mkdir', '/txz'],
    ['tgz_in', kept('some.tgz'), '/tgz'],
    ...compared('/tgz'),
    ['txz_in', kept('some.txz'), '/txz'],
    ...compared('/txz'),
    ['tgz_in', kept('some.txz'), '/tgz'],
    ['tgz_in', hostFile('this is no archive'), '/tgz'],
  ),
  onNewExt4(
    'a tree copied there and back',
    ...tree.filter(([action]) => action !== 'mkfifo'),
    ['mkdir', '/back'],
    ['copy_out', '/src', kept('.')],
    ['copy_in', kept('src'), '/back'],
    ...bytesCompared('/back/src'),
    ['copy_in', kept('src/a'), '/back'],
    ['cat', '/back/a'],
    ['copy_in', kept('src/a'), '/missing'],
    ['copy_in', kept('src/a'), '/src/a'],
    ['copy_in', kept('missing'), '/back'],
    ['copy_out', '/missing', kept('.')],
    ['download', '/src/deep/large', kept('large')],
    ['upload', kept('large'), '/back/large'],
    ['equal', '/src/deep/large', '/back/large'],
    ['base64_out', '/src/deep/large', kept('large.b64')],
    ['base64_in', kept('large.b64'), '/back/decoded'],
    ['equal', '/src/deep/large', '/back/decoded'],
    ['compress_out', 'gzip', '/src/deep/large', out],
  ),
  onNewExt4(
    'a squashfs filesystem of a tree',
    ...tree,
    ['mksquashfs', '/src', kept('image'), { compress: 'gzip', excludes: ['fifo'] }],
    ['upload', kept('image'), '/image'],
    ['mkdir', '/at'],
    ['mount_loop', '/image', '/at'],
    ['find', '/at'],
    ['checksum', 'sha256', '/at/deep/large'],
    ['mksquashfs', '/missing', out],
    ['mksquashfs', '/src', out, { compress: 'nonsense' }],
  ),
];
