/** fileOut arguments: host files and the caller's streams, their pace, their failures. */
import assert from 'node:assert/strict';
import { createWriteStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { PassThrough, type Readable, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { GuestfsError, Mailbox } from '../../../src/base/index.js';
import {
  chunksUnderWay,
  type IncomingChunk,
  type Report,
  streamMailbox,
  wishLetter,
} from '../../../src/engine/thread/messages.js';
import { StreamSink } from '../../../src/engine/thread/streams.js';
import { scratchPath, withExt4 } from '../support.js';

const megabyte = 1024 * 1024;

/** Collects what is written, at the pace of `wait`. */
function collector(wait: (chunk: Buffer) => Promise<void> = async () => {}) {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      wait(chunk).then(() => {
        chunks.push(chunk);
        done();
      }, done);
    },
  });
  return { stream, bytes: () => Buffer.concat(chunks) };
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const refused = (code: string) => (thrown: unknown) => thrown instanceof GuestfsError && thrown.code === code;

describe('a fileOut argument', () => {
  test('may be a host path, a Node stream or a web stream: the bytes are the same', () =>
    withExt4(async (g) => {
      const whole = Buffer.from(await g.readFile('/noise'));
      assert.equal(whole.length, 32_000);
      const path = scratchPath();
      await g.download('/noise', path);
      assert.deepEqual(readFileSync(path), whole);
      const node = collector();
      await g.download('/noise', node.stream);
      assert.deepEqual(node.bytes(), whole);
      const chunks: Uint8Array[] = [];
      const web = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) });
      await g.download('/noise', web);
      assert.deepEqual(Buffer.concat(chunks), whole);
      assert.equal(web.locked, false);
    }));

  test('that is a stream gets all of a Buffer, of whatever memory, and the Buffer stays as it is', () => {
    const { port1, port2 } = new MessageChannel();
    const mailbox = new Mailbox(new SharedArrayBuffer(Mailbox.sizeOf(streamMailbox)), streamMailbox);
    let touched = false;
    const touch = (): void => {
      touched = true;
    };
    const end = { port: port1, incoming: port1, mailbox, serial: 1, checkpoint: () => {}, touch };
    const sink = new StreamSink(end, false);
    assert.equal(touched, false);
    const large = Buffer.alloc(2.5 * megabyte, 'abc');
    const small = Buffer.from('in the memory that small Buffers share');
    for (const bytes of [large, small]) sink.write(bytes);
    assert.equal(touched, true, 'what was sent cannot be taken back');
    const chunks: Uint8Array[] = [];
    for (let got = receiveMessageOnPort(port2); got; got = receiveMessageOnPort(port2))
      chunks.push((got.message as { chunk: Uint8Array }).chunk);
    port1.close();
    const expected = Buffer.concat([Buffer.alloc(2.5 * megabyte, 'abc'), small]);
    assert.equal(small.toString(), 'in the memory that small Buffers share');
    assert.ok(Buffer.concat(chunks).equals(expected));
  });

  test('that is a stream which borrows its chunks gets them in memory that is used again once they are taken', () => {
    const { port1, port2 } = new MessageChannel();
    const mailbox = new Mailbox(new SharedArrayBuffer(Mailbox.sizeOf(streamMailbox)), streamMailbox);
    const end = { port: port1, incoming: port1, mailbox, serial: 1, checkpoint: () => {}, touch: () => {} };
    const sink = new StreamSink(end, true);
    const memory = new Set<ArrayBufferLike>();
    const received: string[] = [];
    for (let count = 0; count < 3 * chunksUnderWay; count++) {
      const bytes = Buffer.from(`chunk ${count}`);
      sink.write(bytes);
      bytes.fill(0);
      // safe: it was just sent
      const got = receiveMessageOnPort(port2) as { message: { chunk: Uint8Array; letter: number } };
      const { chunk, letter } = got.message;
      memory.add(chunk.buffer);
      received.push(Buffer.from(chunk).toString());
      mailbox.answer(letter, true);
    }
    port1.close();
    assert.deepEqual(
      received,
      Array.from({ length: 3 * chunksUnderWay }, (_, count) => `chunk ${count}`),
    );
    assert.ok([...memory].every((each) => each instanceof SharedArrayBuffer));
  });

  test('no stream of a caller borrows its chunks: they may all be kept', () =>
    withExt4(async (g) => {
      const kept: Uint8Array[] = [];
      await g.download('/noise', new WritableStream<Uint8Array>({ write: (chunk) => void kept.push(chunk) }));
      assert.ok(kept.every(({ buffer }) => buffer instanceof ArrayBuffer));
    }));

  test('that is a stream is ended with the call, when all is out', () =>
    withExt4(async (g) => {
      const path = scratchPath();
      await g.download('/noise', createWriteStream(path));
      assert.equal(statSync(path).size, 32_000, 'the file is complete when the call resolves');
      // A consumer that waits for the end gets it, of an empty file as well.
      for (const [file, length] of [
        ['/noise', 32_000],
        ['/empty', 0],
      ] as const) {
        const pass = new PassThrough();
        const [bytes] = await Promise.all([readAll(pass), g.download(file, pass)]);
        assert.equal(bytes.length, length);
      }
      let closed = 0;
      const web = new WritableStream<Uint8Array>({ close: () => void closed++ });
      await g.tarOut('/dir', web);
      assert.equal(closed, 1);
    }));

  test('with end: false the stream stays open, whatever becomes of the call', () =>
    withExt4(async (g) => {
      const { stream, bytes } = collector();
      await g.download('/hello.txt', stream, { end: false });
      await assert.rejects(g.download('/missing', stream, { end: false }), refused('ENOENT'));
      assert.equal(stream.writableEnded || stream.destroyed, false);
      await g.download('/hello.txt', stream);
      assert.equal(stream.writableEnded, true);
      assert.equal(bytes().toString(), 'hello, world\n'.repeat(2));
      let closed = 0;
      const web = new WritableStream<Uint8Array>({ close: () => void closed++ });
      await g.download('/hello.txt', web, { end: false });
      await g.download('/hello.txt', web);
      assert.equal(closed, 1);
    }));

  test('a stream whose call fails is destroyed: nobody waits for more, or takes a part for the whole', () =>
    withExt4(async (g) => {
      const pass = new PassThrough();
      const [read, call] = await Promise.allSettled([readAll(pass), g.download('/missing', pass)]);
      assert.equal(call.status, 'rejected');
      assert.ok(read.status === 'rejected' && refused('ENOENT')(read.reason), String(read));
      const silent = new PassThrough(); // nobody listens for its error
      await assert.rejects(g.download('/missing', silent), refused('ENOENT'));
      assert.equal(silent.destroyed, true);
      let reason: unknown;
      const web = new WritableStream<Uint8Array>({
        abort(why) {
          reason = why;
        },
      });
      await assert.rejects(g.download('/missing', web), refused('ENOENT'));
      assert.ok(refused('ENOENT')(reason));
      const late = new PassThrough();
      await g.shutdown();
      await assert.rejects(g.download('/hello.txt', late), refused('EBADFD'));
      assert.equal(late.destroyed, true);
    }));

  test('what a stream says to its end is the failure of the call', () =>
    withExt4(async (g) => {
      const full = new Writable({
        write: (_chunk, _encoding, done) => done(),
        final: (done) => done(new Error('no space for the end')),
      });
      await assert.rejects(g.download('/hello.txt', full), /^GuestfsError: download: no space for the end$/);
      const web = new WritableStream<Uint8Array>({
        close() {
          throw new Error('no end');
        },
      });
      await assert.rejects(g.download('/hello.txt', web), /download: no end/);
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    }));

  test('a slow consumer is waited for, in little memory', () =>
    withExt4(async (g) => {
      const total = 96 * megabyte;
      const before = process.memoryUsage().arrayBuffers;
      let seen = 0;
      let most = 0;
      const slow = new Writable({
        highWaterMark: 1,
        write(chunk: Buffer, _encoding, done) {
          seen += chunk.length;
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
          // At first nothing is taken for a while: all that is on its way piles up.
          setTimeout(done, seen === chunk.length ? 300 : 1);
        },
      });
      await g.download('/dev/sdb', slow);
      assert.equal(seen, total);
      assert.ok(most < 24 * megabyte, `${most} bytes were waiting`);
    }, 96 * megabyte));

  test('a consumer that fails ends the call with its error, and the handle goes on', () =>
    withExt4(async (g) => {
      const failing = collector(async () => {
        throw new Error('the disk of the consumer is full');
      });
      failing.stream.on('error', () => {});
      await assert.rejects(
        g.download('/dev/sdb', failing.stream),
        /download: the disk of the consumer is full/,
      );
      const web = new WritableStream<Uint8Array>({
        write() {
          throw new Error('no more');
        },
      });
      await assert.rejects(g.download('/dev/sdb', web), /download: no more/);
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    }, 64 * megabyte));

  test('a consumer that goes away ends the call', () =>
    withExt4(async (g) => {
      const leaving = collector(async () => void leaving.stream.destroy());
      await assert.rejects(g.download('/dev/sdb', leaving.stream), refused('EPIPE'));
      assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
    }, 64 * megabyte));

  test('a failed call leaves no file behind, and one that was there stays', () =>
    withExt4(async (g) => {
      const fresh = scratchPath();
      await assert.rejects(g.download('/missing', fresh), refused('ENOENT'));
      assert.equal(existsSync(fresh), false);
      const old = scratchPath();
      writeFileSync(old, 'old');
      await assert.rejects(g.download('/missing', old), refused('ENOENT'));
      assert.equal(existsSync(old), true);
    }));

  test('a host path that cannot be written is the host’s error', () =>
    withExt4(async (g) => {
      await assert.rejects(g.download('/hello.txt', '/nowhere/at/all'), refused('ENOENT'));
      const directory = scratchPath();
      mkdirSync(directory);
      await assert.rejects(g.download('/hello.txt', directory), refused('EISDIR'));
    }));
});

describe('a download', () => {
  test('keeps holes as holes', () =>
    withExt4(async (g) => {
      const path = scratchPath();
      await g.download('/huge', path);
      const { size, blocks } = statSync(path);
      assert.equal(size, 5 * 1024 ** 3);
      assert.ok(blocks * 512 < megabyte, `it takes ${blocks * 512} bytes`);
      const sparse = scratchPath();
      await g.download('/sparse', sparse);
      assert.deepEqual(readFileSync(sparse), Buffer.from(await g.readFile('/sparse')));
      const inner = scratchPath();
      await g.downloadOffset('/huge', inner, 4_000_000_000, 999_999_999 + 3);
      assert.equal(statSync(inner).size, 1_000_000_002);
      assert.ok(statSync(inner).blocks * 512 < megabyte);
      assert.equal(await g.equal('/sparse', '/sparse'), true);
    }));

  test('tells its progress in bytes, up to the whole', () =>
    withExt4(async (g) => {
      const told: [number, number][] = [];
      const slow = new Writable({
        highWaterMark: 1,
        write: (_chunk, _encoding, done) => void setTimeout(done, 60),
      });
      await g.download('/dev/sdb', slow, {
        onProgress: ({ position, total }) => void told.push([position, total]),
      });
      assert.ok(told.length >= 2, `told ${told.length} times`);
      assert.ok(
        told.every(([position, total], i) => position <= total && position >= (told[i - 1]?.[0] ?? 0)),
      );
      assert.deepEqual(told.at(-1), [64 * megabyte, 64 * megabyte]);
    }, 64 * megabyte));
});

describe('a fileIn argument that is a stream', () => {
  /** What a thread reads that is given `chunks`, an error in place of the last, or nothing more where they end. */
  async function readBy(chunks: readonly IncomingChunk[], cancel = false) {
    const streams = new SharedArrayBuffer(Mailbox.sizeOf(streamMailbox));
    const mailbox = new Mailbox(streams, streamMailbox);
    const { port1, port2 } = new MessageChannel();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(new URL('./stream-reader.js', import.meta.url), {
      workerData: { streams, incoming: port2, serial: 7, cancelled },
      transferList: [port2],
    });
    let next = 0;
    try {
      return await new Promise<{ bytes?: Uint8Array; code?: string; length?: number }>((resolve, reject) => {
        worker.once('error', reject);
        worker.on('message', (message: Report | { bytes?: Uint8Array; code?: string }) => {
          if (!('type' in message)) return resolve(message);
          assert.deepEqual(message, { type: 'wanted', serial: 7 });
          const chunk = chunks[next++];
          if (chunk !== undefined) {
            port1.postMessage(chunk);
            mailbox.answer(wishLetter, true);
          } else if (cancel) Atomics.store(cancelled, 0, 1);
        });
      });
    } finally {
      port1.close();
      await worker.terminate();
    }
  }
  const chunkOf = (length: number, fill: string, serial = 7): IncomingChunk => ({
    serial,
    chunk: new Uint8Array(Buffer.alloc(length, fill)),
  });

  test('is read chunk by chunk, each when it is wanted, by a thread that sleeps meanwhile', async () => {
    const { bytes } = await readBy([chunkOf(10, 'a'), chunkOf(2500, 'b'), chunkOf(1, 'c'), { serial: 7 }]);
    const expected = Buffer.concat([Buffer.alloc(10, 'a'), Buffer.alloc(2500, 'b'), Buffer.from('c')]);
    assert.ok(expected.equals(bytes ?? new Uint8Array(0)));
  });

  test('that breaks off ends the reading with its error; a call that is cancelled ends it while it sleeps', async () => {
    const error = { code: 'EPIPE', message: 'the source broke' } as const;
    const broken = await readBy([chunkOf(10, 'a'), { serial: 7, error }]);
    assert.deepEqual(broken, { code: 'EPIPE', length: 10 });
    assert.deepEqual(await readBy([chunkOf(20, 'a')], true), { code: 'ECANCELED', length: 20 });
  });
});
