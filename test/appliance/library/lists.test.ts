import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { PartReader, type Structs, type TreeListing } from '../../../src/api/index.js';
import { FakeDaemon, run, writes } from './fake-daemon.js';

const noStat = {
  stDev: 1,
  stIno: 2,
  stMode: 3,
  stNlink: 4,
  stUid: 5,
  stGid: 6,
  stRdev: 7,
  stSize: 8,
  stBlksize: 9,
  stBlocks: 10,
  stAtimeSec: 11,
  stAtimeNsec: 12,
  stMtimeSec: 13,
  stMtimeNsec: 14,
  stCtimeSec: 15,
  stCtimeNsec: 16,
  stSpare1: 0,
  stSpare2: 0,
  stSpare3: 0,
  stSpare4: 0,
  stSpare5: 0,
  stSpare6: 0,
} satisfies Structs['statns'];

test('names are sorted by their bytes', async () => {
  const daemon = new FakeDaemon({ ls0: writes('b\0a\0ä\0Z\0', 1) });
  assert.deepEqual(await run(daemon, 'ls', ['/d']), ['Z', 'a', 'b', 'ä']);
  // The byte 0xff is after all of UTF-8, but the character that stands for it is not.
  const bytes = Buffer.concat([Buffer.from('\u{1f600}\0'), Buffer.from([0xff, 0]), Buffer.from('\uffee\0')]);
  assert.deepEqual(await run(new FakeDaemon({ find0: writes(bytes) }), 'find', ['/']), [
    '\uffee',
    '\u{1f600}',
    '\udcff',
  ]);
});

test('an empty directory has no names', async () => {
  assert.deepEqual(await run(new FakeDaemon({ ls0: writes('') }), 'ls', ['/d']), []);
  assert.deepEqual(await run(new FakeDaemon({ find0: writes('') }), 'find', ['/d']), []);
});

test('stat and lstat have the older shape', async () => {
  const daemon = new FakeDaemon({ statns: noStat, lstatns: { ...noStat, stSize: 1 } });
  const stat = {
    dev: 1,
    ino: 2,
    mode: 3,
    nlink: 4,
    uid: 5,
    gid: 6,
    rdev: 7,
    size: 8,
    blksize: 9,
    blocks: 10,
    atime: 11,
    mtime: 13,
    ctime: 15,
  };
  assert.deepEqual(await run(daemon, 'stat', ['/f']), stat);
  assert.deepEqual(await run(daemon, 'lstat', ['/f']), { ...stat, size: 1 });
});

test('long lists of names go a thousand at a time, and the answers stay in order', async () => {
  const names = Array.from({ length: 2500 }, (_, index) => `f${index}`);
  const perName = (directory: string, some: string[]) => some.map((name) => `${directory}/${name}`);
  const daemon = new FakeDaemon({
    internal_readlinklist: perName,
    internal_lstatnslist: (_directory: string, some: string[]) =>
      some.map((name) => ({ ...noStat, stIno: Number(name.slice(1)) })),
    internal_lxattrlist: (_directory: string, some: string[]) =>
      some.map((name) => ({ attrname: '', attrval: Buffer.from(name) })),
  });
  assert.deepEqual(await run(daemon, 'readlinklist', ['/d', names]), perName('/d', names));
  assert.deepEqual(
    daemon.calls.map(({ args }) => (args[1] as string[]).length),
    [1000, 1000, 500],
  );
  const inodes = names.map((name) => Number(name.slice(1)));
  const statns = (await run(daemon, 'lstatnslist', ['/d', names])) as Structs['statns'][];
  assert.deepEqual(
    statns.map(({ stIno }) => stIno),
    inodes,
  );
  const stats = (await run(daemon, 'lstatlist', ['/d', names])) as Structs['stat'][];
  assert.deepEqual(
    stats.map(({ ino }) => ino),
    inodes,
  );
  const xattrs = (await run(daemon, 'lxattrlist', ['/d', names])) as Structs['xattr'][];
  assert.deepEqual(
    xattrs.map(({ attrval }) => String(attrval)),
    names,
  );
  assert.equal(daemon.calls.length, 12);
});

test('no names need no message', async () => {
  const daemon = new FakeDaemon({});
  for (const action of ['readlinklist', 'lstatlist', 'lstatnslist', 'lxattrlist'])
    assert.deepEqual(await run(daemon, action, ['/d', []]), []);
  assert.deepEqual(daemon.calls, []);
});

test('a mountable is taken apart by the daemon, whatever number it has for its type', async () => {
  const parsed = (imType: number, imVolume: string) =>
    new FakeDaemon({ internal_parse_mountable: { imType, imDevice: '/dev/sda1', imVolume } });
  for (const type of [1, 2]) {
    const subvolume = ['btrfsvol:/dev/sda1/sub'];
    assert.equal(await run(parsed(type, 'sub'), 'mountable_device', subvolume), '/dev/sda1');
    assert.equal(await run(parsed(type, 'sub'), 'mountable_subvolume', subvolume), 'sub');
  }
  const device = parsed(0, '');
  await assert.rejects(run(device, 'mountable_subvolume', ['/dev/sda1']), { code: 'EINVAL' });
  assert.deepEqual(device.procedures, []);
});

test('a walk asks for the status of each directory’s files together, and leaves out what went away', async () => {
  const daemon = new FakeDaemon({
    find0: writes('d\0d/a\0d/gone\0e\0'),
    internal_lstatnslist: (_directory: string, names: string[]) =>
      names.map((name) => ({ ...noStat, stIno: name === 'gone' ? -1 : name.charCodeAt(0) })),
  });
  const listing = (await run(daemon, 'internal_walk', ['/top'])) as TreeListing;
  assert.equal(listing.count, 3);
  assert.equal(listing.paths, 'd\0d/a\0e\0');
  assert.deepEqual([...listing.columns.inode], [100, 97, 101]);
  assert.deepEqual([...listing.columns.modifiedNanoseconds], [14, 14, 14]);
  assert.deepEqual(
    daemon.calls.map(({ procedure, args }) => [procedure, args[0]]),
    [
      ['find0', '/top/'],
      ['internal_lstatnslist', '/top/'],
      ['internal_lstatnslist', '/top/d/'],
    ],
  );
});

test('a walk in parts is the walk', async () => {
  const names = Array.from({ length: 2500 }, (_, index) => `f${index}`);
  const daemon = new FakeDaemon({
    find0: writes(`${names.join('\0')}\0`),
    internal_lstatnslist: (_directory: string, some: string[]) =>
      some.map((name) => ({ ...noStat, stIno: Number(name.slice(1)) })),
  });
  const reader = new PartReader();
  const parts: TreeListing[] = [];
  const sink = new Writable({
    write(piece: Buffer, _encoding, done) {
      parts.push(...reader.take(new Uint8Array(piece)));
      done();
    },
  });
  await run(daemon, 'internal_walk_out', ['/top', sink]);
  reader.finish();
  assert.equal(parts.map(({ paths }) => paths).join(''), names.map((name) => `${name}\0`).join(''));
  assert.deepEqual(
    parts.flatMap(({ columns }) => [...columns.inode]),
    [...names.keys()],
  );
});
