/** What only cramfs has: byte orders, places of the superblock, feature bits, checksums, block pointers. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from '../../../src/base/index.js';
import { FileDisk } from '../../../src/disk/host/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { cramfs } from '../../../src/fs/cramfs/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { compareFiles, compareUsage, Differences } from '../../support/comparison.js';
import { readAll, spansOf } from '../../support/gaits.js';
import { scratchDirectory } from '../../support/scratch.js';
import { find, list, tellFiles, tellUsage } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { openBytes, openVolume } from '../conformance.js';
import { asBlkid, askBlkid } from '../support/blkid.js';
import { comparison, cramImages, paddedImage } from './suite.js';

const flagsAt = 8;
const crcAt = 32;
const rootAt = 64;

const open = (name: string): FileSystem => openBytes(cramfs, cramImages.read(name));

/** An image with some bytes changed, and the checksum made right again. */
function bent(name: string, bend: (image: Buffer) => unknown): Buffer {
  const image = cramImages.readBuffer(name);
  bend(image);
  image.writeUInt32LE(0, crcAt);
  image.writeUInt32LE(crc32(image), crcAt);
  return image;
}

test('blkid agrees, whatever the byte order, and sees nothing behind a boot sector', needs('blkid'), () => {
  for (const name of cramImages.names) {
    const image = cramImages.read(name);
    assert.deepEqual(asBlkid(cramfs.probe(new MemoryDisk(image))), askBlkid(image), name);
  }
});

test('a filesystem behind a boot sector is opened, as Linux opens it, and has the files that were put in', () => {
  assert.equal(cramfs.probe(new MemoryDisk(cramImages.read(paddedImage))), undefined);
  const fs = open(paddedImage);
  const differences = new Differences();
  compareFiles(tellFiles(fs), cramImages.truth(paddedImage), differences, comparison);
  const { statfs } = cramImages.truth('plain');
  assert.ok(statfs);
  compareUsage(tellUsage(fs.usage()), statfs, differences);
  differences.throwIfAny();
});

test('files are as the kernel shows them beyond what fsck.cramfs shows: no times, one link, blocks by their size', () => {
  const fs = open('plain');
  const { accessed, modified, changed, linkCount, blockCount512 } = fs.stat(find(fs, '/size-4097'));
  for (const time of [accessed, modified, changed]) assert.deepEqual(time, { seconds: 0, nanoseconds: 0 });
  assert.deepEqual([linkCount, blockCount512], [1, 9]);
  assert.equal(fs.stat(find(fs, '/nothing')).blockCount512, 0);
  assert.equal(fs.stat(find(fs, '/many')).sizeInBytes > 0, true);
});

test('files of equal contents, which are stored once, are two files', () => {
  const fs = open('plain');
  assert.notEqual(find(fs, '/size-40000'), find(fs, '/the same'));
});

test('blocks without bytes are holes', () => {
  const data = (fs: FileSystem) => fs.data(find(fs, '/with-holes'));
  assert.deepEqual(spansOf(data(open('plain'))), [{ start: 0, length: 44_100, zero: false }]);
  for (const name of ['holes', 'big-holes', 'extended', 'extended-big'])
    assert.deepEqual(
      spansOf(data(open(name))).map(({ zero }) => zero),
      [false, true, false, true],
      name,
    );
});

test('a wrong checksum, and a disk that is too small, are warnings: Linux looks at neither', () => {
  const warnings = (image: Uint8Array): string[] => {
    const told: string[] = [];
    openBytes(cramfs, image, { warn: (message) => told.push(message) });
    return told;
  };
  for (const name of cramImages.names) assert.deepEqual(warnings(cramImages.read(name)), [], name);
  const changed = cramImages.readBuffer('plain');
  changed[changed.length - 1] = 1;
  assert.match(warnings(changed).join(), /the checksum is wrong/);
  assert.match(warnings(changed.subarray(0, -1)).join(), /may be cut short/);
});

test('a feature that is not known is refused by its bit', () => {
  const image = bent('plain', (bytes) => bytes.writeUInt32LE(0x1003, flagsAt));
  assert.throws(() => openBytes(cramfs, image), { name: 'UnsupportedError', message: /feature bit 12/ });
  // Bits of the low byte are for what older kernels can read all the same.
  openBytes(
    cramfs,
    bent('plain', (bytes) => bytes.writeUInt32LE(0xff, flagsAt)),
  );
});

test('a root that is no directory, or lies elsewhere without the flag for it, is a CorruptError', () => {
  const file = bent('plain', (image) => image.writeUInt16LE(0o100644, rootAt));
  assert.throws(() => openBytes(cramfs, file), { name: 'CorruptError', message: /no directory/ });
  const moved = bent('inserted', (image) => image.writeUInt32LE(3, flagsAt));
  assert.throws(() => openBytes(cramfs, moved), { name: 'CorruptError', message: /bad root offset/ });
});

test('everybody may read and search the root, whatever its inode says', () => {
  const image = bent('plain', (bytes) => bytes.writeUInt16LE(0o040000, rootAt));
  const fs = openBytes(cramfs, image);
  assert.equal(fs.stat(fs.root).mode, 0o040555);
});

test('without the flag for it, high bits of a block pointer are no flags', () => {
  const image = bent('extended', (bytes) =>
    bytes.writeUInt32LE(bytes.readUInt32LE(flagsAt) & ~0x800, flagsAt),
  );
  const fs = openBytes(cramfs, image);
  assert.throws(() => readAll(fs.data(find(fs, '/size-40000'))), {
    name: 'CorruptError',
    message: /bad block pointer/,
  });
});

test('one bad name does not hide the others, and an entry that is cut short ends a directory', () => {
  const names = list(open('plain'), '/many');
  const bad = bent('plain', (bytes) => bytes.write('file/100', bytes.indexOf('file 100')));
  const fs = openBytes(cramfs, bad);
  const many = find(fs, '/many');
  assert.throws(() => [...fs.entries(many)], { name: 'CorruptError', message: /a name that is none/ });
  const told: string[] = [];
  const rest = [...fs.entries(many, ({ message }) => told.push(message))].map(({ name }) => name);
  assert.deepEqual(
    rest,
    names.filter((name) => name !== 'file 100'),
  );
  assert.equal(told.length, 1);

  const cut = bent('plain', (bytes) => {
    const at = bytes.indexOf('many') - 12;
    bytes.writeUInt32LE(bytes.readUInt32LE(at + 4) - 4, at + 4);
  });
  const shorter = openBytes(cramfs, cut);
  assert.throws(() => list(shorter, '/many'), { name: 'CorruptError', message: /ends within an entry/ });
});

test('directories that overlap come to an end', () => {
  // Each of 150 files becomes a directory that is the directory they are in.
  const image = bent('plain', (bytes) => {
    const at = bytes.indexOf('many') - 12;
    const size = bytes.readUInt32LE(at + 4) & 0xffffff;
    const start = (bytes.readUInt32LE(at + 8) >>> 6) * 4;
    for (let entry = start; entry < start + size; ) {
      const length = (bytes.readUInt32LE(entry + 8) & 0x3f) * 4;
      bytes.writeUInt16LE(0o040755, entry);
      bytes.writeUInt32LE(size, entry + 4);
      bytes.writeUInt32LE((((start / 4) << 6) | (length / 4)) >>> 0, entry + 8);
      entry += 12 + length;
    }
  });
  const fs = openBytes(cramfs, image);
  const many = find(fs, '/many');
  assert.throws(
    () => {
      for (const { inode } of fs.entries(many)) [...fs.entries(inode)];
    },
    { name: 'CorruptError', message: /overlaps other directories/ },
  );
});

test('a number that names no file is a CorruptError, and what does not apply to a file says so', () => {
  const fs = open('plain');
  for (const inode of [0, 2, -1, 0.5, 2 ** 53, Number.NaN, 1e9, fs.root + 4])
    assert.throws(() => fs.stat(inode), { name: 'CorruptError' }, String(inode));
  const file = find(fs, '/size-1');
  assert.throws(() => [...fs.entries(file)], { code: 'ENOTDIR' });
  assert.throws(() => fs.lookup(file, 'x'), { code: 'ENOTDIR' });
  assert.throws(() => fs.parent(file), { code: 'ENOTDIR' });
  assert.throws(() => fs.readlink(file), { code: 'EINVAL' });
  assert.throws(() => fs.data(fs.root), { code: 'EISDIR' });
  assert.throws(() => fs.data(find(fs, '/fifo')), { code: 'EINVAL' });
  assert.equal(fs.xattrs(file).size, 0);
});

test('an image made just now has the files that went into it', needs('mkfs.cramfs'), () => {
  const folder = scratchDirectory();
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'one/two'), { recursive: true });
  for (let i = 0; i < 60; i++) writeFileSync(join(tree, `one/file ${i}`), Buffer.alloc(i * 300, `${i} `));
  const path = join(folder, 'image');
  execFileSync('mkfs.cramfs', ['-z', tree, path], { env: toolEnvironment, stdio: 'ignore' });
  const disk = new FileDisk(path);
  const fs = openVolume(cramfs, disk);
  for (let i = 0; i < 60; i++)
    assert.deepEqual(
      Buffer.from(readAll(fs.data(find(fs, `/one/file ${i}`)))),
      Buffer.alloc(i * 300, `${i} `),
    );
  assert.deepEqual(list(fs, '/one/two'), []);
  disk.close();
});
