/** The facade `g.fs` beside node:fs itself, on the same tree. */
import assert from 'node:assert/strict';
import { promises as host, type Stats, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type GuestFs, GuestFsError, Guestfs, GuestfsError } from '../../../src/guestfs/index.js';
import { directHandle, needsAppliance } from '../../support/appliance.js';
import { readFixture } from '../../support/fixtures.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';
import { makeSample, oddName, oddNanoseconds, openSample, type Sample, sampleTools } from './sample.js';

const oddText = 'odd \udcff\udcc3(';

/** What a call comes to: its answer, or what its failure is by Node's names. */
async function outcome(work: () => Promise<unknown>, prefix = ''): Promise<unknown> {
  try {
    return { value: await work() };
  } catch (thrown) {
    const { code, syscall, path, errno } = thrown as NodeJS.ErrnoException;
    return { code, syscall, errno, path: path?.slice(prefix.length) };
  }
}

/** What both sides tell in the same way: sizes and links of directories are the filesystem's own. */
function facts(stats: Stats): unknown {
  const { mode, uid, gid, mtimeMs, mtime } = stats;
  const own = stats.isFile() ? { size: stats.size, nlink: stats.nlink } : {};
  const kinds = [
    stats.isFile(),
    stats.isDirectory(),
    stats.isSymbolicLink(),
    stats.isFIFO(),
    stats.isSocket(),
    stats.isBlockDevice(),
    stats.isCharacterDevice(),
  ];
  return {
    ...own,
    mode,
    uid,
    gid,
    seconds: Math.floor(mtimeMs / 1000),
    date: Math.floor(mtime.getTime() / 1000),
    kinds,
  };
}

const paths = [
  '/a.txt',
  '/nothing',
  '/same',
  '/sparse',
  '/dir',
  '/dir/',
  '/dir/b.txt',
  '/dir/größe',
  '/dir/deep/deeper/with space',
  '/dir-',
  '/empty',
  '/pipe',
  '/link',
  '/way',
  '/way/c',
  '/way/../b.txt',
  '/broken',
  '/loop',
  '/missing',
  '/missing/below',
  '/a.txt/below',
  '/a.txt/',
  `/${'x'.repeat(300)}`,
];

function behavesAsNode(open: (image: string) => Promise<Guestfs>): void {
  const directory = scratchDirectory();
  let sample: Sample;
  let g: Guestfs;
  before(async () => {
    sample = makeSample(directory);
    g = await open(sample.image);
  });
  after(() => g?.close());

  /** Calls both sides with each path, and compares. */
  async function same(
    calls: (fs: GuestFs & typeof host, path: string) => Promise<unknown>,
    given: readonly string[] = paths,
  ): Promise<void> {
    for (const path of given) {
      const ours = await outcome(() => calls(g.fs as GuestFs & typeof host, path));
      const nodes = await outcome(
        () => calls(host as GuestFs & typeof host, sample.tree + path),
        sample.tree,
      );
      assert.deepEqual(ours, nodes, path);
    }
  }

  test('stat and lstat tell what Node tells', async () => {
    await same(async (fs, path) => facts(await fs.stat(path)));
    await same(async (fs, path) => facts(await fs.lstat(path)));
  });

  test('stat has whole nanoseconds as bigints', async () => {
    const stats = await g.fs.stat('/dir/b.txt', { bigint: true });
    assert.equal(stats.mtimeNs, 2_000_000_000n * 1_000_000_000n + BigInt(oddNanoseconds));
    assert.equal(stats.mtimeMs, 2_000_000_000_123n);
    assert.equal(stats.size, 6n);
    assert.equal(stats.mode, 0o104755n);
    assert.ok(stats.isFile() && !stats.isDirectory());
    const { mtimeMs, mtime } = await g.fs.stat('/dir/b.txt');
    assert.equal(mtimeMs, 2_000_000_000_000 + oddNanoseconds / 1e6);
    assert.equal(mtime.getTime(), 2_000_000_000_123);
    const before1970 = await g.fs.lstat('/nothing', { bigint: true });
    assert.equal(before1970.mtime.toISOString(), '1969-12-20T10:13:20.000Z');
  });

  test('readFile gives what Node gives', async () => {
    const files = paths.filter((path) => path !== '/pipe'); // there Node waits for a writer
    await same(
      (fs, path) => fs.readFile(path),
      files.filter((path) => !['/dir', '/dir/', '/dir-', '/empty', '/way'].includes(path)),
    );
    await same(
      (fs, path) => fs.readFile(path, 'utf8'),
      ['/a.txt', '/dir/b.txt', '/dir/deep/deeper/with space'],
    );
    await same((fs, path) => fs.readFile(path, { encoding: 'base64' }), ['/dir/b.txt', '/missing']);
    // Node's failure has no path here.
    assert.deepEqual(await outcome(() => g.fs.readFile('/dir')), {
      code: 'EISDIR',
      syscall: 'read',
      errno: -21,
      path: '/dir',
    });
    assert.ok(Buffer.isBuffer(await g.fs.readFile('/a.txt')));
    await assert.rejects(g.fs.readFile('/pipe'), { code: 'EINVAL' });
  });

  test('readdir gives what Node gives, in its order', async () => {
    const odd = paths.filter((path) => path !== '/');
    await same((fs, path) => fs.readdir(path), odd);
    await same((fs, path) => fs.readdir(path, { encoding: 'buffer' }), ['/dir', '/empty', '/missing']);
    await same(
      async (fs, path) => {
        const entries = await fs.readdir(path, { withFileTypes: true });
        return entries.map((each) => [each.name, each.isFile(), each.isDirectory(), each.isSymbolicLink()]);
      },
      ['/dir', '/dir/deep', '/empty', '/a.txt'],
    );
    const root = await g.fs.readdir('/', { withFileTypes: true });
    assert.ok(root.find(({ name }) => name === 'pipe')?.isFIFO());
    assert.ok(root.every(({ parentPath, path }) => parentPath === '/' && path === '/'));
  });

  test('names that are not UTF-8 are the bytes themselves, or escapes that lead back to them', async () => {
    const asBytes = await g.fs.readdir('/', 'buffer');
    assert.ok(asBytes.some((name) => name.equals(oddName)));
    assert.ok((await g.fs.readdir('/')).includes(oddText));
    const path = Buffer.concat([Buffer.from('/'), oddName]);
    assert.equal(await g.fs.readFile(path, 'latin1'), 'odd');
    assert.equal(await g.fs.readFile(`/${oddText}`, 'latin1'), 'odd');
    assert.deepEqual(await g.fs.realpath(path, 'buffer'), path);
    assert.equal(await g.fs.readFile(new URL('file:///odd%20%FF%C3('), 'latin1'), 'odd');
    const entries = await g.fs.readdir('/', { withFileTypes: true, encoding: 'buffer' });
    assert.ok(entries.some(({ name }) => Buffer.isBuffer(name) && name.equals(oddName)));
  });

  test('readdir lists all below, without following links', async () => {
    const below = await g.fs.readdir('/dir', { recursive: true });
    assert.deepEqual(below, [
      'absolute',
      'b.txt',
      'deep',
      'deep/c',
      'deep/deeper',
      'deep/deeper/with space',
      'größe',
    ]);
    const nodes = await host.readdir(`${sample.tree}/dir`, { recursive: true });
    assert.deepEqual(below, nodes.sort());
    const entries = await g.fs.readdir('/', { recursive: true, withFileTypes: true });
    const file = entries.find(({ name }) => name === 'with space');
    assert.equal(file?.parentPath, '/dir/deep/deeper');
    assert.ok(file?.isFile());
    assert.ok(!entries.some(({ parentPath }) => parentPath.startsWith('/way')));
  });

  test('readlink, realpath and access answer as in Node', async () => {
    await same((fs, path) => fs.readlink(path));
    const outside = (path: string): string =>
      path.slice(path.startsWith(sample.tree) ? sample.tree.length : 0) || '/';
    await same(async (fs, path) => outside(await fs.realpath(path)));
    await same((fs, path) => fs.access(path));
    assert.equal(await g.fs.realpath('/dir/absolute'), '/dir/b.txt');
    assert.deepEqual(await g.fs.readlink('/way', { encoding: 'buffer' }), Buffer.from('dir/deep'));
    await assert.rejects(g.fs.access('/a.txt', g.fs.constants.W_OK), { code: 'EROFS', syscall: 'access' });
    await assert.rejects(g.fs.access('/a.txt', g.fs.constants.X_OK), { code: 'EACCES' });
    await g.fs.access('/dir/b.txt', g.fs.constants.X_OK | g.fs.constants.R_OK);
    assert.deepEqual(
      await Promise.all(
        ['/a.txt', '/broken', '/loop', '/missing/x', '/a.txt/x'].map((path) => g.fs.exists(path)),
      ),
      [true, false, false, false, false],
    );
  });

  test('opendir gives the entries one after another, in the order of readdir, and in pages', async () => {
    const all = await g.fs.readdir('/', { withFileTypes: true });
    const read: string[] = [];
    for await (const entry of await g.fs.opendir('/')) {
      const same = all[read.length];
      assert.deepEqual(
        [entry.name, entry.parentPath, entry.isFIFO(), entry.isSymbolicLink(), entry.isDirectory()],
        [same?.name, '/', same?.isFIFO(), same?.isSymbolicLink(), same?.isDirectory()],
      );
      read.push(entry.name);
    }
    assert.equal(read.length, all.length);
    const names = all.map(({ name }) => name);
    for (const limit of [1, 3, 100]) {
      const paged: string[] = [];
      for (let after: string | undefined = ''; after !== undefined; ) {
        await using page = await g.fs.opendir('/', { after, limit });
        const found: string[] = [];
        for await (const { name } of page) found.push(name);
        assert.ok(found.length <= limit);
        paged.push(...found);
        after = found.at(-1);
      }
      assert.deepEqual(paged, names, `pages of ${limit}`);
    }
    const [first, second, third] = names;
    const bytes = await g.fs.opendir('/', { encoding: 'buffer', after: Buffer.from(first ?? ''), limit: 2 });
    const three = await Promise.all([bytes.read(), bytes.read(), bytes.read()]);
    assert.deepEqual(
      three.map((entry) => entry?.name.toString()),
      [second, third, undefined],
    );
    // A name that is not there is a place all the same.
    const later = await g.fs.opendir('/', { after: 'a.txt-and-more', limit: 1 });
    assert.equal((await later.read())?.name, 'broken');
    const left = await g.fs.opendir('/');
    await left.close();
    assert.equal(await left.read(), null);
    assert.equal(await (await g.fs.opendir('/empty')).read(), null);
    for (const path of ['/missing', '/a.txt', '/loop'])
      await same((fs, each) => fs.opendir(each).then(() => 'open'), [path]);
    await assert.rejects(g.fs.opendir('/', { limit: 0 }), RangeError);
  });

  test('walkEntries meets what walk tells, one file after another', async () => {
    const { paths, count, columns } = await g.walk('/');
    const told = new Map(paths.split('\0', count).map((path, index) => [path, columns.size[index]]));
    const met: string[] = [];
    for await (const { path, name, depth, stats } of g.walkEntries('/')) {
      assert.equal(stats.size, told.get(path), path);
      assert.equal(path.split('/').length, depth);
      assert.equal(path.split('/').at(-1), name);
      const parent = path.slice(0, -name.length - 1);
      assert.ok(parent === '' || met.includes(parent), 'a directory comes before what is in it');
      met.push(path);
    }
    assert.deepEqual([...met].sort(), [...told.keys()].sort());
    assert.ok(met.includes('dir/deep/deeper/with space'));
    await assert.rejects(g.walkEntries('/a.txt').next(), { code: 'ENOTDIR' });
    await assert.rejects(g.walkEntries('/', { signal: AbortSignal.abort() }).next(), { code: 'ECANCELED' });
  });

  test('failures have the form of Node, and the failure of the action as their cause', async () => {
    await assert.rejects(g.fs.readFile('/missing/x'), (error: unknown) => {
      assert.ok(error instanceof GuestFsError && error instanceof GuestfsError);
      assert.equal(error.message, "ENOENT: no such file or directory, open '/missing/x'");
      assert.equal(error.name, 'GuestFsError');
      assert.equal(error.errno, -2);
      assert.ok(error.cause instanceof GuestfsError && error.cause.action === 'statns');
      return true;
    });
    await assert.rejects(g.fs.readFile('relative'), { code: 'EINVAL', path: 'relative' });
    await assert.rejects(g.fs.stat(undefined as never), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(g.fs.readdir('/', 'klingon' as never), {
      name: 'TypeError',
      code: 'ERR_INVALID_ARG_VALUE',
    });
    await assert.rejects(g.fs.readFile(new URL('http://host/x')), { code: 'ERR_INVALID_URL_SCHEME' });
    const stop = new AbortController();
    stop.abort();
    await assert.rejects(g.fs.readFile('/a.txt', { signal: stop.signal }), { code: 'ECANCELED' });
  });

  test('a library that takes an fs of promises finds them', async () => {
    const found = Object.getOwnPropertyDescriptor(g.fs, 'promises');
    assert.ok(found?.enumerable, 'it is looked for as an own property');
    const { readFile, lstat } = found.value as GuestFs;
    assert.equal(await readFile.call(g.fs, '/a.txt', 'utf8'), 'hello\n');
    assert.equal((await lstat.call(g.fs, '/link')).isSymbolicLink(), true);
    // It is recognised by a promise where readFile is called with nothing.
    await assert.rejects((g.fs.promises.readFile as () => Promise<unknown>)());
    assert.equal(g.fs, g.fs);
  });
}

function writesAsNode(handle: () => Guestfs): void {
  test('writes as Node writes', async () => {
    const sample = makeSample(scratchDirectory());
    const g = handle();
    g.addDrive(sample.image, { format: 'raw' });
    await g.launch();
    await g.mount('/dev/sda', '/');
    for (const [fs, root] of [
      [g.fs as unknown as typeof host, ''],
      [host, sample.tree],
    ] as const) {
      await fs.writeFile(`${root}/new`, 'text', { mode: 0o751 });
      await fs.appendFile(`${root}/new`, Buffer.from(' more'));
      await fs.writeFile(
        `${root}/a.txt`,
        (async function* () {
          yield Buffer.from('one ');
          yield Buffer.from('two');
        })(),
      );
      await fs.rename(`${root}/same`, `${root}/other`);
      await fs.unlink(`${root}/link`);
      await fs.symlink('new', `${root}/link`);
      await fs.chmod(`${root}/nothing`, 0o600);
      assert.equal(await fs.mkdir(`${root}/dir/m/n`, { recursive: true }), `${root}/dir/m`);
      assert.equal(await fs.mkdir(`${root}/dir/m`, { recursive: true }), undefined);
      await fs.rmdir(`${root}/empty`);
      await fs.rm(`${root}/way`);
      await fs.rm(`${root}/dir/deep`, { recursive: true });
      await fs.rm(`${root}/not there`, { force: true });
    }
    for (const work of [
      (fs: typeof host, root: string) => fs.mkdir(`${root}/dir`),
      (fs: typeof host, root: string) => fs.rmdir(`${root}/dir`),
      (fs: typeof host, root: string) => fs.rm(`${root}/not there`),
      (fs: typeof host, root: string) => fs.unlink(`${root}/not there`),
      async (fs: typeof host, root: string) => (await fs.stat(`${root}/new`)).mode,
      async (fs: typeof host, root: string) => (await fs.stat(`${root}/nothing`)).mode,
      (fs: typeof host, root: string) => fs.readFile(`${root}/new`, 'utf8'),
      (fs: typeof host, root: string) => fs.readFile(`${root}/a.txt`, 'utf8'),
      (fs: typeof host, root: string) => fs.readFile(`${root}/link`, 'utf8'),
      async (fs: typeof host, root: string) =>
        (await fs.readdir(root === '' ? '/' : root, { recursive: true }))
          .filter((name) => /^[\w/.-]+$/.test(name) && name !== 'lost+found')
          .sort(),
    ])
      assert.deepEqual(
        await outcome(() => work(g.fs as unknown as typeof host, '')),
        await outcome(() => work(host, sample.tree), sample.tree),
      );
    await g.close();
  });
}

describe('g.fs on the embedded engine', needs(...sampleTools), () => {
  behavesAsNode((image) => openSample(image));

  writesAsNode(() => new Guestfs({ environment: false, stderr: null, backend: 'embedded' }));

  test('what writes says so where the engine only reads a filesystem', async () => {
    const g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    const path = join(scratchDirectory(), 'xfs.img');
    writeFileSync(path, readFixture('xfs/plain-v5.img.gz'));
    g.addDrive(path, { readonly: true, format: 'raw' });
    await g.launch();
    await g.mount('/dev/sda', '/');
    await assert.rejects(g.fs.mkdir('/new'), { code: 'ENOTSUP', syscall: 'mkdir' });
    await g.close();
  });
});

const appliance = needsAppliance();
describe('g.fs on the appliance', appliance.skip === undefined ? needs(...sampleTools) : appliance, () => {
  behavesAsNode((image) => openSample(image, directHandle()));

  writesAsNode(directHandle);
});
