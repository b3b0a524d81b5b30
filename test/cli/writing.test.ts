/** The commands that change files of a guest, on an ext4 that e2fsck checks afterwards, and on a real guest. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { checkExt } from '../fs/ext/check.js';
import { needs } from '../support/tools.js';
import { type Finished, fails, finished, guestfs, main, names, sample, scratch, start } from './command.js';

const images: string[] = [];
/** A copy of the image of names, which is checked when all tests are done. */
function copyOfNames(name: string): string {
  const image = join(scratch, `${name}.img`);
  copyFileSync(names, image);
  images.push(image);
  return image;
}

const mounted = ['-m', '/dev/sda'];
/** Runs a command on the image of names, without a note about what is mounted. */
const run = (command: string, ...args: string[]): Promise<Finished> =>
  guestfs(command, '--rw', ...mounted, ...args);

/** Runs a command that must succeed, and gives what it said. */
async function told(command: string, ...args: string[]): Promise<string> {
  const { status, out, err } = await run(command, ...args);
  assert.deepEqual({ status, err }, { status: 0, err: '' });
  return out;
}

interface Status {
  mode: string;
  uid: number;
  gid: number;
  nlink: number;
  mtime: number;
  type: string;
  target?: string;
}
async function statusOf(image: string, ...paths: string[]): Promise<Status[]> {
  const { out, err } = await guestfs('stat', '--json', ...mounted, image, ...paths);
  assert.equal(err, '');
  return JSON.parse(out);
}

describe('the commands that change files', { concurrency: 4 }, () => {
  // Before the directory of the tests goes.
  after(() => {
    if (needs('e2fsck').skip !== undefined) return;
    for (const image of images) checkExt(image);
  });

  test('ask for --rw, and change nothing without it', async () => {
    const image = copyOfNames('asks');
    const lines = [
      ['mkdir', `${image}:/d`],
      ['rm', '-r', `${image}:/plain`],
      ['mv', `${image}:/plain`, '/elsewhere'],
      ['ln', `${image}:/plain/a`, '/b'],
      ['touch', `${image}:/new`],
      ['chmod', '0600', `${image}:/plain`],
      ['chown', '1', `${image}:/plain`],
    ];
    for (const line of lines) await fails(2, line, /this changes the image$/, /add --rw to change it/);
    assert.deepEqual(readNames(image), readNames(names));
  });

  test('mkdir makes directories, with -p those above, with --mode as it says', async () => {
    const image = copyOfNames('mkdir');
    assert.equal(await told('mkdir', `${image}:/a`, '/b'), `${image}: made /a, /b\n`);
    await fails(4, ['mkdir', '--rw', ...mounted, `${image}:/x/y`], /there is no directory \/x$/, /give -p/);
    await fails(1, ['mkdir', '--rw', ...mounted, `${image}:/a`], /\/a: is there already$/, /with -p/);
    assert.equal(await told('mkdir', '-q', '-p', '--mode', 'u=rwx,go=', `${image}:/x/y/z`, '/a'), '');
    const [above, made] = await statusOf(image, '/x/y', '/x/y/z');
    assert.deepEqual([above?.mode, made?.mode], ['0755', '0700']);
  });

  test('rm removes files, directories with -r alone, and takes what is missing for an error without -f', async () => {
    const image = copyOfNames('rm');
    await told('mkdir', '-p', `${image}:/d/e`);
    await told('touch', image, '/d/1', '/d/2', '/d/e/3', '/keep');
    await fails(1, ['rm', '--rw', ...mounted, `${image}:/d`], /\/d: is a directory$/, /give -r/);
    assert.equal(await told('rm', `${image}:/d/[12]`), `${image}: removed /d/1, /d/2\n`);
    await fails(
      4,
      ['rm', '--rw', ...mounted, `${image}:/kep`],
      /\/kep: no such file/,
      /did you mean \/keep\?/,
    );
    assert.equal(await told('rm', '-f', `${image}:/kep`), '');
    const partly = await run('rm', '-r', `${image}:/nope`, '/d', '/');
    assert.deepEqual([partly.status, partly.out], [4, `${image}: removed /d\n`]);
    assert.match(partly.err, /\/: is the root of the guest, and is not removed\n$/);
    assert.ok(!readNames(image).includes('/d'));
  });

  test('mv gives another path, or puts into a directory, and with -n replaces nothing', async () => {
    const image = copyOfNames('mv');
    await told('touch', image, '/one', '/two', '/three');
    await told('mkdir', `${image}:/d`);
    assert.equal(await told('mv', `${image}:/one`, '/uno'), `${image}: moved to /uno\n`);
    const json = JSON.parse(await told('mv', '--json', `${image}:/uno`, '/two', '/d'));
    assert.deepEqual(json, { image, paths: ['/d/uno', '/d/two'] });
    await fails(1, ['mv', '--rw', ...mounted, '-n', `${image}:/three`, '/d/two'], /is there already$/, /-n/);
    await fails(
      4,
      ['mv', '--rw', ...mounted, `${image}:/three`, '/no/3'],
      /no directory \/no$/,
      /mkdir --rw -p/,
    );
    await fails(
      1,
      ['mv', '--rw', ...mounted, `${image}:/three`, '/d', '/e'],
      /\/e: is no directory/,
      /mkdir/,
    );
    await told('mv', `${image}:/three`, '/d/two');
    assert.deepEqual(
      readNames(image).filter((name) => name.startsWith('/d/')),
      ['/d/two', '/d/uno'],
    );
  });

  test('ln makes second names and symbolic links', async () => {
    const image = copyOfNames('ln');
    await told('touch', `${image}:/file`);
    await told('mkdir', `${image}:/d`);
    assert.equal(await told('ln', `${image}:/file`, '/hard'), `${image}: linked /hard\n`);
    assert.equal(await told('ln', '-s', '../file', `${image}:/d`), `${image}: linked /d/file\n`);
    await fails(
      1,
      ['ln', '--rw', ...mounted, '-s', 'x', `${image}:/hard`],
      /\/hard: is there already$/,
      /-f/,
    );
    await fails(2, ['ln', '--rw', '-s', `${image}:/file`, `${image}:/l`], /is a text/, /-s \/file /);
    await fails(4, ['ln', '--rw', ...mounted, `${image}:/fil`, '/l'], /\/fil: no such file/, /\/file\?/);
    await told('ln', '-s', '-f', 'nowhere', `${image}:/hard`);
    const [file, soft, replaced] = await statusOf(image, '/file', '/d/file', '/hard');
    assert.deepEqual([file?.nlink, soft?.target, replaced?.target], [1, '../file', 'nowhere']);
  });

  test('touch makes empty files and sets times', async () => {
    const image = copyOfNames('touch');
    await told('touch', '-d', '2024-05-01 12:30', `${image}:/new`, '/plain');
    await told('touch', '-d', '/new', `${image}:/other`);
    assert.equal(await told('touch', '-c', `${image}:/none`), '');
    const [made, directory, other] = await statusOf(image, '/new', '/plain', '/other');
    for (const status of [made, directory, other])
      assert.equal(status?.mtime, Date.UTC(2024, 4, 1, 12, 30) / 1000);
    await told('touch', `${image}:/new`);
    const [now] = await statusOf(image, '/new');
    assert.ok(Math.abs((now?.mtime ?? 0) - Date.now() / 1000) < 100);
    await fails(2, ['touch', '--rw', '-d', 'soon', `${image}:/new`], /--date soon: is no time/, /2024-05-01/);
  });

  test('chmod and chown change files, and with -R trees without following links', async () => {
    const image = copyOfNames('chmod');
    await told('mkdir', '-p', `${image}:/d/e`);
    await told('touch', image, '/d/f', '/d/run', '/outside');
    await told('ln', '-s', '/outside', `${image}:/d/link`);
    await told('chmod', 'u+x', `${image}:/d/run`);
    await told('chmod', '-R', 'go=,u=rwX', `${image}:/d`);
    await told('chown', '-R', '5:6', `${image}:/d`);
    await told('chown', ':7', `${image}:/d/f`);
    const found = await statusOf(image, '/d', '/d/e', '/d/f', '/d/run', '/outside', '/d/link');
    assert.deepEqual(
      found.map(({ mode, uid, gid }) => `${mode} ${uid}:${gid}`),
      ['0700 5:6', '0700 5:6', '0600 5:7', '0700 5:6', '0644 0:0', '0777 5:6'],
    );
    await fails(2, ['chmod', '--rw', 'rw', `${image}:/d`], /'rw' is no mode/, /0644/);
    await fails(
      4,
      ['chown', '--rw', ...mounted, 'nobody', `${image}:/d`],
      /no user 'nobody'$/,
      /\/etc\/passwd/,
    );
  });

  test('a guest is mounted as it would be, and its own names of users count', async () => {
    const image = join(scratch, 'guest.qcow2');
    copyFileSync(sample, image);
    const { status, out, err } = await guestfs('chown', '--rw', 'www-data:daemon', `${image}:/etc/hostname`);
    assert.deepEqual([status, out, err], [0, `${image}: changed the owner of /etc/hostname\n`, '']);
    assert.match((await guestfs('ls', '-l', `${image}:/etc/hostname`)).out, /www-data +daemon/);
  });

  test('an image that is in use is refused with the reason', {
    skip: process.platform !== 'linux',
  }, async () => {
    const image = copyOfNames('busy');
    const g = new Guestfs({ backend: 'embedded' });
    g.addDrive(image, { format: 'raw' });
    await g.launch();
    try {
      const refused = await finished(start(['touch', '--rw', ...mounted, `${image}:/x`]));
      assert.equal(refused.status, 3, refused.err);
      assert.match(refused.err, /busy\.img: is in use by .*; stop that first/);
    } finally {
      await g.close();
    }
  });
});

/** Every path of an image. */
function readNames(image: string): string[] {
  const { stdout } = spawnSync(process.execPath, [main, 'find', ...mounted, image], {
    encoding: 'utf8',
    env: { ...process.env, LIBGUESTFS_BACKEND: 'embedded' },
  });
  return stdout.split('\n').filter(Boolean).sort();
}
