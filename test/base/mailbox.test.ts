/** The mailbox between real threads: answers, interruption, the death of the other side, many letters at once. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { GuestfsError } from '../../src/base/index.js';
import { Mailbox, type MailboxShape, napInMs } from '../../src/base/mailbox.js';
import { type ServerData, wish } from './mailbox-server.js';

/** A mailbox with `servers` threads that answer, which end with the test. */
function startServers(t: TestContext, servers: number, letters: number) {
  const shape: MailboxShape = { letters, words: 2, servers };
  const memory = new SharedArrayBuffer(Mailbox.sizeOf(shape));
  const mailbox = new Mailbox(memory, shape);
  const workers = Array.from({ length: servers }, (_, server) => {
    const workerData: ServerData = { memory, shape, server };
    return new Worker(new URL('./mailbox-server.js', import.meta.url), { workerData });
  });
  t.after(async () => {
    mailbox.close();
    await Promise.all(workers.map((worker) => worker.terminate()));
  });
  return { mailbox, workers };
}

const timed = (work: () => unknown): number => {
  const began = performance.now();
  work();
  return performance.now() - began;
};

test('a letter is answered in its words, while the posting thread sleeps; a failure is told apart', (t) => {
  const { mailbox } = startServers(t, 1, 1);
  for (let round = 1; round <= 2000; round++) {
    const wanted = round % 3 === 0 ? wish.fail : wish.double;
    mailbox.post(0, [wanted, round]);
    assert.equal(mailbox.wait(0), wanted === wish.fail ? 'failed' : 'answered');
    assert.equal(mailbox.wordsOf(0)[1], 2 * round);
  }
});

for (const servers of [1, 3]) {
  test(`many letters at once are each answered once by ${servers} threads, or taken back`, (t) => {
    const letters = 500;
    const { mailbox } = startServers(t, servers, letters);
    for (let round = 0; round < 40; round++) {
      for (let letter = 0; letter < letters; letter++)
        mailbox.post(letter, [wish.double, round * letters + letter]);
      let withdrawn = 0;
      for (let letter = letters - 1; letter >= 0; letter--) {
        if (letter % 2 === 1 && mailbox.withdraw(letter)) {
          withdrawn++;
          assert.equal(mailbox.wordsOf(letter)[1], round * letters + letter, 'nobody touched it');
        } else {
          assert.equal(mailbox.wait(letter), 'answered');
          assert.equal(mailbox.wordsOf(letter)[1], 2 * (round * letters + letter));
        }
        assert.ok(mailbox.isFree(letter));
      }
      assert.ok(withdrawn <= letters / 2);
    }
  });
}

test('the sleeper asks whether it is interrupted; a letter in hand is not free until it is answered', (t) => {
  const { mailbox } = startServers(t, 1, 2);
  mailbox.post(0, [wish.double, 1]);
  assert.equal(mailbox.wait(0), 'answered');
  mailbox.post(0, [wish.sleep, 1000]);
  mailbox.post(1, [wish.double, 7]);
  let asked = 0;
  const interrupted = (): void => {
    if (++asked === 3) throw new GuestfsError('ECANCELED', 'the call was cancelled');
  };
  const took = timed(() => assert.throws(() => mailbox.wait(0, { interrupted }), { code: 'ECANCELED' }));
  assert.ok(took >= 2 * napInMs && took < 900, `${took} ms`);
  assert.equal(mailbox.isFree(0), false);
  assert.throws(() => mailbox.post(0, [wish.double, 1]), /not answered yet/);
  asked = 2;
  assert.throws(() => mailbox.wait(1, { interrupted }), { code: 'ECANCELED' });
  assert.ok(mailbox.isFree(1), 'nobody had begun it');
  assert.equal(mailbox.wait(0), 'answered', 'the late answer');
  mailbox.post(1, [wish.double, 21]);
  assert.equal(mailbox.wait(1), 'answered');
  assert.equal(mailbox.wordsOf(1)[1], 42);
});

test('patience has an end', (t) => {
  const { mailbox } = startServers(t, 1, 1);
  mailbox.post(0, [wish.sleep, 700]);
  const took = timed(() => assert.equal(mailbox.wait(0, { patienceInMs: 100 }), 'unanswered'));
  assert.ok(took >= 99 && took < 600, `${took} ms`);
});

test('a thread that leaves with a letter in hand, or before one is taken, keeps nobody waiting', (t) => {
  const { mailbox } = startServers(t, 1, 2);
  mailbox.post(0, [wish.leave, 0]);
  assert.equal(mailbox.wait(0), 'unanswered');
  assert.ok(mailbox.hasLeft(0));
  mailbox.post(1, [wish.double, 1]);
  assert.equal(mailbox.wait(1), 'unanswered');
  assert.ok(mailbox.isFree(1), 'taken back');
});

test('of several threads the one that leaves fails its own letter only', (t) => {
  const { mailbox } = startServers(t, 2, 2);
  mailbox.post(0, [wish.leave, 0]);
  assert.equal(mailbox.wait(0), 'unanswered');
  mailbox.post(1, [wish.double, 5]);
  assert.equal(mailbox.wait(1), 'answered');
});

test('a thread that dies with a letter in hand is noticed by who hears of its end, and by patience before', async (t) => {
  const { mailbox, workers } = startServers(t, 1, 1);
  const ended = once(workers[0] as Worker, 'exit');
  mailbox.post(0, [wish.die, 0]);
  assert.equal(mailbox.wait(0, { patienceInMs: 2000 }), 'unanswered');
  assert.equal(mailbox.isFree(0), false);
  await ended;
  mailbox.leave(0);
  assert.ok(timed(() => assert.equal(mailbox.wait(0), 'unanswered')) < 1000);
});
