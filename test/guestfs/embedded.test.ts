/** The handle with the engine that it is delivered with: what only both together can show. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { imageFile, rejectsWith } from './fake.js';

async function launched(): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(imageFile(), { readonly: true, format: 'raw' });
  await g.launch();
  return g;
}

describe('a handle on the embedded engine', () => {
  test('launches, answers, is shut down and launched again', async () => {
    const g = await launched();
    assert.deepEqual(await g.listDevices(), ['/dev/sda']);
    assert.equal(await g.blockdevGetsize64('/dev/sda'), 1024 * 1024);
    await g.shutdown();
    assert.equal(g.state, 'config');
    g.addDriveScratch(4096);
    g.addDriveScratch(8192);
    await g.launch();
    assert.deepEqual(await g.listDevices(), ['/dev/sda', '/dev/sdb']);
    await g.close();
  });

  test('says what an image is before it is launched', async () => {
    const g = new Guestfs({ environment: false, backend: 'embedded' });
    const path = imageFile();
    assert.equal(await g.diskFormat(path), 'raw');
    assert.equal(await g.diskVirtualSize(path), 1024 * 1024);
    assert.equal(await g.diskHasBackingFile(path), false);
    await rejectsWith(g.diskFormat('/nope'), 'ENOENT', /^disk_format: .*no such file/);
    await g.close();
  });

  test('cancels within 100 ms and stays usable', async () => {
    const g = await launched();
    // The best of some tries: a machine that is busy with other things says nothing about us.
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5 && best >= 100; round++) {
      const stop = new AbortController();
      const call = g.debug('progress', ['60'], { signal: stop.signal });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const cancelled = performance.now();
      stop.abort();
      await rejectsWith(call, 'ECANCELED', 'debug: cancelled');
      best = Math.min(best, performance.now() - cancelled);
    }
    assert.ok(best < 100, `it took ${best} ms`);
    assert.deepEqual(await g.listDevices(), ['/dev/sda']);
    await g.close();
  });

  test('a killed engine fails the running call, and the next launch works', async () => {
    const g = await launched();
    const quits: string[] = [];
    g.on('subprocessQuit', () => quits.push(g.state));
    const failed = rejectsWith(
      g.debug('progress', ['60']),
      'EIO',
      'debug: the backend ended before the call was done',
    );
    await g.killSubprocess();
    await failed;
    assert.deepEqual(quits, ['config']);
    g.addDriveScratch(512);
    await g.launch();
    assert.equal(g.state, 'ready');
    await g.close();
  });

  test('close in the middle of a call ends it', async () => {
    const g = await launched();
    const call = g.debug('progress', ['60']);
    const started = performance.now();
    const close = g.close();
    await rejectsWith(call, 'ECANCELED', 'debug: the handle was closed');
    await close;
    assert.ok(performance.now() - started < 10_000, 'long before the minute that the call would take');
  });

  test('tells the truth about groups', async () => {
    const g = await launched();
    assert.ok((await g.availableAllGroups()).includes('acl'));
    assert.equal(await g.featureAvailable(['hivex']), true);
    assert.equal(await g.featureAvailable(['rsync']), false);
    await rejectsWith(g.available(['nonsense']), 'EINVAL', 'available: nonsense: unknown group');
    await rejectsWith(g.available(['rsync']), 'ENOTSUP', 'available: rsync: group not available');
    await g.close();
  });

  test('an idle handle does not keep the process alive', () => {
    const program = `
      import { Guestfs } from ${JSON.stringify(new URL('../../src/guestfs/index.js', import.meta.url).href)};
      const g = new Guestfs({ environment: false, backend: 'embedded' });
      g.addDriveScratch(4096);
      await g.launch();
      g.on('close', () => console.log('close'));
      console.log((await g.listDevices()).join());
    `;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    assert.equal(child.stderr, '');
    assert.equal(child.stdout, '/dev/sda\nclose\n');
    assert.equal(child.status, 0);
  });
});
