/** What only VMDK has: files beside the image, parents by content id, extents of all kinds, streams. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CorruptError } from '../../src/base/index.js';
import { MemoryDisk, setDecoderHelpers } from '../../src/disk/index.js';
import { vmdk } from '../../src/image/vmdk/index.js';
import { damageAtRandom, mutate, patched, tolerate, usedPlaces } from '../support/damage.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageInfo } from '../support/host-images.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { tryImage } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('vmdk');
const bytesOf = (name: string): Buffer => readFileSync(join(directory, name));
const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** A folder with copies of some of the fixtures. */
function copies(...names: string[]): string {
  const to = scratchDirectory();
  for (const name of names) copyFileSync(join(directory, name), join(to, name));
  return to;
}

function describe(path: string, extents: readonly string[], facts: readonly string[] = []): string {
  const lines = [
    '# Disk DescriptorFile',
    'version=1',
    'CID=00000001',
    'parentCID=ffffffff',
    ...facts,
    ...extents,
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test('a missing extent is an error that names the extent and the image, and leaves no file open', () => {
  const folder = copies('many.vmdk', 'many-s001.vmdk', 'many-f.vmdk', 'odd.vmdk');
  const before = openFiles();
  assert.throws(() => openImage(join(folder, 'many.vmdk')), {
    code: 'ENOENT',
    message: new RegExp(`^extent file ‘cowd-s.vmdk’ of ${folder}/many.vmdk: .*no such file`),
  });
  assert.equal(openFiles(), before);
});

test('a damaged extent is an error that names the extent and the image', () => {
  const folder = copies('cowd.vmdk', 'cowd-s.vmdk');
  writeFileSync(join(folder, 'cowd-s.vmdk'), bytesOf('cowd-s.vmdk').subarray(0, 100));
  assert.throws(() => openImage(join(folder, 'cowd.vmdk')), {
    name: 'CorruptError',
    message: new RegExp(`^${folder}/cowd.vmdk: extent file ‘cowd-s.vmdk’: VMDK COWD header: is cut short`),
  });
});

test('untrusted: an extent outside the image’s directory is refused, by any way that leads there', () => {
  const root = scratchDirectory();
  const vm = join(root, 'vm');
  mkdirSync(vm);
  writeFileSync(join(root, 'secret.img'), Buffer.alloc(4096, 7));
  symlinkSync(join(root, 'secret.img'), join(vm, 'link.img'));
  for (const name of [
    '../secret.img',
    join(root, 'secret.img'),
    'link.img',
    'nbd:localhost:10809',
    '/dev/vda',
  ]) {
    const path = describe(join(vm, 'top.vmdk'), [`RW 8 FLAT "${name}" 0`]);
    assert.throws(() => openImage(path), { code: 'EPERM', message: /extent file .*policy 'trusted'/ }, name);
  }
  const path = describe(join(vm, 'top.vmdk'), ['RW 8 FLAT "../secret.img" 0']);
  const { disk } = openImage(path, { policy: 'trusted' });
  assert.equal(readAll(disk)[4095], 7);
  disk.close();
});

test('a parent that was changed is an error that names both images', () => {
  const folder = copies('base.vmdk', 'middle.vmdk', 'top.vmdk');
  const middle = bytesOf('middle.vmdk');
  const at = middle.indexOf('CID=') + 4;
  middle[at] = middle[at] === 0x31 ? 0x32 : 0x31;
  writeFileSync(join(folder, 'middle.vmdk'), middle);
  const before = openFiles();
  assert.throws(() => openImage(join(folder, 'top.vmdk')), {
    name: 'CorruptError',
    message: new RegExp(
      `^${folder}/top.vmdk: .*stands on a parent with the content id [0-9a-f]{8}, but ‘middle.vmdk’ has [0-9a-f]{8}: it was changed`,
    ),
  });
  assert.equal(openFiles(), before);
  copyFileSync(join(directory, 'top.vmdk'), join(folder, 'top.vmdk'));
  const gone = copies('top.vmdk');
  assert.throws(() => openImage(join(gone, 'top.vmdk')), {
    code: 'ENOENT',
    message: new RegExp(`backing file ‘middle.vmdk’ of ${gone}/top.vmdk`),
  });
});

test('an image that says it has a parent, and not which, is corrupt rather than full of zeroes', () => {
  const path = describe(join(scratchDirectory(), 'x.vmdk'), ['RW 8 ZERO']);
  writeFileSync(path, readFileSync(path, 'utf8').replace('ffffffff', '12'));
  assert.throws(() => openImage(path), {
    name: 'CorruptError',
    message: /does not name the parent.*00000012/,
  });
});

test('an extent may end within a grain, and may be larger than its line says', () => {
  const folder = copies('many-s001.vmdk', 'odd.vmdk', 'many-f.vmdk');
  const path = describe(join(folder, 'x.vmdk'), [
    'RW 3 SPARSE "many-s001.vmdk"',
    'RDONLY 5 FLAT "many-f.vmdk" 1',
    'NOACCESS 2 ZERO',
    'RW 1954 SPARSE "odd.vmdk"',
  ]);
  const { disk, info } = openImage(path);
  const bytes = readAll(disk);
  disk.close();
  assert.equal(info.virtualSizeInBytes, (3 + 5 + 2 + 1954) * 512);
  const flat = bytesOf('many-f.vmdk');
  assert.deepEqual(bytes.subarray(0, 3 * 512), new Uint8Array(3 * 512).fill(0x51));
  assert.ok(flat.subarray(512, 6 * 512).equals(bytes.subarray(3 * 512, 8 * 512)));
  assert.deepEqual(bytes.subarray(8 * 512, 10 * 512), new Uint8Array(1024));
  const odd = openImage(join(directory, 'odd.vmdk')).disk;
  assert.ok(Buffer.from(readAll(odd)).equals(bytes.subarray(10 * 512)));
  odd.close();
});

test('an extent that is smaller than its line says is corrupt', () => {
  const folder = copies('many-f.vmdk', 'odd.vmdk');
  for (const line of ['RW 108 FLAT "many-f.vmdk" 149', 'RW 1955 SPARSE "odd.vmdk"']) {
    const path = describe(join(folder, 'x.vmdk'), [line]);
    assert.throws(() => openImage(path), { name: 'CorruptError', message: /than the descriptor says/ }, line);
  }
});

test('an extent without its descriptor is refused, and the error says what to open', () => {
  for (const name of ['split-sparse-s001.vmdk', 'cowd-s.vmdk', 'esx-1-delta.vmdk'])
    assert.throws(() => openImage(join(directory, name)), {
      name: 'UnsupportedError',
      message: /without its descriptor; open the \.vmdk file that names it/,
    });
});

test('extents that are devices of a host, or of kinds that nobody knows, are refused by name', () => {
  const folder = scratchDirectory();
  for (const [line, message] of [
    ['RW 8 VMFSRDM "x-rdm.vmdk"', /VMFSRDM/],
    ['RW 8 VMFSRAW "x"', /VMFSRAW/],
    ['NOACCESS 8 FLAT "x" 0', /NOACCESS/],
  ] as const)
    assert.throws(() => openImage(describe(join(folder, 'x.vmdk'), [line])), {
      name: 'UnsupportedError',
      message,
    });
});

test('a stream whose footer is missing is corrupt', () => {
  const stream = bytesOf('stream-cut.vmdk');
  for (const bytes of [
    stream.subarray(0, -512),
    Buffer.concat([stream, Buffer.alloc(512)]),
    stream.subarray(0, 1024),
  ])
    assert.throws(() => vmdk.info(new MemoryDisk(bytes)), { name: 'CorruptError', message: /VMDK footer: / });
});

test('the last grain of a stream may be cut at the end of the disk, and no other one', () => {
  const image = bytesOf('stream-cut.vmdk');
  for (const helpers of [0, 2]) {
    setDecoderHelpers(helpers);
    const disk = vmdk.open(new MemoryDisk(image), { openNamed: () => assert.fail(), warn() {} });
    const wanted = readCases(directory).find((each) => each.image === 'stream-cut.vmdk');
    assert.equal(sha256(readAll(disk)), wanted?.sha256);
  }
  setDecoderHelpers(0);
  // The first entry of the first table leads to the cut grain: 57 sectors are no whole grain.
  const tables = image.length - 512 * 7;
  const at = image.readUInt32LE(
    image.indexOf(Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0])) + 512,
  );
  assert.ok(at > 0 && tables > 0);
  const broken = Buffer.from(image);
  broken.writeUInt32LE(image.readUInt32LE(at * 512 + 70 * 4), at * 512);
  const disk = vmdk.open(new MemoryDisk(broken), { openNamed: () => assert.fail(), warn() {} });
  assert.throws(() => disk.read(new Uint8Array(512), 0), { name: 'CorruptError', message: /ends too early/ });
});

test('a transfer as text and an unclean end are told of', () => {
  const image = bytesOf('sparse.vmdk');
  image[72] = 1;
  image[75] = 0x0a;
  const { warnings, error } = tryImage(vmdk, new MemoryDisk(image));
  assert.equal(error, undefined);
  assert.match(warnings.join('\n'), /transfer as text.*\n.*not closed properly/);
});

test('a header that only holds a descriptor leads to the extents that it names', () => {
  const folder = copies('many-f.vmdk');
  const header = Buffer.from(bytesOf('sparse.vmdk').subarray(0, 512));
  header.writeBigUInt64LE(0n, 12);
  const text = Buffer.alloc(20 * 512);
  text.write('# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\nRW 9 FLAT "many-f.vmdk" 3\n');
  const path = join(folder, 'x.vmdk');
  writeFileSync(path, Buffer.concat([header, text]));
  const { disk } = openImage(path);
  assert.ok(
    bytesOf('many-f.vmdk')
      .subarray(3 * 512, 12 * 512)
      .equals(readAll(disk)),
  );
  disk.close();
});

test('descriptors are read up to a bound, whatever follows', () => {
  const file = new MemoryDisk(Buffer.from(`# Disk DescriptorFile\n${'RW 1 ZERO\n'.repeat(200_000)}`));
  assert.throws(() => vmdk.info(file), { name: 'UnsupportedError', message: /more than 32768 extents/ });
  const long = Buffer.alloc(3 * 1024 * 1024, 0x20);
  long.write('# Disk DescriptorFile\nRW 1 ZERO\n');
  long.write('\nRW 1 ZERO\n', 2 * 1024 * 1024);
  assert.equal(vmdk.info(new MemoryDisk(long)).virtualSizeInBytes, 512);
});

test('damaged extents of every kind give only the errors that name the damage', () => {
  const fixtures = [
    ['SPARSE', 'cowd-s.vmdk'],
    ['SPARSE', 'many-s001.vmdk'],
    ['SPARSE', 'stream-full.vmdk'],
    ['SESPARSE', 'esx-2-sesparse.vmdk'],
    ['SESPARSE', 'sesparse-sesparse.vmdk'],
  ] as const;
  const extents = fixtures.map(([type, name]) => ({ type, bytes: bytesOf(name) }));
  let [opened, refused] = [0, 0];
  damageAtRandom({ milliseconds: 1500 }, (seed) => {
    const random = new Random(seed);
    const { type, bytes } = random.pick(extents);
    const places = [[0, 2048], ...usedPlaces(bytes)] as const;
    const file = new MemoryDisk(patched(bytes, mutate(bytes, [...places], random)));
    const text = `# Disk DescriptorFile\nCID=1\nRW 1500 ${type} "x"\nRW 1500 ${type} "y"\n`;
    const error = tolerate(() => {
      const disk = vmdk.open(new MemoryDisk(Buffer.from(text)), { openNamed: () => file, warn() {} });
      disk.read(new Uint8Array(disk.size), 0);
      disk.span(0, disk.size);
    });
    if (error === undefined) opened++;
    else refused++;
  });
  assert.ok(opened > 0 && refused > 0, `${opened} could be read, ${refused} were refused`);
});

test('tables, grains and a directory outside the file are corrupt rather than zeroes', () => {
  const image = bytesOf('sparse.vmdk');
  const open = (bytes: Buffer) =>
    vmdk.open(new MemoryDisk(bytes), { openNamed: () => assert.fail(), warn() {} });
  const first = new Uint8Array(512);
  const directoryAt = Number(image.readBigUInt64LE(56)) * 512;
  const tableAt = image.readUInt32LE(directoryAt) * 512;
  for (const [at, value, message] of [
    [56, 0x7fff_ffff, /grain directory: lies outside/],
    [directoryAt, 0x7fff_ffff, /grain table: lies outside/],
    [tableAt, 0x7fff_ffff, /a grain outside the file/],
  ] as const) {
    const bad = Buffer.from(image);
    bad.writeUInt32LE(value, at);
    assert.throws(
      () => open(bad).read(first, 0),
      (thrown) => thrown instanceof CorruptError && message.test(thrown.message),
    );
  }
});

test('a disk of extents of two gigabytes is what qemu-img reads', needs('qemu-img', 'qemu-io'), () => {
  const folder = scratchDirectory();
  const run = (tool: string, ...args: string[]) =>
    execFileSync(tool, args, { cwd: folder, env: toolEnvironment, encoding: 'utf8' });
  const border = 2 ** 31;
  const places = [0, border - 4096, border + 8192, 2 * border - 65_536, 2 * border, 5 * 1024 ** 3 - 8192];
  for (const subformat of ['twoGbMaxExtentSparse', 'twoGbMaxExtentFlat']) {
    const path = join(folder, `${subformat}.vmdk`);
    run('qemu-img', 'create', '-q', '-f', 'vmdk', '-o', `subformat=${subformat}`, path, '5G');
    run('qemu-io', ...places.flatMap((at, i) => ['-c', `write -P ${i + 1} ${at} 8k`]), path);
    assert.equal(readImageInfo(path).extentFiles?.length, 3);
    const { disk } = openImage(path);
    assert.equal(disk.size, 5 * 1024 ** 3);
    for (const [i, at] of places.entries()) {
      const bytes = new Uint8Array(8192);
      disk.read(bytes, at);
      assert.deepEqual(bytes, new Uint8Array(8192).fill(i + 1), `${subformat} at ${at}`);
    }
    disk.close();
  }
});
