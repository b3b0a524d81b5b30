/** The copy-on-write overlay. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Disk, MappedDisk, MemoryDisk, OverlayDisk } from '../../src/disk/index.js';
import { readAll } from '../support/gaits.js';
import { noise, Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { WatchedDisk } from './support.js';

const directory = scratchDirectory();

/** Descriptors of this process that lead to a removed file in the directory. */
function namelessFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(directory) && target.endsWith('(deleted)');
    } catch {
      return false; // the descriptor that listed the directory
    }
  }).length;
}

for (const [title, memoryBudget] of [
  ['in memory', 64 * 1024 * 1024],
  ['half in a file', 1500 * 1024],
  ['all in a file', 0],
] as const) {
  test(`random writes read back as a plain array would hold them, ${title}`, () => {
    const size = 3_000_001;
    const model = noise(size);
    const base = new WatchedDisk(model.slice());
    const overlay = new OverlayDisk(base, { directory, memoryBudget });
    const random = new Random(7);
    for (let round = 0; round < 600; round++) {
      const length = Math.floor(random.next() ** 4 * 300_000);
      const offset = Math.floor(random.next() * (size - length));
      if (random.next() < 0.5) {
        const bytes = new Uint8Array(length).fill(round);
        bytes.set(noise(Math.min(length, 20), round));
        overlay.write(bytes, offset);
        model.set(bytes, offset);
      } else {
        const bytes = new Uint8Array(length);
        overlay.read(bytes, offset);
        assert.ok(Buffer.compare(bytes, model.subarray(offset, offset + length)) === 0, `round ${round}`);
      }
    }
    assert.ok(Buffer.compare(readAll(overlay), model) === 0);
    assert.ok(Buffer.compare(readAll(overlay, 4097), model) === 0);
    assert.deepEqual(base.writes, []);
    assert.equal(namelessFiles(), memoryBudget < size ? 1 : 0);
    overlay.close();
    overlay.close();
    assert.equal(namelessFiles(), 0);
    assert.deepEqual(readdirSync(directory), []);
  });
}

test('tells what was written: each block once, in order, and none behind the end', () => {
  const size = 5 * 1024 * 1024 + 100;
  const overlay = new OverlayDisk(new MemoryDisk(new Uint8Array(size)), { directory, memoryBudget: 8192 });
  assert.deepEqual([...overlay.changes()], []);
  overlay.write(new Uint8Array(10), 3 * 1024 * 1024 - 5);
  overlay.write(new Uint8Array(3 * 4096), 4096);
  overlay.write(new Uint8Array(1), size - 1);
  overlay.write(new Uint8Array(1), 4096);
  assert.deepEqual(
    [...overlay.changes()],
    [
      { offset: 4096, length: 3 * 4096 },
      { offset: 3 * 1024 * 1024 - 4096, length: 4096 },
      { offset: 3 * 1024 * 1024, length: 4096 },
      { offset: 5 * 1024 * 1024, length: 100 },
    ],
  );
  overlay.close();
});

test('memory holds what fits the budget, the file the rest', () => {
  const overlay = new OverlayDisk(new MemoryDisk(new Uint8Array(64 * 4096)), {
    directory,
    memoryBudget: 16 * 4096,
  });
  overlay.write(new Uint8Array(16 * 4096), 0);
  assert.equal(namelessFiles(), 0);
  assert.equal(overlay.storedBytes, 16 * 4096);
  overlay.write(new Uint8Array(1), 20 * 4096);
  assert.equal(namelessFiles(), 1);
  overlay.write(new Uint8Array(16 * 4096), 0); // again: what is stored stays where it is
  assert.equal(overlay.storedBytes, 17 * 4096);
  overlay.close();
});

test('whole blocks are written without reading what is below', () => {
  const base = new WatchedDisk(new Uint8Array(40_000));
  const overlay = new OverlayDisk(base, { directory });
  overlay.write(new Uint8Array(8192), 4096);
  assert.deepEqual(base.reads, []);
  overlay.write(new Uint8Array(10), 20_000);
  assert.deepEqual(base.reads, [{ offset: 16384, length: 4096 }]);
  overlay.write(new Uint8Array(10), 39_990); // the last block is not a whole one
  assert.deepEqual(base.reads[1], { offset: 36864, length: 3136 });
  overlay.close();
  assert.equal(base.closed, 1);
});

test('reads of the base are not cut where nothing is stored', () => {
  const base = new WatchedDisk(new Uint8Array(8 * 1024 * 1024));
  const overlay = new OverlayDisk(base, { directory });
  overlay.write(new Uint8Array(4096), 4 * 1024 * 1024);
  readAll(overlay);
  assert.equal(base.reads.length, 2);
  overlay.close();
});

test('a hole stays one until it is written, also on a disk of many terabytes', () => {
  const size = 2 ** 52;
  const empty = new MappedDisk(size, (offset) => ({ kind: 'hole', length: size - offset }), {
    name: 'empty',
  });
  const overlay = new OverlayDisk(empty, { directory });
  assert.deepEqual(overlay.span(0, size), { length: size, hole: true });
  overlay.write(new Uint8Array(4096), 2 ** 51);
  overlay.write(new Uint8Array(1), 2 ** 40 + 5000);
  assert.deepEqual(overlay.span(0, size), { length: 2 ** 40 + 4096, hole: true });
  assert.deepEqual(overlay.span(2 ** 40 + 4096, size - 2 ** 40 - 4096), { length: 4096, hole: false });
  assert.deepEqual(overlay.span(2 ** 40 + 8192, 100), { length: 100, hole: true });
  assert.deepEqual(overlay.span(2 ** 51, 4096), { length: 4096, hole: false });
  overlay.close();
});

test('reads and writes past the end are refused and change nothing', () => {
  const overlay = new OverlayDisk(new MemoryDisk(new Uint8Array(5000)), { directory });
  assert.throws(() => overlay.write(new Uint8Array(2), 4999), { code: 'ENOSPC' });
  assert.throws(() => overlay.read(new Uint8Array(2), 4999), { name: 'CorruptError' });
  assert.equal(overlay.storedBytes, 0);
  overlay.close();
});

test('a directory that takes no file is told when memory is used up, and what was written before stays', () => {
  const overlay = new OverlayDisk(new MemoryDisk(new Uint8Array(40960)), {
    directory: join(directory, 'missing'),
    memoryBudget: 8192,
  });
  overlay.write(new Uint8Array(8192).fill(1), 0);
  assert.throws(() => overlay.write(new Uint8Array(8192).fill(2), 8192), { code: 'ENOENT' });
  const bytes = readAll(overlay);
  assert.ok(bytes.subarray(0, 8192).every((byte) => byte === 1));
  assert.ok(bytes.subarray(8192).every((byte) => byte === 0));
  overlay.close();
});

test('an error below leaves the block as it was', () => {
  const broken: Disk = Object.assign(new MemoryDisk(new Uint8Array(8192)), {
    read: () => {
      throw new Error('broken');
    },
  });
  const overlay = new OverlayDisk(broken, { directory });
  assert.throws(() => overlay.write(new Uint8Array(10), 0), /broken/);
  assert.equal(overlay.storedBytes, 0);
  overlay.write(new Uint8Array(4096).fill(3), 0);
  assert.equal(overlay.storedBytes, 4096);
  overlay.close();
});

test('nothing is left when the process is killed', async () => {
  const place = join(directory, 'killed');
  mkdirSync(place);
  const disks = new URL('../../src/disk/index.js', import.meta.url).href;
  const platform = new URL('../support/platform.js', import.meta.url).href;
  const program = `
    import ${JSON.stringify(platform)};
    import { MemoryDisk, OverlayDisk } from ${JSON.stringify(disks)};
    const overlay = new OverlayDisk(new MemoryDisk(new Uint8Array(1e6)), { directory: process.argv[1], memoryBudget: 0 });
    overlay.write(new Uint8Array(500000), 0);
    console.log('written');
    setInterval(() => overlay.size, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, place]);
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', () => reject(new Error('ended before it wrote')));
  });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  assert.deepEqual(readdirSync(place), []);
});
