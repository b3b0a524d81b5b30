/** The engine's thread when it is started before the launch, seen from outside: each test runs a program of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

function run(program: string): { lines: string[]; status: number | null; errors: string } {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const prelude = `
    import { readdirSync } from 'node:fs';
    import { startThreadAhead } from ${url('../../src/guestfs/ahead.js')};
    import { Guestfs } from ${url('../../src/guestfs/index.js')};
    const threads = () => readdirSync('/proc/self/task').length;
    const release = async (g = new Guestfs({ environment: false })) => {
      g.addDrive('samples/debian.qcow2', { readonly: true });
      await g.launch();
      await g.mountRo('/dev/sda2', '/');
      const text = await g.cat('/etc/os-release');
      await g.close();
      return text.includes('Debian');
    };
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', prelude + program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { lines: child.stdout.split('\n').filter(Boolean), status: child.status, errors: child.stderr };
}

test('a thread that nobody launches with does not keep the process alive', () => {
  assert.deepEqual(run(`startThreadAhead(); console.log('end');`), { lines: ['end'], status: 0, errors: '' });
});

test('started twice it is one, and the first launch takes it; the second starts its own', () => {
  const { lines, errors } = run(`
    const before = threads();
    const first = startThreadAhead();
    console.log(startThreadAhead() === first, threads() - before);
    console.log(await release(), threads() - before);
    console.log(startThreadAhead() !== first);
    console.log(await release(), await release(), threads() - before);
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['true 1', 'true 0', 'true', 'true true 0']);
});

test('one that has died meanwhile is not used', () => {
  const { lines, errors } = run(`
    await startThreadAhead().terminate();
    console.log(await release());
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['true']);
});
