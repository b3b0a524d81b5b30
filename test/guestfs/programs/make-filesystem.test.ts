/** Images made of directories and archives. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Guestfs, type MakeFilesystemOptions, makeFilesystem } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { archive } from '../../support/tar-archive.js';
import { checkExt, checkQcow2, checkTable, needs } from '../../support/tools.js';

const quiet = { environment: false, stderr: null } as const;
const directory = scratchDirectory();
const place = (name: string): string => join(directory, name);
const make = (sources: string | readonly string[], image: string, options: MakeFilesystemOptions = {}) =>
  makeFilesystem(sources, image, { ...quiet, ...options });
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const source = place('source');
const seconds = 1_700_000_000;
const sparseSize = 5_000_001;
const manyFiles = 700;

function makeSource(): void {
  mkdirSync(join(source, 'many'), { recursive: true });
  mkdirSync(join(source, 'usr/lib'), { recursive: true });
  for (let number = 0; number < manyFiles; number++)
    writeFileSync(join(source, `many/a name that is not short ${number}`), `${number}\n`.repeat(number));
  writeFileSync(join(source, 'usr/lib/program'), Buffer.alloc(300_000, 'code'));
  chmodSync(join(source, 'usr/lib/program'), 0o4751);
  linkSync(join(source, 'usr/lib/program'), join(source, 'second name'));
  symlinkSync('usr/lib', join(source, 'lib'));
  symlinkSync('x'.repeat(200), join(source, 'long'));
  writeFileSync(join(source, 'sparse'), 'start');
  truncateSync(join(source, 'sparse'), sparseSize);
  mkdirSync(join(source, 'set'));
  chmodSync(join(source, 'set'), 0o2775);
  writeFileSync(join(source, 'set/member'), '');
  const all = ['lib', 'long'];
  for (const name of all) lutimesSync(join(source, name), seconds, seconds);
  for (const name of ['usr/lib/program', 'sparse', 'set/member', 'set', 'many', 'usr/lib', 'usr', ''])
    utimesSync(join(source, name), seconds, seconds + 1);
  for (let number = 0; number < manyFiles; number++)
    utimesSync(join(source, `many/a name that is not short ${number}`), seconds, seconds - number);
}

async function withImage<T>(
  image: string,
  work: (g: Guestfs) => Promise<T>,
  device = '/dev/sda',
): Promise<T> {
  await using g = new Guestfs({ ...quiet, backend: 'embedded' });
  g.addDriveRo(image);
  await g.launch();
  await g.mountRo(device, '/');
  return await work(g);
}

describe('makeFilesystem', () => {
  before(makeSource);

  test('a directory gives the same bytes each time, sized for what is in it', async () => {
    const [first, second] = [place('first.img'), place('second.img')];
    const made = await make(source, first);
    assert.deepEqual(await make(source, second), made);
    assert.equal(sha256(first), sha256(second));
    assert.equal(statSync(first).size, made.sizeInBytes);
    await withImage(first, async (g) => {
      const { bfree, files, ffree } = await g.statvfs('/');
      assert.ok(bfree < 64, `${bfree} blocks are free`);
      assert.ok(files > manyFiles && ffree < 64, `${ffree} of ${files} inodes are free`);
      assert.equal(await g.vfsUuid('/dev/sda'), made.uuid);
    });
  });

  test('the tree is the one that was given', async () => {
    const image = place('tree.img');
    const { entries } = await make(source, image);
    await withImage(image, async (g) => {
      assert.equal((await g.find('/')).filter((name) => !/^lost\+found/.test(name)).length, entries);
      for (let number = 0; number < manyFiles; number += 50) {
        const path = `/many/a name that is not short ${number}`;
        assert.equal(await g.cat(path), `${number}\n`.repeat(number));
        const { stMtimeSec, stCtimeSec, stAtimeSec } = await g.statns(path);
        assert.deepEqual([stMtimeSec, stCtimeSec, stAtimeSec], Array(3).fill(seconds - number));
      }
      const program = await g.lstatns('/usr/lib/program');
      assert.deepEqual([program.stMode, program.stNlink, program.stSize], [0o104751, 2, 300_000]);
      assert.equal((await g.lstatns('/second name')).stIno, program.stIno);
      assert.equal(await g.readlink('/lib'), 'usr/lib');
      assert.equal(await g.readlink('/long'), 'x'.repeat(200));
      const sparse = await g.lstatns('/sparse');
      assert.deepEqual([sparse.stSize, sparse.stBlocks], [sparseSize, 8]);
      assert.equal(await g.checksum('sha256', '/sparse'), sha256(join(source, 'sparse')));
      const set = await g.lstatns('/set');
      assert.deepEqual([set.stMode, set.stMtimeSec], [0o042775, seconds + 1]);
      assert.equal((await g.lstatns('/')).stMtimeSec, seconds + 1);
    });
  });

  test('an archive of the tree, plain or compressed, is the same content', async () => {
    const [image, again, plain, packed] = ['a.img', 'b.img', 'a.tar', 'a.tar.gz'].map(place) as [
      string,
      string,
      string,
      string,
    ];
    const { digest } = await make(source, image);
    await withImage(image, async (g) => {
      await g.tarOut('/', plain, { excludes: ['./lost+found'] });
      await g.tarOut('/', packed, { excludes: ['./lost+found'], compress: 'gzip' });
    });
    for (const archive of [plain, packed]) {
      assert.equal((await make(archive, again)).digest, digest);
      assert.equal(sha256(again), sha256(image));
    }
  });

  test("access lists name the tree's own users and groups, wherever it has them", async () => {
    const [root, users, image] = [place('lists.tar'), place('users.tar'), place('lists.img')];
    const list = (who: string): string => `user::rwx\ngroup::r-x\n${who}:r-x\nmask::r-x\nother::---\n`;
    writeFileSync(
      root,
      archive(
        { name: 'log/', type: 'directory', mode: 0o750, records: { 'SCHILY.acl.access': list('group:adm') } },
        { name: 'mail', mode: 0o750, records: { 'SCHILY.acl.access': list('user:ada') } },
        { name: 'number', mode: 0o750, records: { 'SCHILY.acl.access': list('user:33') } },
      ),
    );
    await assert.rejects(make(root, image), { code: 'EINVAL', message: /\/log: .*'group:adm:r-x'/s });
    writeFileSync(
      users,
      archive(
        { name: 'etc/passwd', text: 'root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n' },
        { name: 'usr/group', text: 'adm:x:4:\n' },
        { name: 'etc/group', type: 'symlink', linkName: '/usr/group' },
      ),
    );
    await make([root, users], image);
    await withImage(image, async (g) => {
      assert.match(await g.aclGetFile('/log', 'access'), /^group:4:r-x$/m);
      assert.match(await g.aclGetFile('/mail', 'access'), /^user:1000:r-x$/m);
      assert.match(await g.aclGetFile('/number', 'access'), /^user:33:r-x$/m);
    });
  });

  test('later sources go over earlier ones', async () => {
    const [over, image] = [place('over'), place('merged.img')];
    mkdirSync(join(over, 'usr'), { recursive: true });
    writeFileSync(join(over, 'usr/new'), 'new');
    writeFileSync(join(over, 'long'), 'no link any more');
    await make([source, over], image);
    await withImage(image, async (g) => {
      assert.equal(await g.cat('/usr/new'), 'new');
      assert.equal(await g.cat('/long'), 'no link any more');
      assert.equal(await g.exists('/usr/lib/program'), true);
    });
  });

  test('space is left free where it is wanted, with inodes for it', async () => {
    const image = place('free.img');
    const freeInBytes = 256 * 1024 * 1024;
    await make(source, image, { freeInBytes, label: 'data' });
    await withImage(image, async (g) => {
      const { bfree, bsize, ffree } = await g.statvfs('/');
      assert.ok(bfree * bsize >= freeInBytes && bfree * bsize < freeInBytes * 1.02);
      assert.ok(ffree >= freeInBytes / 16384);
      assert.equal(await g.vfsLabel('/dev/sda'), 'data');
    });
  });

  test('files without contents have room for their inodes, and are told alike one by one and together', async () => {
    const [tar, image] = [place('empty.tar'), place('empty.img')];
    const count = 6000;
    const nameOf = (number: number): string => `name-${number}`;
    writeFileSync(
      tar,
      archive(
        { name: 'd/', type: 'directory', mode: 0o755 },
        ...Array.from({ length: count }, (_, number) => ({ name: `d/${nameOf(number)}`, uid: number })),
      ),
    );
    for (const type of ['ext2', 'ext4'] as const) {
      await make(tar, image, { type });
      assert.ok(statSync(image).size < 2 * (count * 256) + 6 * 1024 * 1024);
      if (needs('e2fsck').skip === undefined) checkExt(image);
    }
    await withImage(image, async (g) => {
      const names = ['missing', ...(await g.ls('/d')), '.', 'name-1'];
      assert.equal(names.length, count + 3);
      const stats = await g.lstatnslist('/d', names);
      assert.deepEqual(new Set(stats.slice(1, -2).map(({ stUid }) => stUid)).size, count);
      for (const index of [1, 77, count, count + 1, count + 2])
        assert.deepEqual(stats[index], await g.lstatns(`/d/${names[index]}`), names[index]);
      assert.equal(stats[0]?.stIno, -1);
      // Of a directory that has far more names than are asked for, not all is listed.
      const few = names.slice(-100);
      assert.deepEqual(await g.lstatnslist('/d', few), stats.slice(-100));
    });
  });

  test('the filesystem is a partition, and the image qcow2, where that is wanted', async () => {
    for (const partition of ['gpt', 'mbr'] as const) {
      const images = ['one.qcow2', 'two.qcow2'].map(place);
      for (const image of images) await make(source, image, { partition, format: 'qcow2' });
      const [one = '', two = ''] = images;
      assert.equal(sha256(one), sha256(two));
      await withImage(
        one,
        async (g) => {
          assert.equal(await g.partGetParttype('/dev/sda'), partition === 'gpt' ? 'gpt' : 'msdos');
          assert.equal(await g.cat('/many/a name that is not short 1'), '1\n');
          const [part] = await g.partList('/dev/sda');
          assert.equal(part?.partStart, 1024 * 1024);
        },
        '/dev/sda1',
      );
    }
  });

  test('foreign checkers find nothing wrong with table and image', needs('qemu-img', 'sgdisk'), async () => {
    const [image, raw] = [place('checked.qcow2'), place('checked.img')];
    await make(source, image, { partition: 'gpt', format: 'qcow2' });
    await make(source, raw, { partition: 'gpt' });
    checkQcow2(image);
    checkTable(raw);
    const { status, stdout } = spawnSync('qemu-img', ['compare', image, raw], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  });

  test('e2fsck finds nothing to say', needs('e2fsck'), async () => {
    for (const type of ['ext2', 'ext3', 'ext4'] as const)
      for (const freeInBytes of [0, 300_000_000]) {
        const image = place(`${type}.img`);
        await make(source, image, { type, freeInBytes });
        checkExt(image);
      }
  });

  test('what is no archive is refused, and leaves no image', async () => {
    const [text, image] = [place('text'), place('none.img')];
    writeFileSync(text, 'words\n'.repeat(1000));
    await assert.rejects(make(text, image), { code: 'EINVAL', message: /no directory and no tar archive/ });
    await assert.rejects(make(place('missing'), image), { code: 'ENOENT' });
    await assert.rejects(make([], image), TypeError);
    await assert.rejects(make(source, image, { freeInBytes: -1 }), RangeError);
    assert.ok(!existsSync(image));
    await assert.rejects(make(source, directory), { code: 'EINVAL', message: /no regular file/ });
  });
});
