/** `createReadStream` and `readable`: ranges, pace, cancellation, errors, on both backends. */
import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestfsError, PartialError } from '../../../src/base/index.js';
import { Guestfs } from '../../../src/guestfs/index.js';
import { CallOutput } from '../../../src/guestfs/streams/call-output.js';
import { CallReadable } from '../../../src/guestfs/streams/node-stream.js';
import { webStream } from '../../../src/guestfs/streams/web-stream.js';
import { ext4Image, withExt4 } from '../../engine/support.js';
import { directHandle, needsAppliance } from '../../support/appliance.js';

async function bytesOf(stream: Readable | ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

const closed = (stream: Readable): Promise<void> => new Promise((resolve) => stream.once('close', resolve));
const failsWith = (code: string) => (thrown: unknown) =>
  thrown instanceof GuestfsError && thrown.code === code;

/** Start and end, as in node:fs, of a file of 32,000 bytes. */
const ranges: readonly (readonly [number | undefined, number | undefined])[] = [
  [undefined, undefined],
  [0, 0],
  [0, 9],
  [undefined, 31_999],
  [5, undefined],
  [4095, 4096],
  [31_999, 31_999],
  [31_999, 1_000_000],
  [32_000, 40_000],
  [1_000_000, undefined],
];

async function readRanges(g: Guestfs): Promise<void> {
  const whole = Buffer.from(await g.readFile('/noise'));
  assert.equal(whole.length, 32_000);
  for (const [start, end] of ranges) {
    const expected = whole.subarray(start ?? 0, end === undefined ? undefined : end + 1);
    assert.deepEqual(
      await bytesOf(g.createReadStream('/noise', { start, end })),
      expected,
      `${start}-${end}`,
    );
    assert.deepEqual(await bytesOf(g.readable('/noise', { start, end })), expected, `web ${start}-${end}`);
  }
  const device = await bytesOf(g.createReadStream('/dev/sda', { start: 1024, end: 1024 + 1023 }));
  assert.equal(device.readUInt16LE(0x38), 0xef53, 'the superblock of ext4');
}

test('a range is what node:fs would read of a file, in Node streams and in web streams', () =>
  withExt4(readRanges));

test('a range on the direct backend is the same', needsAppliance(), async () => {
  await using g = directHandle();
  g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  await readRanges(g);
  await assert.rejects(bytesOf(g.createReadStream('/nowhere')), failsWith('ENOENT'));
  const stream = g.createReadStream('/dev/sda');
  await new Promise((resolve) => stream.once('readable', resolve));
  stream.destroy();
  await closed(stream);
  assert.equal(await g.exists('/noise'), true);
});

test('a Node stream holds no more than highWaterMark ready, in parts of its length at most', () =>
  withExt4(async (g) => {
    const stream = g.createReadStream('/noise', { highWaterMark: 1000 });
    await new Promise((resolve) => stream.once('readable', resolve));
    await sleep(20);
    assert.ok(stream.readableLength <= 2000, `${stream.readableLength}`);
    assert.equal((await bytesOf(stream)).length, 32_000);
  }));

test('a web stream fills memory of its reader, with and without bytes held ready', () =>
  withExt4(async (g) => {
    const whole = Buffer.from(await g.readFile('/noise'));
    for (const highWaterMark of [0, 5000]) {
      const reader = g.readable('/noise', { highWaterMark }).getReader({ mode: 'byob' });
      const chunks: Buffer[] = [];
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(700));
        if (done) break;
        chunks.push(Buffer.from(value));
      }
      assert.deepEqual(Buffer.concat(chunks), whole);
    }
  }));

test('a stream that is not read holds no other call up, and one that is read slowly holds them up', () =>
  withExt4(
    async (g) => {
      const idle = g.createReadStream('/dev/sdb');
      const web = g.readable('/dev/sdb');
      assert.equal(await g.exists('/noise'), true);
      assert.equal(g.state, 'ready');
      idle.destroy();
      await closed(idle);
      await web.cancel();
      const slow = g.createReadStream('/dev/sdb');
      await new Promise((resolve) => slow.once('readable', resolve));
      let isAnswered = false;
      const call = g.exists('/noise').then(() => {
        isAnswered = true;
      });
      await sleep(50);
      assert.equal(g.state, 'busy');
      assert.equal(isAnswered, false);
      slow.destroy();
      await closed(slow);
      await call;
    },
    64 * 1024 * 1024,
  ));

test('destroy ends the call within 100 ms, and after close the handle is ready', () =>
  withExt4(
    async (g) => {
      // The best of some tries: a machine that is busy with other things says nothing about us.
      const times: number[] = [];
      for (let round = 0; round < 6; round++) {
        const stream = g.createReadStream('/dev/sdb', { start: round });
        await new Promise((resolve) => stream.once('readable', resolve));
        const began = performance.now();
        stream.destroy();
        await closed(stream);
        times.push(performance.now() - began);
        assert.equal(g.state, 'ready');
      }
      assert.ok(Math.min(...times) < 100, `${times}`);
      const reader = g.readable('/dev/sdb').getReader();
      await reader.read();
      await reader.cancel();
      assert.equal(g.state, 'ready');
    },
    1024 * 1024 * 1024,
  ));

test('a slow reader is waited for: no more than a few MiB are read ahead', () =>
  withExt4(
    async (g) => {
      let position = 0;
      g.on('progress', (progress) => {
        position = progress.position;
      });
      const stream = g.createReadStream('/dev/sdb');
      await new Promise((resolve) => stream.once('readable', resolve));
      await sleep(2500);
      assert.ok(position < 16 * 1024 * 1024, `${position}`);
      assert.ok(stream.readableLength <= 256 * 1024 + 64 * 1024, `${stream.readableLength}`);
      stream.destroy();
      await closed(stream);
    },
    1024 * 1024 * 1024,
  ));

describe('the error of a stream', () => {
  test('is the GuestfsError of the call, under the name of the method', () =>
    withExt4(async (g) => {
      const isRight = (method: string, code: string) => (thrown: unknown) =>
        failsWith(code)(thrown) && (thrown as Error).message.startsWith(`${method}: /`);
      await assert.rejects(bytesOf(g.createReadStream('/nowhere')), isRight('createReadStream', 'ENOENT'));
      await assert.rejects(bytesOf(g.readable('/nowhere')), isRight('readable', 'ENOENT'));
      await assert.rejects(bytesOf(g.createReadStream('/')), isRight('createReadStream', 'EISDIR'));
      await assert.rejects(bytesOf(g.createReadStream('/dev/sdz')), isRight('createReadStream', 'ENOENT'));
    }));

  test('is ECANCELED when the signal aborts, before the first read and after it', () =>
    withExt4(
      async (g) => {
        for (const read of [false, true]) {
          const stop = new AbortController();
          const { signal } = stop;
          const stream = g.createReadStream('/dev/sdb', { signal });
          const web = g.readable('/dev/sdb', { signal }).getReader();
          if (read) await new Promise((resolve) => stream.once('readable', resolve));
          const failed = new Promise((resolve) => stream.once('error', resolve));
          stop.abort(new Error('enough'));
          const error = await failed;
          assert.ok(failsWith('ECANCELED')(error));
          assert.equal(((error as Error).cause as Error).message, 'enough');
          await assert.rejects(web.read(), failsWith('ECANCELED'));
          assert.equal(await g.exists('/noise'), true);
        }
        await assert.rejects(
          bytesOf(g.createReadStream('/noise', { signal: AbortSignal.abort() })),
          failsWith('ECANCELED'),
        );
      },
      1024 * 1024 * 1024,
    ));

  test('is ECANCELED when the handle is closed, and EBADF afterwards', async () => {
    const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    g.addDriveScratch(1024 * 1024 * 1024);
    await g.launch();
    const stream = g.createReadStream('/dev/sda');
    const failed = assert.rejects(bytesOf(stream), failsWith('ECANCELED'));
    await sleep(5);
    await g.close();
    await failed;
    await assert.rejects(bytesOf(g.createReadStream('/dev/sda')), failsWith('EBADF'));
  });

  test('comes when all bytes before it are read, and a piece without bytes holds nothing up', async () => {
    const pieces = [0, 1, 0, 0, 2, 3].map((fill) => Buffer.alloc(fill === 0 ? 0 : 1000, fill));
    const output = () =>
      new CallOutput(async (sink) => {
        for (const piece of pieces)
          await new Promise<void>((resolve, reject) =>
            sink.write(piece, (error) => (error ? reject(error) : resolve())),
          );
        throw new PartialError('one file is damaged', 1);
      });
    const streams = [
      new CallReadable('tarStream', output(), { highWaterMark: 2500 }),
      webStream('tarStream', output(), {}),
      webStream('tarStream', output(), { highWaterMark: 2500 }),
    ];
    for (const stream of streams) {
      let length = 0;
      const read = async () => {
        for await (const chunk of stream) {
          length += (chunk as Uint8Array).length;
          await sleep(2);
        }
      };
      await assert.rejects(read(), PartialError);
      assert.equal(length, 3000);
    }
  });

  test('of wrong arguments is thrown at once', () =>
    withExt4(async (g) => {
      const call = g.createReadStream.bind(g) as (...given: unknown[]) => unknown;
      assert.throws(() => call('/noise', { start: -1 }), RangeError);
      assert.throws(() => call('/noise', { start: 5, end: 4 }), /createReadStream: end is 4/);
      assert.throws(() => call('/noise', { start: 0.5 }), RangeError);
      assert.throws(() => call('/noise', { highWaterMark: '5' }), TypeError);
      assert.throws(() => call('/noise', { begin: 5 }), /no option begin/);
      assert.throws(() => call(5), TypeError);
      assert.throws(() => call('/noise', 5), TypeError);
    }));
});

test('a stream of a handle is no source for the same handle, which would wait for itself, and is one for another', async () => {
  const size = 24 * 1024 * 1024;
  await withExt4(async (g) => {
    for (const make of [() => g.createReadStream('/dev/sda'), () => g.readable('/dev/sda')]) {
      const stream = make();
      await assert.rejects(g.upload(stream, '/dev/sdb'), {
        code: 'EDEADLK',
        message: /^upload: .*a stream of the same handle.*fork\(\)/,
      });
      await withExt4((other) => g.upload(other.createReadStream('/noise'), '/dev/sdb'));
      assert.equal(g.state, 'ready');
      if (!('destroy' in stream)) await stream.cancel();
    }
    const noise = Buffer.from(await g.readFile('/noise'));
    assert.ok(Buffer.from(await g.preadDevice('/dev/sdb', noise.length, 0)).equals(noise));
  }, size);
});
