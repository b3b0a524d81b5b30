/** Fast commits: small records behind the journal. The golden walks compare what comes of them with the kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32c } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { readFastCommits } from '../../../src/fs/ext/journal/fast-commit.js';
import type { Journal } from '../../../src/fs/ext/journal/journal.js';
import { readAll } from '../../support/gaits.js';
import { pathsOf } from '../../support/tell.js';
import { openExt, openFixture, readFixture } from './fixture.js';

const tags = { unlink: 5, pad: 7, tail: 8, head: 9 };

/** A record: tag, length, value. */
function record(tag: number, ...value: number[]): number[] {
  return [tag & 0xff, tag >> 8, value.length & 0xff, value.length >> 8, ...value];
}

const word = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
];
const head = (transaction: number, features = 0): number[] =>
  record(tags.head, ...word(features), ...word(transaction));
const unlink = (name: string): number[] => record(tags.unlink, ...word(2), ...word(12), ...Buffer.from(name));

/** Records with a tail that is right for them. */
function finished(transaction: number, ...records: number[][]): number[] {
  const before = records.flat();
  const tail = [tags.tail, 0, 8, 0, ...word(transaction)];
  const sum = crc32c(crc32c(0, Uint8Array.from(before)), Uint8Array.from(tail));
  return [...before, ...tail, ...word(sum)];
}

/** A journal of which only the area for fast commits matters: its blocks. */
function names(transaction: number, ...blocks: number[][]): string[] {
  const journal = {
    blockSize: 1024,
    fastCommitFirst: 10,
    fastCommitEnd: 10 + blocks.length,
    block: (number: number) => {
      const bytes = new Uint8Array(1024);
      bytes.set(blocks[number - 10] ?? []);
      return bytes;
    },
  } as unknown as Journal;
  return [...readFastCommits(journal, transaction, () => {})].map((each) =>
    each.kind === 'unlink' ? Buffer.from(each.name).toString() : each.kind,
  );
}

test('commits that were finished count, up to the first that was not', () => {
  const whole = finished(7, head(7), unlink('one'));
  assert.deepEqual(names(7, whole), ['one']);
  assert.deepEqual(names(7, whole, finished(7, unlink('two'))), ['one', 'two']);
  assert.deepEqual(names(7, whole, unlink('unfinished')), ['one']);
  assert.deepEqual(names(7, [...head(7), ...unlink('unfinished')]), []);
  assert.deepEqual(names(7, whole, finished(6, unlink('older'))), ['one']);
  const damaged = finished(7, unlink('two'));
  damaged[13] = (damaged[13] ?? 0) ^ 1;
  assert.deepEqual(names(7, whole, damaged), ['one']);
});

test('a commit goes on in the next block behind padding', () => {
  const first = [...head(7), ...unlink('one')];
  const padding = record(tags.pad, ...new Array<number>(1024 - first.length - 4).fill(0));
  const second = finished(7, first, padding, unlink('two'));
  assert.deepEqual(names(7, second.slice(0, 1024), second.slice(1024)), ['one', 'two']);
});

test('what belongs to another transaction, or to none, is not read', () => {
  assert.deepEqual(names(8, finished(7, head(7), unlink('one'))), []);
  assert.deepEqual(names(7, finished(7, unlink('one'))), [], 'has no head');
  assert.deepEqual(names(7, []), []);
  assert.deepEqual(names(7), []);
});

test('lengths that reach past the block end the reading', () => {
  assert.deepEqual(names(7, [...head(7), tags.unlink, 0, 0xff, 0xff]), []);
  assert.deepEqual(
    names(7, finished(7, head(7), record(tags.unlink, 1, 2, 3))),
    [],
    'too short for an entry',
  );
});

test('features of fast commits that are not known are refused', () => {
  assert.throws(() => names(7, head(7, 1)), { code: 'ENOTSUP', message: /fast commit features 0x1/ });
});

test('a directory made in a fast commit is there, with what was moved into it', () => {
  const fs = openFixture('fast-commit-directory');
  const paths = pathsOf(fs);
  assert.deepEqual(
    [...paths.keys()].sort(),
    ['/', '/fresh', '/fresh/inside', '/fresh/moved', '/lost+found', '/old'].sort(),
  );
  const content = (path: string): string => Buffer.from(readAll(fs.data(paths.get(path) ?? 0))).toString();
  assert.equal(content('/fresh/inside'), 'inside\n');
  assert.equal(content('/fresh/moved'), 'before\n');
  const fresh = paths.get('/fresh') ?? 0;
  assert.equal(fs.parent(fresh), fs.root);
  assert.equal(fs.lookup(fresh, 'inside'), paths.get('/fresh/inside'));
  assert.equal(fs.lookup(paths.get('/old') ?? 0, 'file'), undefined);
  assert.equal(fs.stat(fresh).linkCount, 2);
  assert.equal(fs.stat(fs.root).linkCount, 5);
});

test('without its fast commits a filesystem is as the last full commit left it', () => {
  const image = readFixture('fast-commit-directory');
  const paths = pathsOf(openExt(new MemoryDisk(image), { options: { ro: true, norecovery: true } }));
  assert.ok(!paths.has('/fresh'));
});
