/** Handles that several callers share. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setTimeout as later } from 'node:timers/promises';
import { type Guestfs, GuestfsPool } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';
import { makeSample, sampleTools } from '../fs/sample.js';

describe('a pool of handles', needs(...sampleTools), () => {
  const directory = scratchDirectory();
  let image: string;
  before(() => {
    ({ image } = makeSample(directory));
  });
  const makePool = (max: number): GuestfsPool =>
    new GuestfsPool(image, { max, format: 'raw', environment: false, stderr: null, backend: 'embedded' });

  test('opens what is wanted and no more, and uses it again', async () => {
    await using pool = makePool(3);
    assert.equal(pool.size, 0);
    const seen = new Set<Guestfs>();
    let most = 0;
    let now = 0;
    // The first callers keep their handles until there are three.
    let allThere = (): void => {};
    const there = new Promise<void>((resolve) => {
      allThere = resolve;
    });
    const texts = await Promise.all(
      Array.from({ length: 20 }, () =>
        pool.use(async (g) => {
          seen.add(g);
          most = Math.max(most, ++now);
          if (seen.size === 3) allThere();
          await there;
          try {
            return await g.cat('/a.txt');
          } finally {
            now--;
          }
        }),
      ),
    );
    assert.deepEqual(new Set(texts), new Set(['hello\n']));
    assert.equal(seen.size, 3);
    assert.equal(most, 3);
    assert.equal(pool.size, 3);
    assert.equal(pool.waiting, 0);
    assert.equal(await pool.use((g) => g.fs.readFile('/dir/b.txt', 'utf8')), 'grün\n');
  });

  test('a slow call of one caller delays no other', async () => {
    await using pool = makePool(2);
    const stop = new AbortController();
    const slow = pool.use((g) => g.debug('progress', ['60'], { signal: stop.signal }));
    const cut = assert.rejects(slow, { code: 'ECANCELED' });
    for (let count = 0; count < 5; count++) assert.equal(await pool.use((g) => g.cat('/a.txt')), 'hello\n');
    stop.abort();
    await cut;
  });

  test('callers for whom there is no handle wait in their order, until their signal', async () => {
    await using pool = makePool(1);
    const first = await pool.acquire();
    const order: string[] = [];
    const stop = new AbortController();
    const second = pool.acquire().then((g) => {
      order.push('second');
      pool.release(g);
    });
    const third = pool.acquire({ signal: stop.signal });
    const fourth = pool.acquire().then((g) => {
      order.push('fourth');
      pool.release(g);
    });
    assert.equal(pool.waiting, 3);
    stop.abort('enough');
    await assert.rejects(third, { code: 'ECANCELED', cause: 'enough' });
    await assert.rejects(pool.acquire({ signal: stop.signal }), { code: 'ECANCELED' });
    assert.deepEqual(order, []);
    pool.release(first);
    await Promise.all([second, fourth]);
    assert.deepEqual(order, ['second', 'fourth']);
  });

  test('a handle whose session has ended is replaced', async () => {
    await using pool = makePool(1);
    const first = await pool.acquire();
    await first.killSubprocess();
    pool.release(first);
    const second = await pool.acquire();
    assert.notEqual(second, first);
    assert.equal(first.state, 'closed');
    assert.equal(await second.cat('/a.txt'), 'hello\n');
    await second.close();
    pool.release(second);
    // One that dies while nobody has it.
    const third = await pool.acquire();
    pool.release(third);
    await third.shutdown();
    assert.equal(await pool.use((g) => g.cat('/a.txt')), 'hello\n');
    assert.equal(pool.size, 1);
  });

  test('a handle that is given back while it is busy goes to nobody before its calls are done', async () => {
    await using pool = makePool(1);
    const g = await pool.acquire();
    const call = g.debug('progress', ['1']).then(() => 'done');
    pool.release(g);
    assert.equal(pool.size, 1);
    const next = pool.acquire();
    assert.equal(await Promise.race([call, next]), 'done');
    assert.equal(await next, g);
    pool.release(g);
    assert.throws(() => pool.release(g), TypeError);
  });

  test('closing refuses, cancels and closes', async () => {
    const pool = makePool(1);
    const g = await pool.acquire();
    const call = assert.rejects(g.debug('progress', ['60']), { code: 'ECANCELED' });
    const waiting = assert.rejects(pool.acquire(), { code: 'ECANCELED', message: 'the pool was closed' });
    const closed = pool.close();
    assert.equal(closed, pool.close());
    await Promise.all([closed, call, waiting]);
    assert.equal(g.state, 'closed');
    pool.release(g);
    await assert.rejects(pool.acquire(), { code: 'EBADF' });
    // In the middle of opening.
    const other = makePool(2);
    const opening = assert.rejects(other.acquire(), { code: 'ECANCELED' });
    await later(1);
    await other.close();
    await opening;
    assert.equal(other.size, 0);
  });

  test('a failure of opening is that of each caller, and the next one tries again', async () => {
    await using pool = new GuestfsPool('/nowhere/at/all', { max: 2, environment: false, stderr: null });
    const failed = await Promise.allSettled([pool.acquire(), pool.acquire(), pool.use(() => 1)]);
    for (const each of failed) assert.equal(each.status === 'rejected' && each.reason.code, 'ENOENT');
    await assert.rejects(pool.acquire(), { code: 'ENOENT' });
    assert.throws(() => new GuestfsPool(image, { max: 0 }), RangeError);
  });
});
