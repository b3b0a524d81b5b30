/** copy_out writes to the host what a guest names: whatever the guest says, nothing leaves the directory. */
import assert, { AssertionError } from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GuestfsError, PartialError, UnsupportedError } from '../../../src/base/index.js';
import { copyOut } from '../../../src/engine/host/copy-out.js';
import type { DirectoryEntry } from '../../../src/fs/index.js';
import { directory, link, MemoryFileSystem, special } from '../../support/memory-fs.js';
import { callOn, scratchPath, TwiceFileSystem, withExt4 } from '../support.js';

const fails = (code: string) => (thrown: unknown) => thrown instanceof GuestfsError && thrown.code === code;

function target(): string {
  const path = scratchPath('target');
  mkdirSync(path);
  return path;
}

/** A filesystem whose directories hold names that no driver should let pass. */
class HostileFileSystem extends MemoryFileSystem {
  readonly #names: readonly string[];

  constructor(names: readonly string[]) {
    super({ 'top/honest': 'honest', victim: 'victim' });
    this.#names = names;
  }

  override *entries(inode: number): Iterable<DirectoryEntry> {
    const entries = [...super.entries(inode)];
    yield* entries;
    const file = entries.find(({ name }) => name === 'honest');
    if (file !== undefined) for (const name of this.#names) yield { ...file, name };
  }
}

/** Says of every file that it has two names. */
class LinkedFileSystem extends MemoryFileSystem {
  override stat(inode: number) {
    return { ...super.stat(inode), linkCount: 2 };
  }
}

describe('copy_out', () => {
  test('has touched the host once it has made something, and not before', () => {
    const files = new MemoryFileSystem({ 'top/a': 'first', 'top/b': 'second' });
    /** The call meets what is not supported at its checkpoint of that number. */
    const copyUntil = (count: number): { readonly touched: boolean; readonly names: readonly string[] } => {
      const to = target();
      let checkpoints = 0;
      const call = callOn(files, {
        isCancelled: () => {
          if (++checkpoints > count) throw new UnsupportedError('a file', ['what is in it']);
          return false;
        },
      });
      assert.equal(call.touched, false);
      assert.throws(() => copyOut(call, '/top', to), UnsupportedError);
      return { touched: call.touched, names: readdirSync(to, { recursive: true }) as string[] };
    };
    const outcomes = Array.from({ length: 40 }, (_, count) => count).flatMap((count) => {
      try {
        return [copyUntil(count)];
      } catch (thrown) {
        if (thrown instanceof AssertionError && thrown.message.startsWith('Missing expected exception'))
          return [];
        throw thrown;
      }
    });
    const early = callOn(files);
    assert.throws(() => copyOut(early, '/nothing', target()), fails('ENOENT'));
    assert.equal(early.touched, false);
    for (const { touched, names } of outcomes)
      if (names.length > 0) assert.equal(touched, true, names.join(' '));
    assert.ok(
      outcomes.some(({ names }) => names.length === 2),
      'half a tree',
    );
  });

  for (const name of ['../escaped', '/etc/escaped', 'a/b', 'nul\0byte', '']) {
    test(`leaves out a file named ${JSON.stringify(name)}, copies the rest, and says so`, () => {
      const to = target();
      const told: string[] = [];
      const call = callOn(new HostileFileSystem([name]), { warn: (message) => told.push(message) });
      assert.throws(() => copyOut(call, '/top', to), PartialError);
      assert.equal(existsSync(join(to, '..', 'escaped')), false);
      assert.deepEqual(readdirSync(join(to, 'top')), ['honest']);
      assert.match(told.join(), /^\/top: ext4 directory: holds an impossible name .*: left out$/);
    });
  }

  test('copies the contents of d/., and refuses what ends in ..', () => {
    const files = { 'd/a': 'a', 'd/deep/b': 'b', 'd/pipe': special('fifo'), 'd/l': link('deep'), other: '' };
    for (const path of ['/d/.', '/d/./', '/d/./.', '/d/l/../.']) {
      const to = target();
      const told: string[] = [];
      copyOut(callOn(new MemoryFileSystem(files), { warn: (message) => told.push(message) }), path, to);
      assert.deepEqual(readdirSync(to).sort(), ['a', 'deep', 'l'], path);
      assert.equal(readFileSync(join(to, 'deep/b'), 'latin1'), 'b');
      if (path === '/d/.') assert.match(told.join('\n'), /^\/d\/pipe: /);
    }
    const linked = target();
    copyOut(callOn(new MemoryFileSystem(files)), '/d/l/.', linked);
    assert.deepEqual(readdirSync(linked), ['b']);
    const untouched = target();
    for (const [path, code] of [
      ['/d/..', 'EINVAL'],
      ['/d/a/.', 'ENOTDIR'],
    ] as const)
      assert.throws(() => copyOut(callOn(new MemoryFileSystem(files)), path, untouched), fails(code), path);
    assert.deepEqual(readdirSync(untouched), []);
  });

  test('passes over entries named . and ..', () => {
    const to = target();
    copyOut(callOn(new HostileFileSystem(['.', '..'])), '/top', to);
    assert.deepEqual(readdirSync(join(to, 'top')), ['honest']);
  });

  test('a name that comes twice is made once, and the second told of', () => {
    const outside = scratchPath('outside');
    writeFileSync(outside, 'untouched');
    const to = target();
    const warnings: string[] = [];
    copyOut(
      callOn(new TwiceFileSystem(link(outside)), { warn: (text) => void warnings.push(text) }),
      '/top',
      to,
    );
    assert.equal(readFileSync(outside, 'utf8'), 'untouched');
    assert.deepEqual(readdirSync(join(to, 'top')).sort(), ['a', 'x', 'z']);
    assert.equal(readlinkSync(join(to, 'top/x')), outside);
    assert.deepEqual(warnings, ['/top/x: its directory has this name twice, and the second is left out']);
  });

  test('several names of a file are several names of one file', () => {
    const fileSystem = new LinkedFileSystem({ 'top/a': 'contents', 'top/sub/other': '' });
    const sub = fileSystem.lookup(fileSystem.lookup(2, 'top') ?? 0, 'sub') ?? 0;
    fileSystem.addEntry(sub, 'b', fileSystem.lookup(fileSystem.lookup(2, 'top') ?? 0, 'a') ?? 0);
    const to = target();
    copyOut(callOn(fileSystem), '/top', to);
    assert.equal(readFileSync(join(to, 'top/sub/b'), 'utf8'), 'contents');
    assert.equal(statSync(join(to, 'top/a')).ino, statSync(join(to, 'top/sub/b')).ino);
    assert.equal(statSync(join(to, 'top/sub/other')).nlink, 1);
  });

  test('on Windows names that it reads as something else are left out', () => {
    const files = { 'top/..\\..\\evil': 'x', 'top/a:b': 'x', 'top/NUL/f': 'x', 'top/good': 'x' };
    const warnings: string[] = [];
    const to = target();
    const call = callOn(new MemoryFileSystem(files), { warn: (text) => void warnings.push(text) });
    copyOut(call, '/top', to, 'win32');
    assert.deepEqual(readdirSync(join(to, 'top')), ['good']);
    assert.equal(warnings.length, 3);
    assert.match(warnings[0] ?? '', /^\/top\/\.\.\\\.\.\\evil: cannot have this name on the host/);
  });

  test('a link that stands on the host where a file or directory is to go is not followed', () => {
    const outside = target();
    writeFileSync(join(outside, 'file'), 'untouched');
    const to = target();
    mkdirSync(join(to, 'top'));
    symlinkSync(join(outside, 'file'), join(to, 'top', 'file'));
    copyOut(callOn(new MemoryFileSystem({ 'top/file': 'new' })), '/top', to);
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'untouched');
    assert.equal(readFileSync(join(to, 'top/file'), 'utf8'), 'new');
    symlinkSync(outside, join(to, 'dir'));
    assert.throws(
      () => copyOut(callOn(new MemoryFileSystem({ 'dir/evil': 'x' })), '/dir', to),
      fails('ENOTDIR'),
    );
    assert.equal(existsSync(join(outside, 'evil')), false);
  });

  test('links come out as they are, wherever they lead, and are not walked', () => {
    const to = target();
    const files = {
      'top/abs': link('/etc'),
      'top/up': link('../../..'),
      'top/self': link('.'),
      'top/file': 'x',
    };
    copyOut(callOn(new MemoryFileSystem(files)), '/top', to);
    assert.equal(readlinkSync(join(to, 'top/abs')), '/etc');
    assert.equal(readlinkSync(join(to, 'top/up')), '../../..');
    assert.deepEqual(readdirSync(join(to, 'top')).sort(), ['abs', 'file', 'self', 'up']);
  });

  test('a link to a directory does not lead the copy of its children astray', () => {
    // The guest has `a` as a directory; the host's directory has `a` as a link made by an earlier copy.
    const to = target();
    copyOut(callOn(new MemoryFileSystem({ a: link('/tmp') })), '/a', to);
    assert.throws(() => copyOut(callOn(new MemoryFileSystem({ 'a/b': 'x' })), '/a', to), fails('ENOTDIR'));
  });

  test('special files are left out with a warning', () => {
    const warnings: string[] = [];
    const to = target();
    const files = {
      'top/pipe': special('fifo'),
      'top/dev': special('block'),
      'top/s': special('socket'),
      'top/f': '',
    };
    copyOut(
      callOn(new MemoryFileSystem(files), { warn: (message) => void warnings.push(message) }),
      '/top',
      to,
    );
    assert.deepEqual(readdirSync(join(to, 'top')), ['f']);
    assert.equal(warnings.length, 3);
  });

  test('a special file in the root is named by its path', () => {
    const warnings: string[] = [];
    const fileSystem = new MemoryFileSystem({ dev: special('character') });
    copyOut(callOn(fileSystem, { warn: (message) => void warnings.push(message) }), '/', target());
    assert.deepEqual(warnings, [
      '/dev: a character device is not copied: making one needs a program of the host',
    ]);
  });

  test('set-id bits come out only where root copies from a guest that it trusts', () => {
    const files = { 'top/d': directory(0o3775), 'top/d/f': { ...special('file'), permissions: 0o6755 } };
    for (const policy of ['untrusted', 'trusted'] as const) {
      const to = target();
      copyOut(callOn(new MemoryFileSystem(files), {}, policy), '/top', to);
      const kept = policy === 'trusted' && process.getuid?.() === 0;
      assert.equal(statSync(join(to, 'top/d')).mode & 0o7777, kept ? 0o3775 : 0o1775);
      assert.equal(statSync(join(to, 'top/d/f')).mode & 0o7777, kept ? 0o6755 : 0o755);
    }
  });

  test('permissions and times are those of the guest, also of directories, which are private until then', () => {
    const to = target();
    const fileSystem = new MemoryFileSystem({ 'top/closed': directory(0o500), 'top/closed/file': 'x' });
    copyOut(callOn(fileSystem), '/top', to);
    const closed = statSync(join(to, 'top/closed'));
    assert.equal(closed.mode & 0o7777, 0o500);
    const expected = fileSystem.stat(
      fileSystem.lookup(fileSystem.lookup(fileSystem.root, 'top') ?? 0, 'closed') ?? 0,
    );
    assert.equal(Math.floor(closed.mtimeMs / 1000), expected.modified.seconds);
  });

  test('of the root, all that is in it goes into the directory, whose own attributes stay', () => {
    const to = target();
    utimesSync(to, 1000, 1000);
    const mode = statSync(to).mode;
    copyOut(callOn(new MemoryFileSystem({ a: 'a', 'b/c': 'c' })), '/', to);
    assert.deepEqual(readdirSync(to).sort(), ['a', 'b']);
    assert.equal(statSync(to).mode, mode);
  });

  test('directories that are missing or none are refused', () => {
    const file = scratchPath();
    writeFileSync(file, '');
    const call = callOn(new MemoryFileSystem({ a: 'a', 'd/b': 'b' }));
    assert.throws(() => copyOut(call, '/a', '/nowhere/at/all'), GuestfsError);
    assert.throws(() => copyOut(call, '/a', file), GuestfsError);
    assert.throws(() => copyOut(call, '/missing', target()), fails('ENOENT'));
    assert.throws(() => copyOut(call, '/d/..', target()), fails('EINVAL'));
  });

  test('names that are no UTF-8, holes and odd characters survive', () =>
    withExt4(async (g) => {
      const to = target();
      await g.copyOut('/dir', to);
      const names = readdirSync(join(to, 'dir'), { encoding: 'latin1' });
      assert.ok(
        names.includes('caf\xe9') && names.includes('new\nline') && names.includes('back\\slash'),
        names.join(),
      );
      await g.copyOut('/huge', to);
      const { size, blocks } = statSync(join(to, 'huge'));
      assert.equal(size, 5 * 1024 ** 3);
      assert.ok(blocks * 512 < 1024 * 1024);
    }));
});
