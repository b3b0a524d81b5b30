/** What is in files and devices. */
import { each, onExt4, type Scenario } from './scenario.js';

const texts = [
  '/hello.txt',
  '/empty',
  '/nofeed',
  '/crlf.txt',
  '/blanks.txt',
  '/utf8.txt',
  '/latin1.txt',
  '/nul.bin',
];
const odd = ['/missing', '/dir', '/dangling', '/loop1', '/rel', '/chain1', '/hello.txt/x'];
const far = 4_999_999_990;

export const contentsScenarios: readonly Scenario[] = [
  onExt4(
    'whole files as text',
    ...each('cat', '/hello.txt', '/empty', '/nofeed', '/crlf.txt', '/utf8.txt', '/latin1.txt', ...odd),
  ),
  onExt4(
    'whole files as bytes',
    ...each(
      'read_file',
      ...texts,
      '/noise',
      '/zeroes',
      '/dir/new\nline',
      '/dir/caf\udce9',
      '/dir/-dash',
      '/white space/a b',
      ...odd,
    ),
  ),
  onExt4(
    'lines',
    ...each(
      'read_lines',
      '/hello.txt',
      '/empty',
      '/nofeed',
      '/crlf.txt',
      '/blanks.txt',
      '/utf8.txt',
      '/latin1.txt',
      ...odd,
    ),
  ),
  onExt4(
    'parts of files',
    ...each(
      'pread',
      ['/hello.txt', 5, 0],
      ['/hello.txt', 5, 7],
      ['/hello.txt', 100, 7],
      ['/hello.txt', 1, 13],
      ['/hello.txt', 1, 1000],
      ['/hello.txt', 0, 0],
      ['/hello.txt', -1, 0],
      ['/hello.txt', 1, -1],
      ['/empty', 1, 0],
      ['/huge', 20, far],
      ['/huge', 10, 1],
      ['/sparse', 16, 2_999_995],
      ['/missing', 1, 0],
      ['/dir', 1, 0],
      ['/hello.txt', 1, 2 ** 52],
    ),
  ),
  {
    name: 'parts of devices',
    steps: each(
      'pread_device',
      ['/dev/sda', 16, 1080],
      ['/dev/sda', 0, 0],
      ['/dev/sdb1', 11, 0],
      ['/dev/sda', 10, 8 * 1024 * 1024 - 5],
      ['/dev/sda', 10, 8 * 1024 * 1024],
      ['/dev/sda', 10, 8 * 1024 * 1024 + 1],
      ['/dev/sda', -1, 0],
      ['/dev/sda', 1, -1],
      ['/dev/sdz', 1, 0],
      ['/dev/VG-one/split', 4, 0],
      ['/dev/disk/guestfs/blank', 4, 0],
    ),
  },
  onExt4(
    'sizes',
    ...each('filesize', '/hello.txt', '/empty', '/huge', '/rel', '/dir', '/fifo', '/missing'),
    ...each('wc_c', '/hello.txt', '/empty', '/rel', '/missing', '/dir'),
  ),
  onExt4(
    'words and lines counted',
    ...(['wc_l', 'wc_w'] as const).flatMap((action) =>
      each(action, ...texts, '/lines', '/noise', '/missing', '/dir'),
    ),
  ),
  onExt4(
    'first lines',
    ...each('head', '/lines', '/hello.txt', '/empty', '/nofeed', '/missing', '/dir'),
    ...each(
      'head_n',
      [3, '/lines'],
      [0, '/lines'],
      [-995, '/lines'],
      [-2000, '/lines'],
      [5, '/blanks.txt'],
      [2, '/crlf.txt'],
      [1, '/missing'],
    ),
  ),
  onExt4(
    'last lines',
    ...each('tail', '/lines', '/hello.txt', '/empty', '/nofeed', '/missing', '/dir'),
    ...each(
      'tail_n',
      [3, '/lines'],
      [0, '/lines'],
      [-998, '/lines'],
      [-1, '/lines'],
      [-2000, '/lines'],
      [5, '/blanks.txt'],
      [2, '/crlf.txt'],
      [1, '/nofeed'],
      [1, '/missing'],
    ),
  ),
  onExt4(
    'dumped',
    ...each('hexdump', '/hello.txt', '/empty', '/zeroes', '/nul.bin', '/strings.bin', '/missing', '/dir'),
  ),
  onExt4(
    'zeroes',
    ...each('is_zero', '/zeroes', '/empty', '/hello.txt', '/sparse', '/missing', '/dir'),
    ...each('is_zero_device', '/dev/sda', '/dev/sdg', '/dev/sdz'),
  ),
  onExt4(
    'equal or not',
    ...each(
      'equal',
      ['/hello.txt', '/dir/same'],
      ['/hello.txt', '/dir/other'],
      ['/hello.txt', '/lines'],
      ['/empty', '/empty'],
      ['/rel', '/abs'],
      ['/hello.txt', '/missing'],
      ['/missing', '/hello.txt'],
      ['/dir', '/dir'],
    ),
  ),
  onExt4(
    'strings',
    ...each('strings', '/strings.bin', '/empty', '/hello.txt', '/latin1.txt', '/missing', '/dir'),
    ...['s', 'S', 'b', 'l', 'B', 'L', 'x', ''].flatMap((encoding) =>
      each(
        'strings_e',
        [encoding, '/strings.bin'],
        [encoding, '/strings.b'],
        [encoding, '/strings.l'],
        [encoding, '/latin1.txt'],
      ),
    ),
  ),
  onExt4(
    'checksums',
    ...['crc', 'md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3'].flatMap((type) =>
      each('checksum', [type, '/hello.txt'], [type, '/empty'], [type, '/noise']),
    ),
    ...each(
      'checksum',
      ['md5', '/missing'],
      ['md5', '/dir'],
      ['md5', '/rel'],
      ['md5', '/sparse'],
      ['crc', '/sparse'],
      ['md5', '/dir/new\nline'],
    ),
  ),
  {
    name: 'checksums of devices',
    steps: each(
      'checksum_device',
      ['md5', '/dev/sdb1'],
      ['crc', '/dev/sdd'],
      ['sha256', '/dev/VG-one/striped'],
      ['sha256', '/dev/sdg'],
      ['md5', '/dev/sdz'],
      ['nonsense', '/dev/sdg'],
    ),
  },
];
