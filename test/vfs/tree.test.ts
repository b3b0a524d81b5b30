import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText } from '../../src/base/index.js';
import { MountTable, type Tree } from '../../src/vfs/index.js';
import { directory, link, MemoryFileSystem, type MemoryFiles, special } from '../support/memory-fs.js';

function treeOf(files: MemoryFiles): Tree {
  const table = new MountTable();
  table.mount(new MemoryFileSystem(files), { source: '/dev/sda1', mountpoint: '/' });
  return table.tree;
}

const fails = (code: string) => (thrown: unknown) => {
  assert.equal((thrown as { code: string }).code, code, String(thrown));
  return true;
};

/** The errno a path fails with, or where it leads. */
function outcome(tree: Tree, path: string, followLast = true): string {
  try {
    return tree.resolve(path, { followLast }).type;
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

test('doubled slashes, dots and dot-dots are walked as the kernel does', () => {
  const tree = treeOf({ 'a/b/file': 'x', 'c/d': directory() });
  assert.equal(tree.realpath('//a///b/./file'), '/a/b/file');
  assert.equal(tree.realpath('/a/b/../../c/d/..'), '/c');
  assert.equal(tree.realpath('/../../..'), '/');
  assert.equal(tree.realpath('/../a/../../c'), '/c');
  assert.equal(outcome(tree, '/a/missing/../b'), 'ENOENT');
  assert.equal(outcome(tree, '/a/b/file/..'), 'ENOTDIR');
  assert.equal(outcome(tree, '/a/b/file/.'), 'ENOTDIR');
});

test('a slash at the end asks for a directory and follows a link', () => {
  const tree = treeOf({
    'dir/x': '',
    file: '',
    toDir: link('dir'),
    toFile: link('file'),
    toSlashedFile: link('file/'),
  });
  assert.equal(outcome(tree, '/dir/'), 'directory');
  assert.equal(outcome(tree, '/file/'), 'ENOTDIR');
  assert.equal(outcome(tree, '/toDir', false), 'symlink');
  assert.equal(outcome(tree, '/toDir/', false), 'directory');
  assert.equal(outcome(tree, '/toFile/', false), 'ENOTDIR');
  assert.equal(outcome(tree, '/toSlashedFile'), 'ENOTDIR');
  assert.equal(outcome(tree, '/missing/'), 'ENOENT');
});

test('links stay inside the guest, absolute or not', () => {
  const tree = treeOf({
    'etc/passwd': 'guest',
    'deep/er/escape': link('../../../../../../etc/passwd'),
    'deep/absolute': link('/etc'),
    'deep/chain': link('absolute/../etc/passwd'),
    dangling: link('/nowhere'),
    empty: link(''),
  });
  assert.equal(tree.realpath('/deep/er/escape'), '/etc/passwd');
  assert.equal(tree.realpath('/deep/absolute/passwd'), '/etc/passwd');
  assert.equal(tree.realpath('/deep/chain'), '/etc/passwd');
  assert.equal(outcome(tree, '/dangling'), 'ENOENT');
  assert.equal(outcome(tree, '/dangling', false), 'symlink');
  assert.equal(outcome(tree, '/empty'), 'ENOENT');
  assert.equal(tree.readlink('/dangling'), '/nowhere');
  assert.throws(() => tree.readlink('/etc'), fails('EINVAL'));
});

test('a walk follows forty links and no more', () => {
  const files: Record<string, ReturnType<typeof link> | string> = { end: 'x', loop: link('loop') };
  for (let i = 0; i < 41; i++) files[`l${i}`] = link(i === 0 ? 'end' : `l${i - 1}`);
  const tree = treeOf({ ...files, a: link('b'), b: link('a') });
  assert.equal(outcome(tree, '/l39'), 'file');
  assert.equal(outcome(tree, '/l40'), 'ELOOP');
  assert.equal(outcome(tree, '/loop'), 'ELOOP');
  assert.equal(outcome(tree, '/loop', false), 'symlink');
  assert.equal(outcome(tree, '/a/b'), 'ELOOP');
  assert.throws(() => tree.find('/loop'), fails('ELOOP'));
});

test('links that double at every step end at the limit', () => {
  const tree = treeOf({ x: link('x/x/x/x/x/x/x/x') });
  assert.equal(outcome(tree, '/x'), 'ELOOP');
});

test('names and paths have the lengths of Linux, in bytes', () => {
  const umlauts = 'ü'.repeat(127);
  const escapes = decodeText(new Uint8Array(255).fill(0xff));
  const tree = treeOf({
    [`d/${umlauts}`]: 'x',
    [escapes]: 'y',
    long: link('a/'.repeat(2048)),
  });
  assert.equal(outcome(tree, `/d/${umlauts}`), 'file');
  assert.equal(outcome(tree, `/d/${umlauts}ü`), 'ENAMETOOLONG');
  assert.equal(outcome(tree, `/${escapes}`), 'file');
  assert.equal(outcome(tree, `/${'n'.repeat(255)}`), 'ENOENT');
  assert.equal(outcome(tree, `/${'n'.repeat(256)}`), 'ENAMETOOLONG');
  assert.equal(outcome(tree, `/${'./'.repeat(2046)}d`), 'directory');
  assert.equal(outcome(tree, `/${'./'.repeat(2047)}d`), 'ENAMETOOLONG');
  assert.equal(outcome(tree, '/long'), 'ENAMETOOLONG');
});

test('names that are no UTF-8 are found', () => {
  const name = decodeText(Uint8Array.of(0x61, 0xff, 0xfe));
  const tree = treeOf({ [name]: 'x' });
  assert.equal(outcome(tree, `/${name}`), 'file');
  assert.equal(tree.realpath(`/${name}`), `/${name}`);
});

test('paths must be absolute and without NUL', () => {
  const tree = treeOf({ a: '' });
  for (const path of ['', 'a', './a', '/a\0b']) {
    assert.throws(() => tree.resolve(path), fails('EINVAL'));
    assert.throws(() => tree.find(path), fails('EINVAL'));
    assert.throws(() => tree.realpath(path), fails('EINVAL'));
  }
});

test('find tells absence without an exception', () => {
  const tree = treeOf({ 'a/b': '' });
  assert.equal(tree.find('/a/b')?.type, 'file');
  assert.equal(tree.find('/a/c'), undefined);
  assert.equal(tree.find('/a/b/c'), undefined);
});

test('a mount is seen in stat, and from below by dot-dot', () => {
  const table = new MountTable();
  table.mount(new MemoryFileSystem({ 'mnt/under': '' }), { source: '/dev/sda1', mountpoint: '/' });
  const upper = new MemoryFileSystem({ 'd/e': '', up: link('../top') });
  table.mount(upper, { source: '/dev/sdb1', mountpoint: '/mnt' });
  const { tree } = table;
  assert.equal(tree.stat('/mnt').inode, upper.root);
  assert.equal(tree.lstat('/mnt').device, 0x811);
  assert.equal(tree.stat('/mnt/..').device, 0x801);
  assert.equal(tree.realpath('/mnt/d/../..'), '/');
  assert.equal(tree.stat('/mnt/d/..').inode, upper.root);
  const [entry] = [...tree.list('/')];
  // As readdir: the directory's own inode, not that of what is mounted on it.
  assert.equal(entry?.inode, 3);
  assert.equal(tree.enter(tree.root, entry!).inode, upper.root); // safe: the root has one entry
  assert.deepEqual(tree.dots(tree.resolve('/mnt')), { self: 2, parent: 2 });
});

test('the parent that the disk claims does not matter', () => {
  const fileSystem = new MemoryFileSystem({ 'a/b': directory() });
  fileSystem.parent = () => 4711;
  const table = new MountTable();
  table.mount(fileSystem, { source: 'x', mountpoint: '/' });
  assert.equal(table.tree.realpath('/a/b/..'), '/a');
});

test('walks are remembered, and forgotten when told', () => {
  const table = new MountTable();
  const fileSystem = new MemoryFileSystem({ 'a/b/c': '' });
  table.mount(fileSystem, { source: 'x', mountpoint: '/' });
  table.tree.resolve('/a/b/c');
  const before = { ...fileSystem.asked };
  table.tree.resolve('/a/b/c');
  assert.deepEqual(fileSystem.asked, before);
  const { directory: parent, name } = table.tree.locate('/a/b/c');
  table.tree.forget(parent, name);
  table.tree.resolve('/a/b/c');
  assert.equal(fileSystem.asked.lookup, before.lookup + 1);
});

test('locate names the directory of what need not exist', () => {
  const tree = treeOf({ 'a/b': directory(), 'a/l': link('b'), file: '' });
  assert.equal(tree.locate('/a/l/new').name, 'new');
  assert.equal(tree.locate('/a/l/new').directory.inode, tree.resolve('/a/b').inode);
  assert.equal(tree.locate('/a/l').name, 'l');
  assert.equal(tree.locate('/a/new/').name, 'new');
  assert.equal(tree.locate('/').name, '.');
  assert.throws(() => tree.locate('/a/..'), fails('EINVAL'));
  assert.throws(() => tree.locate('/a/.'), fails('EINVAL'));
  assert.throws(() => tree.locate('/file/x'), fails('ENOTDIR'));
  assert.throws(() => tree.locate('/no/x'), fails('ENOENT'));
});

test('entries with names that could leave a directory are refused', () => {
  for (const name of ['a/b', '', 'x\0y', '../../etc/cron.d/x']) {
    const fileSystem = new MemoryFileSystem({ good: '' });
    fileSystem.addEntry(fileSystem.root, name, 3);
    const table = new MountTable();
    table.mount(fileSystem, { source: 'x', mountpoint: '/' });
    assert.throws(() => [...table.tree.list('/')], fails('EIO'));
  }
  const fileSystem = new MemoryFileSystem({ good: '' });
  fileSystem.addEntry(fileSystem.root, '..', 2);
  fileSystem.addEntry(fileSystem.root, '.', 2);
  const table = new MountTable();
  table.mount(fileSystem, { source: 'x', mountpoint: '/' });
  assert.deepEqual(
    [...table.tree.list('/')].map(({ name }) => name),
    ['good'],
  );
});

test('every file type is told apart', () => {
  const tree = treeOf({
    pipe: special('fifo'),
    tty: special('character'),
    disk: special('block'),
    sock: special('socket'),
    dir: directory(),
  });
  for (const [path, type] of Object.entries({
    pipe: 'fifo',
    tty: 'character',
    disk: 'block',
    sock: 'socket',
  })) {
    assert.equal(outcome(tree, `/${path}`), type);
    assert.throws(() => tree.list(`/${path}`), fails('ENOTDIR'));
  }
  assert.equal(tree.usage('/dir').blocks, 1000);
});
