/** xxHash64 and BLAKE2b against what is published, and against the foreign tools at every length up to some blocks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blake2b256, encodeHex, encodeText, xxhash64 } from '../../src/base/index.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const scratch = scratchDirectory();
const xxhash64Hex = (bytes: Uint8Array): string => xxhash64(bytes).toString(16).padStart(16, '0');
const blake2b256Hex = (bytes: Uint8Array): string => encodeHex(blake2b256(bytes));

test('the hashes of short texts are those that are published', () => {
  assert.equal(xxhash64Hex(encodeText('')), 'ef46db3751d8e999');
  assert.equal(xxhash64Hex(encodeText('abc')), '44bc2cf5ad770999');
  assert.equal(
    blake2b256Hex(encodeText('')),
    '0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8',
  );
  assert.equal(
    blake2b256Hex(encodeText('abc')),
    'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319',
  );
});

/** Lengths around every border of both, and blocks of btrfs without their checksum. */
const lengths = [...Array(300).keys(), 4064, 4096, 16_352, 65_504];
const random = new Random(7);
const inputs = lengths.map((length) => random.bytes(length));

/** What a tool says of each input: the first word of each line. */
function told(tool: string, options: readonly string[]): string[] {
  const files = inputs.map((bytes) => {
    const file = join(scratch, `input-${bytes.length}`);
    writeFileSync(file, bytes);
    return file;
  });
  return execFileSync(tool, [...options, ...files], { env: toolEnvironment, encoding: 'utf8' })
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');
}

test('xxHash64 of all lengths is what xxhsum says', needs('xxhsum'), () => {
  assert.deepEqual(inputs.map(xxhash64Hex), told('xxhsum', ['-H1']));
});

test('BLAKE2b of 32 bytes of all lengths is what b2sum says', needs('b2sum'), () => {
  assert.deepEqual(inputs.map(blake2b256Hex), told('b2sum', ['-l', '256']));
});
