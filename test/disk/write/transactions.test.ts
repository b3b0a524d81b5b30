/** Blocks that are changed together or not at all: in memory, and by the two rules that need no log. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginWork, defaultLimits, endWork, GuestfsError, work } from '../../../src/base/index.js';
import {
  type DiskJournal,
  type DiskTransaction,
  directJournal,
  MemoryDisk,
  orderedJournal,
  WriteCache,
} from '../../../src/disk/index.js';
import { countCrashes, surviveCrashes } from '../../support/crashes.js';
import { readAll } from '../../support/gaits.js';
import { noise, Random } from '../../support/random.js';
import { type Crash, FailingDisk, RecordingDisk } from '../../support/recording-disk.js';

const blockSize = 1024;
const blocks = 256;

function made(memory?: number): { disk: RecordingDisk; cache: WriteCache; before: Uint8Array } {
  const before = noise(blocks * blockSize);
  const disk = new RecordingDisk(before);
  return { disk, cache: new WriteCache(disk, { blockSize, memory: memory ?? 1024 * 1024 }), before };
}

const writesOf = (disk: RecordingDisk): string[] =>
  disk.log.map((each) =>
    each.kind === 'write' ? `${each.offset / blockSize}+${each.bytes.length / blockSize}` : each.kind,
  );

/** Sets the first byte of a block. */
const put = (cache: WriteCache, transaction: DiskTransaction, number: number, value: number): void => {
  cache.change(transaction, number).bytes[0] = value;
};

test('what is changed is seen by all readers, and by the disk after a commit', () => {
  const { disk, cache, before } = made();
  const journal = directJournal(cache);
  journal.run(3, (transaction) => {
    put(cache, transaction, 7, 1);
    cache.change(transaction, 8, { blank: true }).bytes[5] = 2;
    cache.change(transaction, 100).view.setUint32(4, 0xdeadbeef);
  });
  const expected = before.slice();
  expected[7 * blockSize] = 1;
  expected.fill(0, 8 * blockSize, 9 * blockSize)[8 * blockSize + 5] = 2;
  new DataView(expected.buffer, expected.byteOffset).setUint32(100 * blockSize + 4, 0xdeadbeef);
  const look = (): void => {
    for (const gait of [blockSize * blocks, blockSize, 777])
      assert.deepEqual(readAll(cache.view, gait), expected);
    for (const number of [6, 7, 8, 9, 99, 100, 101]) {
      const slice = expected.subarray(number * blockSize, (number + 1) * blockSize);
      assert.deepEqual(cache.peek(number).bytes, slice);
      assert.deepEqual(cache.bytes(number * blockSize, blockSize, 'test'), slice);
    }
  };
  look();
  assert.deepEqual(writesOf(disk), []);
  journal.commit();
  look();
  assert.deepEqual(writesOf(disk), ['7+2', '100+1', 'barrier']);
  assert.deepEqual(readAll(disk, 65536), expected);
  journal.commit();
  assert.equal(writesOf(disk).length, 3, 'a commit of nothing writes nothing');
});

test('a transaction that throws leaves nothing, and a part of one only its own', () => {
  const { disk, cache } = made();
  const journal = directJournal(cache);
  const told: string[] = [];
  journal.run(2, (transaction) => put(cache, transaction, 1, 1));
  const image = readAll(cache.view, 4096);
  assert.throws(
    () =>
      journal.run(4, (transaction) => {
        transaction.onUndo(() => told.push('first'));
        transaction.onUndo(() => told.push('second'));
        put(cache, transaction, 1, 2);
        put(cache, transaction, 2, 2);
        journal.run(1, (part) => put(cache, part, 3, 2));
        transaction.free(50, 3);
        throw new GuestfsError('EMLINK', 'no');
      }),
    { code: 'EMLINK' },
  );
  assert.deepEqual(told, ['second', 'first']);
  assert.deepEqual(readAll(cache.view, 4096), image);
  assert.equal(journal.freedIn(0, blocks), undefined);

  journal.run(3, (transaction) => {
    put(cache, transaction, 1, 5);
    assert.throws(() =>
      journal.run(2, (part) => {
        put(cache, part, 1, 6);
        put(cache, part, 4, 6);
        part.free(60, 1);
        assert.throws(() => put(cache, transaction, 9, 9), /a part of it runs/);
        throw new Error('only this part');
      }),
    );
    assert.equal(cache.peek(1).bytes[0], 5);
    journal.run(1, (part) => put(cache, part, 5, 6));
  });
  image[blockSize] = 5;
  image[5 * blockSize] = 6;
  assert.deepEqual(readAll(cache.view, 4096), image);
  journal.commit();
  assert.deepEqual(readAll(disk, 4096), image);
  assert.deepEqual(writesOf(disk), ['1+1', '5+1', 'barrier']);
});

test('after a transaction has ended, it changes nothing', () => {
  const { cache } = made();
  const journal = directJournal(cache);
  const ended = journal.run(1, (transaction) => transaction);
  assert.throws(() => cache.change(ended, 1), /has ended/);
  assert.throws(() => ended.free(1, 1), /has ended/);
  assert.throws(() => journal.run(1, () => journal.commit()), /cannot be committed while it runs/);
});

test('freed blocks are held back until the commit, and no copy of them is written', () => {
  const { disk, cache } = made();
  const journal = directJournal(cache);
  const durable: number[] = [];
  journal.run(2, (transaction) => {
    put(cache, transaction, 10, 1);
    put(cache, transaction, 20, 1);
  });
  journal.run(1, (transaction) => {
    transaction.free(10, 2);
    transaction.free(14, 6);
    transaction.free(12, 2);
    transaction.onDurable(() => durable.push(transaction.id));
    assert.throws(() => transaction.free(13, 1), /freed twice/);
    assert.deepEqual(journal.freedIn(0, blocks), { first: 10, end: 20 });
  });
  assert.deepEqual(journal.freedIn(12, 13), { first: 10, end: 20 });
  assert.equal(journal.freedIn(0, 10), undefined);
  assert.equal(journal.freedIn(20, 30), undefined);
  assert.deepEqual(durable, []);
  journal.commit();
  assert.deepEqual(durable, [2]);
  assert.equal(journal.freedIn(0, blocks), undefined);
  assert.deepEqual(writesOf(disk), ['20+1', 'barrier']);
});

test('space that was freed is used when there is no other, after a commit', () => {
  const { disk, cache } = made();
  const journal = directJournal(cache);
  journal.run(0, (transaction) => transaction.free(30, 1));
  const take = (): number =>
    journal.run(1, (transaction) => {
      if (journal.freedIn(30, 31) !== undefined) throw new GuestfsError('ENOSPC', 'full');
      put(cache, transaction, 30, 7);
      return 30;
    });
  assert.equal(take(), 30);
  assert.deepEqual(writesOf(disk), ['barrier']);
  assert.throws(
    () =>
      journal.run(1, () => {
        throw new GuestfsError('ENOSPC', 'really full');
      }),
    /really full/,
  );
});

test('random transactions, some of which throw, in parts: all readers see what a plain model has', () => {
  const random = new Random(11);
  for (const make of [directJournal, orderedJournal]) {
    const { disk, cache, before } = made(64 * 1024);
    const journal = make(cache);
    let model = before.slice();
    const step = (depth: number): void => {
      const kept = model.slice();
      try {
        journal.run(10, (transaction) => {
          for (let i = random.below(5); i >= 0; i--) {
            const number = random.below(blocks);
            const blank = random.below(4) === 0;
            const block = cache.change(transaction, number, { blank });
            if (blank) model.fill(0, number * blockSize, (number + 1) * blockSize);
            const [at, value] = [random.below(blockSize), random.below(256)];
            block.bytes[at] = value;
            model[number * blockSize + at] = value;
            if (random.below(3) === 0) transaction.barrier();
            if (depth < 3 && random.below(3) === 0) step(depth + 1);
          }
          if (random.below(3) === 0) throw new GuestfsError('EMLINK', 'undone');
        });
      } catch (thrown) {
        assert.ok(thrown instanceof GuestfsError && thrown.code === 'EMLINK');
        model = kept;
      }
    };
    for (let i = 0; i < 400; i++) {
      step(0);
      if (i % 40 === 39) journal.commit();
      if (i % 10 === 0) assert.deepEqual(readAll(cache.view, 5000), model);
    }
    journal.close();
    assert.deepEqual(readAll(disk, 65536), model);
    assert.equal(cache.changed.size, 0);
  }
});

/** Chain and name: a name (block 1) never leads to a chain (block 2, 3, …) that is not there. */
function createAndRemove(disk: RecordingDisk): void {
  disk.mark('nothing', true);
  const cache = new WriteCache(disk, { blockSize: 512 });
  const journal = orderedJournal(cache);
  const create = (file: number): void =>
    journal.run(2, (transaction) => {
      transaction.kind = 'create';
      put(cache, transaction, 1 + file, 1);
      transaction.barrier();
      cache.change(transaction, 1).bytes[file] = 1;
    });
  const remove = (file: number): void =>
    journal.run(2, (transaction) => {
      transaction.kind = 'remove';
      cache.change(transaction, 1).bytes[file] = 0;
      transaction.barrier();
      put(cache, transaction, 1 + file, 0);
    });
  for (let file = 1; file <= 6; file++) create(file);
  remove(2);
  remove(3);
  create(3);
  remove(4);
  journal.commit();
  disk.mark('done', true);
  remove(1);
  create(4);
  create(2);
  journal.close();
}

const checkChains = ({ image, allowed }: Crash): void => {
  const bytes = new Uint8Array(512 * 8);
  image.read(bytes, 0);
  for (let file = 1; file <= 6; file++)
    if (bytes[512 + file] === 1) assert.equal(bytes[512 * (1 + file)], 1, `file ${file} has no chain`);
  if (allowed[0] === 'done')
    for (const file of [3, 5, 6]) assert.equal(bytes[512 + file], 1, `file ${file} is lost`);
};

test('in order: no crash shows what comes after a barrier without what comes before it', () => {
  const { recording } = surviveCrashes(new Uint8Array(512 * 8), createAndRemove, checkChains, { most: 2000 });
  // Six creations are written together, as two stages.
  assert.deepEqual(writesOf(recording).slice(1, 5), ['1+3', 'barrier', '0.5+0.5', 'barrier']);
  const found: number[] = [];
  for (let barrier = 0; barrier < recording.barriers; barrier++) {
    const options = { most: 2000, withoutBarriers: [barrier] };
    found.push(countCrashes(new Uint8Array(512 * 8), createAndRemove, checkChains, options).wrong.length);
  }
  // Every second one parts a chain from a name; the others part transactions of different kinds.
  assert.ok(
    found.every((wrong, barrier) => barrier % 2 === 1 || wrong > 0),
    `${found}`,
  );
});

test('in order: transactions of no kind are written one after another', () => {
  const { disk, cache } = made();
  const journal = orderedJournal(cache);
  for (const number of [9, 3, 9]) journal.run(1, (transaction) => put(cache, transaction, number, number));
  journal.commit();
  assert.deepEqual(writesOf(disk), ['9+1', 'barrier', '3+1', 'barrier', '9+1', 'barrier']);
  const work = (recording: RecordingDisk): void => {
    const own = new WriteCache(recording, { blockSize: 512 });
    const inOrder = orderedJournal(own);
    for (const number of [2, 1, 0]) inOrder.run(1, (transaction) => put(own, transaction, number, 1));
    inOrder.close();
  };
  const check = ({ image }: Crash): void => {
    const [a = 0, b = 0, c = 0] = [0, 1, 2].map((number) => readAll(image, 512)[number * 512]);
    assert.ok(a <= b && b <= c);
  };
  surviveCrashes(new Uint8Array(1536), work, check, { most: 100 });
  for (const barrier of [0, 1])
    assert.ok(
      countCrashes(new Uint8Array(1536), work, check, { most: 100, withoutBarriers: [barrier] }).wrong
        .length > 0,
    );
});

test('in order: what a freed block was to hold is written where something was to follow it', () => {
  const { disk, cache } = made();
  const journal = orderedJournal(cache);
  journal.run(2, (transaction) => {
    put(cache, transaction, 5, 1);
    transaction.barrier();
    put(cache, transaction, 6, 1);
  });
  journal.run(1, (transaction) => {
    put(cache, transaction, 6, 2);
    transaction.free(5, 1);
  });
  journal.commit();
  assert.deepEqual(writesOf(disk), ['5+1', 'barrier', '6+1', 'barrier', '6+1', 'barrier']);
});

test('data that a transaction needs is flushed before it', () => {
  const { disk, cache } = made();
  const other = new RecordingDisk(new Uint8Array(512));
  const journal = orderedJournal(cache);
  journal.run(1, (transaction) => {
    cache.view.write(noise(2000), 40 * blockSize);
    transaction.after(cache.view);
    transaction.after(other);
    put(cache, transaction, 1, 1);
  });
  journal.commit();
  assert.deepEqual(
    disk.log.map(({ kind }) => kind),
    ['write', 'barrier', 'write', 'barrier'],
  );
  assert.equal(other.barriers, 1);
  journal.run(0, (transaction) => transaction.after(cache.view));
  journal.commit();
  assert.equal(disk.barriers, 3, 'data alone is made durable too');
});

test('data is not written over metadata that was changed, and what it replaces is read anew', () => {
  const { cache } = made();
  const journal = directJournal(cache);
  journal.run(1, (transaction) => put(cache, transaction, 3, 1));
  assert.throws(() => cache.view.write(new Uint8Array(blockSize * 2), 2 * blockSize), /over metadata/);
  assert.throws(() => cache.view.zero(3 * blockSize + 1, 1), /over metadata/);
  cache.peek(4);
  cache.view.write(new Uint8Array(blockSize), 4 * blockSize);
  assert.ok(cache.peek(4).bytes.every((byte) => byte === 0));
  assert.deepEqual(cache.view.span(2 * blockSize, 5 * blockSize), { length: blockSize, hole: false });
});

test('memory that is full is written before the next run', () => {
  const { disk, cache } = made(8 * blockSize);
  const journal = directJournal(cache);
  for (let number = 0; number < 20; number++)
    journal.run(1, (transaction) => put(cache, transaction, number, 1));
  assert.deepEqual(writesOf(disk), ['0+8', 'barrier', '8+8', 'barrier']);
});

test('marks stand before the first block and after the last, and a session that only reads makes none', () => {
  const { disk, cache } = made();
  const mark = (value: number) => (): void => {
    cache.amend(0, 1, (bytes) => bytes.fill(value));
    disk.flush();
  };
  const marks = { begin: mark(1), end: mark(0) };
  const reader = orderedJournal(new WriteCache(disk, { blockSize }), marks);
  assert.throws(() => reader.run(1, () => assert.fail('no')));
  reader.commit();
  reader.close();
  assert.equal(disk.log.length, 0);
  const journal = orderedJournal(cache, marks);
  journal.run(1, (transaction) => {
    cache.change(transaction, 0).bytes[1] = 77;
  });
  journal.close();
  journal.close();
  assert.deepEqual(
    disk.log.map((each) =>
      each.kind === 'write' ? [each.offset, each.bytes[0], each.bytes.length] : each.kind,
    ),
    [[0, 1, 1], 'barrier', [0, 1, blockSize], 'barrier', [0, 0, 1], 'barrier'],
  );
  assert.throws(() => journal.run(1, () => {}), /closed/);
});

test('in order: a mark is in every content of its block that was changed before the mark was made', () => {
  const { disk, cache } = made();
  const marked = 10;
  const mark = (value: number) => (): void => {
    cache.amend(3 * blockSize, blockSize, (bytes) => {
      bytes[marked] = value;
    });
    disk.flush();
  };
  const journal = orderedJournal(cache, { begin: mark(1), end: mark(2) });
  for (const value of [1, 2, 3])
    journal.run(3, (transaction) => {
      put(cache, transaction, 3, value);
      transaction.barrier();
      put(cache, transaction, 5, value);
      transaction.barrier();
      put(cache, transaction, 3, value + 100);
    });
  journal.close();
  const contents = disk.log.flatMap((each) =>
    each.kind === 'write' && each.offset === 3 * blockSize ? [each.bytes] : [],
  );
  assert.ok(contents.length > 4, 'the block is written several times');
  const last = contents.pop();
  assert.deepEqual(
    contents.map((bytes) => bytes[marked]),
    contents.map(() => 1),
  );
  assert.equal(last?.[marked], 2);
});

test('after a write that failed nothing is written any more, and every call says why', () => {
  for (const make of [directJournal, orderedJournal])
    for (const code of ['EIO', 'ENOSPC'] as const)
      for (let fail = 0; fail < 4; fail++) {
        const disk = new FailingDisk(new Uint8Array(blocks * blockSize), { at: fail, code });
        const cache = new WriteCache(disk, { blockSize });
        const journal: DiskJournal = make(cache);
        const change = (number: number) => (): void =>
          journal.run(1, (transaction) => put(cache, transaction, number, 1));
        change(1)();
        change(3)();
        const message = /the host failed/;
        if (make === directJournal && fail === 3) {
          journal.commit();
          assert.equal(disk.log.length, fail);
          continue;
        }
        assert.throws(() => journal.commit(), { code, message });
        assert.throws(change(4), { code, message: /nothing is written any more.*the host failed/ });
        assert.throws(() => journal.commit(), { code, message });
        journal.close();
        assert.equal(disk.after, 0);
      }
});

test('a call that is cancelled while it commits commits first', () => {
  const { cache } = made();
  const journal = directJournal(cache);
  class Asking extends MemoryDisk {
    override write(from: Uint8Array, offset: number): void {
      work.checkpoint();
      work.entries.spend(5);
      super.write(from, offset);
    }
  }
  const disk = new Asking(new Uint8Array(blocks * blockSize), { writable: true });
  const slow = new WriteCache(disk, { blockSize });
  const other = directJournal(slow);
  other.run(1, (transaction) => put(slow, transaction, 1, 1));
  let cancelled = false;
  beginWork({ ...defaultLimits, entries: 3 }, () => {
    if (cancelled) throw new GuestfsError('ECANCELED', 'cancelled');
  });
  try {
    cancelled = true;
    other.commit();
    assert.throws(() => work.checkpoint(), { code: 'ECANCELED' });
    cancelled = false;
    work.entries.spend(3);
    assert.throws(() => work.entries.spend(1), { code: 'EDQUOT' });
  } finally {
    endWork();
  }
  assert.equal(readAll(disk, 4096)[blockSize], 1);
  journal.close();
});
