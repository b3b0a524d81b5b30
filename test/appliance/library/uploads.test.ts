import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeDaemon, run } from './fake-daemon.js';

test('an upload to a negative offset is refused before the daemon hears of it', async () => {
  const daemon = new FakeDaemon({ upload_offset: undefined });
  await assert.rejects(run(daemon, 'upload_offset', ['/host', '/f', -1]), { code: 'EINVAL' });
  assert.deepEqual(daemon.procedures, []);
  await run(daemon, 'upload_offset', ['/host', '/f', 0]);
  assert.deepEqual(daemon.calls[0]?.args, ['/host', '/f', 0]);
});

test('an archive compressed in a way that the daemon does not know is refused before it hears of it', async () => {
  const daemon = new FakeDaemon({ tar_in: undefined });
  await assert.rejects(run(daemon, 'tar_in', ['/host', '/'], { compress: 'zstd' }), {
    code: 'EINVAL',
    message: 'unknown compression type: zstd: there are compress, gzip, bzip2, xz, lzop',
  });
  assert.deepEqual(daemon.procedures, []);
  for (const options of [{}, { compress: 'lzop', xattrs: true }]) {
    await run(daemon, 'tar_in', ['/host', '/'], options);
    assert.deepEqual(daemon.calls.at(-1)?.options, options);
  }
});
