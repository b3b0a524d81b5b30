/** Writing to qcow2 images of every kind that qemu-img makes: the same bytes by us and by qemu, and no leak. */
import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setDecoderHelpers } from '../../src/disk/index.js';
import { qcow2Layout } from '../../src/formats/index.js';
import { openImage } from '../support/host-images.js';
import { noise, Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs } from '../support/tools.js';
import {
  assertClean,
  assertHolds,
  assertSame,
  bytesByQemu,
  changeAtRandom,
  patchwork,
  qemuImg,
  writeRaw,
} from './qcow2-writing.js';

setDecoderHelpers(0);
const { header3 } = qcow2Layout;
const directory = scratchDirectory();
const path = join(directory, 'image.qcow2');

const mebibyte = 1024 * 1024;

interface Variant {
  readonly options: string;
  readonly sizeInBytes?: number;
  /** The size of a backing file, if there is one; its bytes are compressed if so said. */
  readonly backing?: number;
  readonly compressed?: boolean;
  /** The image begins with these bytes compressed. */
  readonly filled?: boolean;
  readonly rounds?: number;
}

const small = 3 * mebibyte + 512;
const variants: Readonly<Record<string, Variant>> = {
  usual: { options: '', sizeInBytes: 9 * mebibyte },
  'version 2': { options: 'compat=0.10,cluster_size=4096' },
  'version 2 over another': { options: 'compat=0.10,cluster_size=4096', backing: 2 * mebibyte },
  'clusters of 512 bytes': { options: 'cluster_size=512' },
  'clusters of 2 MiB': { options: 'cluster_size=2M', sizeInBytes: 17 * mebibyte, rounds: 60 },
  ...Object.fromEntries(
    [1, 2, 4, 8, 32, 64].map((width) => [
      `refcounts of ${width} bits`,
      { options: `cluster_size=512,refcount_bits=${width}` },
    ]),
  ),
  'lazy refcounts': { options: 'lazy_refcounts=on,cluster_size=4096' },
  'over another': { options: 'cluster_size=4096', backing: small },
  'over a shorter one': { options: 'cluster_size=16k', backing: mebibyte + 1536 },
  'over a compressed one': { options: 'cluster_size=65536', backing: small, compressed: true },
  compressed: { options: 'cluster_size=4096', filled: true },
  'compressed by zstd': { options: 'cluster_size=64k,compression_type=zstd', filled: true },
  subclusters: { options: 'extended_l2=on,cluster_size=16k' },
  'subclusters over another': { options: 'extended_l2=on,cluster_size=64k', backing: 2 * mebibyte + 4096 },
  'compressed, with subclusters': { options: 'extended_l2=on,cluster_size=16k', filled: true },
  'all allocated': { options: 'preallocation=metadata,cluster_size=4096' },
  'a data file': { options: `data_file=${join(directory, 'data')},cluster_size=4096` },
  'a raw data file': { options: `data_file=${join(directory, 'data')},data_file_raw=on,cluster_size=4096` },
  'a data file with subclusters': {
    options: `data_file=${join(directory, 'data')},extended_l2=on,cluster_size=16k`,
  },
};

/** Makes an image; returns what it holds. */
function make({
  options,
  sizeInBytes = small,
  backing,
  compressed = false,
  filled = false,
}: Variant): Uint8Array {
  const model = new Uint8Array(sizeInBytes);
  const raw = join(directory, 'raw');
  const all = options === '' ? [] : ['-o', options];
  if (filled) {
    model.set(patchwork(sizeInBytes, 5));
    writeRaw(raw, model);
    qemuImg('convert', '-c', '-f', 'raw', '-O', 'qcow2', ...all, raw, path);
  } else if (backing !== undefined) {
    const below = patchwork(backing, 6);
    writeRaw(raw, below);
    model.set(below.subarray(0, sizeInBytes));
    const format = compressed ? 'qcow2' : 'raw';
    const file = compressed ? join(directory, 'below.qcow2') : raw;
    if (compressed) qemuImg('convert', '-c', '-f', 'raw', '-O', 'qcow2', raw, file);
    qemuImg('create', '-q', '-f', 'qcow2', ...all, '-b', file, '-F', format, path, `${sizeInBytes}`);
  } else qemuImg('create', '-q', '-f', 'qcow2', ...all, path, `${sizeInBytes}`);
  return model;
}

const open = (writable = true) => openImage(path, { writable, format: 'qcow2', policy: 'trusted' });

for (const [name, variant] of Object.entries(variants))
  test(`what is written to an image is what qemu reads: ${name}`, needs('qemu-img'), () => {
    const model = make(variant);
    const random = new Random(name.length);
    for (let turn = 0; turn < 2; turn++) {
      const { disk } = open();
      assert.ok(disk.writable);
      changeAtRandom(disk, model, random, variant.rounds ?? 90, 200_000);
      assertHolds(disk, model, `turn ${turn}`);
      disk.close();
      assertClean(path, `turn ${turn}`);
    }
    assertSame(bytesByQemu(directory, path), model, 'by qemu');
    const again = open(false);
    assertHolds(again.disk, model, 'opened again');
    again.disk.close();
    if (name === 'a raw data file')
      assertSame(
        readFileSync(join(directory, 'data')).subarray(0, model.length),
        model,
        'the data file alone',
      );
  });

test('a snapshot keeps its bytes, whatever is written afterwards', needs('qemu-img'), () => {
  for (const options of [
    'cluster_size=4096',
    'cluster_size=512,refcount_bits=8',
    'extended_l2=on,cluster_size=16k',
    'compat=0.10',
  ]) {
    const model = make({ options, filled: true });
    qemuImg('snapshot', '-c', 'one', path);
    const one = model.slice();
    let { disk } = open();
    changeAtRandom(disk, model, new Random(5), 60, 100_000);
    disk.close();
    assertClean(path, options);
    qemuImg('snapshot', '-c', 'two', path);
    const two = model.slice();
    ({ disk } = open());
    changeAtRandom(disk, model, new Random(6), 60, 100_000);
    disk.close();
    assertClean(path, options);
    assertSame(bytesByQemu(directory, path, 'one'), one, `${options}: one`);
    assertSame(bytesByQemu(directory, path, 'two'), two, `${options}: two`);
    assertSame(bytesByQemu(directory, path), model, `${options}: now`);
    qemuImg('snapshot', '-d', 'one', path);
    assertClean(path, `${options}, one snapshot less`);
    ({ disk } = open());
    changeAtRandom(disk, model, new Random(7), 60, 100_000);
    disk.close();
    assertClean(path, `${options}, at the end`);
    assertSame(bytesByQemu(directory, path), model, `${options}: at the end`);
  }
});

const much = (seed: number): Uint8Array => Buffer.alloc(2 * mebibyte, noise(4099, seed));

test('discarding gives clusters back, which the next writes take', needs('qemu-img'), () => {
  make({ options: 'cluster_size=4096' });
  let { disk } = open();
  disk.write(much(0), 0);
  disk.flush();
  const { size } = statSync(path);
  for (let round = 0; round < 5; round++) {
    disk.zero(0, 2 * mebibyte, { discard: true });
    disk.flush();
    disk.write(much(round), 512 * 1024);
    disk.zero(512 * 1024, 2 * mebibyte, { discard: true });
    disk.flush();
    disk.write(much(round), 0);
    disk.flush();
  }
  assert.ok(statSync(path).size <= size + 64 * 1024, `${statSync(path).size} after ${size}`);
  disk.zero(0, disk.size, { discard: true });
  assert.equal(disk.span(0, disk.size).hole, true);
  disk.close();
  assertClean(path, 'discarded');
  ({ disk } = open(false));
  assertHolds(disk, new Uint8Array(small), 'all zero');
  disk.close();
});

test('a range with thousands of tables is zeroed in little memory', needs('qemu-img'), () => {
  const sizeInBytes = 160 * mebibyte;
  const raw = join(directory, 'sparse.raw');
  writeFileSync(raw, noise(1000));
  truncateSync(raw, sizeInBytes);
  qemuImg(
    'create',
    '-q',
    '-f',
    'qcow2',
    '-o',
    'cluster_size=512',
    '-b',
    raw,
    '-F',
    'raw',
    path,
    `${sizeInBytes}`,
  );
  const { disk } = open();
  disk.zero(0, sizeInBytes, { discard: true });
  assert.ok(statSync(path).size > 2 * mebibyte, 'tables are written as they come');
  const found = new Uint8Array(1000);
  disk.read(found, 0);
  assert.ok(found.every((byte) => byte === 0));
  disk.close();
  assertClean(path, 'zeroed');
});

test('tables are written once for many clusters', needs('qemu-img'), () => {
  make({ options: '', sizeInBytes: 256 * mebibyte });
  const { disk } = open();
  const bytes = noise(65_536);
  for (let at = 0; at < 64 * mebibyte; at += bytes.length) disk.write(bytes, at);
  disk.close();
  // One L2 table, one refcount block, beside what the new image had.
  assert.ok(statSync(path).size <= 64 * mebibyte + 6 * 65_536);
  assertClean(path, 'sequential');
});

test('what forbids writing is told by name, and the image stays as it is', needs('qemu-img'), () => {
  make({ options: 'cluster_size=4096' });
  const bytes = readFileSync(path);
  for (const [bit, code, message] of [
    [2n, 'EROFS', /marked corrupt/],
    [1n << 40n, 'ENOTSUP', /incompatible feature bit 40/],
  ] as const) {
    const changed = Buffer.from(bytes);
    header3.encode({ incompatible_features: bit }, changed);
    writeFileSync(path, changed);
    assert.throws(
      () => open(),
      (thrown: { code?: string; message: string }) => thrown.code === code && message.test(thrown.message),
    );
    assert.ok(readFileSync(path).equals(changed));
  }
});

test(
  'bits that are cleared by whoever does not know them are cleared, and other fields stay',
  needs('qemu-img'),
  () => {
    make({ options: 'cluster_size=4096' });
    const before = readFileSync(path);
    header3.encode(
      { autoclear_features: 0x8000_0000_0000_0005n, compatible_features: 1n | (1n << 50n) },
      before,
    );
    // An extension that nobody knows, in front of the feature names.
    const start = before.readUInt32BE(100);
    const known = Buffer.from(before.subarray(start, 2000));
    const moved = Buffer.concat([Buffer.from('1234567800000005', 'hex'), Buffer.from('hello\0\0\0'), known]);
    before.set(moved, start);
    writeFileSync(path, before);
    const { disk } = open();
    assert.ok(readFileSync(path).equals(before), 'opening changes nothing');
    disk.write(Uint8Array.of(1), 0);
    disk.close();
    const after = readFileSync(path);
    const { autoclear_features, compatible_features } = header3.decode(after);
    assert.equal(autoclear_features, 0n);
    assert.equal(compatible_features, 1n | (1n << 50n));
    assert.ok(after.subarray(104, 1500).equals(before.subarray(104, 1500)));
    assertClean(path, 'cleared');
  },
);

test('bitmaps that note writes are out of date afterwards, others are kept', needs('qemu-img'), () => {
  make({ options: 'cluster_size=4096' });
  qemuImg('bitmap', '--add', path, 'noting');
  qemuImg('bitmap', '--add', '--disable', path, 'resting');
  const told: string[] = [];
  const { disk } = openImage(path, { writable: true, warn: (message) => told.push(message) });
  disk.write(noise(10_000), 5000);
  disk.close();
  assertClean(path, 'with bitmaps');
  assert.match(told.join(), /out of date from now on: noting$/);
  const { bitmaps } = JSON.parse(qemuImg('info', '--output=json', path))['format-specific'].data;
  assert.deepEqual(
    bitmaps.map(({ name, flags }: { name: string; flags: string[] }) => [name, flags]),
    [
      ['noting', ['in-use', 'auto']],
      ['resting', []],
    ],
  );
});

test('a damaged image is not made worse: what would go over a table is refused', needs('qemu-img'), () => {
  const model = make({ options: 'cluster_size=4096', filled: true });
  const { disk: first } = open();
  first.write(model.subarray(0, 8192), 0);
  first.close();
  const bytes = readFileSync(path);
  const l1 = Number(bytes.readBigUInt64BE(40));
  const l2 = Number(bytes.readBigUInt64BE(l1) & 0x00ff_ffff_ffff_fe00n);
  for (const target of [0, l1, l2, Number(bytes.readBigUInt64BE(48))]) {
    if (target === 0) continue; // no entry leads there: 0 says that there is none
    const changed = Buffer.from(bytes);
    changed.writeBigUInt64BE(BigInt(target) | (1n << 63n), l2);
    writeFileSync(path, changed);
    const { disk } = open();
    assert.throws(() => disk.write(new Uint8Array(100), 0), {
      name: 'CorruptError',
      message: /holds a table/,
    });
    disk.close();
    assert.ok(readFileSync(path).equals(changed), `${target}`);
  }
  // Tables at the end of the world, which would take all memory to note down.
  for (const place of [l1, Number(bytes.readBigUInt64BE(48)), 48, 40]) {
    const changed = Buffer.from(bytes);
    changed.writeBigUInt64BE((1n << 54n) | (place === l1 ? 1n << 63n : 0n), place);
    writeFileSync(path, changed);
    assert.throws(() => open(), { name: 'CorruptError' }, `${place}`);
  }
  // A count of zero for what is used: nothing is placed there.
  const table = Number(bytes.readBigUInt64BE(48));
  const block = Number(bytes.readBigUInt64BE(table));
  const changed = Buffer.from(bytes);
  changed.fill(0, block, block + 4096);
  writeFileSync(path, changed);
  const { disk } = open();
  assert.throws(() => disk.write(new Uint8Array(100), mebibyte), { name: 'CorruptError' });
  disk.close();
});
