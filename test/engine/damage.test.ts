/**
 * One damaged thing among good ones: each action gives all the rest, says what it left out, and fails where copies
 * would lack it.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CorruptError, GuestfsError, PartialError } from '../../src/base/index.js';
import { MappedDisk, MemoryDisk } from '../../src/disk/index.js';
import { move } from '../../src/engine/host/copy-data.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { MemoryFileSystem } from '../support/memory-fs.js';
import { needs } from '../support/tools.js';
import { callOn, scratchPath } from './support.js';

const image = scratchPath('damaged.img');
writeFileSync(image, readFixtureBuffer('damaged/ext4.img.gz'));

interface Told {
  /** What the answer of a call lacks. */
  readonly partial: string[];
  readonly other: string[];
}

async function withDamaged(work: (g: Guestfs, told: Told) => Promise<void>): Promise<void> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  const told: Told = { partial: [], other: [] };
  g.setEventCallback(
    ({ message, partial }) => (partial ? told.partial : told.other).push(message),
    'warning',
  );
  g.addDrive(image, { readonly: true, format: 'raw' });
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  await work(g, told);
  assert.deepEqual(told.other, []);
}

/** All that is in the image but `lost/lost.txt`, which has no inode, and what is in `noise` and `unmapped`. */
const everything = [
  'claims-to-be-a-file',
  'claims-to-be-a-file/inside.txt',
  'data.bin',
  'good',
  'good/good.txt',
  'liar',
  'liar/liar.txt',
  'link',
  'lost',
  'lost+found',
  'lost/zz-behind.txt',
  'noise',
  'unmapped',
];
/** What claims to be a file is not looked into where no inode is asked for, as find(1) does not. */
const byName = everything.filter((path) => path !== 'claims-to-be-a-file/inside.txt');
const copied = everything.filter((path) => path !== 'data.bin' && path !== 'link');
const directories = [
  /^\/lost: .*invalid inode number/,
  /^\/noise: .*invalid length/,
  /^\/unmapped: .*no magic/,
];

function assertTold(told: readonly string[], expected: readonly RegExp[]): void {
  const left = [...told];
  for (const pattern of expected) {
    const index = left.findIndex((message) => pattern.test(message) && message.endsWith(': left out'));
    assert.ok(index >= 0, `${pattern} in:\n${told.join('\n')}`);
    left.splice(index, 1);
  }
  assert.deepEqual(left, []);
}

test('find and find0 list all the rest, and warn of each thing that they leave out, at each call', async () => {
  await withDamaged(async (g, told) => {
    assert.deepEqual((await g.find('/')).sort(), [...byName].sort());
    assertTold(told.partial.splice(0), directories);
    const list = scratchPath('find0');
    await g.find0('/', list);
    assert.deepEqual(readFileSync(list, 'utf8').split('\0').filter(Boolean).sort(), [...byName].sort());
    assertTold(told.partial, directories);
  });
});

test('ls, readdir and glob_expand list all the rest; of a directory of which nothing is left they fail', async () => {
  await withDamaged(async (g, told) => {
    assert.deepEqual(
      await g.ls('/'),
      everything.filter((path) => !path.includes('/')),
    );
    assert.deepEqual(told.partial, []);
    assert.deepEqual(await g.ls('/lost'), ['zz-behind.txt']);
    assert.deepEqual(
      (await g.readdir('/lost')).map(({ name }) => name),
      ['.', '..', 'zz-behind.txt'],
    );
    assertTold(told.partial.splice(0), [directories[0] as RegExp, directories[0] as RegExp]);
    for (const nothing of ['/noise', '/unmapped']) {
      await assert.rejects(g.ls(nothing), CorruptError);
      await assert.rejects(g.find(nothing), CorruptError);
      await assert.rejects(g.globExpand(`${nothing}/*`), CorruptError);
    }
    told.partial.length = 0;
    assert.deepEqual(await g.globExpand('/*/*.txt'), [
      '/claims-to-be-a-file/inside.txt',
      '/good/good.txt',
      '/liar/liar.txt',
      '/lost/zz-behind.txt',
    ]);
    assertTold(told.partial, [...directories, /^\/link: .*no magic/]);
  });
});

test('ll shows a bad link without its target; du counts, and lists of attributes answer for, what is there', async () => {
  await withDamaged(async (g, told) => {
    const lines = (await g.ll('/')).split('\n');
    assert.equal(lines.length, 13);
    assert.match(lines.find((line) => line.startsWith('l')) ?? '', / link$/);
    assertTold(told.partial.splice(0), [/^\/link: .*no magic/]);
    assert.ok((await g.du('/')) >= 40);
    assertTold(told.partial.splice(0), directories);
    assert.deepEqual(await g.readlinklist('/', ['good', 'link']), ['', '']);
    const stats = await g.lstatnslist('/', ['good', 'none', 'link']);
    assert.deepEqual(
      stats.map(({ stIno }) => Math.sign(stIno)),
      [1, -1, 1],
    );
    assertTold(told.partial, [/^\/link: .*no magic/]);
  });
});

test('walk gives all the rest, with the types of the inodes', async () => {
  await withDamaged(async (g, told) => {
    const { paths } = await g.walk('/');
    assert.deepEqual(paths.split('\0').filter(Boolean).sort(), [...everything].sort());
    assertTold(told.partial, directories);
  });
});

test('filesystem_walk gives all the names there are', async () => {
  await withDamaged(async (g, told) => {
    const names = (await g.filesystemWalk('/dev/sda')).map(({ tskName }) => tskName);
    for (const path of byName) assert.ok(names.includes(path), path);
    assert.ok(told.partial.length >= 3);
  });
});

const lacking = [...directories, /^\/link: .*no magic/, /^\/data\.bin: .*no magic/];
const inArchive = lacking;

test(
  'tar_out, also compressed or to a stream, has all the rest and then fails with a PartialError',
  needs('tar'),
  async () => {
    await withDamaged(async (g, told) => {
      const isPartial = (thrown: unknown): boolean =>
        thrown instanceof PartialError && thrown.code === 'EIO' && thrown.leftOut === 5;
      const names = (archive: Buffer): string[] =>
        execFileSync('tar', ['-tzf', '-'], { input: archive })
          .toString()
          .split('\n')
          .map((name) => name.replace(/^\.\/|\/$/g, ''))
          .filter(Boolean)
          .sort();
      const path = scratchPath('all.tgz');
      await assert.rejects(g.tgzOut('/', path), isPartial);
      assert.deepEqual(names(readFileSync(path)), [...copied].sort());
      assertTold(told.partial.splice(0), inArchive);
      const chunks: Uint8Array[] = [];
      const sink = new WritableStream<Uint8Array>({
        async write(chunk) {
          await new Promise((resolve) => setTimeout(resolve, 5));
          chunks.push(chunk);
        },
      });
      await assert.rejects(g.tarOut('/', sink, { compress: 'gzip' }), isPartial);
      assert.deepEqual(names(Buffer.concat(chunks)), [...copied].sort());
    });
  },
);

test('tarStream and zipStream give all the rest and then fail', needs('tar', 'unzip'), async () => {
  await withDamaged(async (g, told) => {
    for (const stream of [
      g.tarStream('/', { highWaterMark: 100 }),
      g.zipStream('/', { highWaterMark: 100 }),
    ]) {
      const path = scratchPath('all');
      const read = async (): Promise<void> => {
        for await (const chunk of stream) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          appendFileSync(path, chunk);
        }
      };
      await assert.rejects(read(), PartialError);
      const isZip = readFileSync(path).subarray(0, 2).toString() === 'PK';
      const listed = isZip ? execFileSync('zipinfo', ['-1', path]) : execFileSync('tar', ['-tf', path]);
      const names = listed
        .toString()
        .split('\n')
        .map((name) => name.replace(/^\.\/|\/$/g, ''));
      assert.deepEqual(names.filter(Boolean).sort(), [...copied].sort());
      if (isZip) execFileSync('unzip', ['-tq', path]);
      assertTold(told.partial.splice(0), inArchive);
    }
  });
});

test('cpio_out has all the rest and then fails', needs('cpio'), async () => {
  await withDamaged(async (g, told) => {
    for (const format of ['newc', 'crc']) {
      const path = scratchPath('all.cpio');
      await assert.rejects(g.cpioOut('/', path, { format }), PartialError);
      const listed = execFileSync('cpio', ['-it', '--quiet'], { input: readFileSync(path) });
      assert.deepEqual(listed.toString().split('\n').slice(1, -1).sort(), [...copied].sort());
      assertTold(told.partial.splice(0), inArchive);
    }
  });
});

test('copy_out copies all the rest and then fails', async () => {
  await withDamaged(async (g, told) => {
    const to = scratchPath('copy');
    mkdirSync(to);
    await assert.rejects(g.copyOut('/', to), PartialError);
    assert.deepEqual(readdirSync(to, { recursive: true }).sort(), [...copied].sort());
    assert.equal(readFileSync(join(to, 'good/good.txt'), 'utf8'), 'in good\n');
    assertTold(told.partial, lacking);
  });
});

test('checksums_out has a line for each file that can be read, and then fails', async () => {
  await withDamaged(async (g, told) => {
    const path = scratchPath('sums');
    await assert.rejects(g.checksumsOut('md5', '/', path), PartialError);
    assert.equal(readFileSync(path, 'utf8').split('\n').filter(Boolean).length, 4);
    assertTold(told.partial, [...directories, /^\/data\.bin: .*no magic/]);
  });
});

test('what is whole is whole: no warning, no failure', async () => {
  await withDamaged(async (g, told) => {
    const to = scratchPath('good');
    mkdirSync(to);
    await g.copyOut('/good', to);
    await g.tarOut('/liar', scratchPath('liar.tar'));
    assert.deepEqual(told.partial, []);
  });
});

/** A disk of which some bytes cannot be read. */
function brokenDisk(size: number, bad: readonly [start: number, end: number]): MappedDisk {
  const disk = new MemoryDisk(Buffer.alloc(size, 7));
  const [start, end] = bad;
  return new MappedDisk(
    size,
    (offset) => {
      if (offset >= start && offset < end) throw new GuestfsError('EIO', 'input/output error');
      return { kind: 'data', disk, offset, length: (offset < start ? start : size) - offset };
    },
    { name: 'broken' },
  );
}

test('of a file that can be read in part, all but the bad 4 KiB blocks are moved, with one word about them', () => {
  const size = 5_000_000;
  const told: string[] = [];
  const moved: Buffer[] = [];
  const to = {
    keepsHoles: false,
    write: (bytes: Uint8Array) => void moved.push(Buffer.from(bytes)),
    hole: (length: number) => void moved.push(Buffer.alloc(length)),
  };
  const call = callOn(new MemoryFileSystem({}));
  move(call, brokenDisk(size, [3_000_000, 3_010_000]), to, { onDamage: ({ message }) => told.push(message) });
  const expected = Buffer.alloc(size, 7).fill(0, 2_998_272, 3_010_560);
  assert.ok(Buffer.concat(moved).equals(expected));
  assert.deepEqual(told, ['input/output error']);
  assert.throws(() => move(call, brokenDisk(size, [0, 1]), to), { code: 'EIO' });
});

test('a wrong checksum of a group is no hindrance to mount_ro, with a warning; to be written, such a filesystem is refused', async () => {
  const path = scratchPath('group.img');
  const bytes = readFixtureBuffer('ext/ext4-1k.img.gz');
  bytes[2048 + 14] = (bytes[2048 + 14] ?? 0) ^ 0x10; // the free inodes of group 0
  writeFileSync(path, bytes);
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  const told: string[] = [];
  g.on('warning', (message) => told.push(message));
  g.addDrive(path, { readonly: true, format: 'raw' });
  await g.launch();
  await assert.rejects(g.mount('/dev/sda', '/'), CorruptError);
  await g.mountRo('/dev/sda', '/');
  assert.ok((await g.ls('/')).length > 1);
  assert.deepEqual(told, ['/dev/sda: ext4 group descriptor 0: has a bad checksum']);
});
