/** Reads that keep within their source, whatever offset a disk names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteSource, readMaybe, readUpTo, sourceOf, typeOfMode } from '../../src/base/index.js';

const bytes = Uint8Array.of(1, 2, 3, 4, 5);
/** Fails on any read that does not lie inside. */
const strict: ByteSource = {
  size: bytes.length,
  read(into, offset) {
    assert.ok(offset >= 0 && offset + into.length <= bytes.length, `read of ${into.length} at ${offset}`);
    into.set(bytes.subarray(offset, offset + into.length));
  },
};

const cases: readonly [offset: number, length: number, whole: number[] | undefined, part: number[]][] = [
  [0, 5, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]],
  [1, 2, [2, 3], [2, 3]],
  [3, 4, undefined, [4, 5]],
  [5, 0, [], []],
  [5, 1, undefined, []],
  [6, 0, undefined, []],
  [-1, 2, undefined, []],
  [Number.NaN, 2, undefined, []],
  [Number.POSITIVE_INFINITY, 2, undefined, []],
  [2 ** 60, 2, undefined, []],
];

test('a read is whole or not at all, or ends where the source ends; nothing outside is asked for', () => {
  for (const [offset, length, whole, part] of cases) {
    const found = readMaybe(strict, offset, length);
    assert.deepEqual(found && [...found], whole, `${length} at ${offset}`);
    assert.deepEqual([...readUpTo(strict, offset, length)], part, `up to ${length} at ${offset}`);
  }
});

test('bytes in memory are a source, and give no more than they have', () => {
  const source = sourceOf(bytes.subarray(1));
  assert.equal(source.size, 4);
  assert.deepEqual([...readUpTo(source, 2, 9)], [4, 5]);
  const into = Uint8Array.of(9, 9, 9);
  source.read(into, 3);
  assert.deepEqual([...into], [5, 9, 9]);
});

test('the type in a mode is that of the upper four bits', () => {
  const found = Array.from({ length: 16 }, (_, bits) => typeOfMode((bits << 12) | 0o7777));
  assert.deepEqual(found, [
    'unknown',
    'fifo',
    'character',
    'unknown',
    'directory',
    'unknown',
    'block',
    'unknown',
    'file',
    'unknown',
    'symlink',
    'unknown',
    'socket',
    'unknown',
    'unknown',
    'unknown',
  ]);
});
