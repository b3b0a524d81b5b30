/** Bytes to text and back, and the order of texts: for any bytes, in time and memory that grow with their number only. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareBytewise, decodeText, encodeText, sortBytewise } from '../../src/base/index.js';
import { Random } from '../support/random.js';

/** Bytes that are hard to decode: whole and broken sequences of all lengths. */
function someBytes(random: Random, length: number): Uint8Array {
  const pieces = [
    [0x61],
    [0xff],
    [0xc3, 0xa9],
    [0xc3],
    [0xe2, 0x82, 0xac],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xed, 0xb2, 0x80],
    [0xf0, 0x9f, 0x98, 0x80],
    [0xf0, 0x9f],
    [0xf4, 0x90, 0x80, 0x80],
    [0xc0, 0x80],
    [0xef, 0xbb, 0xbf],
    [0xef, 0xbf, 0xbd],
  ];
  const bytes: number[] = [];
  while (bytes.length < length) bytes.push(...random.pick(pieces));
  return Uint8Array.from(bytes);
}

describe('text', () => {
  test('of any bytes encodes to these bytes, and what is valid UTF-8 decodes as Node decodes it', () => {
    const random = new Random(1);
    for (let round = 0; round < 3000; round++) {
      const bytes = someBytes(random, random.below(90));
      const text = decodeText(bytes);
      assert.deepEqual(Buffer.from(encodeText(text)), Buffer.from(bytes));
      if (!Buffer.from(bytes).toString('utf8').includes('\ufffd'))
        assert.equal(text, Buffer.from(bytes).toString('utf8'));
    }
  });

  test('an undecodable byte is one character of U+DC80 to U+DCFF, and what is around it stays as it is', () => {
    assert.equal(
      decodeText(Buffer.concat([Buffer.from('é€😀'), Buffer.from([0xff, 0x80])])),
      'é€😀\udcff\udc80',
    );
    assert.equal(decodeText(Uint8Array.of(0xed, 0xb2, 0x80)), '\udced\udcb2\udc80');
  });

  test('of megabytes of undecodable bytes takes a few times their size', () => {
    const bytes = new Uint8Array(32 * 1024 * 1024).fill(0xff);
    const before = process.memoryUsage();
    const text = decodeText(bytes);
    const { heapUsed, external } = process.memoryUsage();
    assert.equal(text.length, bytes.length);
    const grown = heapUsed + external - before.heapUsed - before.external;
    assert.ok(grown < bytes.length * 8, `${grown} bytes`);
    assert.equal(Buffer.compare(encodeText(text), bytes), 0);
  });

  test('is compared and sorted as its bytes are', () => {
    const random = new Random(2);
    const texts = Array.from({ length: 2000 }, () => decodeText(someBytes(random, random.below(12))));
    for (const [index, text] of texts.entries()) {
      const other = texts[(index * 7 + 1) % texts.length] ?? '';
      const expected = Buffer.compare(Buffer.from(encodeText(text)), Buffer.from(encodeText(other)));
      assert.equal(Math.sign(compareBytewise(text, other)), expected, JSON.stringify([text, other]));
    }
    const byBytes = [...texts].sort((a, b) => Buffer.compare(encodeText(a), encodeText(b)));
    assert.deepEqual(sortBytewise([...texts]), byBytes);
  });
});
