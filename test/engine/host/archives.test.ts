/** Archives as the foreign tools read them: GNU tar, GNU cpio, gzip, base64. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { writeCpio } from '../../../src/engine/host/archive/cpio.js';
import { writeTar } from '../../../src/engine/host/archive/tar.js';
import type { DataSink } from '../../../src/engine/host/copy-data.js';
import { type TarEntry, TarHeaderWriter } from '../../../src/formats/index.js';

import { link, MemoryFileSystem } from '../../support/memory-fs.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { callOn, scratchPath, TwiceFileSystem, withExt4 } from '../support.js';

function run(
  program: string,
  args: readonly string[],
  options: { input?: Uint8Array; cwd?: string } = {},
): Buffer {
  return execFileSync(program, args, { env: { ...toolEnvironment, TZ: 'UTC' }, maxBuffer: 1e9, ...options });
}

function collected(work: (sink: DataSink) => void): Buffer {
  const chunks: Buffer[] = [];
  work({
    keepsHoles: false,
    write: (bytes) => void chunks.push(Buffer.from(bytes)),
    hole: (length) => void chunks.push(Buffer.alloc(length)),
  });
  return Buffer.concat(chunks);
}

const tarOf = (fileSystem: MemoryFileSystem, options = {}): Buffer =>
  collected((sink) => {
    const call = callOn(fileSystem);
    writeTar(call, '/', call.session.tree.root, sink, options);
  });

const plainEntry: TarEntry = {
  name: './f',
  type: 'file',
  mode: 0o100644,
  uid: 0,
  gid: 0,
  sizeInBytes: 0,
  modifiedSeconds: 0,
  linkName: '',
  userName: '',
  groupName: '',
  deviceMajor: 0,
  deviceMinor: 0,
  records: new Map(),
};

/** What GNU tar says of one header. */
function listed(entry: Partial<TarEntry>, pax = false): string {
  const bytes = collected((sink) => {
    new TarHeaderWriter(sink, pax).write({ ...plainEntry, ...entry });
    sink.hole(1024);
  });
  return run(
    'tar',
    ['-tvf', '-', '--numeric-owner', '--full-time', '--quoting-style=escape', '--ignore-zeros'],
    { input: bytes },
  ).toString();
}

describe('a tar header', () => {
  test('has numbers past octal digits in base 256', needs('tar'), () => {
    // Sizes without contents: only the header is there, so links carry none; a fifo keeps its owner and time.
    assert.match(
      listed({ type: 'fifo', uid: 4_000_000_000, gid: 2_097_152 }),
      /^prw-r--r-- 4000000000\/2097152 /,
    );
    assert.match(listed({ type: 'fifo', modifiedSeconds: -3600 }), / 1969-12-31 23:00:00 /);
    assert.match(listed({ type: 'fifo', modifiedSeconds: 2 ** 34 }), / 2514-05-30 01:53:04 /);
    assert.match(listed({ type: 'character', deviceMajor: 300, deviceMinor: 70_000 }), / 300,70000 /);
  });

  test('holds sizes above 8 GiB', () => {
    const bytes = collected((sink) =>
      new TarHeaderWriter(sink, false).write({ ...plainEntry, sizeInBytes: 9 * 1024 ** 3 }),
    );
    assert.equal(bytes.subarray(124, 136).toString('hex'), `80${'00'.repeat(6)}0240000000`);
    const largestOctal = collected((sink) =>
      new TarHeaderWriter(sink, false).write({ ...plainEntry, sizeInBytes: 8 ** 11 - 1 }),
    );
    assert.equal(largestOctal.subarray(124, 136).toString('latin1'), '77777777777\0');
    const next = collected((sink) =>
      new TarHeaderWriter(sink, false).write({ ...plainEntry, sizeInBytes: 8 ** 11 }),
    );
    assert.equal(next.subarray(124, 136).toString('hex'), `80${'00'.repeat(6)}0200000000`);
  });

  test('has room for names and links of any length, in bytes, either way', needs('tar'), () => {
    for (const pax of [false, true]) {
      for (const length of [98, 99, 100, 101, 155, 255, 256, 1000, 4000]) {
        const name = `./${'n'.repeat(length - 2)}`;
        assert.ok(listed({ name }, pax).trimEnd().endsWith(` ${name}`), `${length}`);
        const linkName = 'l'.repeat(length);
        assert.ok(
          listed({ type: 'symlink', name, linkName }, pax).trimEnd().endsWith(` ${name} -> ${linkName}`),
          `${length}`,
        );
      }
      // 40 characters of three bytes each: the limit counts bytes.
      const wide = `./${'€'.repeat(40)}`;
      assert.ok(listed({ name: wide }, pax).includes('\\342\\202\\254'.repeat(40)));
    }
  });
});

describe('tar_out, unpacked by GNU tar', () => {
  test('gives back names, contents, modes, owners, times, links and devices', needs('tar', 'stat'), () =>
    withExt4(async (g) => {
      const archive = scratchPath('a.tar');
      await g.tarOut('/', archive, { numericowner: true, excludes: ['./huge'] });
      const lines = run('tar', ['-tvf', archive, '--numeric-owner', '--full-time', '--quoting-style=escape'])
        .toString()
        .trimEnd()
        .split('\n');
      const shown = new Map(
        lines.map((line) => [
          line.replace(/^.*?\d\d:\d\d:\d\d(?:\.\d+)? /, '').replace(/( ->| link to) .*$/, ''),
          line,
        ]),
      );
      const paths = (await g.find('/')).filter((path) => path !== 'huge');
      // A socket has no place in an archive.
      assert.equal(shown.size, paths.length + 1 - 1);
      const line = (path: string): string => shown.get(path) ?? '';
      assert.match(line('./modes/setuid'), /^-rwsr-xr-x 0\/0 +1 2020-09-13 12:26:40 /);
      assert.match(line('./modes/sticky/'), /^drwxrwxrwt /);
      assert.match(line('./modes/far'), / 70000\/4000000 /);
      assert.match(line('./nofeed'), / 1969-12-31 23:00:00 /);
      assert.match(line('./crlf.txt'), / 1903-12-28 21:36:50 /);
      assert.match(line('./bigdev'), /^crw.* 300,70000 /);
      assert.match(line('./fifo'), /^prw/);
      assert.match(line('./longlink'), / -> (dir\/){20}same$/);
      assert.ok(
        lines.some((each) => / link to \.\/(hard1|dir\/hard2)$|^h/.test(each)),
        'one of two names is a link',
      );
      assert.ok(
        shown.has('./dir/caf\\351') && shown.has('./dir/new\\nline') && shown.has('./dir/back\\\\slash'),
      );
      const into = scratchPath('unpacked');
      mkdirSync(into);
      run('tar', [
        '-xf',
        archive,
        '-C',
        into,
        '--exclude=./char',
        '--exclude=./block',
        '--exclude=./bigdev',
        '--no-same-owner',
      ]);
      for (const path of ['noise', 'sparse', 'lines', 'hard1', 'dir/hard2', 'white space/a b', 'empty'])
        assert.deepEqual(readFileSync(join(into, path)), Buffer.from(await g.readFile(`/${path}`)), path);
    }),
  );

  test('keeps attributes where asked: extended ones, lists, labels', needs('tar', 'getfattr'), () =>
    withExt4(async (g) => {
      const show = async (options: object): Promise<string> => {
        const archive = scratchPath('x.tar');
        await g.tarOut('/xattr', archive, options);
        return run('tar', [
          '-tvvf',
          archive,
          '--xattrs',
          '--xattrs-include=*',
          '--acls',
          '--selinux',
        ]).toString();
      };
      const all = await show({ xattrs: true, acls: true, selinux: true });
      assert.match(all, /user\.a/);
      assert.match(all, /user\.binary/);
      assert.match(all, /security\.capability/);
      assert.match(all, /trusted\.t/);
      assert.match(all, /system_u:object_r:etc_t:s0/);
      assert.match(all, /user:1000:rw-|user:\d+:rw-/);
      assert.doesNotMatch(await show({}), /user\.a|etc_t|user:1000/);
    }),
  );

  test('leaves out what GNU tar leaves out', needs('tar'), () => {
    const names = [
      'a',
      'a.txt',
      'b/a',
      'b/c/a.txt',
      'b/.hid',
      'star*',
      'q[1]',
      'x/y/z',
      'back\\slash',
      'sp ace',
      'foo/bar',
      'foobar',
    ];
    const tree = scratchPath('tree');
    for (const name of names) {
      mkdirSync(join(tree, name, '..'), { recursive: true });
      writeFileSync(join(tree, name), name);
    }
    const fileSystem = new MemoryFileSystem(Object.fromEntries(names.map((name) => [name, name])));
    const patterns = [
      'a',
      '*.txt',
      './a',
      'b',
      'b/c',
      './b/*',
      '*',
      '?',
      '.*',
      'star\\*',
      'q[[]1]',
      'q[1]',
      '[a-b]',
      '[!a]',
      'x/y',
      'y/z',
      'z',
      'foo',
      'foo*',
      '*bar',
      'sp ace',
      'back\\\\slash',
      'nothing',
      '',
      '/a',
      'b/',
      './',
      '[',
      'a]',
      '[]a]',
    ];
    const list = (bytes: Buffer): string[] =>
      run('tar', ['-tf', '-', '--quoting-style=escape'], { input: bytes }).toString().split('\n').sort();
    for (const pattern of patterns) {
      const theirs = list(run('tar', ['-C', tree, `--exclude=${pattern}`, '-cf', '-', '.']));
      const ours = list(tarOf(fileSystem, { excludes: [pattern] }));
      assert.deepEqual(ours, theirs, `pattern ${JSON.stringify(pattern)}`);
    }
  });

  test('names whose path is long, and links to long paths', needs('tar'), () => {
    const deep = Array.from({ length: 12 }, (_, i) => `${'d'.repeat(40)}${i}`).join('/');
    const fileSystem = new MemoryFileSystem({ [`${deep}/file`]: 'deep', link: link(`${deep}/file`) });
    const listing = run('tar', ['-tvf', '-'], { input: tarOf(fileSystem) }).toString();
    assert.ok(listing.includes(`./${deep}/file\n`));
    assert.ok(listing.includes(`./link -> ${deep}/file\n`));
    const bytes = run('tar', ['-xOf', '-', `./${deep}/file`], { input: tarOf(fileSystem) });
    assert.equal(bytes.toString(), 'deep');
  });
});

describe('cpio_out, unpacked by GNU cpio', () => {
  for (const format of ['newc', 'crc']) {
    test(`gives back names, contents and links in the format ${format}`, needs('cpio'), () =>
      withExt4(async (g) => {
        const archive = scratchPath('a.cpio');
        await g.cpioOut('/dir', archive, { format });
        const into = scratchPath('unpacked');
        mkdirSync(into);
        run('cpio', ['-idm', '--quiet', '--no-absolute-filenames'], {
          input: readFileSync(archive),
          cwd: into,
        });
        run('cpio', ['-i', '--quiet', '--only-verify-crc'], { input: readFileSync(archive), cwd: into });
        const names = readdirSync(into, { encoding: 'latin1', recursive: true }).sort();
        const expected = (await g.find('/dir')).map((name) =>
          Buffer.from(name.replace(/[\udc80-\udcff]/g, '?')).toString('latin1'),
        );
        assert.equal(names.length, expected.length);
        assert.equal(readFileSync(join(into, 'sub/deep/file'), 'utf8'), 'hello, world\n');
        assert.equal(readFileSync(join(into, 'new\nline'), 'utf8'), 'n');
      }),
    );
  }
});

describe('a directory that has a name twice, as a link and as a directory', () => {
  const archives = {
    tar_out: { write: writeTar, options: {}, list: ['tar', '-tf', '-'] },
    cpio_out: { write: writeCpio, options: 'newc', list: ['cpio', '-t', '--quiet'] },
  } as const;
  for (const [name, { write, options, list }] of Object.entries(archives))
    test(`is archived by ${name} with the first alone, and a warning`, needs(list[0]), () => {
      const warnings: string[] = [];
      const call = callOn(new TwiceFileSystem(link('/tmp')), { warn: (text) => void warnings.push(text) });
      const start = call.session.tree.resolve('/top');
      const archive = collected((sink) =>
        (write as (...args: unknown[]) => void)(call, '/top', start, sink, options),
      );
      const names = run(list[0], list.slice(1), { input: archive }).toString().trim().split('\n');
      assert.deepEqual(
        names.map((each) => each.replace(/^\.\//, '')).filter((each) => each !== '' && each !== '.'),
        ['a', 'x', 'z'],
      );
      assert.deepEqual(warnings, ['/top/x: its directory has this name twice, and the second is left out']);
    });
});

describe('other ways out', () => {
  test('base64_out is read back by base64', needs('base64'), () =>
    withExt4(async (g) => {
      for (const path of ['/noise', '/empty', '/nofeed', '/sparse', '/hello.txt']) {
        const to = scratchPath('b64');
        await g.base64Out(path, to);
        const bytes = Buffer.from(await g.readFile(path));
        assert.deepEqual(run('base64', ['-d', to]), bytes, path);
        assert.deepEqual(readFileSync(to), run('base64', [], { input: bytes }), path);
      }
    }),
  );

  test('compress_out and tgz_out are read back by gzip', needs('gzip', 'tar'), () =>
    withExt4(async (g) => {
      for (const level of [undefined, 1, 9]) {
        const to = scratchPath('gz');
        await g.compressOut('gzip', '/sparse', to, level === undefined ? {} : { level });
        run('gzip', ['-t', to]);
        assert.deepEqual(run('gzip', ['-dc', to]), Buffer.from(await g.readFile('/sparse')));
      }
      const empty = scratchPath('gz');
      await g.compressOut('gzip', '/empty', empty);
      assert.equal(run('gzip', ['-dc', empty]).length, 0);
      const tgz = scratchPath('tgz');
      await g.tgzOut('/dir', tgz);
      assert.match(run('tar', ['-tzf', tgz]).toString(), /^\.\/sub\/deep\/file$/m);
      assert.equal(gunzipSync(readFileSync(tgz)).length % 10_240, 0, 'whole records');
    }),
  );
});
