/** Files that go in: every kind of source, progress in mid-upload, and every way to end early. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { cancelFlag, nobody, type Pair, pair, pattern, scratch } from './fake-daemon.js';

/** Begins a call; a test may look at what becomes of it only later. */
function upload({ connection }: Pair, source: unknown): Promise<unknown> {
  const answer = connection.call('upload', [source, '/remote'], {}, nobody);
  answer.catch(() => {});
  return answer;
}

async function ping(p: Pair): Promise<void> {
  const answer = p.connection.call('ping_daemon', [], {}, nobody);
  await p.daemon.ok(await p.daemon.requestOf('ping_daemon'));
  await answer;
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield pattern(100_000);
}

test('files of any length arrive whole, in full chunks, with their size as a hint', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'file');
  for (const length of [0, 1, 5, 8191, 8192, 8193, 32 * 8192, 32 * 8192 + 1, 5 * 32 * 8192 + 77]) {
    const bytes = pattern(length);
    writeFileSync(path, bytes);
    const answer = upload(p, path);
    const request = await p.daemon.requestOf('upload');
    assert.deepEqual(request.values, [undefined, '/remote']);
    assert.equal(request.hint, BigInt(length));
    const { data, cancelled, lengths } = await p.daemon.file();
    assert.equal(cancelled, false);
    assert.ok(data.equals(bytes), `${length} bytes`);
    assert.ok(lengths.slice(0, -1).every((n) => n === 8192));
    await p.daemon.ok(request);
    assert.equal(await answer, undefined);
  }
});

test('streams of any kind and pieces of any length arrive whole, with no hint', async (t) => {
  const p = await pair(t);
  const bytes = pattern(700_001);
  async function* inPieces(length: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  }
  const through = new PassThrough();
  through.end(bytes);
  const sources = [
    inPieces(1000),
    inPieces(8192),
    inPieces(300_000),
    inPieces(bytes.length),
    through,
    new Blob([bytes]).stream(),
  ];
  for (const source of sources) {
    const answer = upload(p, source);
    const request = await p.daemon.request();
    assert.equal(request.hint, 0n);
    assert.ok((await p.daemon.file()).data.equals(bytes));
    await p.daemon.ok(request);
    await answer;
  }
});

test('what a slow stream gives is sent at once, and not kept for a full frame', async (t) => {
  const p = await pair(t);
  const source = new PassThrough();
  const answer = upload(p, source);
  const request = await p.daemon.request();
  for (const word of ['one', 'two', 'three']) {
    source.write(word);
    assert.equal((await p.daemon.chunk()).data.toString(), word);
  }
  source.end();
  assert.equal((await p.daemon.chunk()).data.length, 0);
  await p.daemon.ok(request);
  await answer;
});

test('progress is heard while the upload goes on', async (t) => {
  const p = await pair(t);
  const answer = upload(p, endless());
  const request = await p.daemon.request();
  for (let i = 1; i <= 3; i++) {
    await p.daemon.chunk();
    await p.daemon.progress(request, i, 3);
    while (p.progress.length < i) await p.daemon.chunk();
  }
  assert.deepEqual(p.progress, [
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
  p.connection.cancel();
  await assert.rejects(answer, { code: 'ECANCELED' });
});

test('a daemon that cancels gets no more chunks, and its error is the answer', async (t) => {
  const p = await pair(t);
  const answer = upload(p, endless());
  const request = await p.daemon.request();
  await p.daemon.chunk();
  await p.daemon.write(cancelFlag);
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(request, 'ENOSPC', '/remote: No space left on device');
  await assert.rejects(answer, { code: 'ENOSPC', message: '/remote: No space left on device' });
  await ping(p);
  assert.deepEqual(p.broken, []);
});

test('a daemon that cancels when all is sent already gets no chunk that cancels', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'file');
  writeFileSync(path, 'abc');
  const answer = upload(p, path);
  const request = await p.daemon.request();
  assert.equal((await p.daemon.file()).cancelled, false);
  await p.daemon.write(cancelFlag);
  await p.daemon.fail(request, 'EROFS', 'x');
  await assert.rejects(answer, { code: 'EROFS' });
  await ping(p);
});

test('an upload that is cancelled rejects at once, and the daemon is told by a chunk', async (t) => {
  const p = await pair(t);
  const controller = new AbortController();
  let left = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* endless();
    } finally {
      left = true;
    }
  }
  const control = { ...nobody, signal: controller.signal };
  const answer = p.connection.call('upload', [source(), '/remote'], {}, control);
  const request = await p.daemon.request();
  await p.daemon.chunk();
  controller.abort();
  await assert.rejects(answer, { code: 'ECANCELED' });
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(request, 'EINTR', 'operation cancelled by user');
  await ping(p);
  await turn();
  assert.ok(left, 'the source was not ended');
  assert.deepEqual(p.broken, []);
});

test('an upload is cancelled while its source gives nothing, and while the daemon takes nothing', async (t) => {
  const p = await pair(t);
  const silent = upload(p, new PassThrough());
  const first = await p.daemon.request();
  p.connection.cancel();
  await assert.rejects(silent, { code: 'ECANCELED' });
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(first, '', 'x');

  p.daemon.socket.pause();
  const stuck = upload(p, endless());
  await sleep(50);
  p.connection.cancel();
  await assert.rejects(stuck, { code: 'ECANCELED' });
  const second = await p.daemon.request();
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(second, '', 'x');
  await ping(p);
});

test('a source that cannot be opened fails before anything is sent', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'missing');
  await assert.rejects(upload(p, path), {
    code: 'ENOENT',
    message: `${path}: no such file or directory`,
  });
  await assert.rejects(upload(p, scratch(t)), { code: 'EISDIR' });
  // The directory could be opened, and failed when it was read: the daemon was told.
  const request = await p.daemon.request();
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(request, 'EINTR', 'cancelled');
  await ping(p);
});

test('a source that fails in mid-upload is the answer, and the daemon is told', async (t) => {
  const p = await pair(t);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield pattern(50_000);
    throw Object.assign(new Error('the network is gone'), { code: 'ENETDOWN' });
  }
  const answer = upload(p, failing());
  const request = await p.daemon.request();
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(request, 'EINTR', 'operation cancelled by user');
  await assert.rejects(answer, { code: 'ENETDOWN', message: 'the network is gone' });
  const wrong = upload(p, [{ not: 'bytes' }] as unknown);
  const second = await p.daemon.request();
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(second, '', '');
  await assert.rejects(wrong, { code: 'EINVAL', message: /neither bytes nor a string/ });
  await ping(p);
});

test('a reply in mid-upload is out of step', async (t) => {
  const p = await pair(t);
  const answer = upload(p, endless());
  const request = await p.daemon.request();
  await p.daemon.chunk();
  await p.daemon.ok(request);
  await assert.rejects(answer, { code: 'EIO', message: /a reply before the end of the upload/ });
  assert.equal(p.broken.length, 1);
});

test('a daemon that dies in mid-upload is one error, and the source is ended', async (t) => {
  const p = await pair(t);
  let left = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      yield* endless();
    } finally {
      left = true;
    }
  }
  const answer = upload(p, source());
  await p.daemon.request();
  await p.daemon.chunk();
  p.daemon.die();
  await assert.rejects(answer, { code: 'EIO' });
  await turn();
  assert.ok(left);
  assert.equal(p.broken.length, 1);
});

test('a slow daemon keeps the source waiting, and memory small', async (t) => {
  const p = await pair(t);
  let given = 0;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (; given < 256; given++) yield Buffer.alloc(256 * 1024, given);
  }
  p.daemon.socket.pause();
  const answer = upload(p, source());
  await sleep(100);
  assert.ok(given > 1 && given < 16, `${given} pieces were taken that nobody reads`);
  const request = await p.daemon.request();
  const { data } = await p.daemon.file();
  assert.equal(data.length, 256 * 256 * 1024);
  for (let i = 0; i < 256; i++) assert.equal(data[i * 256 * 1024 + 4711], i);
  await p.daemon.ok(request);
  await answer;
});

test('a pipe is read as it gives, and cancelling does not wait for it', async (t) => {
  const p = await pair(t);
  const path = join(scratch(t), 'pipe');
  assert.equal(spawnSync('mkfifo', [path]).status, 0);
  // Nobody has opened it to write: that keeps no thread, and is not its end.
  const waiting = upload(p, path);
  const first = await p.daemon.request();
  await sleep(20);
  p.connection.cancel();
  await assert.rejects(waiting, { code: 'ECANCELED' });
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(first, '', 'x');
  await ping(p);

  const answer = upload(p, path);
  const fd = openSync(path, 'r+');
  const request = await p.daemon.request();
  assert.equal(request.hint, 0n);
  writeSync(fd, 'abc');
  assert.equal((await p.daemon.chunk()).data.toString(), 'abc');
  p.connection.cancel();
  await assert.rejects(answer, { code: 'ECANCELED' });
  assert.equal((await p.daemon.file()).cancelled, true);
  await p.daemon.fail(request, '', 'x');
  await ping(p);

  const whole = upload(p, path);
  const last = await p.daemon.request();
  writeSync(fd, pattern(60_000));
  closeSync(fd); // the last writer
  assert.ok((await p.daemon.file()).data.equals(pattern(60_000)));
  await p.daemon.ok(last);
  await whole;
});
