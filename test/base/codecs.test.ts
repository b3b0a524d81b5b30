/** LZ4 and LZO against lz4 and lzop: what they pack comes out again, and damage stays inside the arrays. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { CorruptError, decodeLz4, decodeLzo1x } from '../../src/base/index.js';
import { readFixtureBuffer, readFixtureJson } from '../support/fixtures.js';
import { type FrameBlock, lz4Blocks, lzopBlocks } from '../support/frames.js';
import { Random } from '../support/random.js';
import { needs } from '../support/tools.js';

interface CodecCase {
  readonly tool: 'lz4' | 'lzop';
  readonly levels: readonly string[];
  readonly blocks: (file: Buffer) => FrameBlock[];
  readonly decode: (packed: Uint8Array, into: Uint8Array) => number;
}

const codecs: readonly CodecCase[] = [
  { tool: 'lz4', levels: ['-1', '-9', '--fast=9'], blocks: lz4Blocks, decode: decodeLz4 },
  { tool: 'lzop', levels: ['-1', '-3', '-7', '-9'], blocks: lzopBlocks, decode: decodeLzo1x },
];

function unpack({ blocks, decode }: CodecCase, file: Buffer): Buffer {
  const pieces = blocks(file).map(({ packed, size }) => {
    if (packed.length === size) return packed;
    const into = new Uint8Array(size);
    return into.subarray(0, decode(packed, into));
  });
  return Buffer.concat(pieces);
}

/** Text of few words, runs, noise, and copies from near and far. */
function sample(chance: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const count = Math.min(length - at, 1 + chance.below(chance.pick([5, 40, 3000])));
    const kind = chance.below(5);
    if (kind === 0) for (let i = 0; i < count; i++) bytes[at + i] = chance.below(256);
    else if (kind === 1) bytes.fill(chance.below(256), at, at + count);
    else if (kind === 2) bytes.fill(chance.pick(['the ', 'root:', 'lines\n', 'xy', 'abc']), at, at + count);
    else {
      const reach = Math.min(at, chance.pick([20, 2000, 16_000, 49_000, at]));
      const from = at - chance.below(reach + 1);
      bytes.copyWithin(at, from, from + count);
    }
    at += count;
  }
  return bytes;
}

for (const codec of codecs) {
  const { tool, levels } = codec;
  test(`what ${tool} packs comes out again`, needs(tool), () => {
    const chance = new Random(11);
    for (const level of levels)
      for (const length of [0, 1, 12, 13, 14, 18, 40, 300, 5000, 70_000, 300_000, 1_000_000]) {
        const bytes = sample(chance, length);
        const { stdout, status, stderr } = spawnSync(tool, [level, '-c'], {
          input: bytes,
          maxBuffer: 1 << 24,
        });
        assert.equal(status, 0, stderr.toString());
        assert.ok(unpack(codec, stdout).equals(bytes), `${length} bytes with ${level}`);
      }
  });

  test(`a file of ${tool} needs no tool to be read`, () => {
    const sums = readFixtureJson<Record<string, string>>('codecs/sums.json');
    const names = Object.keys(sums).filter((name) => name.endsWith(`.${tool}`));
    assert.ok(names.length > 0);
    for (const name of names) {
      const bytes = unpack(codec, readFixtureBuffer(`codecs/${name}`));
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sums[name], name);
    }
  });

  test(`what is damaged in a block of ${tool} is a CorruptError or other bytes, and none are written outside`, () => {
    const chance = new Random(12);
    const block = codec
      .blocks(readFixtureBuffer(`codecs/mixed.${tool}`))
      .find(({ packed, size }) => packed.length < size);
    assert.ok(block);
    const plain = new Uint8Array(block.size);
    const size = codec.decode(block.packed, plain);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const end = round % 3 === 0 ? chance.below(block.packed.length) : block.packed.length;
      const packed = Buffer.from(block.packed.subarray(0, end));
      for (let count = 1 + chance.below(3); count > 0 && packed.length > 0; count--)
        packed[chance.below(packed.length)] = chance.below(256);
      const around = new Uint8Array(size + 200).fill(0xee);
      try {
        codec.decode(packed, around.subarray(100, 100 + size));
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptError, String(thrown));
        refused++;
      }
      assert.ok([...around.subarray(0, 100), ...around.subarray(100 + size)].every((byte) => byte === 0xee));
    }
    assert.ok(refused > 1000, `${refused} were refused`);
  });

  test(`a block of ${tool} that is too long, cut or followed by more is a CorruptError`, () => {
    for (const { packed, size } of codec.blocks(readFixtureBuffer(`codecs/mixed.${tool}`))) {
      if (packed.length === size) continue;
      const length = codec.decode(packed, new Uint8Array(size));
      assert.throws(() => codec.decode(packed, new Uint8Array(length - 1)), { name: 'CorruptError' });
      assert.throws(() => codec.decode(packed.subarray(0, -1), new Uint8Array(size)), {
        name: 'CorruptError',
      });
      const more = Buffer.concat([packed, Buffer.alloc(1)]);
      assert.throws(() => codec.decode(more, new Uint8Array(length)), { name: 'CorruptError' });
    }
  });
}

test('LZO: instructions that writers of today do not use mean what the description says', () => {
  const decode = (...packed: number[]) => {
    const into = new Uint8Array(100);
    return Buffer.from(into.subarray(0, decodeLzo1x(Uint8Array.from(packed), into))).toString('latin1');
  };
  const end = [0x11, 0, 0];
  const text = (value: string) => [...Buffer.from(value, 'latin1')];
  assert.equal(decode(...end), '');
  assert.equal(decode(17 + 1, ...text('a'), ...end), 'a');
  // One to three literals first, and then a match of two bytes.
  assert.equal(decode(17 + 3, ...text('abc'), 0b0000_10_01, 0, ...text('X'), ...end), 'abcabX');
  // A run, and then a match of five to eight bytes that repeats a byte.
  assert.equal(decode(17 + 4, ...text('abcd'), 0b111_000_10, 0, ...text('YZ'), ...end), 'abcdddddddddYZ');
  // A run by an instruction of its own, of 18 and more bytes.
  assert.equal(decode(0, 2, ...text('01234567890123456789'), ...end), '01234567890123456789');
  for (const packed of [[], [0], [17 + 4, 97], [0x12, 0, 0], [17 + 1, 97, 0x11, 0, 0, 0], [0x20]])
    assert.throws(() => decode(...packed), { name: 'CorruptError' }, packed.join(' '));
});

test('LZ4: matches that overlap themselves, and lengths at the borders of their bytes', () => {
  const literal = (length: number): number[] => {
    const bytes = Array.from({ length }, (_, index) => index & 0xff);
    if (length < 15) return [length << 4, ...bytes];
    const more = length - 15;
    return [0xf0, ...new Array(Math.floor(more / 255)).fill(255), more % 255, ...bytes];
  };
  for (const length of [0, 1, 14, 15, 16, 269, 270, 271, 525, 1000]) {
    const into = new Uint8Array(length);
    assert.equal(decodeLz4(Uint8Array.from(literal(length)), into), length);
    assert.ok(into.every((byte, index) => byte === (index & 0xff)));
  }
  for (const distance of [1, 2, 3, 7, 31, 32, 33, 100]) {
    const head = literal(distance);
    head[0] = (head[0] ?? 0) | 15;
    const into = new Uint8Array(2000);
    const size = decodeLz4(Uint8Array.from([...head, distance, 0, 255, 200, 0x10, 65]), into);
    assert.equal(size, distance + 4 + 15 + 255 + 200 + 1);
    assert.ok(into.subarray(0, size - 1).every((byte, index) => byte === index % distance));
  }
  for (const packed of [[], [0x10], [0, 1, 0], [0x10, 65, 2, 0], [0x10, 65, 0, 0, 0], [0x1f, 65, 1, 0, 255]])
    assert.throws(() => decodeLz4(Uint8Array.from(packed), new Uint8Array(50)), { name: 'CorruptError' });
});
