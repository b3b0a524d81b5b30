/** Filesystems and containers that are recognised: made by their own tools, as blkid sees them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Disk, MemoryDisk, type Probed } from '../../../src/disk/index.js';
import { recognise } from '../../../src/engine/session/recognition.js';
import { iso9660 } from '../../../src/fs/iso9660/index.js';
import { containers, signatures } from '../../../src/fs/signatures/index.js';
import { lvm2 } from '../../../src/volume/index.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { asBlkid, decodeExport } from '../support/blkid.js';
import { bytesOf, diskOf, type ToldPieces } from '../support/pieces.js';

const images = readFixtureJson<Record<string, ToldPieces>>('signatures/signatures.json.gz');

const all = [lvm2.kind, ...containers, ...signatures];

/** What all that know a disk say of it. */
const probeAll = (disk: Disk): Probed[] => all.flatMap((kind) => kind.probe(disk) ?? []);

/** Discs that are made to be two things. */
const doubles: Readonly<Record<string, readonly string[]>> = { udf: ['iso9660'] };

describe('each image is what blkid tells, and nothing else', () => {
  for (const [name, told] of Object.entries(images)) {
    test(name, () => {
      const { seen } = recognise(diskOf(told));
      const [first, ...others] = seen.map(({ kind }) => kind.name);
      assert.deepEqual(others, doubles[name] ?? [], first);
      const blkid = Object.fromEntries(
        Object.entries(told.blkid)
          .filter(([fact]) => !fact.startsWith('PT'))
          .map(([fact, value]) => [fact, decodeExport(value)]),
      );
      assert.deepEqual(asBlkid(seen[0]?.probed), blkid);
    });
  }
});

test('every kind that a tool here can make is among the images', () => {
  const kinds = new Set(Object.values(images).map(({ blkid }) => blkid.TYPE));
  for (const kind of [
    'xfs',
    'btrfs',
    'ntfs',
    'exfat',
    'f2fs',
    'squashfs',
    'cramfs',
    'minix',
    'udf',
    'crypto_LUKS',
  ]) {
    assert.ok(kinds.has(kind), kind);
  }
  for (const kind of ['linux_raid_member', 'LVM2_member']) assert.ok(kinds.has(kind), kind);
});

test('a disc that is UDF and ISO 9660 is found by both, of which UDF is asked first', () => {
  const told = images.udf;
  assert.ok(told);
  assert.equal(iso9660.probe(diskOf(told))?.type, 'iso9660');
  assert.equal(probeAll(diskOf(told))[0]?.type, 'udf');
});

test('none of them can be opened, and each is known by its type', () => {
  for (const driver of signatures) {
    assert.equal(driver.open, undefined);
    assert.deepEqual(driver.types, [driver.name]);
  }
  for (const kind of containers) assert.equal('assemble' in kind || 'unlock' in kind, false, kind.name);
  assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
});

test("LUKS2's second header is found when the first is gone", () => {
  const told = images.luks2;
  assert.ok(told);
  const image = bytesOf(told);
  image.fill(0, 0, 4096);
  assert.deepEqual(asBlkid(probeAll(new MemoryDisk(image))[0]), asBlkid(probeAll(diskOf(told))[0]));
});

test('an LVM label with a wrong checksum, or in another sector than it says, is none', () => {
  const told = images.lvm;
  assert.ok(told);
  const image = bytesOf(told);
  const at = image.indexOf('LABELONE');
  const moved = Buffer.from(image);
  image.copyWithin(at === 0 ? 512 : 0, at, at + 512);
  image.fill(0, at, at + 512);
  assert.deepEqual(probeAll(new MemoryDisk(image)), []);
  moved.writeUInt8(moved.readUInt8(at + 40) ^ 1, at + 40);
  assert.deepEqual(probeAll(new MemoryDisk(moved)), []);
});

test('images cut short anywhere are survived', () => {
  for (const told of Object.values(images)) {
    const start = bytesOf({
      ...told,
      size: 256 * 1024,
      pieces: told.pieces.filter((one) => one.offset < 100_000),
    });
    for (const length of [
      0, 1, 100, 511, 512, 1024, 1060, 2048, 4096, 8192, 32_768, 32_775, 65_536, 65_700, 66_000,
    ]) {
      probeAll(new MemoryDisk(start.subarray(0, length)));
    }
  }
});

test('zeroes and random bytes are nothing', () => {
  assert.deepEqual(probeAll(new MemoryDisk(new Uint8Array(2 ** 20))), []);
  const random = new Random(11);
  for (let i = 0; i < 40; i++) {
    assert.deepEqual(
      probeAll(new MemoryDisk(Uint8Array.from({ length: 70_000 }, () => random.below(256)))),
      [],
    );
  }
});

test('random damage never makes a probe throw', () => {
  const random = new Random(13);
  const end = performance.now() + 1000;
  const all = Object.values(images).map((told) =>
    bytesOf({
      size: Math.min(told.size, 2 ** 21),
      pieces: told.pieces.filter((one) => one.offset < 2 ** 20),
    }),
  );
  let runs = 0;
  while (performance.now() < end) {
    const image = all[random.below(all.length)];
    assert.ok(image);
    const kept: [number, number][] = [];
    const near = [0, 512, 1024, 4096, 32_768, 65_536, 131_072][random.below(7)] ?? 0;
    for (let i = 1 + random.below(12); i > 0; i--) {
      const at = near + random.below(600);
      kept.push([at, image[at] ?? 0]);
      image[at] = [0, 1, 0x7f, 0x80, 0xff, random.below(256)][random.below(6)] ?? 0;
    }
    probeAll(new MemoryDisk(image));
    for (const [at, value] of kept.reverse()) image[at] = value;
    runs++;
  }
  assert.ok(runs > 10);
});
