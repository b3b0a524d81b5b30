/** gzip files expanded piece by piece: what zlib packs comes out again, and damage is found. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gunzipSync, gzipSync, constants as zlib } from 'node:zlib';
import { CorruptError, inflateGzip } from '../../src/base/index.js';
import { Random } from '../support/random.js';

const source = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (into: Uint8Array, offset: number) => void into.set(bytes.subarray(offset, offset + into.length)),
});

function expand(packed: Uint8Array, start = 0): { bytes: Buffer; ignored: number } {
  const pieces: Buffer[] = [];
  const inside = inflateGzip(source(packed), start);
  for (;;) {
    const { value, done } = inside.next();
    if (done) return { bytes: Buffer.concat(pieces), ignored: value };
    pieces.push(Buffer.from(value));
  }
}

/** Text of few words, runs and noise, in which copies reach near and far. */
function sample(chance: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const count = Math.min(length - at, 1 + chance.below(700));
    const kind = chance.below(4);
    if (kind === 0) for (let i = 0; i < count; i++) bytes[at + i] = chance.below(256);
    else if (kind === 1) bytes.fill(chance.below(256), at, at + count);
    else if (kind === 2) bytes.fill(chance.pick(['the ', 'root:', 'lines\n', 'x']), at, at + count);
    else bytes.copyWithin(at, chance.below(at + 1), at + count);
    at += count;
  }
  return bytes;
}

describe('a gzip file expanded in pieces', () => {
  test('is what zlib packed, by every level and strategy', () => {
    const chance = new Random(7);
    const { Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED } = zlib;
    for (const strategy of [Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED])
      for (const level of [0, 1, 6, 9])
        for (const length of [0, 1, 300, 70_000, 262_144, 600_000]) {
          const bytes = sample(chance, length);
          const packed = gzipSync(bytes, { level, strategy, memLevel: 1 + chance.below(9) });
          const found = expand(Buffer.concat([Buffer.from('before'), packed]), 6);
          assert.ok(found.bytes.equals(bytes), `level ${level}, strategy ${strategy}, ${length} bytes`);
          assert.equal(found.ignored, 0);
        }
  });

  test('is of several members, and ends where no other begins', () => {
    const [one, two] = [gzipSync('one\n'), gzipSync('two\n')];
    for (const rest of ['', 'x', '\x1f\x8b', 'garbage', '\0\0\0\0'])
      assert.deepEqual(expand(Buffer.concat([one, two, Buffer.from(rest, 'latin1')])), {
        bytes: Buffer.from('one\ntwo\n'),
        ignored: rest.length,
      });
  });

  test('is a CorruptError where it is damaged, or the same as by zlib', () => {
    const chance = new Random(8);
    const bytes = sample(chance, 3000);
    const whole = gzipSync(bytes);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const packed = Buffer.from(
        whole.subarray(0, round % 3 === 0 ? chance.below(whole.length) : whole.length),
      );
      for (let count = 1 + chance.below(3); count > 0 && packed.length > 0; count--)
        packed[chance.below(packed.length)] = chance.below(256);
      try {
        assert.ok(expand(packed).bytes.equals(gunzipSync(packed)));
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptError, String(thrown));
        assert.throws(() => gunzipSync(packed));
        refused++;
      }
    }
    assert.ok(refused > 2500, `${refused} were refused`);
  });

  test('takes no more memory than a piece, however much is in it', () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    let length = 0;
    let longest = 0;
    for (const piece of inflateGzip(source(packed))) {
      length += piece.length;
      longest = Math.max(longest, piece.length);
    }
    assert.equal(length, 64 * 1024 * 1024);
    assert.ok(longest <= 300 * 1024, `${longest}`);
  });
});
