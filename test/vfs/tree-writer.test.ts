/** Changes through paths: what the kernel refuses, what it follows, and what a change does beside itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestfsError, UnsupportedError } from '../../src/base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../../src/formats/index.js';
import { MountTable, TreeWriter } from '../../src/vfs/index.js';
import { MemoryFileSystem } from '../support/memory-fs.js';
import { listing, WritableFileSystem } from '../support/writable-fs.js';

interface Ground {
  readonly table: MountTable;
  readonly fileSystem: WritableFileSystem;
  readonly writer: TreeWriter;
  touched(): number;
}

function ground(fileSystem = new WritableFileSystem(), umask = 0o022): Ground {
  const table = new MountTable();
  table.mount(fileSystem, { source: '/dev/sda1', mountpoint: '/' });
  let touched = 0;
  const writer = new TreeWriter(table.tree, { umask, touch: () => void touched++ });
  return { table, fileSystem, writer, touched: () => touched };
}

const file = { type: 'file', permissions: 0o666 } as const;
const directory = { type: 'directory', permissions: 0o777 } as const;

/** The errno of a change that is refused, which nothing may come before. */
function refusal({ touched, fileSystem }: Ground, work: () => unknown): string {
  const before = [touched(), ...listing(fileSystem)];
  try {
    work();
  } catch (thrown) {
    assert.ok(thrown instanceof GuestfsError, String(thrown));
    assert.deepEqual([touched(), ...listing(fileSystem)], before, 'changed all the same');
    return thrown.code;
  }
  return 'done';
}

function write(writer: TreeWriter, path: string, text: string): void {
  const { contents } = writer.open(path, { create: 0o666, truncate: true });
  contents.write(Buffer.from(text), 0);
  contents.close();
}

test('what is made has the umask, the group of a directory that says so, and no bits that mkdir has not', () => {
  const { writer, fileSystem, table } = ground();
  writer.create('/f', { type: 'file', permissions: 0o6777 });
  writer.create('/d', { type: 'directory', permissions: 0o7777 });
  writer.create('/l', { type: 'symlink', permissions: 0, target: 'f' });
  writer.create('/n', { type: 'character', permissions: 0o666, device: [1, 3] });
  writer.chown('/d', 5, 7);
  writer.chmod('/d', 0o2770);
  writer.create('/d/e', directory);
  writer.create('/d/e/f', file);
  assert.deepEqual(listing(fileSystem), [
    '/d 42770 5:7 3',
    '/d/e 42755 0:7 2',
    '/d/e/f 100644 0:7 1 ""',
    '/f 106755 0:0 1 ""',
    '/l 120777 0:0 1 -> f',
    '/n 20644 0:0 1',
  ]);
  assert.equal(table.tree.stat('/n').deviceMinor, 3);
});

test('names are made, removed and renamed as the kernel allows it', () => {
  const all = ground();
  const { writer } = all;
  writer.create('/d', directory);
  writer.create('/d/e/', directory);
  writer.create('/d/f', file);
  writer.create('/to', { type: 'symlink', permissions: 0, target: '/d' });
  const make = (path: string, what: typeof file | typeof directory = file): string =>
    refusal(all, () => writer.create(path, what));
  assert.equal(make('/d'), 'EEXIST');
  assert.equal(make('/to', directory), 'EEXIST');
  assert.equal(make('/', directory), 'EEXIST');
  assert.equal(make('/d/.', directory), 'EEXIST');
  assert.equal(make('/d/..', directory), 'EEXIST');
  assert.equal(make('/new/'), 'ENOENT');
  assert.equal(make('/missing/x'), 'ENOENT');
  assert.equal(make('/d/f/x'), 'ENOTDIR');
  assert.equal(make(`/${'n'.repeat(256)}`), 'ENAMETOOLONG');
  const unlink = (path: string): string => refusal(all, () => writer.unlink(path));
  assert.deepEqual(['/missing', '/d', '/d/', '/', '/d/.', '/d/f/', '/to/', '/d/f/x'].map(unlink), [
    'ENOENT',
    'EISDIR',
    'EISDIR',
    'EISDIR',
    'EISDIR',
    'ENOTDIR',
    'ENOTDIR',
    'ENOTDIR',
  ]);
  const rmdir = (path: string): string => refusal(all, () => writer.rmdir(path));
  assert.deepEqual(['/missing', '/d', '/', '/d/.', '/d/..', '/d/f', '/to'].map(rmdir), [
    'ENOENT',
    'ENOTEMPTY',
    'EBUSY',
    'EINVAL',
    'ENOTEMPTY',
    'ENOTDIR',
    'ENOTDIR',
  ]);
});

test('a directory is not moved into itself, and types are not mixed', () => {
  const all = ground();
  const { writer, fileSystem } = all;
  for (const path of ['/a', '/a/b', '/a/b/c', '/empty']) writer.create(path, directory);
  write(writer, '/f', 'one');
  write(writer, '/g', 'two');
  writer.link('/f', '/h');
  const rename = (from: string, to: string): string => refusal(all, () => writer.rename(from, to));
  assert.equal(rename('/a', '/a/b/c/d'), 'EINVAL');
  assert.equal(rename('/a', '/a/b'), 'EINVAL');
  assert.equal(rename('/f', '/a'), 'EISDIR');
  assert.equal(rename('/a', '/f'), 'ENOTDIR');
  assert.equal(rename('/a/b/c', '/a'), 'ENOTEMPTY');
  assert.equal(rename('/missing', '/x'), 'ENOENT');
  assert.equal(rename('/f', '/x/'), 'ENOTDIR');
  assert.equal(rename('/f', '/g/'), 'ENOTDIR', 'a file that is there');
  assert.equal(rename('/f/', '/x'), 'ENOTDIR');
  assert.equal(rename('/a/.', '/x'), 'EBUSY');
  assert.equal(rename('/f', '/h'), 'done', 'two names of one file');
  writer.rename('/g', '/f');
  writer.rename('/a', '/empty/');
  assert.deepEqual(listing(fileSystem), [
    '/empty 40755 0:0 3',
    '/empty/b 40755 0:0 3',
    '/empty/b/c 40755 0:0 2',
    '/f 100644 0:0 1 "two"',
    '/h 100644 0:0 1 "one"',
  ]);
});

test('a file is opened through links, and made where the last one leads', () => {
  const all = ground();
  const { writer, fileSystem } = all;
  writer.create('/d', directory);
  writer.create('/there', { type: 'symlink', permissions: 0, target: 'on' });
  writer.create('/on', { type: 'symlink', permissions: 0, target: 'd/new' });
  writer.create('/loop', { type: 'symlink', permissions: 0, target: 'loop' });
  writer.create('/up', { type: 'symlink', permissions: 0, target: '../../../outside' });
  write(writer, '/there', 'made');
  write(writer, '/there', 'x');
  write(writer, '/up', 'in the root');
  const open = (path: string): string => refusal(all, () => writer.open(path, { create: 0o666 }));
  assert.deepEqual(['/loop', '/d', '/d/', '/d/.', '/new/', '/missing/x', '/missing/'].map(open), [
    'ELOOP',
    'EISDIR',
    'EISDIR',
    'EISDIR',
    'EISDIR',
    'ENOENT',
    'EISDIR',
  ]);
  assert.equal(
    refusal(all, () => writer.open('/missing')),
    'ENOENT',
  );
  assert.deepEqual(
    listing(fileSystem).filter((line) => line.includes('"')),
    ['/d/new 100644 0:0 1 "x"', '/outside 100644 0:0 1 "in the root"'],
  );
});

test('what is mounted read-only, what only reads, and what cannot do it say so before anything is changed', () => {
  const all = ground();
  const { writer, table } = all;
  for (const path of ['/ro', '/old', '/odd', '/other']) writer.create(path, directory);
  table.mount(new WritableFileSystem(), { source: '/dev/sdb', mountpoint: '/ro', readonly: true });
  table.mount(new MemoryFileSystem({ f: 'x' }, { type: 'xfs' }), { source: '/dev/sdc', mountpoint: '/old' });
  const odd = Object.assign(new MemoryFileSystem({ f: 'x' }), {
    whyReadOnly: new UnsupportedError('ext4 filesystem', ['bigalloc']),
  });
  table.mount(odd, { source: '/dev/sdd', mountpoint: '/odd' });
  table.mount(new WritableFileSystem(), { source: '/dev/sde', mountpoint: '/other' });
  write(writer, '/f', 'x');
  write(writer, '/other/g', 'x');
  assert.equal(
    refusal(all, () => writer.create('/ro/x', file)),
    'EROFS',
  );
  assert.equal(
    refusal(all, () => writer.unlink('/ro/missing')),
    'EROFS',
  );
  for (const [path, feature] of [
    ['/old/f', 'changing xfs filesystems'],
    ['/odd/f', 'bigalloc'],
  ] as const) {
    assert.throws(
      () => writer.chmod(path, 0),
      (thrown) =>
        thrown instanceof UnsupportedError &&
        thrown.elsewhere === 'appliance' &&
        thrown.features[0] === feature &&
        thrown.path === path,
    );
  }
  assert.equal(
    refusal(all, () => writer.rename('/f', '/other/f')),
    'EXDEV',
  );
  assert.equal(
    refusal(all, () => writer.link('/f', '/other/f')),
    'EXDEV',
  );
  assert.equal(
    refusal(all, () => writer.rename('/other', '/another')),
    'EBUSY',
  );
  assert.equal(
    refusal(all, () => writer.rmdir('/other')),
    'EBUSY',
  );
  assert.equal(
    refusal(all, () => writer.rename('/ro', '/another')),
    'EBUSY',
  );
});

test('names that were met are forgotten, under every spelling where names fold', () => {
  for (const caseInsensitive of [false, true]) {
    const { writer, table } = ground(new WritableFileSystem({ caseInsensitive }));
    const { tree } = table;
    write(writer, '/name', 'one');
    const spellings = caseInsensitive ? ['/name', '/NAME', '/Name'] : ['/name'];
    for (const path of spellings) tree.stat(path);
    writer.unlink(spellings.at(-1) ?? '');
    for (const path of spellings) assert.equal(tree.find(path), undefined);
    writer.create('/name', directory);
    for (const path of spellings) assert.equal(tree.resolve(path).type, 'directory');
  }
});

test('what changes owner or contents loses the bits and capabilities that came with them', () => {
  const { writer, fileSystem, table } = ground();
  writer.create('/f', { type: 'file', permissions: 0o6755 });
  writer.create('/g', { type: 'file', permissions: 0o6644 });
  for (const path of ['/f', '/g']) writer.setXattr(path, 'security.capability', Buffer.from('x'));
  writer.chown('/f', 1, 1);
  writer.chown('/g', 1, 1);
  assert.deepEqual(listing(fileSystem), ['/f 100755 1:1 1 ""', '/g 102644 1:1 1 ""']);
  writer.setXattr('/f', 'security.capability', Buffer.from('x'));
  write(writer, '/f', 'more');
  for (const path of ['/f', '/g']) assert.equal(fileSystem.xattrs(table.tree.resolve(path).inode).size, 0);
});

test('attributes are refused where the kernel refuses them', () => {
  const all = ground();
  const { writer } = all;
  write(all.writer, '/f', '');
  writer.create('/l', { type: 'symlink', permissions: 0, target: 'f' });
  const set = (path: string, name: string, value: Uint8Array | undefined, followLast = true): string =>
    refusal(all, () => writer.setXattr(path, name, value, { followLast }));
  const value = Buffer.from('x');
  assert.equal(set('/f', 'bad', value), 'EOPNOTSUPP');
  assert.equal(set('/f', 'user.', value), 'EINVAL');
  assert.equal(set('/f', '', value), 'ERANGE');
  assert.equal(set('/f', `user.${'x'.repeat(251)}`, value), 'ERANGE');
  assert.equal(set('/f', 'user.x', new Uint8Array(65537)), 'E2BIG');
  assert.equal(set('/l', 'user.x', value, false), 'EPERM');
  assert.equal(set('/l', 'trusted.x', value, false), 'done');
  assert.equal(
    set(
      '/f',
      'system.posix_acl_default',
      list([aclTags.userObj, 7], [aclTags.groupObj, 7], [aclTags.other, 7]),
    ),
    'EACCES',
  );
  assert.equal(
    set('/f', 'system.posix_acl_access', list([aclTags.userObj, 7], [aclTags.other, 7])),
    'EINVAL',
  );
  const plain = ground(new WritableFileSystem({ hasXattrs: false, type: 'vfat' }));
  write(plain.writer, '/f', '');
  assert.equal(
    refusal(plain, () => plain.writer.setXattr('/f', 'user.x', value)),
    'EOPNOTSUPP',
  );
});

/** An access control list of tags, permissions and, of named ones, numbers. */
function list(...entries: readonly (readonly [tag: number, permissions: number, id?: number])[]): Uint8Array {
  const value = new Uint8Array(aclHeader.size + entries.length * aclEntry.size);
  aclHeader.encode({ a_version: aclVersion }, value);
  entries.forEach(([e_tag, e_perm, e_id = aclNoId], i) => {
    aclEntry.encode({ e_tag, e_perm, e_id }, value, aclHeader.size + i * aclEntry.size);
  });
  return value;
}

test('access lists are inherited, follow the mode, and the mode follows them', () => {
  const { writer, fileSystem, table } = ground();
  const stored = (path: string, name = 'access'): Uint8Array | undefined =>
    fileSystem.xattrs(table.tree.resolve(path).inode).get(`system.posix_acl_${name}`);
  const mode = (path: string): number => table.tree.stat(path).mode & 0o7777;
  const { userObj, user, groupObj, mask, other } = aclTags;
  writer.create('/d', directory);
  const byDefault = list([userObj, 7], [user, 7, 1000], [groupObj, 5], [mask, 7], [other, 0]);
  writer.setXattr('/d', 'system.posix_acl_default', byDefault);
  // The umask has no say where there is a default list.
  writer.create('/d/f', file);
  assert.equal(mode('/d/f'), 0o660);
  assert.deepEqual(stored('/d/f'), list([userObj, 6], [user, 7, 1000], [groupObj, 5], [mask, 6], [other, 0]));
  writer.create('/d/e', directory);
  assert.deepEqual(stored('/d/e', 'default'), byDefault);
  writer.chmod('/d/f', 0o604);
  assert.deepEqual(stored('/d/f'), list([userObj, 6], [user, 7, 1000], [groupObj, 5], [mask, 0], [other, 4]));
  // One that says no more than a mode becomes the mode.
  writer.setXattr('/d/f', 'system.posix_acl_access', list([userObj, 4], [groupObj, 2], [other, 1]));
  assert.equal(mode('/d/f'), 0o421);
  assert.equal(stored('/d/f'), undefined);
  writer.setXattr('/d', 'system.posix_acl_default', undefined);
  writer.create('/d/g', file);
  assert.equal(mode('/d/g'), 0o644);
  assert.equal(stored('/d/g'), undefined);
});

test('what is immutable is left as it is', () => {
  const all = ground();
  const { writer } = all;
  write(writer, '/f', 'x');
  writer.create('/d', directory);
  writer.setFlags('/f', 0x10);
  writer.setFlags('/d', 0x10);
  const changes: readonly (() => unknown)[] = [
    () => writer.unlink('/f'),
    () => writer.open('/f', { truncate: true }),
    () => writer.open('/f'),
    () => writer.chmod('/f', 0),
    () => writer.link('/f', '/g'),
    () => writer.rename('/f', '/g'),
    () => writer.create('/d/x', file),
    () => writer.rmdir('/d'),
  ];
  for (const change of changes) assert.equal(refusal(all, change), 'EPERM', String(change));
  writer.setFlags('/f', 0);
  writer.unlink('/f');
});

test('a file that is open stays until it is closed, and an error has the path', () => {
  const { writer, fileSystem } = ground(new WritableFileSystem({ capacityInBytes: 10 }));
  const before = fileSystem.inodeCount;
  const { contents } = writer.open('/f', { create: 0o600 });
  contents.write(Buffer.from('12345'), 0);
  writer.unlink('/f');
  const read = new Uint8Array(5);
  contents.read(read, 0);
  assert.equal(Buffer.from(read).toString(), '12345');
  contents.close();
  assert.equal(fileSystem.inodeCount, before);
  const opened = writer.open('/g', { create: 0o600 });
  assert.throws(() => writer.allocate(opened, 0, 11, '/g'), { code: 'ENOSPC', path: '/g' });
});
