/** XPRESS and LZX against wimlib, and LZNT1 by its description: what was packed comes out again. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CorruptError, decodeLznt1, decodeLzx, decodeXpress } from '../../src/base/index.js';
import { readFixtureBuffer, readFixtureJson } from '../support/fixtures.js';
import { type FrameBlock, wimBlocks } from '../support/frames.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

type Decode = (packed: Uint8Array, into: Uint8Array) => number;

const codecs: readonly {
  readonly name: 'xpress' | 'lzx';
  readonly chunks: readonly string[];
  readonly decode: Decode;
}[] = [
  { name: 'xpress', chunks: ['4K', '8K', '16K'], decode: decodeXpress },
  { name: 'lzx', chunks: ['32K'], decode: decodeLzx },
];

function unpack(blocks: readonly FrameBlock[], decode: Decode): Buffer {
  const pieces = blocks.map(({ packed, size }) => {
    if (packed.length === size) return packed;
    const into = new Uint8Array(size);
    assert.equal(decode(packed, into), size);
    return into;
  });
  return Buffer.concat(pieces);
}

/** Text of few words, runs, noise, calls as in programs, and copies from near and far. */
function sample(chance: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const count = Math.min(length - at, 1 + chance.below(chance.pick([5, 40, 3000])));
    const kind = chance.below(6);
    if (kind === 0) for (let i = 0; i < count; i++) bytes[at + i] = chance.below(256);
    else if (kind === 1) bytes.fill(chance.below(256), at, at + count);
    else if (kind === 2) bytes.fill(chance.pick(['the ', 'root:', 'lines\n', 'xy', 'abc']), at, at + count);
    else if (kind === 3)
      for (let i = 0; i + 5 <= count; i += 5) {
        bytes[at + i] = 0xe8;
        bytes.writeInt32LE(chance.below(14_000_000) - 1_000_000, at + i + 1);
      }
    else {
      const from = at - chance.below(Math.min(at, chance.pick([20, 2000, 30_000])) + 1);
      bytes.copyWithin(at, from, from + count);
    }
    at += count;
  }
  return bytes;
}

/** Damages a packed piece again and again: whatever comes out, it stays in its place. Gives how often it was refused. */
function damage(packed: Uint8Array, size: number, decode: Decode): number {
  const chance = new Random(12);
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const end = round % 3 === 0 ? chance.below(packed.length) : packed.length;
    const changed = Buffer.from(packed.subarray(0, end));
    for (let count = 1 + chance.below(3); count > 0 && changed.length > 0; count--)
      changed[chance.below(changed.length)] = chance.below(256);
    const around = new Uint8Array(size + 200).fill(0xee);
    const into = around.subarray(100, 100 + size).fill(0);
    try {
      assert.ok(decode(changed, into) <= size);
    } catch (thrown) {
      assert.ok(thrown instanceof CorruptError, String(thrown));
      refused++;
    }
    assert.ok([...around.subarray(0, 100), ...around.subarray(100 + size)].every((byte) => byte === 0xee));
  }
  return refused;
}

for (const { name, chunks, decode } of codecs) {
  test(`what wimlib packs as ${name} comes out again`, needs('wimcapture'), () => {
    const chance = new Random(11);
    for (const chunk of chunks)
      for (const length of [600, 4095, 4097, 20_000, 32_768, 70_001, 300_000]) {
        const bytes = sample(chance, length);
        const folder = scratchDirectory();
        mkdirSync(join(folder, 'tree'));
        // The text in front is there so that there is something to make shorter.
        const content = Buffer.concat([Buffer.alloc(500, 'words '), bytes]);
        writeFileSync(join(folder, 'tree/file'), content);
        execFileSync(
          'wimcapture',
          [
            '--no-acls',
            `--compress=${name}`,
            `--chunk-size=${chunk}`,
            join(folder, 'tree'),
            join(folder, 'wim'),
          ],
          { env: toolEnvironment, stdio: 'ignore' },
        );
        const unpacked = unpack(wimBlocks(readFileSync(join(folder, 'wim'))), decode);
        assert.ok(unpacked.equals(content), `${length} bytes in chunks of ${chunk}`);
      }
  });

  test(`an image of ${name} needs no tool to be read`, () => {
    const sums = readFixtureJson<Record<string, string>>('codecs/sums.json');
    for (const file of [`numbers.${name}`, `mixed.${name}`]) {
      const bytes = unpack(wimBlocks(readFixtureBuffer(`codecs/${file}`)), decode);
      assert.equal(createHash('sha256').update(bytes).digest('hex'), sums[file], file);
    }
  });

  test(`what is damaged in a chunk of ${name} is a CorruptError or other bytes, and none are written outside`, () => {
    const block = wimBlocks(readFixtureBuffer(`codecs/numbers.${name}`))[1];
    assert.ok(block);
    assert.ok(damage(block.packed, block.size, decode) > 500);
    for (let cut = 8; cut < block.packed.length; cut += 7)
      assert.throws(() => decode(block.packed.subarray(0, -cut), new Uint8Array(block.size)), {
        name: 'CorruptError',
      });
  });
}

test('LZX: a chunk larger than its window, and blocks of unknown types, are refused', () => {
  assert.throws(() => decodeLzx(new Uint8Array(100), new Uint8Array(32_769)), { name: 'CorruptError' });
  for (const type of [0, 4, 7]) {
    const packed = Uint8Array.from([0, type << 5, 1, 0]);
    assert.throws(() => decodeLzx(packed, new Uint8Array(100)), { name: 'CorruptError' }, String(type));
  }
});

/** A writer of LZNT1 that takes the longest of the matches that it finds: [MS-XCA] 2.5. */
function packLznt1(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let start = 0; start < bytes.length; start += 4096) {
    const chunk = bytes.subarray(start, start + 4096);
    const tokens: number[][] = [];
    for (let at = 0; at < chunk.length; ) {
      let bits = 4;
      while (1 << bits < at) bits++;
      const longest = Math.min(chunk.length - at, (1 << (16 - bits)) + 2);
      let [length, distance] = [0, 0];
      for (let from = Math.max(0, at - 4096); from < at; from++) {
        let same = 0;
        while (same < longest && chunk[from + same] === chunk[at + same]) same++;
        if (same > length) [length, distance] = [same, at - from];
      }
      if (length >= 3 && distance <= 1 << bits) {
        const token = ((distance - 1) << (16 - bits)) | (length - 3);
        tokens.push([token & 0xff, token >>> 8]);
        at += length;
      } else tokens.push([chunk[at++] ?? 0]);
    }
    const packed: number[] = [];
    for (let at = 0; at < tokens.length; at += 8) {
      const group = tokens.slice(at, at + 8);
      packed.push(group.reduce((flags, token, bit) => flags | (token.length === 2 ? 1 << bit : 0), 0));
      packed.push(...group.flat());
    }
    const isShorter = packed.length < chunk.length;
    const stored = isShorter ? packed : [...chunk];
    const head = (isShorter ? 0xb000 : 0x3000) | (stored.length - 1);
    out.push(head & 0xff, head >>> 8, ...stored);
  }
  return Uint8Array.from(out);
}

test('LZNT1: what its description says comes out again', () => {
  const chance = new Random(13);
  for (const length of [1, 15, 16, 17, 18, 33, 4095, 4096, 4097, 8192, 30_000, 65_536]) {
    const bytes = sample(chance, length);
    const packed = packLznt1(bytes);
    for (const tail of [[], [0, 0], [0, 0, 0xff, 0xff]]) {
      const made = decodeLznt1(Uint8Array.from([...packed, ...tail]), 65_536);
      assert.ok(bytes.equals(made), `${length} bytes`);
    }
  }
});

test('LZNT1: a chunk that is short is filled up with zeroes, as the next one begins at its own place', () => {
  decodeLznt1(packLznt1(Buffer.alloc(8192, 'what was there before')), 8192);
  const packed = Uint8Array.from([0x02, 0x30, 1, 2, 3, 0x00, 0x30, 9, 0, 0]);
  const made = decodeLznt1(packed, 8192);
  assert.deepEqual([...made], [1, 2, 3, ...Array<number>(4093).fill(0), 9]);
});

/** LZNT1 byte by byte, as its description has it. Undefined for what is damaged. */
function unpackLznt1(packed: Uint8Array, most: number): Buffer | undefined {
  const into = Buffer.alloc(most);
  let end = 0;
  for (let at = 0, start = 0; start < most && at + 2 <= packed.length; start += 4096) {
    const head = (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
    if (head === 0) break;
    at += 2;
    const chunkEnd = at + (head & 0xfff) + 1;
    const limit = Math.min(start + 4096, most);
    if (chunkEnd > packed.length) return undefined;
    end = start;
    for (let flags = 1; at < chunkEnd; flags >>= 1) {
      if ((head & 0x8000) === 0) flags = 0x100;
      else if (flags === 1) flags = 0x100 | (packed[at++] ?? 0);
      if (at === chunkEnd) break;
      if ((flags & 1) === 0) {
        if (end === limit) return undefined;
        into[end++] = packed[at++] ?? 0;
        continue;
      }
      if (at + 2 > chunkEnd || end === start) return undefined;
      const token = (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
      at += 2;
      let bits = 4;
      while (1 << bits < end - start) bits++;
      const distance = (token >> (16 - bits)) + 1;
      const length = (token & ((1 << (16 - bits)) - 1)) + 3;
      if (distance > end - start || length > limit - end) return undefined;
      for (let i = 0; i < length; i++, end++) into[end] = into[end - distance] ?? 0;
    }
  }
  return into.subarray(0, end);
}

test('LZNT1: what is damaged is a CorruptError, or the bytes that its tokens say', () => {
  const chance = new Random(14);
  let refused = 0;
  for (let kind = 0; kind < 4; kind++) {
    // Runs of all distances, which are taken together, and everything else.
    const runs = Buffer.alloc(9000, chance.bytes(chance.pick([1, 2, 7, 15, 16, 17, 50, 127, 128, 300])));
    const packed = packLznt1(kind % 2 === 0 ? runs : sample(chance, 9000));
    for (let round = 0; round < 500; round++) {
      const changed = Buffer.from(
        packed.subarray(0, round % 3 === 0 ? chance.below(packed.length) : undefined),
      );
      for (let count = 1 + chance.below(3); count > 0 && changed.length > 0; count--)
        changed[chance.below(changed.length)] = chance.pick([0, 0xff, chance.below(256)]);
      const expected = unpackLznt1(changed, 12_288);
      if (expected !== undefined) assert.ok(expected.equals(decodeLznt1(changed, 12_288)));
      else {
        assert.throws(() => decodeLznt1(changed, 12_288), { name: 'CorruptError' });
        refused++;
      }
    }
  }
  assert.ok(refused > 300, String(refused));
});

test('LZNT1: matches that are all the same, over the borders of their lengths', () => {
  for (const most of [4096, 4090, 3000])
    for (let token = 0; token < 0x60; token++)
      for (const groups of [1, 2, 5, 30, 250]) {
        const packed = [0, 65, 66, 67, 68, 69, 70, 71, 72];
        for (let group = 0; group < groups; group++)
          packed.push(0xff, ...Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? token : 0)));
        const chunk = Uint8Array.from([
          (packed.length - 1) & 0xff,
          0xb0 | ((packed.length - 1) >> 8),
          ...packed,
        ]);
        const expected = unpackLznt1(chunk, most);
        if (expected !== undefined) assert.ok(expected.equals(decodeLznt1(chunk, most)));
        else assert.throws(() => decodeLznt1(chunk, most), { name: 'CorruptError' });
      }
});

test('LZNT1: what no chunk can be is refused', () => {
  for (const bad of [
    [0x02, 0xb0, 0x01, 0, 0], // a match of nothing
    [0x10, 0xb0, 0xff, ...Array<number>(16).fill(0)], // eight of them
    [0x03, 0xb0, 0x02, 65, 0xff, 0xff], // one from before the chunk
    [0xff, 0x3f, 1, 2], // cut short
  ])
    assert.throws(() => decodeLznt1(Uint8Array.from(bad), 4096), { name: 'CorruptError' });
});
