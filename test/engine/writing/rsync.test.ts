/** `rsync` within the guest does what the program does on the host. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { checkExt, needs, toolEnvironment } from '../../support/tools.js';

const old = '2001-01-01T00:00:00Z';

/** A source `s`: files, a link, a hard link, a pipe, directories, owners and an old time. */
const source = `mkdir -p s/sub/deep s/empty; echo a >s/a; echo b >s/sub/b; echo c >s/sub/deep/c; ln -s a s/l; ln s/a s/h
  mkfifo s/p; chmod 640 s/a; chown 5:6 s/a s/sub/b; chmod 2750 s/sub; chown -h 7:8 s/l; : >s/none; touch -d ${old} s/a s/sub s/none`;

interface Case {
  /** What is there before, beside the source. */
  readonly given?: string;
  readonly from: string;
  readonly to: string;
  readonly archive?: boolean;
  readonly deletedest?: boolean;
}

const cases: readonly Case[] = [
  ...[true, false].flatMap((archive): Case[] => [
    { from: 's/', to: 'd', archive },
    { from: 's', to: 'd', archive },
    { from: 's/.', to: 'd', archive },
    { from: 's/a', to: 'd', archive },
    { from: 's/a', to: 'd/', archive },
    { from: 's/a', to: 'd/x', archive },
    { from: 's/l', to: 'd', archive },
    { from: 's/p', to: 'd', archive },
    { from: 's/missing', to: 'd', archive },
    { given: 'mkdir d', from: 's/a', to: 'd', archive },
    {
      given: 'mkdir d; echo q >d/a; chmod 601 d/a; chown 9:9 d/a; ln d/a d/other',
      from: 's/a',
      to: 'd',
      archive,
    },
    { given: 'mkdir d; echo far >far; ln -s ../far d/a', from: 's/a', to: 'd', archive },
    { given: 'mkdir -p d/a', from: 's/a', to: 'd', archive },
    { given: 'mkdir -p d/a; echo z >d/a/z', from: 's/a', to: 'd', archive },
    { given: 'mkdir real; ln -s real d', from: 's/a', to: 'd', archive },
  ]),
  { given: 'mkdir -p d/sub2 d/a; echo z >d/a/z', from: 's/', to: 'd', archive: true },
  { given: 'mkdir -p d/sub2/x d/a; echo z >d/a/z', from: 's/', to: 'd', archive: true, deletedest: true },
  { given: 'mkdir -p d/other', from: 's', to: 'd', archive: true, deletedest: true },
  { given: 'mkdir -p d/s/gone d/sub', from: 's', to: 'd', archive: true, deletedest: true },
  { given: 'mkdir d d2; ln -s ../d2 d/sub; echo f >d/empty', from: 's/', to: 'd', archive: true },
  { given: 'echo q >d', from: 's/', to: 'd', archive: true },
  { given: 'mkdir real; ln -s real d', from: 's/', to: 'd', archive: true, deletedest: true },
  { given: `cp -a s d; echo X >d/a; touch -d ${old} d/a; chmod 600 d/a`, from: 's/', to: 'd', archive: true },
  {
    given: 'cp -a s d; echo longer >d/sub/b; rm d/l; ln -s b d/l; rm d/p; mknod d/p c 1 3',
    from: 's/',
    to: 'd',
    archive: true,
  },
  { from: 's/', to: 'x/y', archive: true },
  { from: 's/', to: 'd', deletedest: true },
];

const facts = (type: string, mode: number, uid: number, gid: number, isOld: boolean, holds: string): string =>
  `${type} ${(mode & 0o7777).toString(8)} ${uid}:${gid} ${isOld ? 'old' : 'new'} ${holds}`;
const isOldTime = (seconds: number): boolean => seconds === Date.parse(old) / 1000;

function onHost(top: string, below = '', found = new Map<string, string>()): Map<string, string> {
  for (const name of readdirSync(join(top, below))) {
    const path = join(below, name);
    const at = join(top, path);
    const stats = lstatSync(at);
    const [type, holds] = stats.isDirectory()
      ? ['directory', '']
      : stats.isSymbolicLink()
        ? ['symlink', readlinkSync(at)]
        : stats.isFile()
          ? ['file', readFileSync(at, 'latin1')]
          : ['other', ''];
    found.set(path, facts(type, stats.mode, stats.uid, stats.gid, isOldTime(stats.mtimeMs / 1000), holds));
    if (stats.isDirectory()) onHost(top, path, found);
  }
  return found;
}

async function inGuest(g: Guestfs, top: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { path, stats } of g.walkEntries(top)) {
    const at = `${top}/${path}`;
    const [type, holds] = stats.isDirectory()
      ? ['directory', '']
      : stats.isSymbolicLink()
        ? ['symlink', await g.readlink(at)]
        : stats.isFile()
          ? ['file', Buffer.from(await g.readFile(at)).toString('latin1')]
          : ['other', ''];
    found.set(path, facts(type, stats.mode, stats.uid, stats.gid, isOldTime(stats.mtimeMs / 1000), holds));
  }
  return found;
}

const tools = needs('rsync', 'mke2fs', 'e2fsck');
const asRoot = process.getuid?.() === 0 ? {} : { skip: 'owners can be given by root only' };

test('the trees are those that the program leaves', { ...tools, ...asRoot }, async () => {
  const directory = scratchDirectory();
  const tree = join(directory, 'tree');
  const shell = (script: string, cwd: string) =>
    execFileSync('sh', ['-ec', `umask 022; ${script}`], { cwd, env: toolEnvironment });
  for (const [index, { given = ':' }] of cases.entries()) {
    mkdirSync(join(tree, `${index}`), { recursive: true });
    shell(`${source}; ${given}`, join(tree, `${index}`));
  }
  const image = join(directory, 'tree.img');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', tree, image, '16M'], { env: toolEnvironment });
  {
    await using g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    g.addDrive(image, { format: 'raw' });
    await g.launch();
    await g.mount('/dev/sda', '/');
    for (const [index, { from, to, archive = false, deletedest = false }] of cases.entries()) {
      const at = join(tree, `${index}`);
      const what = `${index}: rsync ${archive ? '--archive ' : ''}${deletedest ? '--delete ' : ''}${from} ${to}`;
      const flags = [...(archive ? ['--archive'] : []), ...(deletedest ? ['--delete'] : [])];
      const { status } = spawnSync('rsync', [...flags, from, to], { cwd: at, env: toolEnvironment });
      const call = g.rsync(`/${index}/${from}`, `/${index}/${to}`, { archive, deletedest });
      const failed = await call.then(
        () => false,
        () => true,
      );
      assert.deepEqual(await inGuest(g, `/${index}`), onHost(at), what);
      assert.equal(failed, status !== 0, what);
    }
    await g.rmRf('/0');
  }
  checkExt(image);
  rmSync(directory, { recursive: true });
});

test(
  'neither is removed what is to be copied, nor copied into itself',
  needs('mke2fs', 'e2fsck'),
  async () => {
    const image = join(scratchDirectory(), 'nested.img');
    execFileSync('mke2fs', ['-q', '-t', 'ext4', image, '8M'], { env: toolEnvironment });
    {
      await using g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
      g.addDrive(image, { format: 'raw' });
      await g.launch();
      await g.mount('/dev/sda', '/');
      await g.mkdirP('/outer/inner/deep');
      await g.write('/outer/inner/file', 'kept');
      await assert.rejects(g.rsync('/outer/inner/', '/outer', { archive: true, deletedest: true }), {
        code: 'EINVAL',
        message: /would be removed/,
      });
      await assert.rejects(g.rsync('/outer/', '/outer/inner/deep', { archive: true }), { code: 'EINVAL' });
      assert.equal(await g.cat('/outer/inner/file'), 'kept');
      await g.rsync('/outer/inner/', '/outer', { archive: true });
      assert.deepEqual(await g.ls('/outer'), ['deep', 'file', 'inner']);
    }
    checkExt(image);
  },
);
