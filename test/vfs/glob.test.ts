import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namePattern } from '../../src/base/index.js';
import { caseSensitivePath, expandGlob, MountTable } from '../../src/vfs/index.js';
import { directory, link, MemoryFileSystem, type MemoryFiles } from '../support/memory-fs.js';

function treeOf(files: MemoryFiles) {
  const table = new MountTable();
  table.mount(new MemoryFileSystem(files), { source: '/dev/sda1', mountpoint: '/' });
  return table.tree;
}

const names: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  '*': [['a', 'abc', 'ü'], ['.hidden']],
  '.*': [['.hidden', '.', '..'], ['a']],
  '?': [
    ['a', 'ü', '😀', '\udcff'],
    ['ab', '', '.'],
  ],
  'a*c': [
    ['ac', 'abc', 'abcbc'],
    ['ab', 'abcd'],
  ],
  '*a*b*c*': [['abc', 'xxaxxbxxcxx'], ['acb']],
  '[abc]': [
    ['a', 'b', 'c'],
    ['d', 'ab'],
  ],
  '[a-c]x': [
    ['ax', 'cx'],
    ['dx', '-x'],
  ],
  '[!a-c]': [['d', '-'], ['a']],
  '[^a]': [['b'], ['a']],
  '[]a]': [[']', 'a'], ['b']],
  '[!]a]': [['b'], [']', 'a']],
  '[a-]': [['a', '-'], ['b']],
  '[[:digit:][:upper:]]': [['1', 'A'], ['a']],
  '[[:nonsense:]]': [[], ['a', ':']],
  '[[=a=]b]': [['a', 'b'], ['=']],
  '[[.-.]x]': [['-', 'x'], ['.']],
  '[\\]]': [[']'], ['\\']],
  '[unclosed': [['[unclosed'], ['u']],
  'a\\*': [['a*'], ['ab']],
  'trailing\\': [['trailing\\'], ['trailing']],
  '\\.x*': [['.xy'], ['xy']],
};

for (const [pattern, [matching, others]] of Object.entries(names)) {
  test(`the pattern ${pattern} takes what the shell takes`, () => {
    const { matches } = namePattern(pattern);
    for (const name of matching) assert.equal(matches(name), true, `should match ${name}`);
    for (const name of others) assert.equal(matches(name), false, `should not match ${name}`);
  });
}

test('a pattern of many stars is matched in little time', () => {
  assert.equal(namePattern(`${'*a'.repeat(100)}b`).matches('a'.repeat(255)), false);
});

const files: MemoryFiles = {
  'b/c/d': '',
  'b/c/e': '',
  b1: '',
  'b2/.hidden': '',
  'b2/seen': '',
  toDir: link('b'),
  dangling: link('nowhere'),
  'we*ird': '',
};

const expansions: Readonly<Record<string, readonly string[]>> = {
  '/b/*/*': ['/b/c/d', '/b/c/e'],
  '/b*': ['/b/', '/b1', '/b2/'],
  '/b*/': ['/b/', '/b2/'],
  '/*': ['/b/', '/b1', '/b2/', '/dangling', '/toDir/', '/we*ird'],
  '/toDir/*': ['/toDir/c/'],
  '/b2/*': ['/b2/seen'],
  '/b2/.h*': ['/b2/.hidden'],
  // Sorted with their slashes: a dot comes before a slash.
  '/b2/.*': ['/b2/../', '/b2/./', '/b2/.hidden'],
  '/dangling': ['/dangling'],
  '/dangling/*': [],
  '/nothing*': [],
  '/b1/*': [],
  '/': ['/'],
  '/b': ['/b/'],
  '/we\\*ird': ['/we*ird'],
  '/{b1,b}': ['/b1', '/b/'],
  '/b/c/{e,{d,x}}': ['/b/c/e', '/b/c/d'],
  '/b{1,}': ['/b1', '/b/'],
  '/b{1': [],
};

for (const [pattern, expected] of Object.entries(expansions)) {
  test(`${pattern} expands as glob(3) does`, () => {
    assert.deepEqual(expandGlob(treeOf(files), pattern), expected);
  });
}

test('directories get no slash when none is asked for', () => {
  assert.deepEqual(expandGlob(treeOf(files), '/b*', { directorySlash: false }), ['/b', '/b1', '/b2']);
});

test('patterns that stand for too much are refused', () => {
  const tree = treeOf({ a: '' });
  assert.throws(() => expandGlob(tree, `/${'{a,b}'.repeat(20)}`), { code: 'E2BIG' });
  assert.throws(() => expandGlob(tree, `/${'{'.repeat(20000)}`), { code: 'E2BIG' });
  assert.deepEqual(expandGlob(tree, `/${'{'.repeat(4000)}${'}'.repeat(4000)}`), ['/']);
  assert.throws(() => expandGlob(tree, 'a*'), { code: 'EINVAL' });
});

test('links in circles match by their own name only', () => {
  const tree = treeOf({ loop: link('loop') });
  assert.deepEqual(expandGlob(tree, '/l*'), ['/loop']);
  assert.deepEqual(expandGlob(tree, '/l*/x'), []);
});

test('a path in any case is spelled as on the disk', () => {
  const tree = treeOf({
    'Windows/System32/netkvm.sys': '',
    file: '',
    'two/a': '',
    'TWO/b': '',
    alias: link('/Windows'),
    empty: directory(),
  });
  assert.equal(caseSensitivePath(tree, '/windows/SYSTEM32/NetKVM.sys'), '/Windows/System32/netkvm.sys');
  assert.equal(caseSensitivePath(tree, '/windows/system32/NoSuchFile'), '/Windows/System32/NoSuchFile');
  assert.equal(caseSensitivePath(tree, '/ALIAS/system32'), '/alias/System32');
  assert.equal(caseSensitivePath(tree, '/TWO/B'), '/TWO/b');
  assert.equal(caseSensitivePath(tree, '/WINDOWS/'), '/Windows');
  assert.equal(caseSensitivePath(tree, '//'), '/');
  assert.throws(() => caseSensitivePath(tree, '/windows/system33/netkvm.sys'), { code: 'ENOENT' });
  assert.throws(() => caseSensitivePath(tree, '/missing/'), { code: 'ENOENT' });
  assert.throws(() => caseSensitivePath(tree, '/FILE/'), { code: 'ENOTDIR' });
  assert.throws(() => caseSensitivePath(tree, '/windows/..'), { code: 'EINVAL' });
  assert.throws(() => caseSensitivePath(tree, 'windows'), { code: 'EINVAL' });
});
