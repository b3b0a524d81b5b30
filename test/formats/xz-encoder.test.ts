/** The .xz writer, as xz itself and the own reader see it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { decodeXz, encodeXz } from '../../src/formats/index.js';
import { readFixture } from '../support/fixtures.js';
import { noise, Random } from '../support/random.js';
import { needs } from '../support/tools.js';

const limit = 1 << 26;
const source = Buffer.from(readFixture('inspect/libguestfs-answers.json'));

/** Bytes that repeat themselves at random distances, with changes. */
function tangle(seed: number, length: number): Uint8Array {
  const random = new Random(seed);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const count = Math.min(length - at, 1 + random.below(random.below(2) === 0 ? 8 : 700));
    const kind = random.below(3);
    for (let i = 0; i < count; i++, at++)
      bytes[at] =
        kind === 0 || at < 400 ? random.below(256) : (bytes[at - 1 - (kind * 97 + (count % 300))] ?? 0);
  }
  return bytes;
}

const inputs: Record<string, Uint8Array> = {
  nothing: new Uint8Array(0),
  'one byte': Uint8Array.of(120),
  zeroes: new Uint8Array(300_000),
  text: source,
  'random bytes': randomBytes(300_000),
  'random bytes, then text': Buffer.concat([randomBytes(200_000), source, randomBytes(70_000), source]),
  'repeated at a distance': Buffer.concat([noise(200_000, 1), noise(200_000, 1)]),
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, seed) => [`tangle ${seed}`, tangle(seed, 1 + seed * 991)]),
  ),
};

test('what is compressed comes out again', () => {
  for (const [name, input] of Object.entries(inputs)) {
    const output = decodeXz(encodeXz(input), limit);
    assert.ok(Buffer.compare(output, input) === 0, name);
  }
});

test('xz accepts it, and lists its streams', needs('xz'), () => {
  const files = Object.entries(inputs).filter(([name]) => !name.startsWith('tangle'));
  for (const [name, input] of files)
    for (const level of [0, undefined]) {
      const packed = encodeXz(input, level);
      const { stdout, status, stderr } = spawnSync('xz', ['-dc'], { input: packed, maxBuffer: limit });
      assert.equal(status, 0, `${name}: ${stderr}`);
      assert.ok(Buffer.compare(stdout, input) === 0, name);
    }
});

test('it gets about as small as xz makes it', needs('xz'), () => {
  const { stdout } = spawnSync('xz', ['-6', '-c'], { input: source, maxBuffer: limit });
  const { length } = encodeXz(source);
  assert.ok(length < stdout.length * 1.15, `${length} instead of ${stdout.length}`);
  assert.ok(encodeXz(new Uint8Array(3_000_000)).length < 1000);
  const random = encodeXz(randomBytes(300_000));
  assert.ok(random.length < 300_200, `${random.length} for what cannot be compressed`);
});
