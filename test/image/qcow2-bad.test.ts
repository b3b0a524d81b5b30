/** Damaged and hostile qcow2 images: only CorruptError and UnsupportedError, soon, and in little memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError, UnsupportedError } from '../../src/base/index.js';
import { MemoryDisk, setDecoderHelpers } from '../../src/disk/index.js';
import { qcow2Layout } from '../../src/formats/index.js';
import { qcow2 } from '../../src/image/qcow2/index.js';
import { Random } from '../support/random.js';
import { below, type Outcome, tryImage } from './conformance.js';
import { damagedImages, fixtureBytes } from './fixtures.js';

const { header, header3, snapshotHeader } = qcow2Layout;

setDecoderHelpers(0);

const tryOut = (bytes: Uint8Array, snapshot?: string): Outcome =>
  tryImage(qcow2, new MemoryDisk(bytes), snapshot);

/** A copy with changes: big-endian numbers by offset. */
function changed(bytes: Uint8Array, changes: readonly [at: number, length: 4 | 8, value: bigint][]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [at, length, value] of changes) {
    if (length === 8) copy.writeBigUInt64BE(value, at);
    else copy.writeUInt32BE(Number(value), at);
  }
  return copy;
}

const images = damagedImages.map((name) => [name, fixtureBytes(name)] as const);
const v3 = fixtureBytes('v3.qcow2');
const l1At = Number(Buffer.from(v3).readBigUInt64BE(40));
const l2At = Number(Buffer.from(v3).readBigUInt64BE(l1At) & 0x00ff_ffff_ffff_fe00n);

test('images cut off at any place are corrupt, or read as zeroes where qemu reads zeroes', () => {
  for (const [name, bytes] of images) {
    for (let size = 0; size <= 200; size++) {
      assert.ok(tryOut(bytes.subarray(0, size)).error, `${name} with ${size} bytes`);
    }
    for (
      let size = 512;
      size < bytes.length;
      size += Math.max(512, Math.floor(bytes.length / 60 / 512) * 512)
    ) {
      tryOut(bytes.subarray(0, size));
    }
  }
});

test('a file that ends within its last cluster reads as zeroes from there', () => {
  const full = qcow2.open(new MemoryDisk(v3), { openNamed: () => below, warn: () => {} });
  const cut = qcow2.open(new MemoryDisk(v3.subarray(0, v3.length - 1000)), {
    openNamed: () => below,
    warn: () => {},
  });
  const one = new Uint8Array(full.size);
  const other = new Uint8Array(full.size);
  full.read(one, 0);
  cut.read(other, 0);
  const differing = one.reduce((count, byte, at) => count + (byte === other[at] ? 0 : 1), 0);
  assert.ok(differing <= 1000);
  assert.ok(one.every((byte, at) => byte === other[at] || other[at] === 0));
});

test('every field of the header at zero, at one, and at its maximum', () => {
  for (const [name, bytes] of images) {
    for (const [field, { at, length }] of [
      ...Object.entries(header.fields),
      ...Object.entries(header3.fields),
    ]) {
      const most = 2n ** BigInt(8 * length) - 1n;
      for (const value of [0n, 1n, most, most >> 1n, most >> 8n, (most >> 12n) << 9n]) {
        const { error } = tryOut(changed(bytes, [[at, length as 4 | 8, value]]));
        if (field === 'magic' || (field === 'cluster_bits' && value !== 1n && value > 21n)) {
          assert.ok(error, `${name}: ${field} = ${value}`);
        }
      }
    }
  }
});

test('a header with an impossible field says which', () => {
  const cases: [string, [number, 4 | 8, bigint][], RegExp][] = [
    ['cluster bits', [[20, 4, 22n]], /cluster size/],
    ['cluster bits', [[20, 4, 8n]], /cluster size/],
    ['version', [[4, 4, 4n]], /version 4/],
    ['L1 table offset', [[40, 8, BigInt(l1At + 512)]], /not aligned/],
    ['L1 table offset', [[40, 8, 1n << 40n]], /outside the file/],
    ['L1 table size', [[36, 4, 0n]], /too small/],
    ['L1 table size', [[36, 4, 0xffff_ffffn]], /32 MiB/],
    ['disk size', [[24, 8, 1n << 62n]], /2\^53/],
    ['disk size', [[24, 8, 1n << 50n]], /too small/],
    [
      'backing name',
      [
        [8, 8, 0x200n],
        [16, 4, 1024n],
      ],
      /does not fit/,
    ],
    [
      'backing name',
      [
        [8, 8, 0x20000n],
        [16, 4, 10n],
      ],
      /outside the first cluster/,
    ],
    ['header length', [[100, 4, 50n]], /length/],
    ['refcount order', [[96, 4, 7n]], /64 bits/],
    ['encryption', [[32, 4, 3n]], /encryption method 3/],
    ['snapshots', [[60, 4, 70000n]], /too many/],
    [
      'snapshots',
      [
        [60, 4, 1n],
        [64, 8, 100n],
      ],
      /aligned/,
    ],
    [
      'snapshots',
      [
        [60, 4, 1n],
        [64, 8, 1n << 30n],
      ],
      /past its room/,
    ],
    ['compression type', [[72, 8, 8n]], /feature bit denies/],
  ];
  for (const [what, changes, wanted] of cases) {
    const { error } = tryOut(changed(v3, changes));
    assert.match(error?.message ?? 'none', wanted, what);
  }
});

test('unknown incompatible features are refused by the names that the image has for them', () => {
  const named = Buffer.from(v3);
  const table = named.indexOf('dirty bit') - 2;
  named.writeUInt8(0, table);
  named.writeUInt8(40, table + 1);
  named.fill(0, table + 2, table + 48);
  named.write('frobnication', table + 2);
  const { error } = tryOut(changed(named, [[72, 8, (1n << 40n) | (1n << 41n)]]));
  assert.ok(error instanceof UnsupportedError);
  assert.deepEqual(error.features, ['frobnication', 'incompatible feature bit 41']);
});

test('compatible and autoclear features that are unknown do not matter', () => {
  const { error } = tryOut(
    changed(v3, [
      [80, 8, 1n << 60n],
      [88, 8, 1n << 60n],
    ]),
  );
  assert.equal(error, undefined);
});

test('an image marked corrupt is read with a warning', () => {
  const { error, warnings } = tryOut(changed(v3, [[72, 8, 2n]]));
  assert.equal(error, undefined);
  assert.match(warnings.join(), /marked corrupt/);
});

test('tables that lie outside, awry, or on top of each other give errors or wrong bytes, never a loop', () => {
  const wrong: [string, [number, 4 | 8, bigint][], boolean][] = [
    ['L1 to L1', [[l1At, 8, BigInt(l1At)]], false],
    ['L1 to the header', [[l1At, 8, 1n << 63n]], false],
    ['L1 unaligned', [[l1At, 8, BigInt(l2At + 512)]], true],
    ['L1 outside', [[l1At, 8, 1n << 50n]], true],
    ['L2 to itself', [[l2At, 8, BigInt(l2At)]], false],
    ['L2 unaligned', [[l2At, 8, BigInt(l2At + 512)]], true],
    ['compressed outside', [[l2At, 8, (1n << 62n) | (1n << 45n)]], true],
    ['compressed from the header', [[l2At, 8, 1n << 62n]], true],
    ['compressed from itself', [[l2At, 8, (1n << 62n) | BigInt(l2At)]], true],
    ['compressed, most sectors', [[l2At, 8, 0x7fff_ffff_ffff_ffffn]], true],
  ];
  for (const [what, changes, fails] of wrong) {
    const { error } = tryOut(changed(v3, changes));
    assert.equal(error instanceof CorruptError, fails, `${what}: ${error?.message}`);
  }
  // Past the end, data are zeroes, as for qemu.
  assert.equal(tryOut(changed(v3, [[l2At, 8, 1n << 50n]])).error, undefined);
});

test('a zero cluster in version 2, and a subcluster both stored and zero, are corrupt', () => {
  const v2 = Buffer.from(fixtureBytes('v2.qcow2'));
  const l2 = Number(v2.readBigUInt64BE(Number(v2.readBigUInt64BE(40))) & 0x00ff_ffff_ffff_fe00n);
  assert.match(tryOut(changed(v2, [[l2, 8, 1n]])).error?.message ?? '', /version 2/);
  const sub = Buffer.from(fixtureBytes('sub16k.qcow2'));
  const subL2 = Number(sub.readBigUInt64BE(Number(sub.readBigUInt64BE(40))) & 0x00ff_ffff_ffff_fe00n);
  assert.match(
    tryOut(changed(sub, [[subL2 + 8, 8, 0x0000_0001_0000_0001n]])).error?.message ?? '',
    /subcluster/,
  );
  assert.match(
    tryOut(
      changed(sub, [
        [subL2, 8, 0n],
        [subL2 + 8, 8, 1n],
      ]),
    ).error?.message ?? '',
    /subcluster/,
  );
});

test('every field of a snapshot at zero and at its maximum', () => {
  const bytes = fixtureBytes('snapshots.qcow2');
  const table = Number(Buffer.from(bytes).readBigUInt64BE(64));
  for (const { at, length } of Object.values(snapshotHeader.fields)) {
    for (const fill of [0, 0xff, 0x7f]) {
      const copy = Buffer.from(bytes);
      copy.fill(fill, table + at, table + at + length);
      tryOut(copy);
      tryOut(copy, 'first');
    }
  }
});

test('a disk of petabytes whose tables are all the same table is told in parts', () => {
  // 2 MiB clusters; one L2 table of zero clusters, to which 1,024 L1 entries point: 2^50 bytes, none of them stored.
  const size = 8 * 1024 * 1024;
  const image = Buffer.alloc(size);
  const cluster = 2 * 1024 * 1024;
  Buffer.from(v3).copy(image, 0, 0, 112);
  image.writeUInt32BE(21, 20);
  image.writeBigUInt64BE(2n ** 49n, 24);
  image.writeUInt32BE(1024, 36);
  image.writeBigUInt64BE(BigInt(cluster), 40);
  for (let i = 0; i < 1024; i++) image.writeBigUInt64BE(BigInt(2 * cluster), cluster + i * 8);
  for (let i = 0; i < cluster; i += 8) image[2 * cluster + i + 7] = 1;
  const disk = qcow2.open(new MemoryDisk(image), { openNamed: () => below, warn: () => {} });
  const started = performance.now();
  const span = disk.span(0, disk.size);
  assert.equal(span.hole, true);
  assert.ok(span.length < disk.size);
  assert.ok(performance.now() - started < 2000);
});

test('random bytes behind a valid magic', () => {
  const random = new Random(11);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(Array.from({ length: 4096 }, () => random.next() * 256));
    bytes.writeUInt32BE(0x514649fb, 0);
    bytes.writeUInt32BE(round % 2 === 0 ? 2 : 3, 4);
    if (round % 3 === 0) bytes.writeUInt32BE(9 + (round % 13), 20);
    tryOut(bytes);
  }
});

/** A disk in memory that counts how often and how much is read of it. */
class CountingDisk extends MemoryDisk {
  reads = 0;
  bytes = 0;

  override read(into: Uint8Array, offset: number): void {
    this.reads++;
    this.bytes += into.length;
    super.read(into, offset);
  }
}

test('the header is told with a bound on what is read, whatever the image claims', () => {
  // 65,536 snapshots with names of 500 undecodable bytes, and a first cluster of 2 MiB full of extensions.
  const table = 4 * 1024 * 1024;
  const image = Buffer.alloc(table + 65536 * 544);
  Buffer.from(v3).copy(image, 0, 0, 112);
  image.writeUInt32BE(21, 20);
  image.writeUInt32BE(65536, 60);
  image.writeBigUInt64BE(BigInt(table), 64);
  for (let at = table; at < image.length; at += 544) {
    image.writeUInt16BE(500, at + 14);
    image.fill(0xff, at + 40, at + 540);
  }
  const plain = new CountingDisk(image);
  assert.equal(qcow2.info(plain).snapshotCount, 65536);
  assert.ok(plain.reads < 200 && plain.bytes < 64 * 1024, `${plain.reads} reads of ${plain.bytes} bytes`);

  const first = new CountingDisk(image);
  for (const { name } of qcow2.snapshots?.(first) ?? []) {
    assert.equal(name.length, 500);
    break;
  }
  assert.ok(first.bytes < 64 * 1024, 'only the snapshots that are asked for are read');

  for (let at = 112; at < 2 * 1024 * 1024; at += 8) image.writeUInt32BE(0x12345678, at);
  const crowded = new CountingDisk(image);
  assert.throws(() => qcow2.info(crowded), /too many extensions/);
  assert.ok(crowded.reads < 200 && crowded.bytes < 64 * 1024);

  image.writeUInt32BE(0x44415441, 112);
  image.writeUInt32BE(1024 * 1024, 116);
  const named = new CountingDisk(image);
  assert.throws(() => qcow2.info(named), /too long for a name/);
  assert.ok(named.bytes < 64 * 1024);
});
