/** Which format a file has, and what the formats that are only recognised say. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatNames } from '../../src/cli/command/options.js';
import { MemoryDisk, OverlayDisk } from '../../src/disk/index.js';
import { detectFormat, imageFormats, isReadable } from '../../src/image/index.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageInfo } from '../support/host-images.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { fixtureBytes } from './fixtures.js';

const directory = scratchDirectory();

test('luks is told by its mark and refused by its name', needs('cryptsetup'), () => {
  const path = join(directory, 'disk.luks');
  writeFileSync(path, Buffer.alloc(4 * 1024 * 1024));
  const quick = ['--pbkdf-force-iterations', '1000', '--hash', 'sha256'];
  const made = spawnSync(
    'cryptsetup',
    ['luksFormat', '--type', 'luks1', '--batch-mode', ...quick, path, '-'],
    {
      env: toolEnvironment,
      input: 'secret',
    },
  );
  assert.equal(made.status, 0, String(made.stderr));
  assert.throws(() => openImage(path), { name: 'UnsupportedError', message: /image format luks/ });
  assert.throws(() => readImageInfo(path), { name: 'UnsupportedError' });
  // Told to take it as it is, we do.
  assert.equal(openImage(path, { format: 'raw' }).info.format, 'raw');
});

test('marks of formats that qemu-img does not make so are told, too', () => {
  const marks: [string, number, string, number][] = [
    ['vmdk', 0, '# Disk DescriptorFile\nversion=1', 4096],
    ['vmdk', 0, 'COWD', 4096],
    ['bochs', 0, 'Bochs Virtual HD Image\0', 4096],
    ['cloop', 0, '#!/bin/sh\n#V2.0 Format\n', 4096],
    ['dmg', 4096 - 512, 'koly\0\0\0\x04\0\0\x02\0', 4096],
    ['luks', 0, 'LUKS\xba\xbe\0\x01', 4096],
    ['qcow2', 0, 'QFI\xfb\0\0\0\x03', 8],
    ['qcow', 0, 'QFI\xfb\0\0\0\x01', 8],
    ['raw', 0, 'QFI\xfb\0\0\0', 7],
    ['raw', 0, 'LUKS\xba\xbe\0\x02', 4096],
  ];
  for (const [format, at, mark, size] of marks) {
    const bytes = Buffer.alloc(size);
    bytes.write(mark, at, 'latin1');
    assert.equal(detectFormat(new MemoryDisk(bytes)).name, format, mark);
  }
});

test('the command offers the formats that can be read', () => {
  const readable = imageFormats.filter((format) => isReadable(format)).map(({ name }) => name);
  assert.deepEqual([...formatNames].sort(), readable.sort());
});

test('the formats that can be opened are those that say so', () => {
  assert.deepEqual(
    imageFormats.filter((format) => isReadable(format)).map(({ name }) => name),
    ['qcow2', 'qcow', 'qed', 'vpc', 'vhdx', 'vmdk', 'vdi', 'parallels', 'raw'],
  );
  for (const { name, info, open } of imageFormats) assert.equal(info === undefined, open === undefined, name);
});

test('probing fails on no bytes, and what bears no mark is raw', () => {
  const random = new Random(1);
  for (const size of [0, 1, 3, 7, 8, 63, 64, 67, 511, 512, 513, 4096]) {
    const bytes = Uint8Array.from({ length: size }, () => random.next() * 256);
    for (const format of imageFormats)
      assert.equal(format.probe(new MemoryDisk(bytes)), format.name === 'raw');
  }
});

test('raw images have the size of whole sectors, filled up with zeroes', () => {
  const path = join(directory, 'odd.raw');
  writeFileSync(path, Buffer.alloc(1000, 1));
  const { disk, info } = openImage(path);
  assert.equal(info.virtualSizeInBytes, 1024);
  const bytes = readAll(disk);
  disk.close();
  assert.equal(bytes.length, 1024);
  assert.equal(bytes[999], 1);
  assert.equal(bytes[1000], 0);
});

test('a raw image opened for writing is changed itself, and only then', () => {
  const path = join(directory, 'write.raw');
  writeFileSync(path, Buffer.alloc(2048));
  const { disk } = openImage(path, { writable: true });
  disk.write(Uint8Array.of(9), 700);
  disk.close();
  assert.equal(readFileSync(path)[700], 9);
  const { disk: reader } = openImage(path);
  assert.equal(reader.writable, false);
  assert.throws(() => reader.write(Uint8Array.of(8), 700), { code: 'EROFS' });
  reader.close();
  const overlay = new OverlayDisk(openImage(path).disk, { directory });
  overlay.write(Uint8Array.of(8), 700);
  assert.equal(readAll(overlay)[700], 8);
  overlay.close();
  assert.equal(readFileSync(path)[700], 9);
});

test('a format that does not exist is EINVAL, one that is not this file’s is corrupt', () => {
  const path = join(directory, 'plain.raw');
  writeFileSync(path, Buffer.alloc(2048));
  assert.throws(() => openImage(path, { format: 'no-such' }), { code: 'EINVAL' });
  assert.throws(() => openImage(path, { format: 'qcow2' }), { name: 'CorruptError' });
  assert.throws(() => openImage(path, { format: 'dmg' }), { code: 'ENOTSUP' });
  assert.throws(() => openImage(join(directory, 'none')), { code: 'ENOENT' });
});

test('the header is read without opening what it names', () => {
  const path = join(directory, 'over-raw.qcow2');
  writeFileSync(path, fixtureBytes('over-raw.qcow2'));
  const info = readImageInfo(path);
  assert.equal(info.backingFile, 'base.raw');
  assert.throws(() => openImage(path), { code: 'ENOENT' });
});
