/** Decoding on several threads, for a caller that stays synchronous. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { deflateSync } from 'node:zlib';
import { GuestfsError } from '../../src/base/index.js';
import { decode } from '../../src/disk/codecs.js';
import { decodeAhead, decodeUnits } from '../../src/disk/decoder.js';
import { type Codec, endDecoders, MemoryDisk, setDecoderHelpers } from '../../src/disk/index.js';
import { readAll } from '../support/gaits.js';
import { nestedDisk, packedDisk, unitSize } from './packed.js';

afterEach(() => setDecoderHelpers(1));

/** Threads that were started here, and whether they have ended. */
const threads: { ended: boolean }[] = [];
process.on('worker', (worker) => {
  const thread = { ended: false };
  threads.push(thread);
  worker.once('exit', () => {
    thread.ended = true;
  });
});

async function allEnded(): Promise<boolean> {
  for (let i = 0; i < 100 && threads.some(({ ended }) => !ended); i++) await sleep(20);
  return threads.every(({ ended }) => ended);
}

for (const codec of ['deflate', 'zlib', 'zstd'] satisfies Codec[]) {
  for (const helpers of [0, 1, 3]) {
    test(`${codec}: the bytes are right with ${helpers} threads to help`, () => {
      setDecoderHelpers(helpers);
      const { disk, plain } = packedDisk(codec, 90);
      for (let round = 0; round < 3; round++) assert.ok(Buffer.compare(readAll(disk), plain) === 0);
      assert.ok(Buffer.compare(readAll(disk, 1_500_001), plain) === 0, 'cut elsewhere');
      assert.ok(Buffer.compare(readAll(disk, 3001), plain) === 0, 'in small pieces');
    });
  }
}

for (const helpers of [0, 1, 3]) {
  test(`compressed units that lie on compressed units are right with ${helpers} threads to help`, () => {
    setDecoderHelpers(helpers);
    const { disk, plain } = nestedDisk('deflate', 90);
    for (let round = 0; round < 20; round++) assert.ok(Buffer.compare(readAll(disk), plain) === 0);
  });
}

for (const helpers of [0, 1, 3]) {
  test(`units may hold less than they could, with ${helpers} threads to help`, () => {
    setDecoderHelpers(helpers);
    const plain = Array.from({ length: 64 }, (_, i) => Buffer.alloc(32_768 - 401 * i, `unit ${i}`));
    const packed = plain.map((bytes) => deflateSync(bytes));
    const units = (shortfall?: 'zeroes' | 'less') =>
      packed.map((bytes, i) => ({
        ...{
          key: String(i),
          codec: 'zlib' as const,
          disk: new MemoryDisk(bytes),
          offset: 0,
          size: bytes.length,
        },
        ...{ decodedSize: 32_768, ...(shortfall && { shortfall }) },
      }));
    for (let round = 0; round < 5; round++) {
      const decoded = new Map<number, Buffer>();
      decodeUnits(units('less'), (bytes, index) => decoded.set(index, Buffer.from(bytes)));
      for (const [index, bytes] of plain.entries()) assert.deepEqual(decoded.get(index), bytes);
      decodeUnits(units('zeroes'), (bytes, index) => decoded.set(index, Buffer.from(bytes)));
      for (const [index, bytes] of plain.entries())
        assert.deepEqual(decoded.get(index), Buffer.concat([bytes, Buffer.alloc(401 * index)]));
      assert.throws(() => decodeUnits(units(), () => {}), { name: 'CorruptError' });
    }
  });
}

test('threads do take a part of the work', async () => {
  setDecoderHelpers(1);
  const { disk, plain } = packedDisk('deflate', 128);
  const { DecoderMemory } = await import('../../src/disk/decoder-memory.js');
  const lent = DecoderMemory.prototype.decodedBytes;
  let helped = 0;
  DecoderMemory.prototype.decodedBytes = function (index) {
    helped++;
    return lent.call(this, index);
  };
  try {
    for (let round = 0; round < 200 && helped === 0; round++)
      assert.ok(Buffer.compare(readAll(disk), plain) === 0);
  } finally {
    DecoderMemory.prototype.decodedBytes = lent;
  }
  assert.ok(helped > 0);
});

/** Compressed units, the bytes in each of them, and those of which something is heard. */
function unitsAhead(count: number) {
  const plain = Array.from({ length: count }, (_, i) => Buffer.alloc(unitSize - 100 * i, `unit ${i}`));
  const units = plain.map((bytes, i) => {
    const packed = deflateSync(bytes);
    const place = { key: String(i), disk: new MemoryDisk(packed), offset: 0, size: packed.length };
    return { ...place, codec: 'zlib' as const, decodedSize: unitSize, shortfall: 'less' as const };
  });
  const heard = new Map<number, Buffer>();
  const take = (bytes: Uint8Array, index: number): void => void heard.set(index, Buffer.from(bytes));
  const check = (): void => {
    for (const [index, bytes] of heard) assert.deepEqual(bytes, plain[index]);
  };
  return { units, heard, take, check };
}

for (const helpers of [1, 3])
  test(`units are decoded ahead by ${helpers} threads, and all are taken at the end`, async () => {
    setDecoderHelpers(helpers);
    for (let round = 0; round < 20; round++) {
      const { units, heard, take, check } = unitsAhead(40);
      const finish = decodeAhead(units, take);
      assert.ok(finish !== undefined);
      assert.equal(heard.size, 0);
      if (round % 2 === 1) await sleep(round);
      finish();
      finish();
      assert.equal(heard.size, 40);
      check();
    }
  });

test('what is decoded ahead gives way to what is wanted now, where that is more than the threads have in hand', async () => {
  setDecoderHelpers(1);
  const { disk, plain } = packedDisk('deflate', 90);
  for (let round = 0; round < 20; round++) {
    const { units, heard, take, check } = unitsAhead(40);
    const finish = decodeAhead(units, take);
    if (round > 10) await sleep(2 * round);
    assert.ok(Buffer.compare(readAll(disk), plain) === 0);
    const before = heard.size;
    finish?.();
    // All or, where they were given up, no more of them.
    assert.ok(heard.size === 40 || heard.size === before);
    check();
  }
});

test('a unit that cannot be decoded ahead is an error of whoever takes it, and nobody has time without threads', () => {
  setDecoderHelpers(1);
  const { units, heard, take } = unitsAhead(40);
  const [first] = units;
  assert.ok(first);
  const broken = [
    { ...first, disk: new MemoryDisk(new Uint8Array(first.size).fill(0xff)) },
    ...units.slice(1),
  ];
  const finish = decodeAhead(broken, take);
  assert.ok(finish !== undefined);
  assert.throws(finish, { name: 'CorruptError' });
  assert.ok(!heard.has(0));
  decodeUnits(units, take);
  assert.equal(heard.size, 40);
  setDecoderHelpers(0);
  assert.equal(decodeAhead(units, take), undefined);
});

test('a small read starts no thread', () => {
  setDecoderHelpers(1);
  const before = threads.length;
  const { disk } = packedDisk('deflate', 12);
  readAll(disk);
  assert.equal(threads.length, before);
});

for (const broken of [0, 40, 89]) {
  test(`unit ${broken} of 90 being broken is a CorruptError, and the decoder goes on`, () => {
    setDecoderHelpers(1);
    const { disk, stored } = packedDisk('deflate', 90);
    const good = packedDisk('deflate', 90);
    readAll(good.disk); // the threads are there now
    const where = packedDisk('deflate', broken).stored.length;
    stored.fill(0xff, where, where + 64);
    const into = new Uint8Array(disk.size);
    assert.throws(() => disk.read(into, 0), { name: 'CorruptError' });
    assert.ok(Buffer.compare(readAll(good.disk), good.plain) === 0);
  });
}

test('a disk that fails in the middle of a batch leaves the decoder whole', () => {
  setDecoderHelpers(1);
  const good = packedDisk('deflate', 64);
  readAll(good.disk);
  const failing = Object.assign(new MemoryDisk(new Uint8Array(100 * 4000)), {
    read: (into: Uint8Array, offset: number) => {
      if (offset <= 300_000 && offset + into.length > 300_000)
        throw new GuestfsError('EIO', 'the disk fails');
      into.fill(0);
    },
  });
  const units = Array.from({ length: 100 }, (_, index) => ({
    key: `${index}`,
    codec: 'deflate' as const,
    disk: failing,
    offset: index * 4000,
    size: 4000,
    decodedSize: unitSize,
  }));
  assert.throws(() => decodeUnits(units, () => {}), { code: 'EIO', message: /the disk fails/ });
  assert.ok(Buffer.compare(readAll(good.disk), good.plain) === 0);
});

test('ending the decoder leaves no thread, and the next large read starts anew', async () => {
  setDecoderHelpers(2);
  const { disk, plain } = packedDisk('deflate', 64);
  readAll(disk);
  endDecoders();
  endDecoders();
  assert.ok(await allEnded());
  assert.ok(Buffer.compare(readAll(disk), plain) === 0);
  setDecoderHelpers(1);
  assert.ok(await allEnded());
});

test('a worker decodes on threads of its own, and takes them along when it is ended', async () => {
  const tasks = () => readdirSync('/proc/self/task').length;
  assert.ok(await allEnded());
  await sleep(200);
  const before = tasks();
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(new URL('./decoder-guest.js', import.meta.url));
    try {
      const told = await new Promise((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      assert.equal(told, createHash('sha256').update(packedDisk('deflate', 96).plain).digest('hex'));
      assert.equal(tasks(), before + 2, 'the worker and one thread of its own');
    } finally {
      await worker.terminate();
    }
    for (let i = 0; i < 100 && tasks() > before; i++) await sleep(20);
    assert.equal(tasks(), before);
  }
});

test('a process that read a compressed disk ends at once, without being told to', () => {
  const packed = new URL('./packed.js', import.meta.url).href;
  const program = `
    import { packedDisk } from ${JSON.stringify(packed)};
    const { disk } = packedDisk('deflate', 64);
    disk.read(new Uint8Array(disk.size), 0);
    console.log(Date.now());
  `;
  // Not --input-type: decoder threads must not inherit how the process was started, either.
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(child.status, 0, child.stderr);
  assert.ok(Date.now() - Number(child.stdout) < 2500, 'idle threads end after five seconds only');
});

test('zstd: what follows a frame is not looked at, several frames follow each other, others are passed over', () => {
  const { disk, plain, stored } = packedDisk('zstd', 1);
  const expected = readAll(disk);
  assert.ok(Buffer.compare(expected, plain) === 0);
  const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  assert.ok(Buffer.compare(decode('zstd', Buffer.concat([skippable, stored]), unitSize), plain) === 0);
  // A frame by hand: no content size, one raw block of 2 bytes, then one of a byte repeated 3 times.
  const small = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x50, 0x10, 0, 0, 65, 66, 0x1b, 0, 0, 67);
  assert.equal(Buffer.from(decode('zstd', small, 5)).toString(), 'ABCCC');
  const twice = Buffer.concat([small, skippable, small, Uint8Array.of(9, 9, 9)]);
  assert.equal(Buffer.from(decode('zstd', twice, 10)).toString(), 'ABCCCABCCC');
});

test('zstd: frames that are cut, too long, too short or nonsense are CorruptErrors', () => {
  const { stored } = packedDisk('zstd', 1);
  for (const length of [0, 3, 4, 5, 8, 9, 100, 2000]) {
    assert.throws(
      () => decode('zstd', stored.subarray(0, length), unitSize),
      { name: 'CorruptError' },
      `${length}`,
    );
  }
  assert.throws(() => decode('zstd', stored, unitSize - 1), { name: 'CorruptError' });
  assert.throws(() => decode('zstd', stored, unitSize + 1), { name: 'CorruptError' });
  const reserved = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0x50, 0x17, 0, 0, 65, 66);
  assert.throws(() => decode('zstd', reserved, 2), { name: 'CorruptError' });
  const wideWindow = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 0x11, 0, 0, 65, 66);
  assert.throws(() => decode('zstd', wideWindow, 2), { name: 'CorruptError' });
});

test('deflate: a stream that lacks only its end is whole, one that lacks bytes is not', () => {
  const { plain, stored } = packedDisk('deflate', 1);
  assert.ok(Buffer.compare(decode('deflate', stored, unitSize), plain) === 0);
  assert.throws(() => decode('deflate', stored.subarray(0, 5000), unitSize), { name: 'CorruptError' });
  assert.throws(() => decode('deflate', stored, unitSize - 1), { name: 'CorruptError' });
  assert.throws(() => decode('deflate', stored, unitSize + 1), { name: 'CorruptError' });
  assert.throws(() => decode('deflate', new Uint8Array(0), 1), { name: 'CorruptError' });
});
