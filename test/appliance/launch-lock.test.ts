/** Locks between launches: one holds, the others wait; whoever dies or gives up lets go. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { LaunchLock } from '../../src/appliance/machine/launch-lock.js';
import { needs } from '../support/tools.js';
import { place, processesWith } from './support.js';

const usual = { patienceInMs: 20_000, waiting: () => {} };

test(
  'a second launch waits until the first lets go, and says once that it waits',
  needs('flock'),
  async (t) => {
    const path = join(place(t).cache, 'lock');
    const order: string[] = [];
    const first = await LaunchLock.take(path, usual);
    const second = LaunchLock.take(path, { ...usual, waiting: () => order.push('waits') }).then((lock) => {
      order.push('has it');
      return lock;
    });
    await new Promise((resolve) => setTimeout(resolve, 350));
    order.push('let go');
    await first?.release();
    await (await second)?.release();
    assert.deepEqual(order, ['waits', 'let go', 'has it']);
  },
);

test('the lock of a launch that is killed is free', needs('flock'), async (t) => {
  const path = join(place(t).cache, 'lock');
  const module = new URL('../../src/appliance/machine/launch-lock.js', import.meta.url).href;
  const program = `import { LaunchLock } from ${JSON.stringify(module)};
    await LaunchLock.take(${JSON.stringify(path)}, { patienceInMs: 1, waiting() {} });
    console.log('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  let waited = false;
  const waiting = (): void => {
    waited = child.kill('SIGKILL');
  };
  const lock = await LaunchLock.take(path, { ...usual, waiting });
  assert.ok(lock !== undefined && waited);
  await lock.release();
});

test('a launch that waits can be cancelled, and leaves no process', needs('flock'), async (t) => {
  const where = place(t);
  const path = join(where.cache, 'lock');
  const first = await LaunchLock.take(path, usual);
  const abort = new AbortController();
  const second = LaunchLock.take(path, { ...usual, signal: abort.signal, waiting: () => abort.abort('why') });
  await assert.rejects(second, { code: 'ECANCELED', cause: 'why' });
  await first?.release();
  const third = await LaunchLock.take(path, usual);
  await third?.release();
  assert.deepEqual(processesWith(where.directory), []);
});

test('a lock that is held for too long is named, with what to do', needs('flock'), async (t) => {
  const path = join(place(t).cache, 'lock');
  const first = await LaunchLock.take(path, usual);
  await assert.rejects(LaunchLock.take(path, { ...usual, patienceInMs: 0 }), {
    code: 'ETIMEDOUT',
    message: /another launch has held .*\/lock for 0 seconds: end the process that holds it/,
  });
  await first?.release();
});

test('a file that cannot be locked is an error with the reason', needs('flock'), async (t) => {
  await assert.rejects(LaunchLock.take(join(place(t).cache, 'none', 'lock'), usual), {
    code: 'EIO',
    message: /could not lock .*none\/lock: .*No such file or directory/,
  });
});

test('without the program there is no lock, and no failure', async (t) => {
  const path = join(place(t).cache, 'lock');
  assert.equal(await LaunchLock.take(path, { ...usual, flock: '/nonexistent/flock' }), undefined);
});
