/**
 * Every stack of layers: a write reaches the bottom, a barrier reaches what was written to, and what is read-only
 * stays so.
 */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileDisk } from '../../src/disk/host/index.js';
import {
  CachedDisk,
  type Disk,
  MappedDisk,
  type Mapping,
  MemoryDisk,
  OverlayDisk,
  PaddedDisk,
  SliceDisk,
} from '../../src/disk/index.js';
import { raw } from '../../src/image/raw.js';
import { readPartitionTable } from '../../src/partition/index.js';
import { assemble } from '../../src/volume/lvm2/index.js';
import { readFixture } from '../support/fixtures.js';
import { readAll } from '../support/gaits.js';
import { noise } from '../support/random.js';
import { RecordingDisk } from '../support/recording-disk.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs } from '../support/tools.js';
import { thinDisk } from './thin.js';

/** Pieces of `size` bytes, the first from one column, the next from another, as in a striped volume. */
function striped(columns: readonly Disk[], size: number): Disk {
  const [first] = columns as [Disk];
  return new MappedDisk(
    first.size * columns.length,
    (offset): Mapping => {
      const stripe = Math.floor(offset / size);
      const within = offset % size;
      const disk = columns[stripe % columns.length] as Disk; // safe: a remainder of the length
      return {
        kind: 'data',
        length: size - within,
        disk,
        offset: Math.floor(stripe / columns.length) * size + within,
      };
    },
    { name: 'striped', writable: columns.every(({ writable }) => writable), sectorSize: first.sectorSize },
  );
}

/** The layers that pass writes on, as the engine stacks them and in every other order. */
const layers: Readonly<Record<string, (base: Disk) => Disk>> = {
  cache: (base) => new CachedDisk(base, { blockSize: 4096, budget: 16_384 }),
  partition: (base) => new SliceDisk(base, 1024, base.size - 4096),
  padding: (base) => new PaddedDisk(base, base.size + 512),
  linear: (base) =>
    new MappedDisk(
      base.size - 2048,
      (offset): Mapping =>
        offset < 8192
          ? { kind: 'data', length: 8192 - offset, disk: base, offset: offset + 2048 }
          : { kind: 'data', length: base.size, disk: base, offset: offset + 2048 },
      { name: 'linear', writable: base.writable, sectorSize: base.sectorSize },
    ),
  striped: (base) => {
    const half = Math.floor(base.size / 2 / 4096) * 4096;
    return striped([new SliceDisk(base, 0, half), new SliceDisk(base, half, half)], 4096);
  },
  thin: (base) => thinDisk(base).disk,
};
const names = Object.keys(layers);
const longer = (lists: readonly string[][]): string[][] =>
  lists.flatMap((list) => names.map((name) => [...list, name]));
const pairs = longer(longer([[]]));
/** Of none to three layers, the lowest first. */
const stacks: readonly (readonly string[])[] = [[], ...longer([[]]), ...pairs, ...longer(pairs)];

const size = 160 * 1024;
const before = noise(size);
const build = (stack: readonly string[], bottom: Disk): Disk =>
  stack.reduce((base, name) => (layers[name] as (disk: Disk) => Disk)(base), bottom); // safe: names of layers

test('a barrier reaches the bottom of every stack, behind what was written', () => {
  const bytes = noise(20_000, 2);
  assert.equal(stacks.length, 1 + 6 + 36 + 216);
  for (const stack of stacks) {
    const title = stack.join(' → ');
    const bottom = new RecordingDisk(before, { sectorSize: 4096 });
    const top = build(stack, bottom);
    const model = readAll(top);
    assert.equal(top.sectorSize, 4096, title);
    top.write(bytes, 3000);
    model.set(bytes, 3000);
    top.zero(10_000, 5000);
    model.fill(0, 10_000, 15_000);
    top.zero(20_000, 9000, { discard: true });
    model.fill(0, 20_000, 29_000);
    const written = bottom.log.length;
    assert.ok(written >= 2, title);
    assert.ok(
      bottom.log.every(({ kind }) => kind !== 'barrier'),
      title,
    );
    top.flush();
    assert.equal(bottom.log[written]?.kind, 'barrier', title);
    assert.ok(Buffer.compare(readAll(top), model) === 0, title);
    // Everything through the barrier is stored: no crash behind it can take any of it back.
    const { image } = bottom.crash(`end ${bottom.log.length}`);
    assert.ok(Buffer.compare(readAll(build(stack, image)), model) === 0, title);
  }
});

test('what is read-only at the bottom is so at the top of every stack', () => {
  for (const stack of stacks) {
    const title = stack.join(' → ');
    const bytes = before.slice();
    const top = build(stack, new MemoryDisk(bytes));
    assert.equal(top.writable, false, title);
    for (const refused of [
      () => top.checkWritable(0, 512),
      () => top.write(new Uint8Array(512), 0),
      () => top.zero(0, 512),
    ])
      assert.throws(refused, { code: 'EROFS' }, title);
    assert.ok(Buffer.compare(bytes, before) === 0, title);
  }
});

test('a write past the end of any stack is refused before its first byte', () => {
  for (const stack of stacks.filter((each) => !each.includes('padding'))) {
    const title = stack.join(' → ');
    const bottom = new RecordingDisk(before);
    const top = build(stack, bottom);
    for (const refused of [
      () => top.checkWritable(top.size - 100, 200),
      () => top.write(new Uint8Array(200), top.size - 100),
      () => top.zero(top.size - 100, 200),
      () => top.write(new Uint8Array(200), -1),
      () => top.write(new Uint8Array(200), Number.NaN),
    ])
      assert.throws(refused, { code: 'ENOSPC' }, title);
    assert.equal(bottom.log.length, 0, title);
  }
});

test('over an overlay nothing reaches the bottom, neither bytes nor a barrier', () => {
  for (const below of stacks.filter(({ length }) => length < 3))
    for (const above of stacks.filter(({ length }) => length < 2)) {
      const bottom = new RecordingDisk(before);
      const overlay = new OverlayDisk(build(below, bottom));
      const top = build(above, overlay);
      assert.ok(top.writable);
      top.write(noise(9000, 3), 5000);
      top.zero(6000, 100);
      top.flush();
      assert.equal(bottom.log.length, 0);
      overlay.close();
    }
});

test('a striped volume makes only the disks durable that it wrote to', () => {
  const disks = Array.from({ length: 3 }, () => new RecordingDisk(new Uint8Array(65_536)));
  const volume = striped(disks, 4096);
  volume.write(new Uint8Array(5000).fill(1), 4096);
  volume.flush();
  assert.deepEqual(
    disks.map(({ log }) => log.map(({ kind }) => kind)),
    [[], ['write', 'barrier'], ['write', 'barrier']],
  );
  volume.flush();
  assert.deepEqual(
    disks.map(({ barriers }) => barriers),
    [0, 1, 1],
    'nothing was written since',
  );
});

test('a flush that fails on one disk is made up for by the next', () => {
  const good = new RecordingDisk(new Uint8Array(8192));
  let broken = true;
  class Failing extends RecordingDisk {
    override flush(): void {
      if (broken) throw new Error('EIO');
      super.flush();
    }
  }
  const bad = new Failing(new Uint8Array(8192));
  const volume = striped([bad, good], 4096);
  volume.write(new Uint8Array(8192), 0);
  assert.throws(() => volume.flush());
  broken = false;
  volume.flush();
  assert.deepEqual([bad.barriers, good.barriers], [1, 1]);
});

test('a write that would run into a hole, or into a disk that refuses, stores nothing', () => {
  for (const second of ['hole', 'read-only', 'short'] as const) {
    const first = new RecordingDisk(noise(8192));
    const other =
      second === 'short'
        ? new MemoryDisk(new Uint8Array(100), { writable: true })
        : new MemoryDisk(new Uint8Array(8192));
    const inner = new MappedDisk(
      16_384,
      (offset): Mapping =>
        offset < 8192
          ? { kind: 'data', length: 8192 - offset, disk: first, offset }
          : second === 'hole'
            ? { kind: 'hole', length: 16_384 - offset }
            : { kind: 'data', length: 16_384 - offset, disk: other, offset: offset - 8192 },
      { name: 'half', writable: true },
    );
    // The layers above ask before they write, however deep the hole is.
    const outer = striped([new SliceDisk(inner, 0, 8192), new SliceDisk(inner, 8192, 8192)], 512);
    for (const disk of [inner, outer, new CachedDisk(outer)]) {
      const code = second === 'short' ? 'ENOSPC' : 'EROFS';
      assert.throws(() => disk.write(new Uint8Array(16_384), 0), { code }, second);
      assert.throws(() => disk.zero(0, 16_384), { code }, second);
      assert.equal(first.log.length, 0, second);
    }
  }
});

const directory = scratchDirectory();

test('the last sector of a raw file of odd size can be written, and the file then holds all of it', () => {
  const path = join(directory, 'odd.raw');
  const bytes = noise(10_000);
  writeFileSync(path, bytes);
  const file = new FileDisk(path, { writable: true });
  const disk = raw.open(file);
  assert.equal(disk.size, 10_240);
  const model = new Uint8Array(10_240);
  model.set(bytes);
  disk.zero(10_100, 50);
  assert.equal(file.size, 10_000, 'zeroes need no room');
  disk.write(noise(512, 9), 10_240 - 512);
  model.set(noise(512, 9), 10_240 - 512);
  assert.ok(Buffer.compare(readAll(disk), model) === 0);
  assert.throws(() => disk.write(new Uint8Array(2), 10_239), { code: 'ENOSPC' });
  disk.flush();
  disk.close();
  assert.ok(Buffer.compare(readFileSync(path), model) === 0);

  const closed = raw.open(new FileDisk(path));
  assert.throws(() => closed.write(new Uint8Array(1), 10_000), { code: 'EROFS' });
  closed.close();
});

test('a file and memory grow and shrink, and what is added is zero', () => {
  const path = join(directory, 'grows');
  writeFileSync(path, noise(5000));
  const file = new FileDisk(path, { writable: true });
  const memory = new MemoryDisk(noise(5000), { writable: true });
  for (const disk of [file, memory]) {
    disk.resize(3000);
    assert.throws(() => disk.write(Uint8Array.of(1), 3000), { code: 'ENOSPC' });
    disk.resize(12_345);
    assert.equal(disk.size, 12_345);
    const model = new Uint8Array(12_345);
    model.set(noise(5000).subarray(0, 3000));
    assert.ok(Buffer.compare(readAll(disk), model) === 0);
    disk.write(Uint8Array.of(7), 12_344);
  }
  file.close();
  assert.equal(readFileSync(path).length, 12_345);
  assert.throws(() => new FileDisk(path).resize(1), { code: 'EROFS' });
  assert.throws(() => new MemoryDisk(new Uint8Array(5)).resize(1), { code: 'EROFS' });
});

test('zeroing with discard leaves what is zero as it is', () => {
  const path = join(directory, 'sparse');
  writeFileSync(path, '');
  const file = new FileDisk(path, { writable: true });
  file.resize(8 * 1024 * 1024 + 3);
  file.write(noise(5000), 4_000_000);
  file.write(Uint8Array.of(1), 8 * 1024 * 1024 + 2);
  file.zero(1, file.size - 1, { discard: true });
  assert.ok(Buffer.compare(readAll(file), new Uint8Array(file.size)) === 0);
  assert.ok(statSync(path).blocks * 512 < 3 * 1024 * 1024, 'what was a hole takes no room');
  file.zero(0, 4 * 1024 * 1024);
  file.flush();
  assert.ok(statSync(path).blocks * 512 >= 4 * 1024 * 1024, 'without discard there is room');
  file.close();
});

test('a barrier through a logical volume reaches each of the drives that it lies on', () => {
  const drives = ['scenarios/lvm1.img.gz', 'scenarios/lvm2.img.gz'].map(
    (name) => new RecordingDisk(readFixture(name)),
  );
  const members = drives.flatMap((drive, index) => {
    const cached = new CachedDisk(drive);
    const partitions = readPartitionTable(cached, 512)?.partitions ?? [];
    const device = `/dev/sd${'ab'[index]}`;
    if (partitions.length === 0) return [{ device, disk: cached as Disk }];
    return partitions.map(({ number, startInBytes, deviceSizeInBytes }) => ({
      device: `${device}${number}`,
      disk: new SliceDisk(cached, startInBytes, deviceSizeInBytes) as Disk,
    }));
  });
  const state = assemble(members);
  const open = state.logicalVolumes.filter(({ hidden, active }) => active && !hidden);
  assert.ok(open.length >= 2);
  const reached = new Set<number>();
  for (const volume of open) {
    const disk = volume.open();
    const before = drives.map(({ log }) => log.length);
    const bytes = Buffer.alloc(disk.size, noise(4099, 5));
    disk.write(bytes, 0);
    const wrote = drives.map(({ log }, index) => log.length > (before[index] ?? 0));
    const barriers = drives.map((drive) => drive.barriers);
    disk.flush();
    for (const [index, drive] of drives.entries()) {
      assert.equal(drive.barriers - (barriers[index] ?? 0), wrote[index] ? 1 : 0, volume.device);
      if (wrote[index]) {
        assert.equal(drive.log.at(-1)?.kind, 'barrier', volume.device);
        reached.add(index);
      }
    }
    assert.ok(bytes.equals(readAll(disk)), volume.device);
  }
  assert.deepEqual([...reached].sort(), [0, 1]);
});

test(
  'what is discarded of a file is given back to the host, and what is written there later stays',
  needs('fallocate'),
  () => {
    const path = join(directory, 'given-back');
    const mebibyte = 1024 * 1024;
    const model = Buffer.alloc(40 * mebibyte - 700, noise(65_537));
    writeFileSync(path, model);
    const file = new FileDisk(path, { writable: true });
    const discard = (offset: number, length: number): void => {
      file.zero(offset, length, { discard: true });
      model.fill(0, offset, offset + length);
    };
    const stored = () => statSync(path).blocks * 512;
    discard(5000, 20 * mebibyte);
    assert.ok(stored() < 21 * mebibyte, 'at once');
    for (let at = 0; at < 100; at++) discard(21 * mebibyte + at * 100_000, 60_000);
    const again = noise(10_000, 4);
    file.write(again, 22 * mebibyte);
    model.set(again, 22 * mebibyte);
    const before = stored();
    file.flush();
    assert.ok(stored() < before - 4 * mebibyte, 'with the barrier');
    assert.ok(Buffer.compare(readAll(file), model) === 0);
    file.close();
    assert.ok(Buffer.compare(readFileSync(path), model) === 0);
  },
);
