import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError, compareBytewise, decodeText, GuestfsError } from '../../src/base/index.js';
import { MountTable, type WalkOptions, walkTree } from '../../src/vfs/index.js';
import { directory, link, MemoryFileSystem } from '../support/memory-fs.js';

function paths(table: MountTable, start: string, options?: WalkOptions): string[] {
  const found: string[] = [];
  for (const visit of walkTree(table.tree, table.tree.resolve(start), options)) {
    found.push(visit.leaving ? `${visit.path}<` : visit.path);
  }
  return found;
}

function mounted(fileSystem: MemoryFileSystem): MountTable {
  const table = new MountTable();
  table.mount(fileSystem, { source: '/dev/sda1', mountpoint: '/' });
  return table;
}

test('a walk meets each directory before its entries, in stored or byte-wise order', () => {
  const table = mounted(new MemoryFileSystem({ 'b/z': '', 'b/a': '', a: '', 'B/l': link('/b') }));
  assert.deepEqual(paths(table, '/'), ['', 'b', 'b/z', 'b/a', 'a', 'B', 'B/l']);
  assert.deepEqual(paths(table, '/', { sorted: true }), ['', 'B', 'B/l', 'a', 'b', 'b/a', 'b/z']);
  assert.deepEqual(paths(table, '/b'), ['', 'z', 'a']);
  assert.deepEqual(paths(table, '/a'), ['']);
});

test('directories come again when they are left', () => {
  const table = mounted(new MemoryFileSystem({ 'd/e/f': '', g: '' }));
  assert.deepEqual(paths(table, '/', { leave: true }), ['', 'd', 'd/e', 'd/e/f', 'd/e<', 'd<', 'g', '<']);
});

test('a walk goes into what is mounted below, and can leave out what a directory holds', () => {
  const table = mounted(new MemoryFileSystem({ 'mnt/under': '', 'skip/me': '', z: '' }));
  table.mount(new MemoryFileSystem({ 'in/side': '' }), { source: '/dev/sdb', mountpoint: '/mnt' });
  assert.deepEqual(paths(table, '/'), ['', 'mnt', 'mnt/in', 'mnt/in/side', 'skip', 'skip/me', 'z']);
  assert.deepEqual(paths(table, '/', { into: ({ name }) => name !== 'skip' }), [
    '',
    'mnt',
    'mnt/in',
    'mnt/in/side',
    'skip',
    'z',
  ]);
});

test('the same filesystem mounted twice is walked twice', () => {
  const fileSystem = new MemoryFileSystem({ 'd/x': '' });
  const table = mounted(new MemoryFileSystem({ a: directory(), b: directory() }));
  table.mount(fileSystem, { source: 'x', mountpoint: '/a' });
  table.mount(fileSystem, { source: 'x', mountpoint: '/b' });
  assert.deepEqual(paths(table, '/'), ['', 'a', 'a/d', 'a/d/x', 'b', 'b/d', 'b/d/x']);
});

test('directories without types are walked too', () => {
  const table = mounted(new MemoryFileSystem({ 'd/x': '' }, { untyped: true }));
  assert.deepEqual(paths(table, '/'), ['', 'd', 'd/x']);
});

test('a directory met twice is corrupt: loops and shared directories end the walk', () => {
  const loop = new MemoryFileSystem({ 'a/b': directory() });
  loop.addEntry(4, 'again', 3);
  assert.throws(() => paths(mounted(loop), '/'), { name: 'CorruptError' });
  const shared = new MemoryFileSystem({ 'a/b': directory(), c: directory() });
  shared.addEntry(5, 'again', 4);
  assert.throws(() => paths(mounted(shared), '/'), { name: 'CorruptError' });
  const self = new MemoryFileSystem({});
  self.addEntry(2, 'root', 2);
  assert.throws(() => paths(mounted(self), '/'), { name: 'CorruptError' });
});

test('a tree without end is refused', () => {
  const fileSystem = new MemoryFileSystem({});
  const original = fileSystem.entries.bind(fileSystem);
  let next = 100;
  fileSystem.entries = (inode) =>
    inode >= 100 || inode === 2
      ? [{ name: 'x', inode: next++, type: 'directory' as const }]
      : original(inode);
  const stat = fileSystem.stat.bind(fileSystem);
  fileSystem.stat = (inode) => ({ ...stat(2), inode });
  assert.throws(() => paths(mounted(fileSystem), '/'), { name: 'UnsupportedError' });
});

/** A table whose damage is recorded, and all that a walk of it meets. */
function walkDamaged(
  fileSystem: MemoryFileSystem,
  options: WalkOptions = {},
): { met: string[]; told: string[] } {
  const told: string[] = [];
  const table = new MountTable((error, path) => told.push(`${path}: ${error.message}`));
  table.mount(fileSystem, { source: '/dev/sda', mountpoint: '/' });
  const met = [...walkTree(table.tree, table.tree.root, { from: '/', ...options })].map(
    ({ path, place }) => `${path}:${place.type}`,
  );
  return { met, told };
}

test('a directory that cannot be read is told and left out, and what is beside it follows', () => {
  const fileSystem = new MemoryFileSystem({ 'a/x': '', 'b/y': '', 'c/z': '' });
  const entries = fileSystem.entries.bind(fileSystem);
  const broken = fileSystem.lookup(2, 'b');
  fileSystem.entries = (inode) => {
    if (inode === broken) throw new CorruptError('memory directory', 'is noise');
    return entries(inode);
  };
  for (const sorted of [false, true]) {
    const { met, told } = walkDamaged(fileSystem, { sorted });
    assert.deepEqual(met, [
      ':directory',
      'a:directory',
      'a/x:file',
      'b:directory',
      'c:directory',
      'c/z:file',
    ]);
    assert.deepEqual(told, ['/b: memory directory: is noise']);
  }
});

test('a file whose inode cannot be read is met by its name alone, or left out where inodes are asked for', () => {
  const fileSystem = new MemoryFileSystem({ a: '', b: '' });
  const entries = fileSystem.entries.bind(fileSystem);
  fileSystem.entries = (inode) => [...entries(inode), { name: 'lost', inode: 4711, type: 'file' }];
  assert.deepEqual(walkDamaged(fileSystem), {
    met: [':directory', 'a:file', 'b:file', 'lost:file'],
    told: [],
  });
  const { met, told } = walkDamaged(fileSystem, { stat: true });
  assert.deepEqual(met, [':directory', 'a:file', 'b:file']);
  assert.match(told.join(), /^\/lost: memory inode: does not exist/);
});

test('an entry that lies about its type is taken for what its inode is', () => {
  const fileSystem = new MemoryFileSystem({ a: '', 'd/x': '', l: link('a') });
  const entries = fileSystem.entries.bind(fileSystem);
  const lies = { a: 'directory', d: 'file', l: 'file' } as const;
  fileSystem.entries = (inode) =>
    [...entries(inode)].map((entry) => ({
      ...entry,
      type: lies[entry.name as keyof typeof lies] ?? entry.type,
    }));
  assert.deepEqual(walkDamaged(fileSystem, { stat: true }), {
    met: [':directory', 'a:file', 'd:directory', 'd/x:file', 'l:symlink'],
    told: [],
  });
  // Without inodes, only what claims to be a directory is asked: its inode is needed anyway.
  assert.deepEqual(walkDamaged(fileSystem), { met: [':directory', 'a:file', 'd:file', 'l:file'], told: [] });
});

test('a directory met twice is told, and what is in it is met once', () => {
  const loop = new MemoryFileSystem({ 'a/b/x': '', 'a/y': '' });
  loop.addEntry(4, 'again', 3);
  const { met, told } = walkDamaged(loop);
  assert.equal(met.filter((path) => path.endsWith('x:file')).length, 1, met.join());
  assert.equal(told.length, 1);
  assert.match(told.join(), /a directory is met twice/);
});

test('what is no damage ends a walk: a cancelled call, a mistake of ours, a budget', () => {
  for (const thrown of [
    new GuestfsError('ECANCELED', 'the call was cancelled'),
    new GuestfsError('E2BIG', 'too much'),
    new TypeError('a mistake'),
  ]) {
    const fileSystem = new MemoryFileSystem({ 'a/x': '' });
    fileSystem.entries = () => {
      throw thrown;
    };
    assert.throws(() => walkDamaged(fileSystem), thrown);
  }
});

test('names are ordered as their bytes are', () => {
  const names = ['a', 'b', 'ab', 'é', 'z', '\u{ffff}', '\u{10000}', decodeText(Uint8Array.of(0xff)), ''];
  const expected = ['', 'a', 'ab', 'b', 'z', 'é', '\u{ffff}', '\u{10000}', decodeText(Uint8Array.of(0xff))];
  assert.deepEqual(names.sort(compareBytewise), expected);
});
