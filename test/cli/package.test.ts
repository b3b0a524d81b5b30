/** The command as it is shipped: bundles beside what was compiled of them, which may be of use or not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Script } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import { main, scratch } from './command.js';

const root = process.cwd();
const dist = join(root, 'dist');
const caches = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.cache'));

function release(directory: string, ...nodeOptions: string[]): string {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...nodeOptions, join(directory, 'cli.cjs'), 'cat', 'samples/debian.qcow2:/etc/os-release'],
    { encoding: 'utf8', timeout: 20_000 },
  );
  assert.deepEqual({ stderr, status }, { stderr: '', status: 0 });
  return stdout;
}

describe('the shipped command', () => {
  test('has compiled code beside the command and the worker, and this Node takes it', () => {
    const names = caches(dist).map((name) => name.split('-')[0]);
    assert.deepEqual(names.sort(), ['program', 'worker']);
    for (const name of caches(dist)) {
      const filename = join(dist, `${name.split('-')[0]}-code.cjs`);
      const script = new Script(readFileSync(filename, 'latin1'), {
        filename,
        cachedData: readFileSync(join(dist, name)),
      });
      assert.equal(script.cachedDataRejected, false, name);
    }
  });

  test('does its work', () => {
    assert.match(release(dist), /^PRETTY_NAME="Debian/);
  });

  test('loads the packages it depends on, from its worker as well', () => {
    const image = join(scratch, 'zstd.qcow2');
    writeFileSync(image, gunzipSync(readFileSync('test/fixtures/qcow2/zstd.qcow2.gz')));
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
    'is missing': (path) => rmSync(path),
    'is empty': (path) => writeFileSync(path, ''),
    'is cut short': (path) => writeFileSync(path, readFileSync(path).subarray(0, 100_000)),
    'is of another program': (path) => writeFileSync(path, new Script('1 + 1').createCachedData()),
  };
  for (const [damage, make] of Object.entries(damages)) {
    test(`does it as well where the compiled code ${damage}`, () => {
      const copy = mkdtempSync(join(tmpdir(), 'guestfs-package-'));
      try {
        cpSync(dist, join(copy, 'dist'), { recursive: true });
        symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
        for (const name of caches(join(copy, 'dist'))) make(join(copy, 'dist', name));
        assert.match(release(join(copy, 'dist')), /^PRETTY_NAME="Debian/);
      } finally {
        rmSync(copy, { recursive: true, force: true });
      }
    });
  }

  test('does it as well with flags that make V8 refuse the compiled code', () => {
    assert.match(release(dist, '--stack-size=1500', '--no-opt'), /^PRETTY_NAME="Debian/);
  });
});
