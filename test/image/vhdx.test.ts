/** VHDXs that qemu-img makes, and those that it cannot make or will not read: differences, 4096-byte sectors, logs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { crc32c } from '../../src/base/index.js';
import { vhdx } from '../../src/image/vhdx/index.js';
import { listPartitions, readPartitionTable } from '../../src/partition/index.js';
import { factsDirectory } from '../support/facts.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageInfo, readImageSummary } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { testImageConformance } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('vhdx');
const cases = readCases(directory);
const kib = 1024;
const mib = kib * kib;

testImageConformance({
  format: vhdx,
  directory,
  cases,
  compareFacts(info, told) {
    if (told['cluster-size'] !== undefined) assert.equal(info.facts['block-size'], told['cluster-size']);
    assert.equal(info.facts['log-to-replay'], /^D[0-9]D[0-9]D[0-9]D[0-9]-/.test(String(info.identity)));
  },
  damage: {
    images: ['dynamic.vhdx', 'chain-top.vhdx', 'sectors-4096.vhdx', 'log-in-line.vhdx'],
    places: () => [
      [64 * kib, 64 * kib + 128],
      [128 * kib, 128 * kib + 128],
      [192 * kib, 192 * kib + 128],
      [mib, mib + 32 * kib],
      [2 * mib, 2 * mib + 256],
      [2 * mib + 64 * kib, 2 * mib + 65 * kib],
      [3 * mib, 3 * mib + 256],
    ],
    milliseconds: 700,
  },
});

const original = (name: string): Buffer => readFileSync(join(directory, name));
const contentsOf = (image: string) => cases.find((of) => of.image === image)?.sha256;

/** Makes the checksum of a structure hold again. */
function seal(bytes: Buffer, at: number, length: number): void {
  bytes.writeUInt32LE(0, at + 4);
  bytes.writeUInt32LE(~crc32c(0xffff_ffff, bytes.subarray(at, at + length)) >>> 0, at + 4);
}

test('a log is replayed in memory: the reader hears of it, and the file stays as it is', () => {
  for (const name of [
    'log-one.vhdx',
    'log-in-line.vhdx',
    'log-around.vhdx',
    'log-stale.vhdx',
    'log-grows.vhdx',
  ]) {
    const path = join(directory, name);
    const before = sha256(readFileSync(path));
    const told: string[] = [];
    const { disk } = openImage(path, { warn: (message) => told.push(message) });
    assert.equal(sha256(readAll(disk)), contentsOf(name), name);
    disk.close();
    assert.match(told.join(), /its log is replayed in memory/);
    assert.equal(sha256(readFileSync(path)), before);
  }
});

test('a log without a valid sequence, or of a longer file, is an error and no empty disk', () => {
  const path = join(scratchDirectory(), 'x.vhdx');
  const bytes = original('log-one.vhdx');
  bytes.fill(0, mib + 4096, mib + 5000);
  writeFileSync(path, bytes);
  assert.throws(() => openImage(path), { name: 'CorruptError', message: /no valid sequence/ });
  writeFileSync(path, original('log-one.vhdx').subarray(0, 5 * mib));
  assert.throws(() => openImage(path), { name: 'CorruptError', message: /cut short/ });
});

test('of the two headers the newer valid one counts', () => {
  const path = join(scratchDirectory(), 'x.vhdx');
  const bytes = original('chain-base.vhdx');
  writeFileSync(path, bytes);
  assert.match(String(readImageInfo(path).identity), /^B0B0/);
  bytes.fill(0, 128 * kib, 128 * kib + 8);
  writeFileSync(path, bytes);
  assert.match(String(readImageInfo(path).identity), /^9999/);
  bytes.fill(0, 64 * kib, 64 * kib + 8);
  writeFileSync(path, bytes);
  assert.throws(() => readImageInfo(path), { name: 'CorruptError', message: /no valid copy/ });
});

test('the second table of regions stands in for a damaged first one', () => {
  const path = join(scratchDirectory(), 'x.vhdx');
  const bytes = original('dynamic.vhdx');
  bytes.fill(0, 192 * kib, 193 * kib);
  writeFileSync(path, bytes);
  const { disk } = openImage(path);
  assert.equal(sha256(readAll(disk)), contentsOf('dynamic.vhdx'));
  disk.close();
});

test('regions and metadata that must be understood are refused by their ids', () => {
  const path = join(scratchDirectory(), 'x.vhdx');
  const bytes = original('chain-base.vhdx');
  bytes.fill(0xab, 192 * kib + 16, 192 * kib + 32);
  bytes.fill(0, 256 * kib, 257 * kib);
  seal(bytes, 192 * kib, 64 * kib);
  writeFileSync(path, bytes);
  assert.throws(() => openImage(path), { name: 'UnsupportedError', message: /region ABABABAB-/ });
});

test('a parent that is missing, or that was written to since, is an error that names both', () => {
  const copy = scratchDirectory();
  for (const name of ['chain-base.vhdx', 'chain-middle.vhdx', 'chain-top.vhdx'])
    writeFileSync(join(copy, name), original(name));
  const top = join(copy, 'chain-top.vhdx');
  const base = original('chain-base.vhdx');
  base.fill(0xbd, 128 * kib + 32, 128 * kib + 48);
  seal(base, 128 * kib, 4096);
  writeFileSync(join(copy, 'chain-base.vhdx'), base);
  assert.throws(() => openImage(top), {
    name: 'CorruptError',
    message: /chain-middle\.vhdx.*‘chain-base\.vhdx’.*expected=B0B0B0B0-.*found=BDBDBDBD-/,
  });
  unlinkSync(join(copy, 'chain-base.vhdx'));
  assert.throws(() => openImage(top), {
    code: 'ENOENT',
    message: /‘chain-base\.vhdx’ of .*chain-middle\.vhdx/,
  });
  assert.equal(readImageSummary(top).hasBackingFile, true);
});

test('a block in a state that does not exist, or in part where there is no parent, is an error when it is read', () => {
  const path = join(scratchDirectory(), 'x.vhdx');
  for (const value of [4, 5, 7]) {
    const bytes = original('sectors-4096.vhdx');
    bytes.writeUInt32LE((bytes.readUInt32LE(3 * mib) & ~7) | value, 3 * mib);
    writeFileSync(path, bytes);
    const { disk } = openImage(path);
    assert.throws(() => readAll(disk), { name: 'CorruptError', message: /impossible state/ });
    disk.close();
  }
});

test('the sectors of the guest are those that the image tells', () => {
  const { disk, info } = openImage(join(directory, 'over-4096.vhdx'));
  assert.equal(disk.sectorSize, 4096);
  assert.equal(info.sectorSizeInBytes, 4096);
  disk.close();
});

/** Images of DiscUtils. */
const samples = join(factsDirectory, 'samples');
const sample = (name: string): { skip?: string } =>
  existsSync(join(samples, name)) ? needs('qemu-img') : { skip: `${samples}/${name} is not there` };

test(
  "DiscUtils's image with a log to replay is what qemu-img makes of it",
  sample('vhdx-log-replay.vhdx.gz'),
  () => {
    const work = scratchDirectory();
    const path = join(work, 'dirty.vhdx');
    writeFileSync(path, gunzipSync(readFileSync(join(samples, 'vhdx-log-replay.vhdx.gz'))));
    const { disk } = openImage(path);
    const table = readPartitionTable(disk, 512);
    assert.ok(table);
    assert.deepEqual(
      listPartitions(table).map(({ partStart, partSize }) => [partStart / 512, partSize / 512]),
      [
        [2048, 204_800],
        [206_848, 409_600],
      ],
    );
    const ours = readAll(disk, 16 * mib);
    disk.close();
    execFileSync('qemu-img', ['check', '-q', '-r', 'all', path], { env: toolEnvironment });
    const raw = join(work, 'raw');
    execFileSync('qemu-img', ['convert', '-O', 'raw', path, raw], { env: toolEnvironment });
    assert.equal(sha256(ours), sha256(readFileSync(raw)));
  },
);
