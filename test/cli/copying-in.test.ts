/** Copying into images, writing and editing files of a guest; e2fsck checks the images afterwards. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { checkExt } from '../fs/ext/check.js';
import { checkFat, needs } from '../support/tools.js';
import { fails, finished, guestfs, scratch, start } from './command.js';

const empty = join(scratch, 'empty.img');
const images: string[] = [];
function copyOfEmpty(name: string): string {
  const image = join(scratch, `${name}.img`);
  copyFileSync(empty, image);
  images.push(image);
  return image;
}

const mounted = ['-m', '/dev/sda'];
async function told(...words: string[]): Promise<string> {
  const [command = '', ...args] = words;
  const { status, out, err } = await guestfs(command, '--rw', ...mounted, ...args);
  assert.deepEqual({ status, err }, { status: 0, err: '' });
  return out;
}
const contents = async (image: string, path: string) =>
  (await guestfs('cat', ...mounted, `${image}:${path}`)).stdout;
async function listed(image: string, path: string): Promise<string[]> {
  const { out } = await guestfs('find', '-l', ...mounted, `${image}:${path}`);
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => line.replace(/^(\S+) +(\d+) +(\S+) +(\S+) .* (\/.*)$/, '$1 $2 $3:$4 $5'))
    .sort((a, b) => (a.slice(a.indexOf('/')) < b.slice(b.indexOf('/')) ? -1 : 1));
}

const tree = join(scratch, 'tree');
const big = join(scratch, 'big');

before(async () => {
  const g = new Guestfs({ backend: 'embedded' });
  await g.diskCreate(empty, 'raw', 32 * 1024 * 1024);
  g.addDrive(empty, { format: 'raw' });
  await g.launch();
  await g.mkfs('ext4', '/dev/sda');
  await g.shutdown();
  await g.close();
  mkdirSync(join(tree, 'sub'), { recursive: true });
  writeFileSync(join(tree, 'sub/a'), 'a\n');
  linkSync(join(tree, 'sub/a'), join(tree, 'b'));
  symlinkSync('sub/a', join(tree, 'link'));
  writeFileSync(join(tree, 'run'), '#!/bin/sh\n');
  chmodSync(join(tree, 'run'), 0o4755);
  utimesSync(join(tree, 'run'), 1_600_000_000, 1_600_000_000.5);
  writeFileSync(big, Buffer.alloc(5_000_001, 'guestfs'));
});

/** An image with FAT alone. */
async function fatImage(name: string): Promise<string> {
  const image = join(scratch, `${name}.img`);
  const g = new Guestfs({ backend: 'embedded' });
  await g.diskCreate(image, 'raw', 32 * 1024 * 1024);
  g.addDrive(image, { format: 'raw' });
  await g.launch();
  await g.mkfs('vfat', '/dev/sda');
  await g.shutdown();
  await g.close();
  return image;
}

describe('copying into an image', { concurrency: 4 }, () => {
  // Before the directory of the tests goes.
  after(() => {
    if (needs('e2fsck').skip !== undefined) return;
    for (const image of images) checkExt(image);
  });

  test('brings files, and standard input, and replaces a file with its attributes kept', async () => {
    const image = copyOfEmpty('files');
    assert.equal(await told('cp', big, join(tree, 'run'), `${image}:/`), `${image}: copied to /big, /run\n`);
    assert.deepEqual(await contents(image, '/big'), readFileSync(big));
    await told('chmod', '0640', `${image}:/run`);
    await told('chown', '5:6', `${image}:/run`);
    await told('ln', '-s', 'run', `${image}:/link`);
    const child = start(['cp', '--rw', ...mounted, '-', `${image}:/link`], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin?.end(readFileSync(big));
    const { status, err } = await finished(child);
    assert.deepEqual([status, err], [0, '']);
    assert.deepEqual(await contents(image, '/run'), readFileSync(big));
    const files = (await listed(image, '/')).filter((line) => !/lost|\/$/.test(line));
    assert.deepEqual(files.slice(0, 1), ['-rw-r--r-- 1 0:0 /big']);
    assert.equal(files.at(-1), '-rw-r----- 1 5:6 /run');
    await fails(4, ['cp', '--rw', ...mounted, big, `${image}:/no/x`], /no directory \/no$/, /mkdir --rw -p/);
    await fails(1, ['cp', '--rw', ...mounted, tree, `${image}:/`], /is a directory$/, /-r/);
    assert.ok((await listed(image, '/')).every((line) => !line.includes('.guestfs-')));
  });

  test('brings trees, between images too, and merges into a directory that is there', async () => {
    const [one, two] = [copyOfEmpty('one'), copyOfEmpty('two')];
    await told('cp', '-r', tree, `${one}:/tree`);
    const wanted = [
      'drwxr-xr-x 3 0:0 /tree',
      '-rw-r--r-- 2 0:0 /tree/b',
      '-rwxr-xr-x 1 0:0 /tree/run',
      'drwxr-xr-x 2 0:0 /tree/sub',
      '-rw-r--r-- 2 0:0 /tree/sub/a',
    ];
    const found = (await listed(one, '/tree')).filter((line) => !line.startsWith('l'));
    assert.deepEqual(found, wanted);
    const [run] = JSON.parse((await guestfs('stat', '--json', ...mounted, `${one}:/tree/run`)).out);
    assert.equal(run.mtime, 1_600_000_000.5);
    await told('write', '--text', 'more', `${one}:/tree/more`);
    await told('cp', '-r', tree, `${one}:/`);
    assert.equal((await contents(one, '/tree/more')).toString(), 'more\n');
    await told('chown', '7', `${one}:/tree/sub/a`);
    await told('cp', '-r', '--from-mount', '/dev/sda', `${one}:/tree`, `${two}:/`);
    assert.deepEqual(await listed(two, '/tree'), await listed(one, '/tree'));
    await told('cp', '-r', `${one}:/tree`, `${one}:/again`);
    await told('cp', `${one}:/tree/more`, `${one}:/more`);
    assert.equal((await contents(one, '/more')).toString(), 'more\n');
    assert.equal((await listed(one, '/again')).length, (await listed(one, '/tree')).length);
  });

  test('write replaces or adds, edit changes what the editor changed, and tar-in unpacks', async () => {
    const image = copyOfEmpty('words');
    assert.equal(await told('write', '-p', '--text', 'hello', `${image}:/d/f`), `${image}: wrote /d/f\n`);
    await told('write', '--append', '--text', 'there', `${image}:/d/f`);
    await told('chmod', '0600', `${image}:/d/f`);
    assert.equal(
      await told('edit', '--editor', 'sed -i s/hello/bye/', `${image}:/d/f`),
      `${image}: changed /d/f\n`,
    );
    assert.equal((await contents(image, '/d/f')).toString(), 'bye\nthere\n');
    assert.equal(await told('edit', '-q', '--editor', 'true', `${image}:/d/f`), '');
    await fails(
      1,
      ['edit', '--rw', ...mounted, '--editor', 'false', `${image}:/d/f`],
      /ended with status 1: nothing/,
    );
    assert.ok((await listed(image, '/d')).includes('-rw------- 1 0:0 /d/f'));
    const archive = join(scratch, 'd.tar.gz');
    await guestfs('tar-out', ...mounted, `${image}:/d`, archive);
    assert.equal(await told('tar-in', '-p', archive, `${image}:/x/y`), `${image}: unpacked into /x/y\n`);
    assert.equal((await contents(image, '/x/y/f')).toString(), 'bye\nthere\n');
    await fails(
      1,
      ['tar-in', '--rw', ...mounted, 'nope.tar', `${image}:/x`],
      /nope\.tar: no such file.* on this machine$/,
    );
    await fails(2, ['tar-in', archive, `${image}:/x`], /this changes the image$/, /--rw/);
  });

  test('a link that leads to nothing yet stays, and its file is made', async () => {
    const image = copyOfEmpty('dangling');
    await told('mkdir', '-p', `${image}:/etc/alternatives`);
    await told('ln', '-s', '../target', `${image}:/etc/alternatives/relative`);
    await told('ln', '-s', '/etc/alternatives/relative', `${image}:/absolute`);
    await told('cp', join(tree, 'sub/a'), `${image}:/absolute`);
    assert.equal(String(await contents(image, '/etc/target')), 'a\n');
    assert.match(
      (await guestfs('stat', ...mounted, `${image}:/absolute`)).out,
      /-> \/etc\/alternatives\/relative/,
    );
    await told('ln', '-s', 'no/such/file', `${image}:/lost`);
    await fails(
      4,
      ['cp', '--rw', ...mounted, big, `${image}:/lost`],
      /there is no directory \/no\/such/,
      /mkdir --rw -p/,
    );
    await told('ln', '-s', 'loop', `${image}:/loop`);
    await fails(1, ['cp', '--rw', ...mounted, big, `${image}:/loop`], /[Tt]oo many/);
  });

  test(
    'onto FAT a tree goes without its links, which are told; names of one file are files',
    needs('fsck.fat'),
    async () => {
      const image = await fatImage('fat');
      const fromHost = await guestfs('cp', '-r', '--rw', ...mounted, tree, `${image}:/`);
      assert.deepEqual(
        [fromHost.status, fromHost.err],
        [0, `guestfs: ${tree}/link: is left out: it is a symlink\n`],
      );
      assert.deepEqual(
        await listed(image, '/tree').then((lines) => lines.map((line) => line.replace(/^.* /, ''))),
        [...['/tree', '/tree/b', '/tree/run', '/tree/sub', '/tree/sub/a']],
      );
      assert.equal(String(await contents(image, '/tree/b')), 'a\n');
      // Over what is there, and from a guest that has links.
      const ext = copyOfEmpty('links');
      await told('cp', '-r', tree, `${ext}:/`);
      for (const destination of ['/', '/again'])
        assert.deepEqual(
          await guestfs(
            'cp',
            '-r',
            '--rw',
            '--from-mount',
            '/dev/sda',
            ...mounted,
            `${ext}:/tree`,
            `${image}:${destination}`,
          ).then(({ status, err }) => [status, err]),
          [0, 'guestfs: /tree/link: is left out: it is a symlink\n'],
        );
      assert.equal(String(await contents(image, '/again/b')), 'a\n');
      checkFat(image);
    },
  );
});

test('a link that is copied replaces a link, and never goes into a directory of its name', async () => {
  const image = copyOfEmpty('links-over');
  const source = join(scratch, 'links-over');
  mkdirSync(source);
  for (const name of ['link', 'other']) symlinkSync('else/where', join(source, name));
  await told('mkdir', '-p', `${image}:/d/link`);
  await told('ln', '-s', 'link', `${image}:/d/other`);
  const { status, err } = await guestfs('cp', '--rw', ...mounted, '-r', join(source, 'link'), `${image}:/d`);
  assert.equal(status, 1);
  assert.match(err, /\/d\/link: is a directory/);
  await told('cp', '-r', join(source, 'other'), `${image}:/d`);
  const { out } = await guestfs('find', ...mounted, `${image}:/d`);
  assert.deepEqual(out.trimEnd().split('\n').sort(), ['/d', '/d/link', '/d/other']);
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDriveRo(image);
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  assert.equal(await g.readlink('/d/other'), 'else/where');
});
