/** The line in which the calls of many handles stand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestfsError } from '../../../src/base/index.js';
import { ThreadQueue, threadQueue } from '../../../src/engine/thread/thread-queue.js';
import { withExt4 } from '../support.js';

const hour = 3_600_000;

/** Calls by number, and what has become of them. */
function line(limit: number, moment: number) {
  const threadQueue = new ThreadQueue(limit, moment);
  const begun: number[] = [];
  return { begun, take: (number: number) => threadQueue.take(() => begun.push(number)) };
}

test('as many calls as there is room for begin at once, the others in their order as room comes', () => {
  const { begun, take } = line(2, hour);
  const [first, second] = [1, 2, 3, 4, 5].map(take);
  assert.deepEqual(begun, [1, 2]);
  second?.end();
  assert.deepEqual(begun, [1, 2, 3]);
  second?.end(); // a second time says nothing
  assert.deepEqual(begun, [1, 2, 3]);
  first?.end();
  assert.deepEqual(begun, [1, 2, 3, 4]);
});

test('one that gives up its place is passed over, and one that is in a hurry begins before its turn', () => {
  const { begun, take } = line(1, hour);
  const [first, second, third, fourth] = [1, 2, 3, 4].map(take);
  second?.end();
  fourth?.begin();
  fourth?.begin();
  assert.deepEqual(begun, [1, 4]);
  first?.end();
  assert.deepEqual(begun, [1, 4], 'the one in a hurry counts too');
  fourth?.end();
  assert.deepEqual(begun, [1, 4, 3]);
  third?.end();
});

test('calls that last make room for those that wait after a moment', async () => {
  const { begun, take } = line(1, 20);
  const taken = [1, 2, 3].map(take);
  assert.deepEqual(begun, [1]);
  for (let tries = 0; begun.length < 3 && tries < 500; tries++) await sleep(10);
  assert.deepEqual(begun, [1, 2, 3]);
  for (const turn of taken) turn.end();
});

test('a call that is cancelled while it waits for its turn ends at once', () =>
  withExt4(async (g) => {
    const before = Array.from({ length: 1000 }, () => threadQueue.take(() => {}));
    try {
      const stop = new AbortController();
      const call = g.cat('/hello.txt', { signal: stop.signal });
      const rejected = assert.rejects(
        call,
        (thrown) => thrown instanceof GuestfsError && thrown.code === 'ECANCELED',
      );
      await sleep(10);
      stop.abort();
      await rejected;
    } finally {
      for (const turn of before) turn.end();
    }
    assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
  }));

test('a call whose memory was given away while it waited fails by itself, and the handle goes on', () =>
  withExt4(async (g) => {
    const before = Array.from({ length: 1000 }, () => threadQueue.take(() => {}));
    const content = new Uint8Array(100);
    const rejected = assert.rejects(g.write('/f', content), /detached/);
    await sleep(10);
    structuredClone(content, { transfer: [content.buffer] });
    for (const turn of before) turn.end(); // nothing of it is thrown here
    await rejected;
    await assert.rejects(g.write('/f', content), /detached/); // where it does not wait, too
    assert.equal(await g.cat('/hello.txt'), 'hello, world\n');
  }));

test('an engine that is killed while its call waits for a turn rejects the call', () =>
  withExt4(async (g) => {
    const before = Array.from({ length: 1000 }, () => threadQueue.take(() => {}));
    try {
      const rejected = assert.rejects(g.cat('/hello.txt'), GuestfsError);
      await sleep(10);
      await g.killSubprocess();
      await rejected;
    } finally {
      for (const turn of before) turn.end();
    }
  }));
