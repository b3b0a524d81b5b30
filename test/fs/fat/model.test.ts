/** Random changes of FAT volumes, against a plain model: ours, fsck.fat and mtools tell the same of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import type { InodeNumber } from '../../../src/fs/driver.js';
import '../../support/platform.js';
import { Random } from '../../support/random.js';
import { needs } from '../../support/tools.js';
import {
  checkVolume,
  fatTools,
  makeVolume,
  newDirectory,
  newFile,
  openReadonly,
  openWritable,
  treeByMtools,
  treeOf,
  type Written,
} from './volumes.js';

const names = [
  'A',
  'b.txt',
  'README',
  'Makefile',
  'long name with blanks.text',
  'a.dtbo',
  'ünïcode.ext',
  'FILE.TXT',
  'x.tar.gz',
  'exactly-13-ch',
  'exactly-twenty-six-charact',
  '.hidden',
  'ends in tilde~1',
  'LONGNA~1',
  'UPPER.low',
  'k',
  '日本語.txt',
  'a-very-long-name-that-takes-more-than-a-few-entries-of-its-directory-because-it-goes-on-and-on.extension',
];

type Tree = Map<string, Uint8Array | undefined>;

/** The model: paths as they are stored, found in any case. */
class Model {
  readonly tree: Tree = new Map();

  find(path: string): string | undefined {
    const folded = fold(path);
    return [...this.tree.keys()].find((each) => fold(each) === folded);
  }

  directories(): string[] {
    return ['', ...[...this.tree].filter(([, bytes]) => bytes === undefined).map(([path]) => path)];
  }

  isEmpty(path: string): boolean {
    return ![...this.tree.keys()].some((each) => each.startsWith(`${path}/`));
  }

  move(from: string, to: string): void {
    for (const [path, bytes] of [...this.tree])
      if (path === from || path.startsWith(`${from}/`)) {
        this.tree.delete(path);
        this.tree.set(to + path.slice(from.length), bytes);
      }
  }
}

const fold = (path: string): string => path.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

function inodeOf(fileSystem: Written, path: string): InodeNumber {
  let inode = fileSystem.root;
  for (const name of path.split('/').slice(1)) {
    const next = fileSystem.lookup(inode, name);
    assert.ok(next !== undefined, `${path} is not found`);
    inode = next;
  }
  return inode;
}

const errorOf = (work: () => unknown): string | undefined => {
  try {
    work();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    return thrown.code;
  }
};

/** One change, in both. */
function step(random: Random, fileSystem: Written, model: Model, most: number): void {
  const { writer } = fileSystem;
  const parent = random.pick(model.directories());
  const name = random.pick(names) + (random.below(3) === 0 ? String(random.below(20)) : '');
  const path = `${parent}/${name}`;
  const known = model.find(path);
  const directory = inodeOf(fileSystem, parent);
  const choice = random.below(10);
  if (choice < 4) {
    const isDirectory = random.below(4) === 0;
    const error = errorOf(() => writer.create(directory, name, isDirectory ? newDirectory : newFile));
    // A short name that was made for another file may be in the way.
    assert.ok(
      error === (known === undefined ? undefined : 'EEXIST') || error === 'ENOSPC' || error === 'EEXIST',
      path,
    );
    if (error === undefined) model.tree.set(path, isDirectory ? undefined : new Uint8Array(0));
    return;
  }
  if (known === undefined) return;
  const before = model.tree.get(known);
  const last = known.slice(known.lastIndexOf('/') + 1);
  if (choice < 8 && before !== undefined) {
    const contents = writer.contents(inodeOf(fileSystem, known));
    const offset = random.below(before.length + 3000);
    const isCut = random.below(4) === 0;
    const bytes = random.bytes(random.below(most));
    const error = errorOf(() => (isCut ? contents.resize(offset) : contents.write(bytes, offset)));
    contents.close();
    if (error !== undefined) {
      assert.equal(error, 'ENOSPC');
      return;
    }
    const size = isCut
      ? offset
      : bytes.length === 0
        ? before.length
        : Math.max(before.length, offset + bytes.length);
    const after = new Uint8Array(size);
    after.set(before.subarray(0, size));
    if (!isCut && bytes.length > 0) after.set(bytes, offset);
    model.tree.set(known, after);
  } else if (choice < 9) {
    const isEmpty = before !== undefined || model.isEmpty(known);
    const error = errorOf(() =>
      before === undefined ? writer.rmdir(directory, last) : writer.unlink(directory, last),
    );
    assert.equal(error, isEmpty ? undefined : 'ENOTEMPTY', known);
    if (isEmpty) model.tree.delete(known);
  } else {
    const target = random.pick(model.directories());
    const newName = random.pick(names);
    const to = `${target}/${newName}`;
    const there = model.find(to);
    const isInside = `${target}/`.startsWith(`${known}/`);
    const error = errorOf(() => writer.rename(directory, last, inodeOf(fileSystem, target), newName));
    if (error !== undefined) {
      const replaced = there === undefined ? undefined : model.tree.get(there);
      const allowed = [
        ...(isInside ? ['EINVAL'] : []),
        ...(there !== undefined && before === undefined && replaced !== undefined ? ['ENOTDIR'] : []),
        ...(there !== undefined && before !== undefined && replaced === undefined ? ['EISDIR'] : []),
        ...(there !== undefined && replaced === undefined && !model.isEmpty(there) ? ['ENOTEMPTY'] : []),
        'ENOSPC',
        'EEXIST',
      ];
      assert.ok(allowed.includes(error), `${known} to ${to}: ${error}`);
      return;
    }
    if (there !== undefined && there !== known) {
      // The name of what was there stays.
      model.tree.delete(there);
      model.move(known, there);
    } else if (there === undefined) model.move(known, to);
  }
}

const sorted = (tree: Tree): [string, string][] =>
  [...tree]
    .map(([path, bytes]): [string, string] => [
      path,
      bytes === undefined ? 'directory' : createHash('sha1').update(bytes).digest('hex'),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));

const volumes = {
  FAT12: { kibibytes: 2048, options: ['-F12', '-s1'], most: 5000 },
  'FAT12 with few root entries': { kibibytes: 1024, options: ['-F12', '-r', '32'], most: 3000 },
  FAT16: { kibibytes: 20_000, options: ['-F16', '-s2'], most: 20_000 },
  FAT32: { kibibytes: 35_000, options: ['-F32', '-s1'], most: 20_000 },
  'FAT32 of large sectors and one table': {
    kibibytes: 280_000,
    options: ['-F32', '-S4096', '-s1', '-f1'],
    most: 30_000,
  },
} as const;

describe('random changes', () => {
  for (const [name, { kibibytes, options, most }] of Object.entries(volumes))
    for (const seed of kibibytes > 100_000 ? [1] : [1, 2])
      test(`${name}, seed ${seed}`, needs(...fatTools), () => {
        const bytes = makeVolume(kibibytes, ...options);
        const random = new Random(seed);
        const model = new Model();
        for (let round = 0; round < 3; round++) {
          const fileSystem = openWritable(bytes);
          for (let i = 0; i < 100; i++) {
            step(random, fileSystem, model, most);
            if (random.below(30) === 0) fileSystem.writer.sync();
          }
          assert.deepEqual(sorted(treeOf(fileSystem)), sorted(model.tree), 'before it is closed');
          const { freeBlocks } = fileSystem.usage();
          fileSystem.close();
          checkVolume(bytes);
          const again = openReadonly(bytes);
          assert.deepEqual(sorted(treeOf(again)), sorted(model.tree));
          assert.equal(again.usage().freeBlocks, freeBlocks);
          again.close();
        }
        assert.deepEqual(sorted(treeByMtools(bytes)), sorted(model.tree));
      });
});
