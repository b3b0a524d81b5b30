/** Checking, repairing and resizing: the answers of qemu-img, and images that it finds whole. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { qcow2Layout } from '../../src/formats/index.js';
import { checkDiskImage, resizeDiskImage } from '../../src/image/index.js';
import { node } from '../../src/platform/index.js';
import { openImage } from '../support/host-images.js';
import { noise } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs } from '../support/tools.js';
import { crashDataFile, crashResizing, resizings } from './qcow2-crashes.js';
import { assertClean, assertSame, bytesByQemu, patchwork, qemuImg, writeRaw } from './qcow2-writing.js';

const { header3, incompatible } = qcow2Layout;
const directory = scratchDirectory();
const path = join(directory, 'image.qcow2');
const raw = join(directory, 'raw');
const mebibyte = 1024 * 1024;

/** What qemu-img says: its status, and how much it found. */
function byQemu(): { corruptions: number; leaks: number } {
  const { stdout } = spawnSync('qemu-img', ['check', '--output=json', '-f', 'qcow2', path], {
    encoding: 'utf8',
  });
  const { corruptions = 0, leaks = 0 } = JSON.parse(stdout) as { corruptions?: number; leaks?: number };
  return { corruptions, leaks };
}

const check = (repair?: 'leaks' | 'all') => {
  const { corruptions, leaks } = checkDiskImage(node.origin(path), { repair });
  return { corruptions, leaks };
};

/** A compressed image with a snapshot, of which parts were written again. */
function make(options = 'cluster_size=4096'): Uint8Array {
  const model = patchwork(2 * mebibyte, 3);
  writeRaw(raw, model);
  qemuImg('convert', '-c', '-f', 'raw', '-O', 'qcow2', '-o', options, raw, path);
  qemuImg('snapshot', '-c', 'one', path);
  const { disk } = openImage(path, { writable: true });
  disk.write(noise(300_000, 8), 500_000);
  model.set(noise(300_000, 8), 500_000);
  disk.close();
  return model;
}

const at = (bytes: Buffer, offset: number): number =>
  Number(bytes.readBigUInt64BE(offset) & 0x00ff_ffff_ffff_fe00n);

/** What a test does to the bytes of an image, given where its tables are. */
const damages: Readonly<Record<string, (bytes: Buffer, l1: number, l2: number, block: number) => void>> = {
  nothing: () => {},
  'a leak': (bytes, _l1, _l2, block) => bytes.writeUInt16BE(1, block + 2 * (bytes.length / 4096 - 2)),
  'counts that are too high': (bytes, _l1, _l2, block) => {
    for (let index = 20; index < 30; index++) bytes.writeUInt16BE(7, block + 2 * index);
  },
  'counts that are too low': (bytes, _l1, _l2, block) => bytes.fill(0, block + 2 * 30, block + 2 * 50),
  'no counts at all': (bytes, _l1, _l2, block) => bytes.fill(0, block, block + 4096),
  'a flag of a table': (bytes, l1) => bytes.writeUInt8(bytes.readUInt8(l1) ^ 0x80, l1),
};

test('what is found is what qemu-img finds, and what is repaired is whole', needs('qemu-img'), () => {
  const model = make();
  // With room for what is lost.
  const end = Buffer.alloc(4 * 4096 - (statSync(path).size % 4096));
  const whole = Buffer.concat([readFileSync(path), end]);
  const l1 = at(whole, 40);
  const block = at(whole, at(whole, 48));
  for (const [name, damage] of Object.entries(damages)) {
    const bytes = Buffer.from(whole);
    damage(bytes, l1, at(bytes, l1), block);
    writeFileSync(path, bytes);
    const found = check();
    const { corruptions, leaks } = byQemu();
    assert.equal(found.leaks, leaks, name);
    assert.equal(found.corruptions > 0, corruptions > 0, `${name}: ${found.corruptions}, ${corruptions}`);
    assert.ok(readFileSync(path).equals(bytes), 'a check changes nothing');
    if (found.corruptions > 0) assert.throws(() => check('leaks'), { name: 'CorruptError' });
    else {
      assert.deepEqual(check('leaks'), { corruptions: 0, leaks: 0 }, name);
      writeFileSync(path, bytes);
    }
    assert.deepEqual(check('all'), { corruptions: 0, leaks: 0 }, name);
    assertClean(path, name);
    assertSame(bytesByQemu(directory, path), model, name);
  }
});

test('an image with two uses of one cluster is not repaired', needs('qemu-img'), () => {
  make('cluster_size=4096');
  const bytes = readFileSync(path);
  const l2 = at(bytes, at(bytes, 40));
  // A table that leads to itself.
  bytes.writeBigUInt64BE(BigInt(l2) | (1n << 63n) | 8n, l2 + 8);
  bytes.writeBigUInt64BE((1n << 63n) | BigInt(l2 + 512), l2 + 16);
  writeFileSync(path, bytes);
  assert.ok(check().corruptions > 0);
  assert.throws(() => check('all'), { name: 'CorruptError', message: /cannot be repaired/ });
  assert.ok(readFileSync(path).equals(bytes));
});

test(
  'an image that was not closed gets its counts anew when it is opened for writing',
  needs('qemu-img'),
  () => {
    for (const options of ['lazy_refcounts=on,cluster_size=512,refcount_bits=64', 'lazy_refcounts=on']) {
      qemuImg('create', '-q', '-f', 'qcow2', '-o', options, path, `${2 * mebibyte}`);
      const { disk: first } = openImage(path, { writable: true });
      first.write(noise(mebibyte), 5000);
      first.close();
      // As after a crash of qemu: the tables that map are there, the counts are not.
      const bytes = readFileSync(path);
      const table = at(bytes, 48);
      const clusterSize = 2 ** bytes.readUInt32BE(20);
      for (let entry = 1; entry < clusterSize / 8; entry++) bytes.writeBigUInt64BE(0n, table + 8 * entry);
      const block = at(bytes, table);
      bytes.fill(0, block + clusterSize / 2, block + clusterSize);
      const { incompatible_features } = header3.decode(bytes);
      header3.encode({ incompatible_features: incompatible_features | incompatible.dirty }, bytes);
      writeFileSync(path, bytes);
      const told: string[] = [];
      const { disk } = openImage(path, { writable: true, warn: (message) => told.push(message) });
      assert.match(told.join(), /counts were made anew/);
      const model = new Uint8Array(2 * mebibyte);
      model.set(noise(mebibyte), 5000);
      model.set(noise(5000, 2), 0);
      disk.write(noise(5000, 2), 0);
      disk.close();
      assertClean(path, options);
      assertSame(bytesByQemu(directory, path), model, options);
    }
  },
);

const resize = (size: number, shrink = false, policy: 'trusted' | 'untrusted' = 'untrusted') =>
  resizeDiskImage(node.origin(path, policy), () => size, { shrink });

test('a disk grows and shrinks, and what comes back is zero', needs('qemu-img'), () => {
  for (const options of [
    '',
    'cluster_size=512',
    'compat=0.10,cluster_size=1024',
    'extended_l2=on,cluster_size=16k',
    'refcount_bits=1,cluster_size=4096',
  ]) {
    qemuImg('create', '-q', '-f', 'qcow2', ...(options === '' ? [] : ['-o', options]), path, '100k');
    let model = new Uint8Array(100 * 1024);
    const fill = (seed: number): void => {
      const { disk } = openImage(path, { writable: true });
      disk.write(noise(50_000, seed), disk.size - 50_000);
      model.set(noise(50_000, seed), model.length - 50_000);
      disk.close();
    };
    fill(1);
    for (const size of [5 * mebibyte, 200 * 512, mebibyte, 300 * 512, 301 * 512, 3 * mebibyte]) {
      assert.deepEqual(resize(size, true), { before: model.length, after: size });
      const next = new Uint8Array(size);
      next.set(model.subarray(0, size));
      model = next;
      assertClean(path, `${options}, ${size}`);
      assertSame(bytesByQemu(directory, path), model, `${options}, ${size}`);
      fill(size % 97);
    }
    assertClean(path, options);
    assertSame(bytesByQemu(directory, path), model, options);
  }
});

test('over a longer backing file, what is added is zero', needs('qemu-img'), () => {
  writeRaw(raw, noise(600_000));
  for (const options of [
    'cluster_size=4096',
    'compat=0.10,cluster_size=4096',
    'extended_l2=on,cluster_size=64k',
  ]) {
    qemuImg('create', '-q', '-f', 'qcow2', '-o', options, '-b', raw, '-F', 'raw', path, '100352');
    resize(800 * 512);
    const model = new Uint8Array(800 * 512);
    model.set(noise(600_000).subarray(0, 100_352));
    assertClean(path, options);
    assertSame(bytesByQemu(directory, path), model, options);
  }
});

test('a size that is refused leaves the image as it is', needs('qemu-img'), () => {
  make();
  const bytes = readFileSync(path);
  for (const [size, shrink, code] of [
    [mebibyte, false, 'EINVAL'],
    [mebibyte, true, 'ENOTSUP'],
    [mebibyte * 3 + 1, false, 'EINVAL'],
    [2 ** 50, false, 'EFBIG'],
  ] as const) {
    assert.throws(() => resize(size, shrink), { code }, `${size}`);
    assert.ok(readFileSync(path).equals(bytes), `${size}`);
  }
});

test('a raw image grows and shrinks too', () => {
  writeFileSync(raw, noise(10_240));
  const origin = node.origin(raw);
  assert.deepEqual(
    resizeDiskImage(origin, (now) => now + 4096, { format: 'raw' }),
    {
      before: 10_240,
      after: 14_336,
    },
  );
  assert.throws(() => resizeDiskImage(origin, () => 512, { format: 'raw' }), { code: 'EINVAL' });
  resizeDiskImage(origin, () => 512, { format: 'raw', shrink: true });
  assert.ok(readFileSync(raw).equals(noise(512 * 20).subarray(0, 512)));
  assert.throws(() => checkDiskImage(origin), { code: 'ENOTSUP' });
});

test('a crash while the size changes leaves one size or the other', needs('qemu-img'), () => {
  for (const [from, to] of resizings) assert.deepEqual(crashResizing(from, to, { most: 150 }).wrong, []);
  assert.deepEqual(crashDataFile({ most: 150 }).wrong, []);
});
