/** The .xz reader against xz itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CorruptError, sourceOf, UnsupportedError } from '../../src/base/index.js';
import { decodeLzma, decodeXz, decodeXzBlock, readXzBlocks } from '../../src/formats/index.js';
import { readFixture, readFixtureJson } from '../support/fixtures.js';
import { Random } from '../support/random.js';
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

/** Bytes in which every machine's calls are found often, near the borders of what the filters convert too. */
function codeLike(length: number): Buffer {
  const chance = new Random(5);
  const code = Buffer.from(chance.bytes(length));
  const words = [0xe8, 0xe9, 0xeb, 0x48, 0x40, 0x7f, 0x94, 0x97, 0x90, 0xb0, 0xf0, 0xf8, 0xff, 0];
  for (let at = 0; at < length; at++) if (chance.below(3) > 0) code[at] = chance.pick(words);
  return code;
}

test('filters for machine code are undone', needs('xz'), () => {
  const chains = ['--x86', '--powerpc', '--arm', '--armthumb', '--arm64', '--sparc', '--x86=start=4096'].map(
    (filter) => [filter],
  );
  chains.push(['--arm64', '--x86', '--arm'], ['--x86', '--block-size=30000']);
  for (const code of [readFileSync(process.execPath).subarray(1 << 20, 3 << 19), codeLike(100_003)])
    for (const chain of chains) {
      const packed = xz(code, '--check=crc32', ...chain, '--lzma2=preset=0');
      assert.ok(Buffer.compare(decodeXz(packed, limit), code) === 0, chain.join(' '));
      const beginning = decodeXz(packed, limit, 5000);
      assert.ok(beginning.length >= 5000 && code.indexOf(beginning) === 0, `the beginning, ${chain}`);
      const [block] = readXzBlocks(sourceOf(packed));
      assert.ok(block);
      const bytes = packed.subarray(block.offset, block.offset + block.packedSize);
      const found = decodeXzBlock(bytes, block.decodedSize);
      assert.ok(Buffer.compare(found, code.subarray(0, block.decodedSize)) === 0, `a block, ${chain}`);
    }
});

test('filters that are not implemented are refused by name', needs('xz'), () => {
  for (const filter of ['delta', 'ia64'])
    assert.throws(
      () => decodeXz(xz(Buffer.alloc(10_000, 'ab'), `--${filter}`, '--lzma2'), limit),
      (error) => error instanceof UnsupportedError && error.message.includes(filter),
    );
});

test('LZMA with its old header is read, with and without its size', needs('xz'), () => {
  for (const [name, input] of Object.entries(inputs))
    for (const args of [['-0'], ['--lzma1=lc=0,lp=4,pb=0']]) {
      const packed = Buffer.from(xz(input, '--format=lzma', ...args));
      const output = decodeLzma(packed, input.length);
      assert.ok(Buffer.compare(output, input) === 0, `${name} with ${args.join(' ')} differs`);
      if (input.length > 0)
        assert.throws(() => decodeLzma(packed, input.length - 1), { name: 'CorruptError' });
      packed.writeBigUInt64LE(BigInt(input.length), 5);
      assert.ok(Buffer.compare(decodeLzma(packed, limit), input) === 0);
      packed.writeBigUInt64LE(BigInt(input.length + 1), 5);
      assert.throws(() => decodeLzma(packed, limit), { name: 'CorruptError' });
      assert.throws(() => decodeLzma(packed.subarray(0, 12), limit), { name: 'CorruptError' });
    }
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

test('a small file with the old header needs no tool to be read', () => {
  const sums = readFixtureJson<Record<string, string>>('codecs/sums.json');
  for (const name of ['mixed.lzma', 'numbers.lzma']) {
    const bytes = decodeLzma(readFixture(`codecs/${name}`), limit);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sums[name], name);
  }
});
