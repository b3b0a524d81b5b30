/** Files that come out: every kind of sink, back-pressure, and every way to end early. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { needs } from '../support/tools.js';
import {
  cancelFlag,
  chunk,
  type FakeRequest,
  framed,
  nobody,
  type Pair,
  pair,
  pattern,
  scratch,
} from './fake-daemon.js';

/** Begins a call; a test may look at what becomes of it only later. */
function download({ connection }: Pair, sink: unknown): Promise<unknown> {
  const answer = connection.call('download', ['/remote', sink], {}, nobody);
  answer.catch(() => {});
  return answer;
}

async function ping(p: Pair): Promise<void> {
  const answer = p.connection.call('ping_daemon', [], {}, nobody);
  await p.daemon.ok(await p.daemon.requestOf('ping_daemon'));
  await answer;
}

/** The reply and the chunks of a whole file. */
function wire(p: Pair, request: FakeRequest, bytes: Buffer): Buffer {
  const parts = [framed(p.daemon.header(request))];
  for (let at = 0; at < bytes.length; at += 8192) parts.push(chunk(bytes.subarray(at, at + 8192)));
  return Buffer.concat([...parts, chunk('')]);
}

class Collecting extends Writable {
  readonly pieces: Buffer[] = [];
  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(piece);
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
}

for (const bytewise of [false, true])
  test(`files of any length come out whole${bytewise ? ', byte by byte' : ''}`, async (t) => {
    const p = await pair(t, { bytewise });
    const path = join(scratch(t), 'file');
    for (const length of bytewise ? [0, 5, 20_001] : [0, 1, 8191, 8192, 8193, 3_000_001]) {
      const bytes = pattern(length);
      const answer = download(p, path);
      const request = await p.daemon.requestOf('download');
      assert.deepEqual(request.values, ['/remote', undefined]);
      await p.daemon.write(wire(p, request, bytes));
      assert.equal(await answer, undefined);
      assert.ok(readFileSync(path).equals(bytes), `${length} bytes`);
    }
  });

test('streams of both kinds get all, and are left open', async (t) => {
  const p = await pair(t);
  const bytes = pattern(300_000);
  const collecting = new Collecting();
  const pieces: Uint8Array[] = [];
  const web = new WritableStream<Uint8Array>({ write: (piece) => void pieces.push(piece) });
  for (const [sink, got] of [
    [collecting, () => collecting.bytes],
    [web, () => Buffer.concat(pieces)],
  ] as const) {
    const answer = download(p, sink);
    const request = await p.daemon.request();
    await p.daemon.write(wire(p, request, bytes));
    await answer;
    assert.ok(got().equals(bytes));
  }
  assert.equal(collecting.writableEnded, false);
  await web.getWriter().close();
});

test('a call that fails before its file makes and empties no host file', async (t) => {
  const p = await pair(t);
  const directory = scratch(t);
  const kept = join(directory, 'kept');
  writeFileSync(kept, 'as it was');
  for (const path of [kept, join(directory, 'none')]) {
    const answer = download(p, path);
    await p.daemon.fail(await p.daemon.request(), 'ENOENT', '/remote: No such file or directory');
    await assert.rejects(answer, { code: 'ENOENT' });
  }
  assert.equal(readFileSync(kept, 'utf8'), 'as it was');
  assert.equal(existsSync(join(directory, 'none')), false);
});

test('progress between chunks is told', async (t) => {
  const p = await pair(t);
  const sink = new Collecting();
  const answer = download(p, sink);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)), chunk('ab'));
  await p.daemon.progress(request, 2, 4);
  await p.daemon.write(chunk('cd'), chunk(''));
  await answer;
  assert.equal(sink.bytes.toString(), 'abcd');
  assert.deepEqual(p.progress, [[2, 4]]);
});

test('a daemon that cannot go on is an error, and the file that was begun is removed', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'file');
  const answer = download(p, path);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)), chunk(pattern(8192)), chunk('', 1));
  await assert.rejects(answer, { code: 'EIO', message: /broke the transfer off/ });
  assert.equal(existsSync(path), false);
  await ping(p);
  assert.deepEqual(p.broken, []);
});

test(
  'a pipe that nobody reads holds up neither a cancellation nor the process',
  needs('mkfifo'),
  async (t) => {
    const p = await pair(t);
    const path = join(scratch(t), 'fifo');
    execFileSync('mkfifo', [path]);
    // Without a reader, and with one that reads nothing.
    for (const flags of ['', 'r+']) {
      const reader = flags === '' ? undefined : openSync(path, flags);
      const answer = download(p, path);
      const request = await p.daemon.request();
      await p.daemon.write(framed(p.daemon.header(request)));
      for (let i = 0; i < 20; i++) await p.daemon.write(chunk(pattern(8192)));
      await sleep(50);
      p.connection.cancel();
      await assert.rejects(answer, { code: 'ECANCELED' });
      await p.daemon.read(4);
      await p.daemon.write(chunk('', 1));
      await ping(p);
      if (reader !== undefined) closeSync(reader);
    }
    // The thread that opened it is free again: this one opens, writes and ends.
    const answer = download(p, path);
    const request = await p.daemon.request();
    await p.daemon.write(wire(p, request, Buffer.from('all of it')));
    await sleep(50);
    const reader = openSync(path, 'r+');
    await answer;
    const got = Buffer.alloc(20);
    assert.equal(got.toString('latin1', 0, readSync(reader, got)), 'all of it');
    closeSync(reader);
  },
);

test('a download that is cancelled rejects, the daemon is told, and what still comes is dropped', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'file');
  const answer = download(p, path);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)), chunk(pattern(8192)));
  await sleep(20);
  p.connection.cancel();
  await assert.rejects(answer, { code: 'ECANCELED' });
  assert.equal(existsSync(path), false);
  assert.deepEqual(await p.daemon.read(4), cancelFlag);
  for (let i = 0; i < 300; i++) await p.daemon.write(chunk(pattern(8192)));
  await p.daemon.write(chunk('', 1));
  await ping(p);
  assert.deepEqual(p.broken, []);
});

test('one cancelled before its reply, whether that is an error or a whole file, leaves the wire clean', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'file');
  for (const late of ['error', 'file'] as const) {
    const answer = download(p, path);
    const request = await p.daemon.request();
    p.connection.cancel();
    await assert.rejects(answer, { code: 'ECANCELED' });
    assert.deepEqual(await p.daemon.read(4), cancelFlag);
    if (late === 'error') await p.daemon.fail(request, 'ENOENT', 'x');
    else await p.daemon.write(wire(p, request, pattern(20_000)));
    await ping(p);
    assert.equal(existsSync(path), false);
  }
});

test('a sink that cannot be opened cancels the transfer', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'no', 'such');
  const answer = download(p, path);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)), chunk('abc'));
  await assert.rejects(answer, { code: 'ENOENT', message: `${path}: no such file or directory` });
  assert.deepEqual(await p.daemon.read(4), cancelFlag);
  await p.daemon.write(chunk('abc'), chunk('', 1));
  await ping(p);
});

test('a sink that fails in mid-download is the answer', async (t) => {
  const p = await pair(t);
  let written = 0;
  const failing = new Writable({
    highWaterMark: 1,
    write(piece: Buffer, _encoding, done) {
      written += piece.length;
      done(written > 20_000 ? Object.assign(new Error('the disk is full'), { code: 'ENOSPC' }) : null);
    },
  });
  const answer = download(p, failing);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)));
  for (let i = 0; i < 10; i++) await p.daemon.write(chunk(pattern(8192)));
  await assert.rejects(answer, { code: 'ENOSPC', message: 'the disk is full' });
  assert.deepEqual(await p.daemon.read(4), cancelFlag);
  await p.daemon.write(chunk('', 1));
  await ping(p);
});

test('/dev/full is an error, and is not removed', async (t) => {
  const p = await pair(t);
  const answer = download(p, '/dev/full');
  const request = await p.daemon.request();
  await p.daemon.write(wire(p, request, pattern(600_000)));
  await assert.rejects(answer, { code: 'ENOSPC', message: '/dev/full: no space left on device' });
  assert.ok(existsSync('/dev/full'));
  // It may have been told before or after the last chunk had come: then the flag is nothing to the daemon.
  const next = p.connection.call('ping_daemon', [], {}, nobody);
  const word = await p.daemon.word();
  if (word === 0xffffeeee) await p.daemon.ok(await p.daemon.requestOf('ping_daemon'));
  else await p.daemon.write(framed(p.daemon.header({ proc: 92, serial: request.serial + 1 })));
  await next;
});

test('a slow sink stops the reading, and memory stays small', async (t) => {
  const p = await pair(t);
  const waiting: (() => void)[] = [];
  let taken = 0;
  const slow = new Writable({
    highWaterMark: 16 * 1024,
    write(piece: Buffer, _encoding, done) {
      taken += piece.length;
      waiting.push(done);
    },
  });
  const answer = download(p, slow);
  const request = await p.daemon.request();
  const bytes = pattern(64 * 8192);
  await p.daemon.write(framed(p.daemon.header(request)));
  const piece = Buffer.concat(
    Array.from({ length: 64 }, (_, i) => chunk(bytes.subarray(i * 8192, (i + 1) * 8192))),
  );
  let sent = 0;
  let stalled = false;
  const sending = (async () => {
    for (; sent < 64; sent++) await p.daemon.write(piece);
    await p.daemon.write(chunk(''));
  })();
  for (let last = -1; last !== sent; ) {
    last = sent;
    await sleep(100);
  }
  stalled = sent < 16;
  assert.ok(stalled, `${sent} × 512 KiB were read for a sink that takes nothing`);
  let over = false;
  void answer.then(() => {
    over = true;
  });
  while (!over) {
    waiting.shift()?.();
    await turn();
  }
  await sending;
  assert.equal(taken, 64 * bytes.length);
});

test('a slow sink can be cancelled', async (t) => {
  const p = await pair(t);
  const never = new Writable({ highWaterMark: 1, write() {} });
  const answer = download(p, never);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)));
  // More than the sink, the socket and the connection hold: the last of it is sent only once nobody waits for the sink.
  const sending = (async () => {
    for (let i = 0; i < 400; i++) await p.daemon.write(chunk(pattern(8192)));
  })();
  await sleep(20);
  p.connection.cancel();
  await assert.rejects(answer, { code: 'ECANCELED' });
  await sending;
  assert.deepEqual(await p.daemon.read(4), cancelFlag);
  await p.daemon.write(chunk('', 1));
  await ping(p);
});

test('a daemon that dies in mid-download is one error, and the file is removed', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'file');
  const answer = download(p, path);
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)), chunk('abc').subarray(0, 13));
  await sleep(20);
  p.daemon.die();
  await assert.rejects(answer, { code: 'EIO', message: /in the middle of a message/ });
  assert.equal(existsSync(path), false);
  assert.equal(p.broken.length, 1);
});

test('garbage among the chunks ends the connection', async (t) => {
  const p = await pair(t);
  const answer = download(p, new Collecting());
  const request = await p.daemon.request();
  await p.daemon.write(framed(p.daemon.header(request)), chunk('abc'), Buffer.from('garbage!'));
  await assert.rejects(answer, { code: 'EIO', message: /where the length of a chunk belongs/ });
  assert.equal(p.broken.length, 1);
});
