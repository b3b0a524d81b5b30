import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesOf, FakeDaemon, fails, run, writes } from './fake-daemon.js';

const megabyte = 1024 * 1024;

test('a file is read through download, so that no message bounds it', async () => {
  const contents = Buffer.alloc(5 * megabyte, 'abcdefg');
  for (const pieceLength of [8192, 1_000_003]) {
    const daemon = new FakeDaemon({ download: writes(contents, pieceLength) });
    assert.ok(contents.equals((await run(daemon, 'read_file', ['/f'])) as Buffer));
    assert.equal(daemon.calls[0]?.args[0], '/f');
    assert.deepEqual(daemon.procedures, ['download']);
  }
});

test('cat gives text, and bytes that are none survive', async () => {
  const daemon = new FakeDaemon({ download: writes(Buffer.from([0x61, 0xff, 0xc3, 0xa4]), 1) });
  assert.equal(await run(daemon, 'cat', ['/f']), 'a\udcffä');
});

test('lines end in a line feed, or a carriage return and a line feed; a last one need not', async () => {
  const lines = (text: string) => run(new FakeDaemon({ download: writes(text) }), 'read_lines', ['/f']);
  assert.deepEqual(await lines(''), []);
  assert.deepEqual(await lines('\n'), ['']);
  assert.deepEqual(await lines('a\nb\r\n\nc'), ['a', 'b', '', 'c']);
  assert.deepEqual(await lines('a\n\n'), ['a', '']);
});

test('a failure of the daemon is the failure of the call, whichever procedure it was', async () => {
  const daemon = new FakeDaemon({ download: fails('ENOENT', '/f: no such file or directory') });
  await assert.rejects(run(daemon, 'cat', ['/f']), {
    code: 'ENOENT',
    message: '/f: no such file or directory',
  });
});

test('little is written in one message, much is uploaded', async () => {
  const least = Buffer.alloc(2 * megabyte, 1);
  const daemon = new FakeDaemon({ internal_write: undefined, internal_write_append: undefined });
  await run(daemon, 'write', ['/f', least]);
  await run(daemon, 'write_append', ['/f', least]);
  assert.deepEqual(
    daemon.calls.map(({ procedure, args }) => [procedure, ...args]),
    [
      ['internal_write', '/f', least],
      ['internal_write_append', '/f', least],
    ],
  );

  const more = Buffer.alloc(2 * megabyte + 1, 2);
  const got: unknown[] = [];
  const large = new FakeDaemon({
    filesize: 77,
    upload: async (source: unknown, path: string) => got.push(await bytesOf(source), path),
    upload_offset: async (source: unknown, path: string, offset: number) =>
      got.push(await bytesOf(source), path, offset),
  });
  await run(large, 'write', ['/f', more]);
  await run(large, 'write_append', ['/g', more]);
  assert.deepEqual(got, [more, '/f', more, '/g', 77]);
});

test('a call that is not wanted any more asks the daemon for nothing', async () => {
  const daemon = new FakeDaemon({});
  const control = { signal: AbortSignal.abort() };
  await assert.rejects(run(daemon, 'cat', ['/f'], {}, control), { code: 'ECANCELED' });
  assert.deepEqual(daemon.procedures, []);
});
