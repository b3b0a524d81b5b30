/** zstd against the tool of that name: what it packs comes out again, and damage stays inside the memory. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { CorruptError, decodeZstdFrame, UnsupportedError } from '../../src/base/index.js';
import { readFixture, readFixtureJson } from '../support/fixtures.js';
import { noise, Random } from '../support/random.js';
import { needs } from '../support/tools.js';

function pack(bytes: Uint8Array, ...options: string[]): Uint8Array {
  const { stdout, status, stderr } = spawnSync('zstd', ['-q', '-c', ...options], {
    input: bytes,
    maxBuffer: 1 << 24,
  });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

/** Text of few words, runs, noise of all and of few bytes, and copies from near and far. */
function sample(chance: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const count = Math.min(length - at, 1 + chance.below(chance.pick([5, 40, 3000])));
    const kind = chance.below(6);
    if (kind === 0) for (let i = 0; i < count; i++) bytes[at + i] = chance.below(256);
    else if (kind === 1)
      for (let i = 0; i < count; i++) bytes[at + i] = 97 + chance.below(chance.below(20) + 1);
    else if (kind === 2) bytes.fill(chance.below(256), at, at + count);
    else if (kind === 3) bytes.fill(chance.pick(['the ', 'root:', 'lines\n', 'xy', 'abc']), at, at + count);
    else {
      const reach = Math.min(at, chance.pick([20, 2000, 16_000, 49_000, at]));
      const from = at - chance.below(reach + 1);
      bytes.copyWithin(at, from, from + count);
    }
    at += count;
  }
  return bytes;
}

const levels = [['-1'], ['-5', '--no-check'], ['-19', '--no-check'], ['--fast=9', '--check']];

test('what zstd packs comes out again', needs('zstd'), () => {
  const chance = new Random(21);
  for (const options of levels)
    for (const length of [0, 1, 7, 40, 300, 1500, 5000, 70_000, 131_072, 131_073, 400_000]) {
      const bytes = sample(chance, length);
      const made = decodeZstdFrame(pack(bytes, ...options), length);
      assert.ok(bytes.equals(made), `${length} bytes with ${options.join(' ')}`);
    }
});

test('bytes of few kinds, of one kind and of no pattern come out of zstd again', needs('zstd'), () => {
  const chance = new Random(22);
  for (const bytes of [
    Buffer.alloc(300_000, 'x'),
    Buffer.alloc(70_000, 'abcdefg'),
    Buffer.from(noise(200_000)),
    Buffer.from(Array.from({ length: 60_000 }, () => 97 + Math.floor(chance.next() ** 3 * 26))),
    Buffer.from(Array.from({ length: 900 }, () => 97 + Math.floor(chance.next() ** 3 * 26))),
  ])
    for (const options of levels)
      assert.ok(bytes.equals(decodeZstdFrame(pack(bytes, ...options), bytes.length)), options.join(' '));
});

test('a frame of zstd needs no tool to be read', () => {
  const sums = readFixtureJson<Record<string, string>>('codecs/sums.json');
  for (const name of ['mixed.zst', 'numbers.zst']) {
    const bytes = decodeZstdFrame(readFixture(`codecs/${name}`), 100_000);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sums[name], name);
  }
});

test('what is damaged in a frame of zstd is an error or other bytes, and the next frame is right', () => {
  const chance = new Random(23);
  const good = readFixture('codecs/mixed.zst');
  const expected = Buffer.from(decodeZstdFrame(good, 100_000));
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const frame = readFixtures[round % 2] as Uint8Array; // safe: two
    const damaged = Buffer.from(frame.subarray(0, round % 9 === 0 ? chance.below(frame.length) : undefined));
    for (let count = 1 + chance.below(3); count > 0 && damaged.length > 0; count--)
      damaged[chance.below(round % 3 === 0 ? damaged.length : Math.min(damaged.length, 150))] =
        chance.below(256);
    try {
      assert.ok(decodeZstdFrame(damaged, 70_000).length <= 70_000);
    } catch (thrown) {
      assert.ok(thrown instanceof CorruptError || thrown instanceof UnsupportedError, String(thrown));
      refused++;
    }
    if (round % 10 === 0) assert.ok(expected.equals(decodeZstdFrame(good, 100_000)));
  }
  assert.ok(refused > 1500, `${refused} were refused`);
});
const readFixtures = [readFixture('codecs/mixed.zst'), readFixture('codecs/numbers.zst')];

test(
  'what zstd refuses as a tool is refused, and what it takes is the same or refused',
  needs('zstd'),
  () => {
    const chance = new Random(24);
    const bytes = sample(chance, 3000);
    const frame = pack(bytes, '-9', '--no-check');
    let same = 0;
    for (let round = 0; round < 60; round++) {
      const damaged = Buffer.from(frame);
      damaged[chance.below(round % 2 === 0 ? 80 : damaged.length)] = chance.below(256);
      const { stdout, status } = spawnSync('zstd', ['-q', '-d', '-c'], { input: damaged });
      let made: Uint8Array | undefined;
      try {
        made = decodeZstdFrame(damaged, 200_000);
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptError || thrown instanceof UnsupportedError, String(thrown));
      }
      // The tool does not mind bits that are left over in some streams.
      if (status !== 0) assert.equal(made, undefined);
      else if (made !== undefined) {
        assert.ok(stdout.equals(made));
        same++;
      }
    }
    assert.ok(same > 2, `${same} were taken`);
  },
);

test('a frame of zstd: its size, its checksum, a dictionary, and what does not fit', () => {
  const head = [0x28, 0xb5, 0x2f, 0xfd];
  // One block of three bytes as they are; a window of 1 KiB.
  const block = [0x19, 0, 0, 65, 66, 67];
  const frame = (...bytes: number[]) => Uint8Array.from([...head, ...bytes]);
  const refuses = (bytes: Uint8Array, message: RegExp, limit = 100) =>
    assert.throws(() => decodeZstdFrame(bytes, limit), { message });
  assert.equal(Buffer.from(decodeZstdFrame(frame(0, 0, ...block), 100)).toString(), 'ABC');
  assert.equal(Buffer.from(decodeZstdFrame(frame(0x20, 3, ...block), 3)).toString(), 'ABC');
  refuses(frame(0x20, 4, ...block), /another size/);
  refuses(frame(0, 0, ...block), /more bytes/, 2);
  refuses(frame(4, 0, ...block, 1, 2, 3, 4), /wrong checksum/);
  refuses(frame(1, 0, 7, ...block), /dictionaries/);
  refuses(frame(0, 0, ...block, 0), /not one frame/);
  // A run of 2,000 bytes in a window of 1 KiB.
  refuses(frame(0, 0, 0x83, 0x3e, 0, 65), /more bytes/, 5000);
  assert.equal(decodeZstdFrame(frame(0, 8, 0x83, 0x3e, 0, 65), 5000).length, 2000);
});
