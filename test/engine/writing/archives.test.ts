/** Archives unpacked in the guest: what GNU tar makes, what is replaced and merged, and what would lead elsewhere. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { archive } from '../../support/tar-archive.js';
import { needs } from '../../support/tools.js';
import { listing, WritableFileSystem } from '../../support/writable-fs.js';
import { Ground } from './ground.js';

let ground: Ground;
before(async () => {
  ground = await Ground.make(2 ** 20);
});
after(() => ground.close());
beforeEach(() => {
  ground.session.mounts.umountAll();
  ground.fileSystem = new WritableFileSystem();
  ground.mount(ground.fileSystem);
});

let made = 0;
function fileOf(bytes: Uint8Array): string {
  const path = join(ground.directory, `archive-${made++}`);
  writeFileSync(path, bytes);
  return path;
}

test('owners, modes, links, devices, attributes and times are those of the archive', async () => {
  await ground.call('mkdir', '/to');
  const bytes = archive(
    { name: 'd/', type: 'directory', mode: 0o500, uid: 3, gid: 4 },
    {
      name: './d/f',
      mode: 0o4711,
      uid: 1000,
      gid: 1001,
      text: 'text',
      records: { 'SCHILY.xattr.user.x': 'a\nb\0c' },
    },
    { name: 'd/hard', type: 'hardlink', linkName: './d/f' },
    { name: 'd/soft', type: 'symlink', linkName: 'f' },
    { name: 'missing/parents/null', type: 'character', mode: 0o666, deviceMajor: 1, deviceMinor: 3 },
    { name: 'fifo', type: 'fifo', records: { 'LIBARCHIVE.xattr.user.per%63ent': 'aGVsbG8', mtime: '12.5' } },
  );
  await ground.call('tgz_in', fileOf(gzipSync(bytes)), '/to');
  const plain = listing(ground.fileSystem);
  assert.deepEqual(plain, [
    '/to 40755 0:0 4',
    '/to/d 40500 3:4 2',
    '/to/d/f 104711 1000:1001 2 "text"',
    '/to/d/hard 104711 1000:1001 2 "text"',
    '/to/d/soft 120777 0:0 1 -> f',
    '/to/fifo 10644 0:0 1',
    '/to/missing 40755 0:0 3',
    '/to/missing/parents 40755 0:0 2',
    '/to/missing/parents/null 20666 0:0 1',
  ]);
  const { tree } = ground.session;
  assert.equal(tree.stat('/to/d').modified.seconds, 1_000_000);
  assert.deepEqual(tree.stat('/to/fifo').modified, { seconds: 12, nanoseconds: 500_000_000 });
  assert.equal(ground.fileSystem.xattrs(tree.resolve('/to/d/f').inode).size, 0);
  // Once more, over what is there: the attributes are taken along now.
  await ground.call('tar_in', fileOf(bytes), '/to', { xattrs: true });
  assert.deepEqual(listing(ground.fileSystem), plain);
  const kept = ground.fileSystem.xattrs(tree.resolve('/to/d/f').inode);
  assert.deepEqual([...kept], [['user.x', new Uint8Array(Buffer.from('a\nb\0c'))]]);
});

test('an access list that names somebody whom the appliance does not know is left out with a warning', async () => {
  const lists = {
    'SCHILY.acl.access': 'user::rw-\ngroup::r--\nuser:ada:r--\nmask::r--\nother::---\n',
    'SCHILY.acl.default': 'user::rwx\ngroup::r--\ngroup:4:r--\nmask::r--\nother::---\n',
  };
  await ground.call('tar_in', fileOf(archive({ name: 'd', type: 'directory', records: lists })), '/', {
    acls: true,
  });
  const attributes = ground.fileSystem.xattrs(ground.session.tree.resolve('/d').inode);
  assert.deepEqual([...attributes.keys()], ['system.posix_acl_default']);
});

test('nothing is unpacked elsewhere: not by .., not by an absolute name, not through a link that the archive brings', async () => {
  await ground.call('mkdir_p', '/to/old');
  await ground.call('write', '/secret', 'mine');
  const tar = fileOf(
    archive(
      { name: '../secret', text: 'evil' },
      { name: 'a/../../secret', text: 'evil' },
      { name: '/secret', text: 'below' },
      { name: 'up', type: 'symlink', linkName: '..' },
      { name: 'up/secret', text: 'evil' },
      { name: 'root', type: 'symlink', linkName: '/' },
      { name: 'root/secret', text: 'evil' },
      { name: 'twice', type: 'hardlink', linkName: 'root' },
      { name: 'twice/secret', text: 'evil' },
      { name: 'hard', type: 'hardlink', linkName: '../secret' },
      { name: 'inside', type: 'symlink', linkName: 'old' },
      { name: 'inside/file', text: 'good' },
      { name: 'last', text: 'comes all the same' },
    ),
  );
  await assert.rejects(ground.call('tar_in', tar, '/to'), { code: 'EPERM' });
  assert.deepEqual(
    listing(ground.fileSystem).map((line) => line.replace(/ \d+ \d+:\d+ \d+/, '')),
    [
      '/secret "mine"',
      '/to',
      '/to/inside -> old',
      '/to/last "comes all the same"',
      '/to/old',
      '/to/old/file "good"',
      '/to/root -> /',
      '/to/secret "below"',
      '/to/twice -> /',
      '/to/up -> ..',
    ],
  );
});

test('what is there is replaced, a link by a directory, unless it is to be kept', async () => {
  for (const keepdirlink of [false, true]) {
    await ground.call('rm_rf', '/to');
    await ground.call('mkdir_p', '/to/real');
    await ground.call('ln_s', 'real', '/to/d');
    await ground.call('ln_s', 'real', '/to/f');
    const tar = fileOf(
      archive({ name: 'd', type: 'directory' }, { name: 'd/x', text: '1' }, { name: 'f', text: '2' }),
    );
    await ground.call('tar_in', tar, '/to', { keepdirlink });
    assert.deepEqual(
      listing(ground.fileSystem).map((line) => line.split(' ')[0]),
      [
        '/to',
        '/to/d',
        ...(keepdirlink ? [] : ['/to/d/x']),
        '/to/f',
        '/to/real',
        ...(keepdirlink ? ['/to/real/x'] : []),
      ],
    );
  }
});

test('what is no archive, breaks off or does not fit says so', async () => {
  const whole = archive({ name: 'f', text: 'x'.repeat(3000) });
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('no archive'),
    whole.subarray(0, 1000),
    Buffer.alloc(1000, 'x'),
  ])
    await assert.rejects(ground.call('tar_in', fileOf(bytes), '/'), { code: 'EIO' });
  // GNU tar does without the end.
  await ground.call('tar_in', fileOf(whole.subarray(0, 512 + 3072)), '/');
  await assert.rejects(ground.call('tar_in', fileOf(whole), '/f'), { code: 'ENOTDIR' });
  await assert.rejects(ground.call('tgz_in', fileOf(whole), '/'), { code: 'EIO' });
  await assert.rejects(ground.call('tar_in', fileOf(whole), '/', { compress: 'lzop' }), { code: 'ENOTSUP' });
  ground.session.mounts.umountAll();
  ground.mount(new WritableFileSystem({ capacityInBytes: 1000 }));
  await assert.rejects(ground.call('tar_in', fileOf(whole), '/'), { code: 'ENOSPC' });
});

test('a tree of the host goes in as tar stores it', async () => {
  const from = join(ground.directory, `tree-${made++}`);
  mkdirSync(join(from, 'd', 'empty'), { recursive: true });
  writeFileSync(join(from, 'd', 'f'), 'text', { mode: 0o640 });
  linkSync(join(from, 'd', 'f'), join(from, 'd', 'hard'));
  symlinkSync('/etc', join(from, 'd', 'away'));
  symlinkSync('nowhere', join(from, 'dangling'));
  writeFileSync(join(from, 'sparse'), 'begins');
  truncateSync(join(from, 'sparse'), 1_000_000);
  chmodSync(join(from, 'd'), 0o2750);
  utimesSync(join(from, 'd'), 5, 1234.5);
  await ground.call('mkdir', '/in');
  await ground.call('copy_in', `${from}/`, '/in');
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const name = basename(from);
  const told = listing(ground.fileSystem).filter((line) => line.startsWith('/in/'));
  const { mode } = statSync(from);
  assert.deepEqual(told, [
    `/in/${name} ${mode.toString(8)} ${uid}:${gid} 3`,
    `/in/${name}/d 42750 ${uid}:${gid} 3`,
    `/in/${name}/d/away 120777 ${uid}:${gid} 1 -> /etc`,
    `/in/${name}/d/empty 40755 ${uid}:${gid} 2`,
    `/in/${name}/d/f 100640 ${uid}:${gid} 2 "text"`,
    `/in/${name}/d/hard 100640 ${uid}:${gid} 2 "text"`,
    `/in/${name}/dangling 120777 ${uid}:${gid} 1 -> nowhere`,
    ...told.filter((line) => line.includes('/sparse ')),
  ]);
  assert.equal(await ground.call('filesize', `/in/${name}/sparse`), 1_000_000);
  assert.deepEqual(ground.session.tree.stat(`/in/${name}/d`).modified, { seconds: 1234, nanoseconds: 0 });
  await ground.call('copy_in', `${from}/d/.`, '/in');
  assert.equal(await ground.call('cat', '/in/f'), 'text');
  await assert.rejects(ground.call('copy_in', from, '/in/f'), { code: 'ENOTDIR' });
  await assert.rejects(ground.call('copy_in', from, '/missing'), { code: 'ENOTDIR' });
  await assert.rejects(ground.call('copy_in', join(from, 'dangling'), '/in'), { code: 'ENOENT' });
  await assert.rejects(ground.call('copy_in', '/', '/in'), { code: 'EINVAL' });
});

test(
  'sparse files of each form, long names and compression as GNU tar makes them',
  needs('tar', 'xz'),
  async () => {
    const from = join(ground.directory, `tree-${made++}`);
    const long = 'n'.repeat(120);
    mkdirSync(join(from, long, long), { recursive: true });
    writeFileSync(join(from, long, long, 'deep'), 'deep');
    symlinkSync('t'.repeat(200), join(from, 'link'));
    writeFileSync(join(from, 'sparse'), 'begins');
    truncateSync(join(from, 'sparse'), 1_000_000);
    writeFileSync(join(from, 'sparse'), 'ends', { flag: 'a' });
    const forms = [
      ['--format=gnu'],
      ['--format=pax', '--sparse-version=0.1'],
      ['--format=pax', '--sparse-version=1.0'],
    ];
    for (const [index, form] of forms.entries()) {
      const path = join(ground.directory, `sparse-${index}.tar.xz`);
      execFileSync('tar', ['-C', from, '-cJSf', path, ...form, '.']);
      await ground.call('mkdir', `/${index}`);
      await ground.call('txz_in', path, `/${index}`);
      assert.equal(await ground.call('cat', `/${index}/${long}/${long}/deep`), 'deep');
      assert.equal(await ground.call('readlink', `/${index}/link`), 't'.repeat(200));
      assert.equal(await ground.call('filesize', `/${index}/sparse`), 1_000_004);
      assert.equal(
        Buffer.from((await ground.call('pread', `/${index}/sparse`, 9, 0)) as Uint8Array).toString(),
        'begins\0\0\0',
      );
      assert.equal(
        Buffer.from((await ground.call('pread', `/${index}/sparse`, 10, 999_999)) as Uint8Array).toString(),
        '\0ends',
      );
    }
  },
);
