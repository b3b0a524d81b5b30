/** Run as a worker by mailbox.test.ts: answers letters. The first word of a letter is a wish, the second a number. */
import { workerData } from 'node:worker_threads';
import { Mailbox, type MailboxShape } from '../../src/base/mailbox.js';

export const wish = { double: 1, fail: 2, sleep: 3, leave: 4, die: 5 } as const;

export interface ServerData {
  readonly memory: SharedArrayBuffer;
  readonly shape: MailboxShape;
  readonly server: number;
}

function serve({ memory, shape, server }: ServerData): void {
  const mailbox = new Mailbox(memory, shape);
  try {
    while (!mailbox.isClosed) {
      const seen = mailbox.signal();
      const letter = mailbox.take(0, server);
      if (letter < 0) {
        mailbox.sleep(seen, 10_000);
        continue;
      }
      const words = mailbox.wordsOf(letter);
      const [wanted, number = 0] = words;
      if (wanted === wish.leave) return;
      if (wanted === wish.die) process.exit(1); // of the thread, with a letter in hand
      if (wanted === wish.sleep) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, number);
      words[1] = number * 2;
      mailbox.answer(letter, wanted !== wish.fail);
    }
  } finally {
    mailbox.leave(server);
  }
}

// safe: mailbox.test.ts starts this thread with nothing else; it also imports `wish` from here
if (workerData !== null) serve(workerData as ServerData);
