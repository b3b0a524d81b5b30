/** Files, caches, paddings and mapped disks: each layer changes only what differs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { CorruptError } from '../../src/base/index.js';
import { FileDisk } from '../../src/disk/host/index.js';
import { CachedDisk, MappedDisk, type Mapping, MemoryDisk, PaddedDisk } from '../../src/disk/index.js';
import { readAll } from '../support/gaits.js';
import { noise, Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { WatchedDisk } from './support.js';

const directory = scratchDirectory();

test('a file is read and written at any place, and its end is kept', () => {
  const path = join(directory, 'file');
  const bytes = noise(10_000);
  writeFileSync(path, bytes);
  const file = new FileDisk(path, { writable: true });
  assert.ok(Buffer.compare(readAll(file, 777), bytes) === 0);
  file.write(Uint8Array.of(1, 2, 3), 9997);
  assert.throws(() => file.write(Uint8Array.of(1), 10_000), { code: 'ENOSPC' });
  assert.throws(() => file.read(new Uint8Array(1), 10_000), { name: 'CorruptError' });
  assert.throws(() => file.read(new Uint8Array(1), -1), { name: 'CorruptError' });
  assert.throws(() => file.read(new Uint8Array(1), Number.NaN), { name: 'CorruptError' });
  file.flush();
  file.close();
  file.close();
  assert.deepEqual([...readFileSync(path).subarray(9997)], [1, 2, 3]);
});

test('what is no file or block device is refused at once, by a fitting error', () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  mkdirSync(join(directory, 'folder'));
  assert.throws(() => new FileDisk(pipe), { code: 'EINVAL', message: /not a regular file/ });
  assert.throws(() => new FileDisk(join(directory, 'folder')), { code: 'EISDIR' });
  assert.throws(() => new FileDisk('/dev/null'), { code: 'EINVAL' });
  assert.throws(() => new FileDisk(join(directory, 'none')), { code: 'ENOENT' });
  assert.throws(() => new FileDisk(join(directory, 'pipe', 'x')), { code: 'ENOTDIR' });
});

test('a file that was shortened while open is an EIO, not a wait', () => {
  const path = join(directory, 'shrinks');
  writeFileSync(path, noise(5000));
  const file = new FileDisk(path);
  writeFileSync(path, noise(100));
  assert.throws(() => file.read(new Uint8Array(200), 0), { code: 'EIO' });
  file.close();
});

test('a cache reads each block once and gives the same bytes', () => {
  const bytes = noise(100_001);
  const base = new WatchedDisk(bytes);
  const cache = new CachedDisk(base, { budget: 1024 * 1024, blockSize: 4096 });
  const random = new Random(3);
  for (let i = 0; i < 500; i++) {
    const length = Math.floor(random.next() * 2000);
    const offset = Math.floor(random.next() * (bytes.length - length));
    const part = new Uint8Array(length);
    cache.read(part, offset);
    assert.ok(Buffer.compare(part, bytes.subarray(offset, offset + length)) === 0);
  }
  assert.ok(base.reads.length <= Math.ceil(bytes.length / 4096));
});

test('a cache keeps to its budget, forgetting what was unused for longest', () => {
  const base = new WatchedDisk(noise(40_960));
  const cache = new CachedDisk(base, { budget: 3 * 4096, blockSize: 4096 });
  const one = new Uint8Array(1);
  for (const block of [0, 1, 2, 0, 3, 0, 2]) cache.read(one, block * 4096);
  assert.equal(base.reads.length, 4); // 0 and 2 were still there, 1 made room for 3
  cache.read(one, 4096);
  assert.equal(base.reads.length, 5);
});

test('a large read passes the cache by and throws nothing out', () => {
  const base = new WatchedDisk(noise(1_000_000));
  const cache = new CachedDisk(base, { budget: 8 * 4096, blockSize: 4096 });
  const few = new Uint8Array(10);
  cache.read(few, 0);
  readAll(cache);
  assert.deepEqual(base.reads[1], { offset: 0, length: 1_000_000 });
  cache.read(few, 5);
  assert.equal(base.reads.length, 2);
});

test('a write goes through a cache and is seen by the next read, also when it fails', () => {
  const base = new WatchedDisk(new Uint8Array(100_000));
  const cache = new CachedDisk(base, { budget: 8 * 4096, blockSize: 4096 });
  const part = new Uint8Array(100);
  cache.read(part, 4090);
  cache.write(new Uint8Array(50).fill(9), 4090);
  assert.equal(base.writes.length, 1);
  cache.read(part, 4090);
  assert.deepEqual([...part.subarray(0, 51)], [...new Array(50).fill(9), 0]);
  cache.write(new Uint8Array(90_000).fill(5), 0);
  cache.read(part, 4090);
  assert.ok(part.every((byte) => byte === 5));
});

test('a cache gives what can be read beside what cannot', () => {
  const disk = new MappedDisk(
    8192,
    (offset): Mapping => {
      if (offset >= 1000) throw new CorruptError('test', 'is broken here');
      return { kind: 'hole', length: 1000 - offset };
    },
    { name: 'half broken' },
  );
  const cache = new CachedDisk(disk, { blockSize: 4096 });
  cache.read(new Uint8Array(500), 100);
  assert.throws(() => cache.read(new Uint8Array(500), 900), { name: 'CorruptError' });
});

test('a padded disk goes on with zeroes that cannot be written', () => {
  const disk = new PaddedDisk(new WatchedDisk(noise(1000)), 1500);
  assert.ok(
    readAll(disk, 300)
      .subarray(1000)
      .every((byte) => byte === 0),
  );
  assert.ok(Buffer.compare(readAll(disk, 300).subarray(0, 1000), noise(1000)) === 0);
  assert.deepEqual(disk.span(900, 600), { length: 100, hole: false });
  assert.deepEqual(disk.span(1000, 500), { length: 500, hole: true });
  assert.throws(() => disk.write(new Uint8Array(2), 999), { code: 'ENOSPC' });
  disk.write(new Uint8Array(1), 999);
  const into = new Uint8Array(600).fill(7);
  disk.read(into, 900);
  assert.ok(into.subarray(100).every((byte) => byte === 0));
});

test('pieces that follow each other on one disk are one read', () => {
  const base = new WatchedDisk(noise(64 * 1024));
  const disk = new MappedDisk(
    64 * 1024,
    (offset): Mapping =>
      offset === 32768
        ? { kind: 'hole', length: 1024 }
        : { kind: 'data', length: 1024 - (offset % 1024), disk: base, offset },
    { name: 'pieces' },
  );
  const bytes = readAll(disk);
  assert.deepEqual(base.reads, [
    { offset: 0, length: 32768 },
    { offset: 33792, length: 31744 },
  ]);
  const model = noise(64 * 1024);
  model.fill(0, 32768, 33792);
  assert.ok(Buffer.compare(bytes, model) === 0);
  assert.deepEqual(disk.span(0, 65536), { length: 32768, hole: false });
  assert.deepEqual(disk.span(32768, 1024), { length: 1024, hole: true });
});

test('a mapped disk asks the disk below where its holes are', () => {
  const base = new WatchedDisk(new Uint8Array(8192), (offset, length) =>
    offset < 4096
      ? { length: Math.min(length, 4096 - offset), hole: true }
      : { length: Math.min(length, 8192 - offset), hole: false },
  );
  const disk = new MappedDisk(
    8192,
    (offset): Mapping => ({ kind: 'data', length: 8192 - offset, disk: base, offset }),
    {
      name: 'through',
    },
  );
  assert.deepEqual(disk.span(0, 8192), { length: 4096, hole: true });
  assert.deepEqual(disk.span(4096, 4096), { length: 4096, hole: false });
});

test('a compressed unit that small reads come back to is decoded once, and within its budget', () => {
  const plain = noise(4096);
  const packed = deflateRawSync(plain);
  const base = new WatchedDisk(packed);
  const lookup = (offset: number): Mapping => {
    const index = Math.floor(offset / 4096);
    const unit = {
      key: `${index}`,
      codec: 'deflate',
      disk: base,
      offset: 0,
      size: packed.length,
      decodedSize: 4096,
    } as const;
    return { kind: 'encoded', length: 4096 - (offset % 4096), unit, skip: offset % 4096 };
  };
  const disk = new MappedDisk(16 * 4096, lookup, { name: 'packed', keepBytes: 2 * 4096 });
  const part = new Uint8Array(100);
  for (const offset of [0, 1000, 4000, 3900]) {
    disk.read(part, offset);
    assert.ok(
      Buffer.compare(part.subarray(0, 90), Buffer.concat([plain, plain]).subarray(offset, offset + 90)) === 0,
    );
  }
  assert.equal(base.reads.length, 2); // 4000 to 4100 reaches into a second unit
  for (const unit of [2, 3, 4]) disk.read(part, unit * 4096);
  disk.read(part, 0);
  assert.equal(base.reads.length, 6);
});

test('a mapping of no bytes is corrupt, not an endless loop', () => {
  const disk = new MappedDisk(4096, () => ({ kind: 'hole', length: 0 }), { name: 'nothing' });
  assert.throws(() => disk.read(new Uint8Array(10), 0), { name: 'CorruptError' });
  assert.throws(() => disk.span(0, 10), { name: 'CorruptError' });
});

test('writes go to data pieces and are refused where nothing is', () => {
  const base = new MemoryDisk(new Uint8Array(4096), { writable: true });
  const disk = new MappedDisk(
    8192,
    (offset): Mapping =>
      offset < 4096
        ? { kind: 'data', length: 4096 - offset, disk: base, offset }
        : { kind: 'hole', length: 8192 - offset },
    { name: 'half', writable: true },
  );
  disk.write(Uint8Array.of(5), 100);
  assert.equal(readAll(base)[100], 5);
  assert.throws(() => disk.write(Uint8Array.of(5), 5000), { code: 'EROFS' });
});
