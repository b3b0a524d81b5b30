/**
 * The command as it is shipped: bundles, and what the first runs keep of them for the later ones, which may be of use
 * or not.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Script } from 'node:vm';
import { readFixtureBuffer } from '../support/fixtures.js';
import { main, scratch } from './command.js';

const root = process.cwd();
const dist = join(root, 'dist');

/** A user's cache directory, of a test's own. */
const home = (): string => mkdtempSync(join(scratch, 'cache-'));
const caches = (cache: string): string[] => readdirSync(join(cache, 'guestfs')).sort();
/** The name of a cache, without what depends on the build and the machine. */
const kinds = (cache: string): string[] =>
  caches(cache).map((name) => name.replace(/-[0-9a-f]{16}-[0-9]+-cat\./, '.'));

function release(environment: NodeJS.ProcessEnv, ...nodeOptions: string[]): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...nodeOptions, join(dist, 'cli.cjs'), 'cat', 'samples/debian.qcow2:/etc/os-release'],
    {
      encoding: 'utf8',
      timeout: 20_000,
      env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '', ...environment },
    },
  );
  assert.deepEqual({ stderr, status }, { stderr: '', status: 0 });
  return stdout;
}

describe('the shipped command', () => {
  test('is the same for every Node: nothing that one has compiled is in the package', () => {
    assert.deepEqual(
      readdirSync(dist).filter((name) => name.endsWith('.cache')),
      [],
    );
  });

  test('keeps what its first three runs compiled, for this user alone, and this Node takes it', () => {
    const cache = home();
    const runs = [1, 2, 3, 4].map(() => {
      assert.match(release({ XDG_CACHE_HOME: cache }), /^PRETTY_NAME="Debian/);
      return kinds(cache);
    });
    assert.deepEqual(runs, [
      ['program.1.cache', 'worker.1.cache'],
      ['program.2.cache', 'worker.2.cache'],
      ['program.3.cache', 'worker.3.cache'],
      ['program.3.cache', 'worker.3.cache'],
    ]);
    for (const name of caches(cache)) {
      const path = join(cache, 'guestfs', name);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      const filename = join(dist, `${name.split('-')[0]}-code.cjs`);
      const script = new Script(readFileSync(filename, 'latin1'), {
        filename,
        cachedData: readFileSync(path),
      });
      assert.equal(script.cachedDataRejected, false, name);
    }
  });

  test('keeps what one command compiled apart from what others did', () => {
    const cache = home();
    release({ XDG_CACHE_HOME: cache });
    const ofCat = caches(cache);
    for (const args of [['ls', 'samples/debian.qcow2:/etc'], ['ls', '--help'], ['nonsense']])
      spawnSync(process.execPath, [join(dist, 'cli.cjs'), ...args], {
        env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: '', XDG_CACHE_HOME: cache },
        timeout: 20_000,
      });
    const added = caches(cache).filter((name) => !ofCat.includes(name));
    assert.deepEqual(
      added.map((name) => name.replace(/-[0-9a-f]{16}-[0-9]+-/, ' ')),
      ['program ls.2.cache', 'program other.1.cache', 'worker ls.1.cache'],
    );
    assert.equal(added.length + ofCat.length, caches(cache).length);
  });

  test('reads what few sessions want where somebody does, and keeps what it compiled of that, too', () => {
    const cache = home();
    const environment = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '', XDG_CACHE_HOME: cache };
    const tree = join(scratch, 'tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'file'), 'contents');
    for (let run = 0; run < 2; run++) {
      const args = [join(dist, 'cli.cjs'), 'make-fs', '--force', '-q', tree, '-o', join(scratch, 'new.img')];
      const { status, stderr } = spawnSync(process.execPath, args, { env: environment, encoding: 'utf8' });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    }
    assert.deepEqual(
      caches(cache).map((name) => name.replace(/-[0-9a-f]{16}-[0-9]+-/, ' ')),
      ['program make-fs.2.cache', 'worker make-fs.2.cache', 'worker.apart make-fs.2.cache'],
    );
  });

  test('keeps what each of its commands compiled, however many there are', () => {
    const cache = home();
    release({ XDG_CACHE_HOME: cache });
    const [own = ''] = caches(cache);
    const others = Array.from({ length: 20 }, (_, i) => own.replace('-cat.', `-command${i}.`));
    for (const name of others) {
      writeFileSync(join(cache, 'guestfs', name), '');
      utimesSync(join(cache, 'guestfs', name), 0, 0);
    }
    release({ XDG_CACHE_HOME: cache });
    assert.deepEqual(
      others.filter((name) => !caches(cache).includes(name)),
      [],
    );
  });

  test('keeps what fifteen other versions compiled beside its own, and no more', () => {
    const cache = home();
    mkdirSync(join(cache, 'guestfs'), { mode: 0o700 });
    for (let version = 0; version < 18; version++) {
      const path = join(cache, 'guestfs', `program-${version}-1-cat.3.cache`);
      writeFileSync(path, '');
      utimesSync(path, version, version);
    }
    release({ XDG_CACHE_HOME: cache });
    const kept = caches(cache).filter((name) => /^program-\d+-1-/.test(name));
    assert.deepEqual(kept, Array.from({ length: 15 }, (_, i) => `program-${i + 3}-1-cat.3.cache`).sort());
  });

  test('keeps nothing where it is told so, or has nowhere to', () => {
    const cache = home();
    release({ XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: '1' });
    assert.deepEqual(readdirSync(cache), []);
    const file = join(cache, 'file');
    writeFileSync(file, '');
    release({ XDG_CACHE_HOME: file });
    release({ XDG_CACHE_HOME: '', HOME: '' });
    assert.deepEqual(readdirSync(cache), ['file']);
  });

  test('reads nothing that others can have written', () => {
    const cache = home();
    release({ XDG_CACHE_HOME: cache });
    const before = caches(cache);
    chmodSync(join(cache, 'guestfs'), 0o777);
    for (const name of before) writeFileSync(join(cache, 'guestfs', name), 'theirs');
    release({ XDG_CACHE_HOME: cache });
    assert.deepEqual(caches(cache), before);
    for (const name of before) assert.equal(readFileSync(join(cache, 'guestfs', name), 'utf8'), 'theirs');
  });

  test('loads the packages it depends on, from its worker as well', () => {
    const image = join(scratch, 'zstd.qcow2');
    writeFileSync(image, readFixtureBuffer('qcow2/zstd.qcow2.gz'));
    const args = ['hexdump', '-d', 'sda', image, '--length', '1M'];
    const [shipped, built] = [join(dist, 'cli.cjs'), main].map((program) =>
      spawnSync(process.execPath, [program, ...args], {
        encoding: 'utf8',
        timeout: 20_000,
        maxBuffer: 64 * 1024 * 1024,
      }),
    );
    assert.deepEqual({ stderr: shipped?.stderr, status: shipped?.status }, { stderr: '', status: 0 });
    assert.ok((shipped?.stdout.length ?? 0) > 2 ** 20);
    assert.equal(shipped?.stdout, built?.stdout);
  });

  const damages: Record<string, (path: string) => void> = {
    'is empty': (path) => writeFileSync(path, ''),
    'is cut short': (path) => writeFileSync(path, readFileSync(path).subarray(0, 100_000)),
    'is of another program': (path) => writeFileSync(path, new Script('1 + 1').createCachedData()),
    'is a directory': (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  };
  for (const [damage, make] of Object.entries(damages)) {
    test(`does its work where what was compiled ${damage}`, () => {
      const cache = home();
      release({ XDG_CACHE_HOME: cache });
      for (const name of caches(cache)) make(join(cache, 'guestfs', name));
      assert.match(release({ XDG_CACHE_HOME: cache }), /^PRETTY_NAME="Debian/);
    });
  }

  test('does its work with other flags, for which it keeps another', () => {
    const cache = home();
    release({ XDG_CACHE_HOME: cache });
    assert.match(release({ XDG_CACHE_HOME: cache }, '--stack-size=1500', '--no-opt'), /^PRETTY_NAME="Debian/);
    assert.deepEqual(
      kinds(cache).filter((kind) => kind.startsWith('program')),
      ['program.1.cache', 'program.1.cache'],
    );
  });
});
