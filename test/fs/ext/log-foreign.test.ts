/** The log as we write it: what e2fsck and debugfs say to it, and what becomes of it when the disk fails. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk } from '../../../src/disk/index.js';
import { readAll } from '../../support/gaits.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { type LogKind, logKinds, makeLogImage } from './log-images.js';
import { crashLog, fill, findSlots, type LogImage, openLog, partsOf, recover, stampOf } from './log-model.js';

const directory = scratchDirectory();
const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);

function say(tool: string, ...parameters: string[]): string {
  return spawnSync(tool, parameters, { env: toolEnvironment, encoding: 'utf8' }).stdout;
}

/** Has e2fsck replay the log, and look whether anything else is wrong. */
function replayedByE2fsck(image: Disk): Disk {
  const file = join(directory, 'crashed');
  writeFileSync(file, readAll(image));
  const replay = say('e2fsck', '-y', '-E', 'journal_only', file).split('\n');
  assert.deepEqual(
    replay.filter((line) => !/^(?:.*: recovering journal|.*: clean, .*|Setting free .*|$)/.test(line)),
    [],
  );
  const found = say('e2fsck', '-fn', file).split('\n');
  assert.deepEqual(
    found.filter((line) => !/^(?:Pass [1-5]: |.*: \d+\/\d+ files |$)/.test(line)),
    [],
  );
  return new MemoryDisk(new Uint8Array(readFileSync(file)), { writable: true });
}

// It takes no log of less than 1024 blocks, no volume for a filesystem, and an external journal by its device alone.
const taken = logKinds.filter(
  ({ isMapped, isQcow2, fixture, journal }) =>
    !isMapped && !isQcow2 && fixture === undefined && journal?.length === undefined,
);

for (const kind of taken)
  test(`${kind.name}: e2fsck replays it, and comes to the same`, needs('mke2fs', 'e2fsck'), (t) => {
    const image = makeLogImage(directory, kind);
    const work = { seed: 5, runs: campaign > 0 ? 600 : 150, commitEvery: 12, closeEvery: 60 };
    const options = { most: campaign || 6, sectorSize: kind.sectorSize };
    const { cuts, wrong } = crashLog(image, work, options, replayedByE2fsck);
    t.diagnostic(`${cuts} cuts`);
    assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} of ${cuts} cuts`);
  });

test('debugfs lists each transaction, its blocks and what it revokes', needs('mke2fs', 'debugfs'), () => {
  for (const kind of taken) {
    const { image, slots, disk } = made(kind);
    const { cache, journal } = openLog(partsOf(image, disk));
    const [a = 0, b = 0] = slots;
    for (const number of [a, b]) {
      journal.run(1, (transaction) => fill(cache.change(transaction, number).bytes, 1, number));
      journal.commit();
    }
    journal.run(1, (transaction) => {
      cache.change(transaction, b).bytes.fill(1);
      transaction.free(a, 1);
    });
    journal.commit();
    const file = join(directory, 'logged');
    writeFileSync(file, readAll(disk));
    const listed = say('debugfs', '-R', 'logdump -ac', file);
    const first = kind.journal?.sequence ?? 1;
    const [one, two, three] = [0, 1, 2].map((count) => (first + count) >>> 0);
    assert.match(listed, new RegExp(`sequence ${one}, at block \\d+:\n  FS block ${a} logged at`), kind.name);
    assert.match(listed, new RegExp(`sequence ${two}, at block \\d+:\n  FS block ${b} logged at`), kind.name);
    assert.match(
      listed,
      new RegExp(`revoke block, sequence ${three}, at block \\d+:\n  Revoke FS block ${a}\n`),
      kind.name,
    );
    assert.equal(listed.match(/type 2 \(commit block\)/g)?.length, 3, kind.name);
  }
});

function made(kind: LogKind): { image: LogImage; slots: number[]; disk: MemoryDisk } {
  const image = makeLogImage(directory, kind);
  return { image, slots: findSlots(image), disk: new MemoryDisk(image.bytes, { writable: true }) };
}

function stampIn(disk: Disk, slot: number): number {
  const bytes = new Uint8Array(1024);
  disk.read(bytes, slot * 1024);
  return stampOf(bytes, slot);
}

test('a block that is freed and changed again is replayed', needs('mke2fs'), () => {
  const { image, slots, disk } = made(logKinds[0] as LogKind); // safe: there are some
  const { cache, journal } = openLog(partsOf(image, disk));
  const [slot = 0] = slots;
  const put = (stamp: number): void =>
    journal.run(1, (transaction) => fill(cache.change(transaction, slot).bytes, stamp, slot));
  put(1);
  journal.commit();
  journal.run(0, (transaction) => transaction.free(slot, 1));
  put(2);
  journal.commit();
  assert.equal(stampIn(disk, slot), Number.NaN, 'it is not in its place yet');
  recover({ disk, log: undefined });
  assert.equal(stampIn(disk, slot), 2);
});

test('more than a quarter of the log is refused at once, and nothing changes', needs('mke2fs'), () => {
  const { image, disk } = made(logKinds[0] as LogKind); // safe: there are some
  const { journal } = openLog(partsOf(image, disk));
  const before = image.bytes.slice();
  assert.ok(journal.most > 200 && journal.most < 256, `${journal.most}`);
  assert.throws(() => journal.run(journal.most + 1, () => assert.fail('it runs')), {
    code: 'ENOSPC',
    message: /has no room in the journal/,
  });
  journal.close();
  assert.ok(Buffer.compare(readAll(disk), before) === 0);
});

/** Fails the write or flush with this number, from 0, and counts what is tried afterwards. */
class FailingDisk extends MemoryDisk {
  left: number;
  after = 0;
  readonly #code: 'EIO' | 'ENOSPC';

  constructor(bytes: Uint8Array, left: number, code: 'EIO' | 'ENOSPC') {
    super(bytes, { writable: true });
    this.left = left;
    this.#code = code;
  }

  #count(): void {
    if (this.left < 0) this.after++;
    if (this.left-- === 0) throw new GuestfsError(this.#code, 'the host failed');
  }

  override write(from: Uint8Array, offset: number): void {
    this.#count();
    super.write(from, offset);
  }

  override flush(): void {
    this.#count();
  }
}

test(
  'where the disk fails, nothing more is written, and all that was committed is there',
  needs('mke2fs'),
  (t) => {
    const kind = logKinds.find(({ name }) => name === 'a short log') as LogKind; // safe: there is one
    const before = makeLogImage(directory, kind);
    const slots = findSlots(before).slice(0, 12);
    const stampsIn = (disk: Disk): number[] => slots.map((slot) => stampIn(disk, slot));
    const untouched = stampsIn(new MemoryDisk(before.bytes));
    let failures = 0;
    for (const code of ['EIO', 'ENOSPC'] as const)
      for (let fail = 0; fail < 60; fail++) {
        const disk = new FailingDisk(before.bytes.slice(), fail, code);
        const { cache, journal } = openLog(partsOf(before, disk));
        const step = (stamp: number): void => {
          journal.run(slots.length, (transaction) => {
            for (const slot of slots)
              fill(cache.change(transaction, slot, { blank: true }).bytes, stamp, slot);
          });
          journal.commit();
        };
        let committed = 0;
        const all = (): void => {
          for (let stamp = 1; stamp <= 8; stamp++) {
            step(stamp);
            committed = stamp;
          }
          journal.close();
        };
        if (fail < 36) {
          assert.throws(all, { code, message: /the host failed/ });
          failures++;
          assert.throws(() => step(99), {
            code,
            message: committed === 8 ? /closed|any more/ : /nothing is written any more/,
          });
          journal.close();
        } else {
          try {
            all();
          } catch (thrown) {
            assert.ok(thrown instanceof GuestfsError && thrown.code === code);
          }
        }
        assert.equal(disk.after, 0);
        const left = new MemoryDisk(readAll(disk).slice(), { writable: true });
        recover({ disk: left, log: undefined });
        const stamps = stampsIn(left);
        const [stamp = 0] = stamps;
        const isWhole = stamps.every((each) => each === stamp) && stamp > 0;
        if (!isWhole || stamp < committed)
          assert.deepEqual({ stamps, committed }, { stamps: untouched, committed: 0 }, `write ${fail}`);
      }
    t.diagnostic(`${failures} failures`);
  },
);
