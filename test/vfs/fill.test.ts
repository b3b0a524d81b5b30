/** A new filesystem that is filled: many entries in one change, which may have to run again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileSystemWriter, InodeNumber, NewInode } from '../../src/fs/index.js';
import { ContentTree, type FileSystem, fillFileSystem } from '../../src/vfs/index.js';

const modified = { seconds: 1, nanoseconds: 0 };
const facts = (type: NewInode['type']) => ({
  type,
  permissions: 0o755,
  uid: 0,
  gid: 0,
  modified,
  xattrs: new Map<string, Uint8Array>(),
});

/** Writes down what it does, and undoes each change once before it stays. */
class Forgetful {
  readonly root = 2;
  readonly whyReadOnly = undefined;
  readonly made: string[] = [];
  readonly set: InodeNumber[] = [];
  changes = 0;
  #next = 11;

  get writer(): FileSystemWriter {
    return this as unknown as FileSystemWriter; // safe: the tree has no contents and no attributes
  }

  lookup(): undefined {}

  create(directory: InodeNumber, name: string): InodeNumber {
    this.made.push(`${directory}/${name} ${this.#next}`);
    return this.#next++;
  }

  link(inode: InodeNumber, directory: InodeNumber, name: string): void {
    this.made.push(`${directory}/${name} ${inode} linked`);
  }

  setAttributes(inode: InodeNumber): void {
    this.set.push(inode);
  }

  together<T>(work: () => T): T {
    this.changes++;
    const [made, set] = [this.made.length, this.set.length];
    work();
    this.made.length = made;
    this.set.length = set;
    return work();
  }
}

test('a change that runs twice makes every entry once, and links lead to what stayed', () => {
  const tree = new ContentTree(modified);
  tree.put('a', facts('directory'));
  for (let number = 0; number < 150; number++)
    tree.put(`a/${String(number).padStart(3, '0')}`, facts('fifo'));
  assert.ok(tree.link('a/link', 'a/149', modified));
  const fileSystem = new Forgetful();
  fillFileSystem(fileSystem as unknown as FileSystem, tree, {
    setClock() {},
    copy: () => assert.fail('there are no contents'),
    leaveOut: () => assert.fail('there are no attributes'),
  });
  assert.equal(fileSystem.made.length, 152);
  const inodeOf = (name: string): string =>
    fileSystem.made.find((line) => line.includes(`/${name} `))?.split(' ')[1] ?? '';
  const directory = inodeOf('a');
  for (const line of fileSystem.made.slice(1)) assert.ok(line.startsWith(`${directory}/`), line);
  assert.deepEqual(
    fileSystem.made.filter((line) => line.endsWith(' linked')),
    [`${directory}/link ${inodeOf('149')} linked`],
  );
  assert.deepEqual(fileSystem.set, [2, Number(directory)]);
  assert.ok(fileSystem.changes < 10, `${fileSystem.changes} changes`);
});
