/** Framing: bytes in any pieces, and what cannot be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameReader } from '../../src/appliance/wire/frames.js';
import { ProtocolError } from '../../src/appliance/wire/xdr.js';
import { cancelFlag, chunk, framed, launchFlag, pattern, words } from './fake-daemon.js';

function reader(chunks = false): { reader: FrameReader; told: unknown[] } {
  const told: unknown[] = [];
  let data: Buffer[] = [];
  const frames = new FrameReader({
    launched: () => told.push('launched'),
    cancelled: () => told.push('cancelled'),
    progress: ({ position, total }) => told.push(`${position}/${total}`),
    message: (bytes) => {
      told.push(bytes.toString('hex'));
      frames.expectsChunks = true;
    },
    data: (bytes) => data.push(Buffer.from(bytes)),
    end: (cancelled) => {
      told.push(Buffer.concat(data).toString('hex'), cancelled);
      data = [];
      frames.expectsChunks = false;
    },
  });
  frames.expectsChunks = chunks;
  return { reader: frames, told };
}

test('all that can come is told the same, in pieces of any length', () => {
  const data = pattern(8192 + 5);
  const header = Buffer.alloc(40, 9);
  const progress = words(0xffff5555, 66, 1, 0, 3, 0, 4);
  const bytes = Buffer.concat([
    launchFlag,
    progress,
    framed(header),
    chunk(data.subarray(0, 8192)),
    progress,
    chunk(data.subarray(8192)),
    cancelFlag,
    chunk(''),
    framed(header),
    chunk('', 1),
  ]);
  const whole = header.toString('hex');
  const expected = [
    'launched',
    '3/4',
    whole,
    '3/4',
    'cancelled',
    data.toString('hex'),
    false,
    whole,
    '',
    true,
  ];
  for (const piece of [bytes.length, 1, 3, 4, 12, 41, 8191, 8192, 8193]) {
    const { reader: frames, told } = reader();
    for (let at = 0; at < bytes.length; at += piece) frames.push(Buffer.from(bytes.subarray(at, at + piece)));
    assert.deepEqual(told, expected, `pieces of ${piece}`);
    assert.ok(frames.atBorder);
  }
});

test('the longest message is read, and one byte more is refused before any memory is taken', () => {
  const { reader: frames, told } = reader();
  const longest = 4 * 1024 * 1024;
  frames.push(words(longest));
  frames.push(Buffer.alloc(longest - 1));
  assert.deepEqual(told, []);
  frames.push(Buffer.alloc(1));
  assert.equal(String(told.at(-1)).length, 2 * longest);
  for (const length of [longest + 1, 0x7fffffff, 0xfffffffc, 39, 0])
    assert.throws(() => reader().reader.push(words(length)), ProtocolError, `${length}`);
});

test('lengths of chunks that disagree or are too long are refused', () => {
  for (const bytes of [
    words(8 + 8192 + 4),
    words(7),
    words(40, 0, 33),
    words(12, 0, 0),
    words(8, 0, 1),
    words(8 + 8192, 0, 8193),
    words(8 + 8192, 0, 0xfffffff8),
    words(8, 2, 0),
    words(12, 1, 4),
  ])
    assert.throws(() => reader(true).reader.push(bytes), ProtocolError, bytes.toString('hex'));
});

test('what is stopped in the midst of its bytes tells nothing more', () => {
  let count = 0;
  const frames = new FrameReader({
    launched: () => {
      count++;
      frames.stop();
    },
    cancelled: () => assert.fail(),
    progress: () => assert.fail(),
    message: () => assert.fail(),
    data: () => assert.fail(),
    end: () => assert.fail(),
  });
  frames.push(Buffer.concat([launchFlag, cancelFlag, words(0)]));
  assert.equal(count, 1);
});
