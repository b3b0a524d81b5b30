import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareBytewise, decodeText } from '../../src/base/index.js';
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

test('a walk can stay in one filesystem, or leave out what a directory holds', () => {
  const table = mounted(new MemoryFileSystem({ 'mnt/under': '', 'skip/me': '', z: '' }));
  table.mount(new MemoryFileSystem({ 'in/side': '' }), { source: '/dev/sdb', mountpoint: '/mnt' });
  assert.deepEqual(paths(table, '/'), ['', 'mnt', 'mnt/in', 'mnt/in/side', 'skip', 'skip/me', 'z']);
  assert.deepEqual(paths(table, '/', { crossMounts: false }), ['', 'mnt', 'skip', 'skip/me', 'z']);
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
  assert.throws(() => paths(mounted(fileSystem), '/'), { name: 'UnsupportedError' });
});

test('names are ordered as their bytes are', () => {
  const names = ['a', 'b', 'ab', 'é', 'z', '\u{ffff}', '\u{10000}', decodeText(Uint8Array.of(0xff)), ''];
  const expected = ['', 'a', 'ab', 'b', 'z', 'é', '\u{ffff}', '\u{10000}', decodeText(Uint8Array.of(0xff))];
  assert.deepEqual(names.sort(compareBytewise), expected);
});
