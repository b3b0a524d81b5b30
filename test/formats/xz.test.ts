/** The .xz reader against xz itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { CorruptError, UnsupportedError } from '../../src/base/index.js';
import { decodeXz } from '../../src/formats/index.js';
import { needs } from '../support/tools.js';

const limit = 1 << 26;

function xz(input: Uint8Array, ...args: string[]): Uint8Array {
  const { stdout, status, stderr } = spawnSync('xz', ['-c', ...args], { input, maxBuffer: limit });
  assert.equal(status, 0, stderr?.toString());
  return stdout;
}

/** `printf hello | xz -9 --check=crc32`. */
const hello = Buffer.from(
  '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jMAQAEaGVsbG8AAAAAhqYQNgABGQW86OzLkEKZDQEAAAAAAVla',
  'base64',
);

const inputs: Record<string, Uint8Array> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  zeroes: Buffer.alloc(3_000_000),
  text: Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i} of ${i * i}\n`).join('')),
  'random bytes': randomBytes(300_000),
  mixed: Buffer.concat(
    Array.from({ length: 40 }, (_, i) => Buffer.concat([randomBytes(1000), Buffer.alloc(5000, i)])),
  ),
};

test('what xz compresses comes out again', needs('xz'), () => {
  for (const [name, input] of Object.entries(inputs)) {
    for (const args of [
      ['-0'],
      ['-6'],
      ['-9e'],
      ['--check=crc32'],
      ['--check=none'],
      ['--check=sha256'],
      ['--block-size=65536'],
      ['--lzma2=lc=0,lp=2,pb=0'],
      ['--lzma2=lc=4,pb=4'],
    ]) {
      const output = decodeXz(xz(input, ...args), limit);
      assert.ok(Buffer.compare(output, input) === 0, `${name} with ${args.join(' ')} differs`);
    }
  }
});

test('several streams with padding between are one file', needs('xz'), () => {
  const two = Buffer.concat([xz(Buffer.from('one ')), Buffer.alloc(8), xz(Buffer.from('two'))]);
  assert.equal(Buffer.from(decodeXz(two, limit)).toString(), 'one two');
});

test('other filters are refused by name', needs('xz'), () => {
  assert.throws(() => decodeXz(xz(Buffer.alloc(10_000, 'ab'), '--x86', '--lzma2'), limit), UnsupportedError);
});

test('more than the limit is refused before it is stored', needs('xz'), () => {
  assert.throws(() => decodeXz(xz(Buffer.alloc(2_000_000)), 1_000_000), CorruptError);
});

test('a damaged file is corrupt, wherever the damage is', needs('xz'), () => {
  const packed = xz(inputs.mixed as Uint8Array, '--check=crc32');
  for (let cut = 0; cut < packed.length; cut += 997) {
    if (cut === 0) continue;
    assert.throws(() => decodeXz(packed.subarray(0, cut), limit), CorruptError, `cut at ${cut}`);
  }
  for (let at = 0; at < packed.length; at += 499) {
    const damaged = Buffer.from(packed);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 0x55, at);
    try {
      decodeXz(damaged, limit);
    } catch (error) {
      assert.ok(error instanceof CorruptError || error instanceof UnsupportedError, `at ${at}: ${error}`);
    }
  }
});

test('a small file needs no tool to be read', () => {
  assert.equal(Buffer.from(decodeXz(hello, limit)).toString(), 'hello');
});
