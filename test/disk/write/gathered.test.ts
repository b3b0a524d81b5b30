/** Small writes that are gathered: what is read is what was written, before it is written out and after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatheredDisk, MemoryDisk } from '../../../src/disk/index.js';
import { noise, Random } from '../../support/random.js';

const size = 3 * 1024 * 1024;

class CountingDisk extends MemoryDisk {
  writes = 0;
  override write(from: Uint8Array, offset: number): void {
    this.writes++;
    super.write(from, offset);
  }
}

test('writes in a row are one, and reads see them before', () => {
  const base = new CountingDisk(new Uint8Array(size), { writable: true });
  const disk = new GatheredDisk(base);
  for (let i = 0; i < 1000; i++) disk.write(noise(100, i), i * 100);
  assert.equal(base.writes, 0);
  const read = new Uint8Array(250);
  disk.read(read, 50_000);
  assert.deepEqual(read.subarray(100, 200), noise(100, 501));
  disk.flush();
  assert.equal(base.writes, 1);
  base.read(read, 50_000);
  assert.deepEqual(read.subarray(0, 100), noise(100, 500));
});

test('what was gathered since a mark can be dropped', () => {
  const base = new MemoryDisk(new Uint8Array(size), { writable: true });
  const disk = new GatheredDisk(base);
  disk.write(noise(10, 1), 100);
  const { mark } = disk;
  disk.write(noise(10, 2), 110);
  disk.undo(mark);
  disk.flush();
  const read = new Uint8Array(20);
  base.read(read, 100);
  assert.deepEqual(read.subarray(0, 10), noise(10, 1));
  assert.deepEqual(read.subarray(10), new Uint8Array(10));
  const { mark: empty } = disk;
  disk.write(noise(10, 3), 500);
  disk.undo(empty);
  disk.flush();
  base.read(read, 500);
  assert.deepEqual(read, new Uint8Array(20));
});

test('nothing is left of what is dropped, wherever it lies, where what was gathered before had to be written', () => {
  const base = new MemoryDisk(new Uint8Array(size), { writable: true });
  const disk = new GatheredDisk(base);
  disk.write(noise(10, 1), 1000);
  const { mark } = disk;
  disk.write(noise(2000, 2), 0);
  disk.undo(mark);
  disk.flush();
  const read = new Uint8Array(2000);
  base.read(read, 0);
  assert.deepEqual(read.subarray(1000, 1010), noise(10, 1));
  assert.ok(read.every((byte, at) => byte === 0 || (at >= 1000 && at < 1010)));
});

test('random writes and reads are those of a disk', () => {
  const random = new Random(3);
  const model = new Uint8Array(size);
  const disk = new GatheredDisk(new MemoryDisk(new Uint8Array(size), { writable: true }));
  let at = 0;
  for (let i = 0; i < 3000; i++) {
    const length = random.below(random.below(50) === 0 ? 400_000 : 5000);
    if (random.below(4) === 0) at = random.below(size - length);
    if (at + length > size) at = 0;
    if (random.below(20) === 0) {
      disk.zero(at, length);
      model.fill(0, at, at + length);
    } else {
      const bytes = new Uint8Array(length).fill(1 + random.below(255));
      disk.write(bytes, at);
      model.set(bytes, at);
    }
    at += random.below(3) === 0 ? -random.below(Math.min(at + 1, 3000)) : length;
    const from = random.below(size - 10_000);
    const read = new Uint8Array(10_000);
    disk.read(read, from);
    assert.equal(Buffer.compare(read, model.subarray(from, from + 10_000)), 0, `step ${i}`);
  }
});
