import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MountTable } from '../../src/vfs/index.js';
import { directory, link, MemoryFileSystem } from '../support/memory-fs.js';

const files = (content: string) => new MemoryFileSystem({ marker: content, 'mnt/deep': directory() });

function marker(table: MountTable, path: string): string {
  const place = table.tree.resolve(path);
  return Buffer.from(readAll(place.fileSystem.data(place.inode))).toString();
}

function readAll(disk: { size: number; read(into: Uint8Array, offset: number): void }): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

const fails = (code: string, message?: RegExp) => (thrown: unknown) => {
  assert.equal((thrown as { code: string }).code, code);
  if (message !== undefined) assert.match((thrown as Error).message, message);
  return true;
};

test('nothing can be reached before a filesystem is mounted', () => {
  const table = new MountTable();
  assert.throws(() => table.tree.lstat('/'), fails('EINVAL', /you must call 'mount' first/));
  assert.throws(() => table.tree.find('/'), fails('EINVAL'));
  table.mkmountpoint('/a');
  assert.throws(() => table.tree.lstat('/a'), fails('EINVAL'));
  assert.throws(() => table.umount('/a'), fails('EINVAL', /you must call 'mount' first/));
});

test('mounts are listed in order, with where they are', () => {
  const table = new MountTable();
  table.mount(files('root'), { source: '/dev/sda2', mountpoint: '/' });
  table.mount(files('sub'), { source: '/dev/sda1', mountpoint: '//mnt/./deep/', readonly: true });
  assert.deepEqual(
    table.mounts().map(({ source, mountpoint, readonly }) => ({ source, mountpoint, readonly })),
    [
      { source: '/dev/sda2', mountpoint: '/', readonly: false },
      { source: '/dev/sda1', mountpoint: '/mnt/deep', readonly: true },
    ],
  );
  assert.deepEqual(
    [...table.mountpoints],
    [
      ['/dev/sda2', '/'],
      ['/dev/sda1', '/mnt/deep'],
    ],
  );
  assert.equal(table.isMounted('/dev/sda1'), true);
  assert.equal(table.isMounted('/dev/sda3'), false);
});

test('a mount point must be a directory that exists; links to one are followed', () => {
  const table = new MountTable();
  const root = new MemoryFileSystem({ file: 'x', there: directory(), alias: link('/there') });
  assert.throws(
    () => table.mount(root, { source: 'a', mountpoint: '/there' }),
    fails('EINVAL', /not a directory/),
  );
  table.mount(root, { source: 'a', mountpoint: '/' });
  for (const mountpoint of ['/file', '/missing', '/missing/more', 'there']) {
    assert.throws(() => table.mount(files('x'), { source: 'b', mountpoint }), fails('EINVAL'));
  }
  table.mount(files('sub'), { source: 'b', mountpoint: '/alias' });
  assert.equal(table.mountpoints.get('b'), '/there');
  assert.equal(marker(table, '/there/marker'), 'sub');
});

test('a mount over a mount hides it until it is unmounted', () => {
  const table = new MountTable();
  table.mount(files('first'), { source: '/dev/sda1', mountpoint: '/' });
  table.mount(files('second'), { source: '/dev/sda2', mountpoint: '/' });
  table.mount(files('third'), { source: '/dev/sda3', mountpoint: '/' });
  assert.equal(marker(table, '/marker'), 'third');
  assert.throws(() => table.umount('/dev/sda1'), fails('EBUSY'));
  table.umount('/');
  assert.equal(marker(table, '/marker'), 'second');
  table.umount('/dev/sda2');
  assert.equal(marker(table, '/marker'), 'first');
});

test('what has mounts below it is busy, but goes with them when lazy', () => {
  const table = new MountTable();
  table.mount(files('root'), { source: 'a', mountpoint: '/' });
  table.mount(files('mid'), { source: 'b', mountpoint: '/mnt' });
  assert.throws(() => table.tree.resolve('/mnt/deep'), fails('ENOENT'));
  table.mount(files('top'), { source: 'c', mountpoint: '/mnt/mnt' });
  assert.throws(() => table.umount('/'), fails('EBUSY'));
  assert.throws(() => table.umount('/mnt', { lazy: false }), fails('EBUSY'));
  assert.deepEqual(
    table.umount('/mnt', { lazy: true }).map(({ source }) => source),
    ['c', 'b'],
  );
  assert.equal(table.tree.resolve('/mnt/deep').type, 'directory');
  assert.deepEqual([...table.mountpoints.keys()], ['a']);
});

test('unmounting what is not mounted is EINVAL', () => {
  const table = new MountTable();
  table.mount(files('root'), { source: '/dev/sda1', mountpoint: '/' });
  for (const what of ['/mnt', '/marker', '/dev/sda9', 'nonsense']) {
    assert.throws(() => table.umount(what), fails('EINVAL', /not mounted/));
  }
  assert.throws(() => table.umount('/missing'), fails('ENOENT'));
});

test('a device mounted twice is unmounted last first, and released once', () => {
  const table = new MountTable();
  const fileSystem = files('x');
  let released = 0;
  const release = () => {
    released++;
  };
  table.mount(fileSystem, { source: '/dev/sda1', mountpoint: '/', release });
  table.mount(fileSystem, { source: '/dev/sda1', mountpoint: '/mnt', release });
  assert.equal(table.tree.stat('/').device, table.tree.stat('/mnt').device);
  table.umount('/dev/sda1');
  assert.deepEqual([...table.mountpoints], [['/dev/sda1', '/']]);
  assert.equal(released, 0);
  table.umount('/dev/sda1');
  assert.equal(released, 1);
  assert.equal(fileSystem.closed, 0);
});

test('all are unmounted, last first, and closed', () => {
  const table = new MountTable();
  const root = files('a');
  table.mount(root, { source: 'a', mountpoint: '/' });
  table.mount(files('b'), { source: 'b', mountpoint: '/mnt' });
  table.mount(files('c'), { source: 'c', mountpoint: '/' });
  assert.deepEqual(
    table.umountAll().map(({ source }) => source),
    ['c', 'b', 'a'],
  );
  assert.equal(root.closed, 1);
  assert.equal(table.count, 0);
  assert.deepEqual(table.umountAll(), []);
});

test('mount points are made outside every filesystem when nothing is mounted on the root', () => {
  const table = new MountTable();
  table.mkmountpoint('/cd');
  table.mkmountpoint('/cd/inner');
  table.mkmountpoint('/other/');
  assert.throws(() => table.mkmountpoint('/cd'), fails('EEXIST'));
  assert.throws(() => table.mkmountpoint('/'), fails('EEXIST'));
  assert.throws(() => table.mkmountpoint('/no/parent'), fails('ENOENT'));
  assert.throws(() => table.mkmountpoint('relative'), fails('EINVAL'));
  assert.throws(() => table.rmmountpoint('/cd'), fails('ENOTEMPTY'));
  table.mount(files('inner'), { source: 'a', mountpoint: '/cd/inner' });
  assert.equal(marker(table, '/cd/inner/marker'), 'inner');
  assert.deepEqual(
    [...table.tree.list('/')].map(({ name }) => name),
    ['cd', 'other'],
  );
  assert.throws(() => table.rmmountpoint('/cd/inner'), fails('EBUSY'));
  table.umount('/cd/inner');
  table.rmmountpoint('/cd/inner');
  table.rmmountpoint('/cd');
  assert.throws(() => table.rmmountpoint('/cd'), fails('ENOENT'));
});

test('mount points inside a mounted filesystem need a driver that writes', () => {
  const table = new MountTable();
  table.mount(files('x'), { source: 'a', mountpoint: '/', readonly: true });
  assert.throws(() => table.mkmountpoint('/new'), fails('EROFS'));
  assert.throws(() => table.mkmountpoint('/mnt'), fails('EEXIST'));
  table.umount('/');
  table.mount(files('x'), { source: 'a', mountpoint: '/' });
  assert.throws(() => table.mkmountpoint('/new'), fails('ENOTSUP'));
});

test('device numbers are those of Linux for disks, and differ for everything else', () => {
  const table = new MountTable();
  const root = new MemoryFileSystem({ a: directory(), b: directory(), c: directory() });
  table.mount(root, { source: '/dev/sda1', mountpoint: '/' });
  table.mount(files(''), { source: '/dev/sdb', mountpoint: '/a' });
  table.mount(files(''), { source: '/dev/VG/LV', mountpoint: '/b' });
  table.mount(files(''), { source: '/dev/VG/LV2', mountpoint: '/c' });
  const numbers = ['/', '/a', '/b', '/c'].map((path) => table.tree.stat(path).device);
  assert.deepEqual(numbers, [0x801, 0x810, 253 * 256, 253 * 256 + 1]);
});
