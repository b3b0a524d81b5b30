/** Structures both ways: what is written is read again, nothing else changes, and what has no room is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bits64,
  bytes,
  CorruptError,
  i16,
  i32,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
} from '../../src/base/index.js';

const fields = {
  small: u8(1),
  word: u16(2),
  signed: i16(4),
  number: u32(8),
  negative: i32(12),
  offset: u64(16),
  mask: bits64(24),
  raw: bytes(32, 3),
  name: text(36, 8),
};
const little = struct('example', 'little', 48, () => fields);
const big = struct('example', 'big', 48, () => fields);

const values = {
  small: 0xfe,
  word: 0x1234,
  signed: -2,
  number: 0xdeadbeef,
  negative: -3,
  offset: 0x12_3456_789abc,
  mask: 0xfedc_ba98_7654_3210n,
  raw: Uint8Array.of(7, 8, 9),
  name: 'ä\udcff',
};

test('what was encoded is decoded again, in either byte order and at any place', () => {
  for (const layout of [little, big])
    for (const base of [0, 5]) {
      const into = new Uint8Array(60);
      assert.equal(layout.encode(values, into, base), into);
      assert.deepEqual(layout.decode(into, base), values);
    }
});

test('the bytes lie as the byte order says', () => {
  const hex = (layout: typeof little): string => Buffer.from(layout.encode(values)).toString('hex');
  assert.equal(
    hex(little),
    '00fe3412feff0000efbeaddefdffffffbc9a785634120000' +
      '1032547698badcfe07080900c3a4ff0000000000' +
      '00000000',
  );
  assert.equal(
    hex(big),
    '00fe1234fffe0000deadbeeffffffffd0000123456789abc' +
      'fedcba987654321007080900c3a4ff0000000000' +
      '00000000',
  );
});

test('a partial update leaves every other byte as it is', () => {
  const into = new Uint8Array(60).fill(0xaa);
  little.encode({ word: 0x0102, name: 'ab' }, into, 6);
  const expected = new Uint8Array(60).fill(0xaa);
  expected.set([2, 1], 6 + 2);
  expected.set([0x61, 0x62, 0, 0, 0, 0, 0, 0], 6 + 36);
  assert.deepEqual(into, expected);
});

test('encode writes through a view of a larger buffer, where the view begins', () => {
  const whole = new Uint8Array(64);
  little.encode({ small: 5 }, whole.subarray(10, 58));
  assert.equal(whole.indexOf(5), 11);
});

test('one field is set as encode would', () => {
  const into = new Uint8Array(60);
  const view = new DataView(into.buffer);
  big.set(view, 4, 'offset', values.offset);
  assert.deepEqual(into, big.encode({ offset: values.offset }, new Uint8Array(60), 4));
  assert.equal(big.get(view, 4, 'offset'), values.offset);
  assert.throws(() => big.set(view, 4, 'small', 256), RangeError);
});

test('the ends of each range are taken, and what lies beyond is a RangeError that names the field', () => {
  const within: readonly [keyof typeof fields, unknown][] = [
    ['small', 0],
    ['small', 0xff],
    ['word', 0xffff],
    ['signed', -0x8000],
    ['signed', 0x7fff],
    ['number', 0xffff_ffff],
    ['negative', -0x8000_0000],
    ['negative', 0x7fff_ffff],
    ['offset', Number.MAX_SAFE_INTEGER],
    ['mask', 0n],
    ['mask', 0xffff_ffff_ffff_ffffn],
    ['name', 'exactly8'],
    ['name', ''],
  ];
  const beyond: readonly [keyof typeof fields, unknown][] = [
    ['small', -1],
    ['small', 0x100],
    ['small', 1.5],
    ['small', Number.NaN],
    ['word', 0x1_0000],
    ['signed', -0x8001],
    ['signed', 0x8000],
    ['number', -1],
    ['number', 0x1_0000_0000],
    ['negative', -0x8000_0001],
    ['negative', 0x8000_0000],
    ['offset', -1],
    ['offset', 2 ** 53],
    ['offset', Number.POSITIVE_INFINITY],
    ['mask', -1n],
    ['mask', 1n << 64n],
    ['raw', new Uint8Array(2)],
    ['raw', new Uint8Array(4)],
    ['name', 'more than 8'],
    ['name', 'äääää'],
    ['name', 'a\0b'],
  ];
  for (const layout of [little, big]) {
    for (const [field, value] of within)
      assert.deepEqual(layout.decode(layout.encode({ [field]: value }))[field], value, `${field}: ${value}`);
    for (const [field, value] of beyond)
      assert.throws(() => layout.encode({ [field]: value }), {
        name: 'RangeError',
        message: new RegExp(`^example: ${field}: `),
      });
  }
});

test('a structure that lies outside is refused both ways', () => {
  for (const base of [-1, 13, 60]) {
    assert.throws(() => little.encode({}, new Uint8Array(60), base), RangeError);
    assert.throws(() => little.decode(new Uint8Array(60), base), CorruptError);
  }
});
