/** Locks on images that are written to: qemu's, against qemu and among handles. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { node } from '../../src/platform/index.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs } from '../support/tools.js';
import { withPath } from './programs.js';

const directory = scratchDirectory();
const path = join(directory, 'disk.raw');
writeFileSync(path, new Uint8Array(1024 * 1024));
const open = (writable: boolean, warn?: (message: string) => void) =>
  node.origin(path).open({ writable, ...(warn === undefined ? {} : { warn }) });

const writeByQemu = () =>
  spawnSync('qemu-io', ['-f', 'raw', '-c', 'write 0 512', path], { encoding: 'utf8' });

test('an image that a handle writes to is refused to other writers, and open to readers', () => {
  const disk = open(true);
  assert.throws(() => open(true), {
    code: 'EBUSY',
    message: `${path}: is in use by another handle of this process; stop that first, or open the image read-only`,
  });
  open(false).close();
  disk.close();
  open(true).close();
});

for (const helper of ['perl', 'python3'])
  test(
    `qemu is refused an image that is written to, and asked before: by ${helper}`,
    needs('qemu-io', helper),
    async () => {
      const disk = withPath([helper], () => open(true, (message) => assert.fail(message)));
      assert.match(writeByQemu().stderr, /Failed to get "write" lock/);
      disk.close();
      assert.equal(writeByQemu().status, 0);

      const qemu = spawn('qemu-io', ['-f', 'raw', path], { stdio: ['pipe', 'pipe', 'inherit'] });
      await once(qemu.stdout, 'data'); // its prompt
      try {
        assert.throws(() => withPath([helper], () => open(true)), {
          code: 'EBUSY',
          message: /is in use by qemu-io \(process \d+\)/,
        });
        open(false).close();
      } finally {
        qemu.stdin.end('quit\n');
        await once(qemu, 'exit');
      }
      open(true).close();
    },
  );

test('the locks of a process that is killed end with it', async () => {
  const program = `
    import '${new URL('../support/platform.js', import.meta.url).href}';
    import { node } from '${new URL('../../src/platform/index.js', import.meta.url).href}';
    globalThis.kept = node.origin(${JSON.stringify(path)}).open({ writable: true });
    console.log('open');
    setTimeout(() => {}, 20_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  assert.throws(() => open(true), { code: 'EBUSY', message: new RegExp(`process ${child.pid}`) });
  child.kill('SIGKILL');
  await once(child, 'exit');
  open(true).close();
});

test(
  'without a helper, the locks of others are still seen, and a warning says what is missing',
  needs('perl'),
  () => {
    const told: string[] = [];
    withPath([], () => open(true, (message) => told.push(message)).close());
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /disk\.raw: is not locked .*: neither perl nor python3 is installed$/);
    const disk = open(true);
    withPath([], () => assert.throws(() => open(true), { code: 'EBUSY' }));
    disk.close();
  },
);
