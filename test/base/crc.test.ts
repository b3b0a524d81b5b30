/** The sums of on-disk formats: as published, and long ones, which are folded, against one byte at a time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc16, crc32, crc32c, crc32cOfView, encodeText, joinCrc32c, viewOf } from '../../src/base/index.js';
import { Random } from '../support/random.js';

const random = new Random(11);

/** CRC-32C as its definition has it. */
function bitwise(crc: number, data: Uint8Array): number {
  let sum = crc;
  for (const byte of data) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return sum >>> 0;
}

test('the sums of nine digits are those that are published', () => {
  const digits = encodeText('123456789');
  assert.equal(crc32(digits), 0xcbf43926);
  assert.equal(~crc32c(0xffffffff, digits) >>> 0, 0xe3069283);
  assert.equal(crc16(0, digits), 0xbb3d);
});

test('long data has the sum that its bits have, at lengths around what a round folds', () => {
  // Folding begins with the second long sum.
  crc32c(0, new Uint8Array(512 * 1024));
  const data = random.bytes(20_000);
  const byBytes = [0xdeadbeef, 0].map((begin) => {
    const sums = new Uint32Array(data.length + 1);
    sums[0] = begin;
    data.forEach((byte, i) => {
      sums[i + 1] = bitwise(sums[i] as number, Uint8Array.of(byte));
    });
    return { begin, sums };
  });
  const lengths = [2047, 2048, 2049, 4096, 16_384 - 32, 20_000];
  for (let length = 5250; length < 5500; length++) lengths.push(length, length + 700);
  for (const { begin, sums } of byBytes)
    for (const length of lengths)
      assert.equal(crc32c(begin, data.subarray(0, length)), sums[length], `${length} bytes`);
  const shifted = new Uint8Array(data.length + 3);
  shifted.set(data, 3);
  assert.equal(
    crc32cOfView(0, viewOf(shifted.subarray(1)), 2, 2 + 9001),
    byBytes[1]?.sums[9001],
    'at an odd place',
  );
});

test('data longer than what is folded at once has the sum of its parts', () => {
  const data = random.bytes(1024 * 1024 + 777);
  for (const cut of [1, 1000, 512 * 1024, 512 * 1024 + 1, 1024 * 1024, 1024 * 1024 + 100]) {
    const first = crc32c(0, data.subarray(0, cut));
    assert.equal(crc32c(first, data.subarray(cut)), crc32c(0, data), `cut at ${cut}`);
  }
  assert.notEqual(
    crc32c(0, data),
    crc32c(
      0,
      data.map((byte, i) => (i === 700_000 ? byte ^ 1 : byte)),
    ),
  );
});

test('sums of pieces are joined to the sum of all', () => {
  for (const length of [512, 4096, 65_536]) {
    const join = joinCrc32c(length);
    const data = random.bytes(5 * length);
    let sum = 0;
    for (let at = 0; at < data.length; at += length)
      sum = join(sum, crc32c(0, data.subarray(at, at + length)));
    assert.equal(sum, crc32c(0, data), `pieces of ${length} bytes`);
  }
});
