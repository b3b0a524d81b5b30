/** The engine's thread dies: the call fails, the handle is back in `config`, and the program lives on. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { Guestfs } from '../../../src/guestfs/index.js';
import { ext4Image } from '../support.js';

async function launched(): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
  await g.launch();
  return g;
}

describe('an engine that dies', () => {
  test('of too much memory: the call rejects, subprocessQuit comes once, and a new launch works', async () => {
    await using g = await launched();
    const quits: string[] = [];
    g.on('subprocessQuit', () => quits.push(g.state));
    const before = process.memoryUsage().rss;
    await assert.rejects(
      g.debug('exhaust', []),
      (thrown) => thrown instanceof GuestfsError && thrown.code === 'EIO' && /^debug: /.test(thrown.message),
    );
    assert.deepEqual(quits, ['config']);
    assert.equal(g.state, 'config');
    assert.ok(process.memoryUsage().rss - before < 1024 ** 3, 'the limit held');
    g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
    await g.launch();
    await g.mountRo('/dev/sda', '/');
    assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
  });

  test('in the middle of a call that was asked for its end: what waited behind it fails too', async () => {
    await using g = await launched();
    const running = assert.rejects(g.debug('progress', ['60']), GuestfsError);
    const waiting = assert.rejects(g.listDevices(), GuestfsError);
    await g.killSubprocess();
    await Promise.all([running, waiting]);
    assert.equal(g.state, 'config');
  });
});

describe('results past all measure', () => {
  test('are refused before they take the memory', async () => {
    await using g = await launched();
    await g.mountRo('/dev/sda', '/');
    const tooBig = (thrown: unknown): boolean => thrown instanceof GuestfsError && thrown.code === 'EFBIG';
    await assert.rejects(g.readFile('/huge'), tooBig);
    await assert.rejects(g.cat('/huge'), tooBig);
    await assert.rejects(g.readLines('/huge'), tooBig);
    await assert.rejects(g.head('/huge'), tooBig);
    await assert.rejects(g.grep('x', '/huge'), tooBig);
    await assert.rejects(g.pread('/huge', 2_000_000_000, 0), tooBig);
    assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
  });
});
