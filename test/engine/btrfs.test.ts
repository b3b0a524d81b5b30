/** What a session does with btrfs beyond one subvolume's files: subvolumes, systems in them, and several drives. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer, readFixtureText } from '../support/fixtures.js';
import { parseTruth } from '../support/truth.js';
import { scratchPath } from './support.js';

const images = new Map<string, string>();

/** A fixture as a file. */
function imageOf(name: string): string {
  let path = images.get(name);
  if (path === undefined) {
    path = scratchPath(name.replace(/\.gz$/, ''));
    writeFileSync(path, readFixtureBuffer(`btrfs/${name}`));
    images.set(name, path);
  }
  return path;
}

async function launched(...names: string[]): Promise<{ g: Guestfs; warnings: string[] } & AsyncDisposable> {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  const warnings: string[] = [];
  g.on('warning', (message) => warnings.push(message));
  for (const name of names)
    g.addDrive(imageOf(name), { readonly: true, format: name.includes('qcow2') ? 'qcow2' : 'raw' });
  await g.launch();
  return { g, warnings, [Symbol.asyncDispose]: () => g[Symbol.asyncDispose]() };
}

const guest = 'guest.img.gz';
const pair = ['raid1-2.1.qcow2.gz', 'raid1-2.2.qcow2.gz'] as const;

/** Lines `ID 257 gen … parent 5 … path home` of what btrfs's own program told. */
function toldSubvolumes(name: string): { id: number; parent: number; path: string }[] {
  return [
    ...readFixtureText(`btrfs/${name}.subvolumes.txt`).matchAll(
      /^ID (\d+) .*parent (\d+) .* path (?:<FS_TREE>\/)?(.*)$/gm,
    ),
  ].map(([, id, parent, path = '']) => ({ id: Number(id), parent: Number(parent), path }));
}

test('a device shows the default subvolume; others are mounted by their names and numbers', async () => {
  await using session = await launched('subvolumes.img.gz');
  const { g } = session;
  const told = toldSubvolumes('subvolumes');
  const home = told.find(({ path }) => path === 'home');
  assert.ok(home);
  const looks: [how: () => Promise<void>, entries: readonly string[]][] = [
    [() => g.mountRo('/dev/sda', '/'), ['.snapshots', 'user']],
    [() => g.mountOptions('ro,subvol=/', '/dev/sda', '/'), ['home', 'home-copy', 'plain', 'renamed']],
    [() => g.mountOptions('ro,subvolid=5', '/dev/sda', '/'), ['home', 'home-copy', 'plain', 'renamed']],
    [() => g.mountOptions('ro,subvol=renamed/var', '/dev/sda', '/'), []],
    [() => g.mountOptions('ro,subvol=renamed', '/dev/sda', '/'), ['etc', 'var']],
    [() => g.mountOptions(`ro,subvolid=${home.id}`, '/dev/sda', '/'), ['.snapshots', 'user']],
    [() => g.mountRo('btrfsvol:/dev/sda/renamed/var/lib/machines', '/'), ['one']],
    [() => g.mountRo('btrfsvol:/dev/sda/home/.snapshots/2', '/'), ['etc', 'var']],
  ];
  for (const [mount, entries] of looks) {
    if (entries.length === 0) {
      await assert.rejects(mount(), { code: 'EINVAL', message: /a directory, and not a subvolume/ });
      continue;
    }
    await mount();
    assert.deepEqual(await g.ls('/'), entries);
    await g.umountAll();
  }
  await assert.rejects(g.mountRo('btrfsvol:/dev/sda/none', '/'), { code: 'ENOENT' });
  await assert.rejects(g.mountOptions('ro,subvolid=9999', '/dev/sda', '/'), { code: 'ENOENT' });
  await assert.rejects(g.mountOptions('ro,subvol=home,subvolid=5', '/dev/sda', '/'), { code: 'EINVAL' });
});

test('several subvolumes are mounted at once', async () => {
  await using session = await launched(guest);
  const { g } = session;
  await g.mountRo('btrfsvol:/dev/sda/root', '/');
  await g.mountRo('btrfsvol:/dev/sda/home', '/home');
  assert.equal(await g.cat('/etc/hostname'), 'btrfs-guest\n');
  assert.equal((await g.stat('/home/someone/notes')).size, 200_000);
  assert.deepEqual(await g.mounts(), ['/dev/sda', '/dev/sda']);
});

test('each subvolume is a device of its own to programs, since its inodes have numbers of their own', async () => {
  await using session = await launched(guest);
  const { g } = session;
  await g.mountRo('/dev/sda', '/');
  const told = async (...paths: string[]): Promise<string[]> =>
    Promise.all(
      paths.map(async (path) => {
        const { stDev, stIno } = await g.statns(path);
        return `${stDev}/${stIno}`;
      }),
    );
  const apart = await told('/', '/root', '/home', '/snapshots', '/snapshots/1', '/root/var/lib/machines');
  assert.equal(new Set(apart).size, apart.length);
  const listed = (await g.walk('/')).columns;
  assert.equal(new Set(listed.device).size, apart.length - 1);
  assert.equal((await told('/root/etc'))[0]?.split('/')[0], apart[1]?.split('/')[0]);
  await g.umountAll();
  await g.mountRo('btrfsvol:/dev/sda/root', '/');
  await g.mountRo('btrfsvol:/dev/sda/home', '/home');
  assert.deepEqual(await told('/', '/home', '/var/lib/machines'), [apart[1], apart[2], apart[5]]);
});

test('every subvolume but the default one is listed beside its device, and mounts by that name', async () => {
  for (const name of ['subvolumes', 'guest']) {
    await using session = await launched(`${name}.img.gz`);
    const { g } = session;
    const told = toldSubvolumes(name);
    const fallback = await g.btrfsSubvolumeGetDefault('/dev/sda');
    assert.equal(fallback, name === 'guest' ? 5 : told.find(({ path }) => path === 'home')?.id);
    const listed = await g.listFilesystems();
    assert.deepEqual(
      [...listed.keys()],
      [
        '/dev/sda',
        ...told.filter(({ id }) => id !== fallback).map(({ path }) => `btrfsvol:/dev/sda/${path}`),
      ],
    );
    assert.deepEqual(new Set(listed.values()), new Set(['btrfs']));
    for (const mountable of listed.keys()) {
      await g.mountRo(mountable, '/');
      await g.umountAll();
    }
    const subvolumes = told.map(({ id, parent, path }) => ({
      btrfssubvolumeId: id,
      btrfssubvolumeTopLevelId: parent,
      btrfssubvolumePath: path,
    }));
    assert.deepEqual(await g.btrfsSubvolumeList('/dev/sda'), subvolumes);
    await g.mountOptions('ro,subvolid=5', '/dev/sda', '/');
    assert.deepEqual(await g.btrfsSubvolumeList('/'), subvolumes);
    if (name !== 'guest') continue;
    await g.umountAll();
    await g.mountRo('btrfsvol:/dev/sda/root', '/');
    assert.deepEqual(
      (await g.btrfsSubvolumeList('/etc')).map(({ btrfssubvolumePath: path }) => path),
      ['root', 'home', 'snapshots', 'var/lib/machines', 'snapshots/1'],
    );
  }
});

test('a system whose root and home are subvolumes is inspected, and mounted as its fstab says', async () => {
  await using session = await launched(guest);
  const { g, warnings } = session;
  const root = 'btrfsvol:/dev/sda/root';
  assert.ok((await g.inspectOs()).includes(root));
  assert.equal(await g.inspectGetDistro(root), 'fedora');
  assert.equal(await g.inspectGetMajorVersion(root), 41);
  assert.equal(await g.inspectGetProductName(root), 'Fedora Linux 41 (Cloud Edition)');
  assert.equal(await g.inspectGetHostname(root), 'btrfs-guest');
  const mountpoints = await g.inspectGetMountpoints(root);
  assert.deepEqual(
    mountpoints,
    new Map([
      ['/', root],
      ['/home', 'btrfsvol:/dev/sda/home'],
    ]),
  );
  for (const [where, mountable] of [...mountpoints].sort()) await g.mountRo(mountable, where);
  assert.ok(await g.isFile('/home/someone/notes'));
  assert.deepEqual(warnings, []);
});

test('both drives of a pair show the one filesystem; without one it is degraded, which must be asked for', async () => {
  const truth = parseTruth(readFixtureText('btrfs/raid1-2.truth.jsonl.gz'));
  const large = truth.files.get('/size-1000000');
  {
    await using session = await launched(...pair);
    const { g, warnings } = session;
    assert.deepEqual(
      await g.listFilesystems(),
      new Map([
        ['/dev/sda', 'btrfs'],
        ['/dev/sdb', 'btrfs'],
      ]),
    );
    for (const device of ['/dev/sda', '/dev/sdb']) {
      assert.equal(await g.vfsUuid(device), truth.uuid);
      await g.mountRo(device, '/');
      assert.equal(await g.checksum('sha256', '/size-1000000'), large?.sha256);
      await g.umountAll();
    }
    assert.deepEqual(warnings, []);
  }
  for (const name of pair) {
    await using session = await launched(name);
    const { g, warnings } = session;
    await assert.rejects(g.mountRo('/dev/sda', '/'), {
      code: 'ENODEV',
      message: /one of the 2 devices of a btrfs filesystem, of which only \/dev\/sda/,
    });
    await g.mountOptions('ro,degraded', '/dev/sda', '/');
    assert.match(warnings.join('\n'), /of its 2 devices 1 are missing/);
    assert.equal(await g.checksum('sha256', '/size-1000000'), large?.sha256);
  }
});

test('an unknown option is EINVAL, and questions about btrfs to another filesystem are too', async () => {
  const g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  await using _ = g;
  g.addDrive(imageOf(guest), { readonly: true, format: 'raw' });
  const other = scratchPath('ext4.img');
  writeFileSync(other, readFixtureBuffer('scenarios/ext4.img.gz'));
  g.addDrive(other, { readonly: true, format: 'raw' });
  await g.launch();
  await assert.rejects(g.mountOptions('ro,nonsense', '/dev/sda', '/'), { code: 'EINVAL' });
  await assert.rejects(g.btrfsSubvolumeList('/dev/sdb'), { code: 'EINVAL', message: /not on a btrfs/ });
  await assert.rejects(g.mountRo('btrfsvol:/dev/sdb/root', '/'), { code: 'EINVAL' });
  await g.mountRo('/dev/sda', '/');
  await assert.rejects(g.btrfsSubvolumeList('/none'), { code: 'ENOENT' });
  await assert.rejects(g.btrfsSubvolumeShow('/none'), { code: 'ENOENT' });
  await assert.rejects(g.btrfsFilesystemShow('/dev/sdb'), { code: 'EINVAL', message: /not a btrfs/ });
});

test('of a thousand snapshots each is listed, and shows the state that it was taken of', async () => {
  await using session = await launched('snapshots.img.gz');
  const { g } = session;
  // Every hundredth is gone again.
  const states = Array.from({ length: 1000 }, (_, i) => i + 1).filter((number) => number % 100 !== 7);
  const paths = ['root', ...states.map((number) => `states/${number}`)];
  const listed = await g.btrfsSubvolumeList('/dev/sda');
  assert.deepEqual(
    listed.map(({ btrfssubvolumePath: path }) => path),
    paths,
  );
  assert.equal((await g.listFilesystems()).size, 1 + paths.length);
  for (const number of [1, 50, 51, 500, 1000]) {
    await g.mountRo(`btrfsvol:/dev/sda/states/${number}`, '/');
    assert.equal((await g.readLines('/file'))[0], `state ${number - ((number - 1) % 50)}`);
    await g.umountAll();
  }
});

/** What `btrfs subvolume show` printed, as libguestfs's daemon takes it apart. */
function toldShows(name: string): Map<string, string>[] {
  const shows: Map<string, string>[] = [];
  const text = readFixtureText(`btrfs/${name}.subvolumes.txt`);
  for (const line of text.split('\n')) {
    const last = shows.at(-1);
    const [, key, value] = /^\t *([^:\t]+):\s*(.*)$/.exec(line) ?? [];
    if (line.startsWith('\t\t\t\t')) {
      const snapshots = last?.get('Snapshot(s)');
      last?.set('Snapshot(s)', snapshots ? `${snapshots},${line.trim()}` : line.trim());
    } else if (key !== undefined && value !== undefined) last?.set(key, value === '-' ? '' : value);
    else if (line !== '' && !line.startsWith('ID ')) shows.push(new Map([['path', line]]));
  }
  return shows;
}

test('subvolumes are described, and quota groups listed, as the program btrfs prints them', async () => {
  for (const name of ['subvolumes', 'guest']) {
    await using session = await launched(`${name}.img.gz`);
    const { g } = session;
    await g.mountOptions('ro,subvolid=5', '/dev/sda', '/');
    const told = toldShows(name);
    assert.ok(told.length > 3);
    for (const show of told) {
      const path = show.get('path') ?? '';
      const shown = await g.btrfsSubvolumeShow(path.startsWith('/') ? path : `/${path}`);
      assert.deepEqual([...shown], [...show], path);
    }
    await assert.rejects(g.btrfsSubvolumeShow(name === 'guest' ? '/root/etc' : '/plain'), {
      code: 'EINVAL',
      message: /not a subvolume/,
    });
    assert.equal((await g.btrfsBalanceStatus('/')).btrfsbalanceStatus, 'none');
    assert.deepEqual(new Set(Object.values(await g.btrfsScrubStatus('/'))), new Set([0]));
    await assert.rejects(g.btrfsScrubStatus(name === 'guest' ? '/home/someone/notes' : '/home/user'), {
      code: 'ENOTDIR',
    });
    await assert.rejects(g.vfsMinimumSize('/dev/sda'), {
      code: 'ENOTSUP',
      message: /how small btrfs can be/,
    });
    if (name !== 'guest') {
      await assert.rejects(g.btrfsQgroupShow('/'), { code: 'EINVAL', message: /quotas are not enabled/ });
      continue;
    }
    const groups = [
      ...readFixtureText('btrfs/guest.groups.txt').matchAll(/^(\d+\/\d+) +(\d+) +(\d+) /gm),
    ].map(([, id, referenced, exclusive]) => ({
      btrfsqgroupId: id,
      btrfsqgroupRfer: Number(referenced),
      btrfsqgroupExcl: Number(exclusive),
    }));
    assert.equal(groups.length, 7);
    assert.deepEqual(await g.btrfsQgroupShow('/home'), groups);
  }
});

test('the drives of a filesystem are told in its own order; one that is missing is ENODEV', async () => {
  await using session = await launched(pair[1], guest, pair[0]);
  const { g } = session;
  for (const device of ['/dev/sda', '/dev/sdc'])
    assert.deepEqual(await g.btrfsFilesystemShow(device), ['/dev/sdc', '/dev/sda']);
  assert.deepEqual(await g.btrfsFilesystemShow('/dev/sdb'), ['/dev/sdb']);
  await using alone = await launched(pair[1]);
  await assert.rejects(alone.g.btrfsFilesystemShow('/dev/sda'), { code: 'ENODEV' });
});
