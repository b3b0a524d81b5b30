/** What is typed: options, operands, mount points, patterns. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitWords } from '../../src/cli/command/command-line.js';
import { Failure } from '../../src/cli/command/failure.js';
import {
  guestOptions,
  type OptionTable,
  readCommandLine,
  sizeOptions,
} from '../../src/cli/command/options.js';
import { compressionOf } from '../../src/cli/commands/tar-out.js';
import { readImageOperands, readOneImage, splitImageArgument } from '../../src/cli/guest/image-argument.js';
import { readMountPoint } from '../../src/cli/guest/mount-points.js';
import { accountNames } from '../../src/formats/index.js';
import { inMountOrder } from '../../src/guestfs/index.js';

const never = async (): Promise<undefined> => undefined;
const table: OptionTable = {
  ...guestOptions,
  long: { type: 'flag', short: 'l' },
  offset: { type: 'size', short: 's' },
  maxdepth: { type: 'count' },
  compress: { type: 'choice', choices: ['gzip', 'zstd'] },
};
const read = (line: string, stop = 0) => readCommandLine(line.split(' ').filter(Boolean), table, never, stop);

/** Checks that something fails as wrong usage, with a message. */
async function refuses(work: Promise<unknown>, message: RegExp): Promise<Failure> {
  const failure = await work.then(
    () => assert.fail('was accepted'),
    (thrown) => thrown as unknown,
  );
  assert.ok(failure instanceof Failure, String(failure));
  assert.equal(failure.status, 2);
  assert.match(failure.message, message);
  return failure;
}
const refusesNow = (work: () => unknown, message: RegExp): Promise<Failure> =>
  refuses((async () => work())(), message);

test('options stand before, between and after operands', async () => {
  const { options, operands } = await read('a -l b -m /dev/sda1 c --mount=/dev/sda2:/boot');
  assert.deepEqual(operands, ['a', 'b', 'c']);
  assert.equal(options.flag('long'), true);
  assert.equal(options.flag('json'), false);
  assert.deepEqual(options.list('mount'), ['/dev/sda1', '/dev/sda2:/boot']);
});

test('values are read by what they are', async () => {
  const { options } = await read('-s 0x10 --maxdepth 3 --compress gzip --format raw');
  assert.equal(options.number('offset'), 16);
  assert.equal(options.number('maxdepth'), 3);
  assert.equal(options.text('compress'), 'gzip');
  assert.equal(options.text('format'), 'raw');
  assert.equal(options.text('root'), undefined);
  assert.deepEqual(options.list('add'), []);
});

test('short options can be joined, and -- ends them', async () => {
  const { options, operands } = await read('-lq -- -l');
  assert.equal(options.flag('long') && options.flag('quiet'), true);
  assert.deepEqual(operands, ['-l']);
});

test('reading only can be said, though it is so without it; not beside --rw', async () => {
  assert.equal((await read('--ro')).options.flag('rw'), false);
  await refuses(read('--ro --rw'), /--ro and --rw cannot both be/);
});

test('what does not fit is refused in words that say what', async () => {
  await refuses(read('--nope'), /no option --nope/);
  await refuses(read('-Z'), /no option -Z/);
  await refuses(read('--long=yes'), /--long takes no value/);
  await refuses(read('--format'), /--format needs a value/);
  await refuses(read('--format raw --format raw'), /--format is given twice/);
  await refuses(read('-s ten'), /-s needs a number of bytes, not 'ten'/);
  await refuses(read('--maxdepth -3'), /--maxdepth needs a value/);
  await refuses(read('--maxdepth=1K'), /--maxdepth needs a number/);
  await refuses(read('--compress lzma'), /must be one of gzip, zstd/);
  await refuses(read('--__proto__'), /no option --__proto__/);
});

test('a value that looks like an option must be joined to its name', async () => {
  const failure = await refuses(read('-m -l'), /-m needs a value/);
  assert.match(failure.hint ?? '', /--mount=-l/);
  assert.deepEqual((await read('--mount=-l')).options.list('mount'), ['-l']);
});

test('an unknown option is told with its nearest', async () => {
  const failure = await refuses(
    readCommandLine(['--trce'], table, async (word, known) => {
      assert.equal(word, 'trce');
      assert.ok(known.includes('trace'));
      return 'trace';
    }),
    /no option --trce/,
  );
  assert.equal(failure.hint, 'did you mean --trace?');
});

test('-h is help, except where it is for sizes', async () => {
  assert.equal((await read('-h')).wantsHelp, true);
  const sizes = await readCommandLine(['-h'], sizeOptions, never);
  assert.equal(sizes.wantsHelp, false);
  assert.equal(sizes.options.flag('human'), true);
  assert.equal((await readCommandLine(['--help'], sizeOptions, never)).wantsHelp, true);
});

test('help is given whatever else is wrong', async () => {
  assert.equal((await read('--nope --help')).wantsHelp, true);
});

test('with a last operand, what follows it is no option', async () => {
  const { options, operands } = await read('-l image part-list --nope -l', 1);
  assert.deepEqual(operands, ['image', 'part-list', '--nope', '-l']);
  assert.equal(options.flag('long'), true);
  const { wantsHelp } = await read('image sh --help', 1);
  assert.equal(wantsHelp, false);
});

const files = new Set(['disk.img', 'odd:name.img', 'x.img:/y']);
const split = (operand: string, platform = 'linux') =>
  splitImageArgument(operand, (path) => files.has(path), platform);

test('an image and a path are parted at a colon, unless a file has it in its name', () => {
  assert.deepEqual(split('disk.img'), { image: 'disk.img', path: undefined });
  assert.deepEqual(split('disk.img:/etc/a:b'), { image: 'disk.img', path: '/etc/a:b' });
  assert.deepEqual(split('disk.img:'), { image: 'disk.img', path: '/' });
  assert.deepEqual(split('odd:name.img'), { image: 'odd:name.img', path: undefined });
  assert.deepEqual(split('odd:name.img:/etc'), { image: 'odd:name.img', path: '/etc' });
  assert.deepEqual(split('x.img:/y'), { image: 'x.img:/y', path: undefined });
  assert.deepEqual(split('missing:/etc:/x'), { image: 'missing', path: '/etc:/x' });
  assert.deepEqual(split('missing'), { image: 'missing', path: undefined });
  assert.deepEqual(split('C:/disk.img', 'win32'), { image: 'C:/disk.img', path: undefined });
  assert.deepEqual(split('C:/missing:/etc', 'win32'), { image: 'C:/missing', path: '/etc' });
});

test('a relative path inside an image is refused with the way to write it', async () => {
  const failure = await refusesNow(() => split('disk.img:etc/passwd'), /must begin with a slash/);
  assert.equal(failure.hint, 'write disk.img:/etc/passwd');
});

test('operands are one image and any number of paths', async () => {
  assert.deepEqual(readImageOperands(['no.img:/a', '/b', 'no.img:/c']), {
    image: 'no.img',
    paths: ['/a', '/b', '/c'],
  });
  assert.deepEqual(readImageOperands(['no.img', '/b']), { image: 'no.img', paths: ['/b'] });
  assert.deepEqual(readImageOperands(['no.img']), { image: 'no.img', paths: [] });
  await refusesNow(() => readImageOperands([]), /an image is missing/);
  await refusesNow(() => readImageOperands(['no.img:/a', 'other.img:/b']), /other\.img is a second image/);
  await refusesNow(() => readImageOperands(['no.img', 'etc']), /'etc' is no path/);
  assert.equal(readOneImage(['no.img']), 'no.img');
  await refusesNow(() => readOneImage(['no.img:/a']), /whole images/);
});

test('mount points are read as guestfish reads them', async () => {
  const cases: [string, [string, string, string, string | undefined]][] = [
    ['/dev/sda1', ['/dev/sda1', '/', '', undefined]],
    ['sda1', ['/dev/sda1', '/', '', undefined]],
    ['/dev/sda1:/boot', ['/dev/sda1', '/boot', '', undefined]],
    ['/dev/sda1:/:noload,ro:ext4', ['/dev/sda1', '/', 'noload,ro', 'ext4']],
    ['/dev/sda1::noload', ['/dev/sda1', '/', 'noload', undefined]],
    ['btrfsvol:/dev/sda1/root:/', ['btrfsvol:/dev/sda1/root', '/', '', undefined]],
  ];
  for (const [word, [mountable, directory, options, type]] of cases)
    assert.deepEqual(readMountPoint(word), { mountable, directory, options, type }, word);
  await refusesNow(() => readMountPoint(''), /names no device/);
  await refusesNow(() => readMountPoint('sda1:boot'), /must begin with a slash/);
  await refusesNow(() => readMountPoint('sda1:/:ro:ext4:more'), /too many parts/);
});

test('a directory is mounted before those in it', () => {
  const order = inMountOrder(
    ['/var/log', '/', '/home/', '/var', '/a/b/c'].map((directory) => ({ directory })),
  );
  assert.deepEqual(
    order.map(({ directory }) => directory),
    ['/', '/home/', '/var', '/var/log', '/a/b/c'],
  );
});

test('the kind of compression is told by the name, unless it is given', () => {
  const cases: [string, string | undefined, string | undefined][] = [
    ['a.tar', undefined, undefined],
    ['a.tar.gz', undefined, 'gzip'],
    ['a.tgz', undefined, 'gzip'],
    ['a.tar.zst', undefined, 'zstd'],
    ['a.tar.xz', undefined, 'xz'],
    ['-', 'zstd', 'zstd'],
    ['a.tar.gz', 'none', undefined],
  ];
  for (const [file, given, compression] of cases) assert.equal(compressionOf(file, given), compression, file);
});

test('accounts are those lines that are some, and of a number the first', () => {
  const names = accountNames(
    'root:x:0:0::/root:/bin/sh\nbad\n:x:5:\ntoor:x:0:0\nweb:x:33:33\nlong:x:99999999999:\n',
  );
  assert.deepEqual(
    [...names],
    [
      [0, 'root'],
      [33, 'web'],
    ],
  );
});

test('words that are no UTF-8 come through', () => {
  const bytes = Buffer.concat([Buffer.from('node\0main.js\0ls\0a'), Buffer.from([0xff]), Buffer.from('b\0')]);
  assert.deepEqual(splitWords(bytes), ['node', 'main.js', 'ls', 'a\udcffb']);
  assert.deepEqual(splitWords(new Uint8Array(0)), []);
});
