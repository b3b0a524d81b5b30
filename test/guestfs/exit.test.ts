/** What happens to open handles when a process ends, seen from outside: each test runs a program of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';

/** Runs a program that has `handle()`, a launched handle whose backend tells when it is killed. */
function run(program: string): { lines: string[]; status: number | null; errors: string } {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const prelude = `
    import { writeSync } from 'node:fs';
    import { Guestfs } from ${url('../../src/guestfs/index.js')};
    import { testing } from ${url('../../src/guestfs/testing.js')};
    const say = (text) => writeSync(1, text + '\\n');
    const startBackend = async (config, events) => ({
      pid: undefined,
      call: () => new Promise(() => {}),
      cancel() { say('cancel'); },
      async shutdown() {
        say('shutdown');
        if (globalThis.slow) return new Promise(() => {});
        events.quit();
      },
      kill() { say('kill'); },
    });
    const handle = async (options = {}) => {
      const g = new Guestfs({ environment: false, ...options, [testing]: { startBackend } });
      g.addDriveScratch(1024);
      await g.launch();
      return g;
    };
  `;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', prelude + program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { lines: child.stdout.split('\n').filter(Boolean), status: child.status, errors: child.stderr };
}

describe('a process that exits', () => {
  test('an idle handle does not keep it alive; its close callback runs, and its backend is killed', () => {
    const { lines, status } = run(`
      const g = await handle();
      g.setPrivate('thing', 'still here');
      g.setCloseCallback(() => say('close ' + g.getPrivate('thing')));
      say('end of program');
    `);
    assert.deepEqual(lines, ['end of program', 'close still here', 'kill']);
    assert.equal(status, 0);
  });

  test('the same with process.exit, while a call runs, for every handle', () => {
    const { lines, status } = run(`
      for (const name of ['one', 'two']) {
        const g = await handle();
        g.on('close', () => say('close ' + name));
        void g.zero('/dev/sda');
      }
      process.exit(3);
    `);
    assert.deepEqual(lines, ['close one', 'kill', 'close two', 'kill']);
    assert.equal(status, 3);
  });

  test('the same with an error that nobody catches', () => {
    const { lines, status } = run(`
      const g = await handle();
      g.on('close', () => say('close'));
      throw new Error('nobody catches this');
    `);
    assert.deepEqual(lines, ['close', 'kill']);
    assert.equal(status, 1);
  });

  test('a handle that was closed is left alone, one that is being closed is killed', () => {
    const { lines } = run(`
      const first = await handle();
      first.on('close', () => say('close first'));
      await first.close();
      const second = await handle();
      second.on('close', () => say('close second'));
      globalThis.slow = true;
      void second.close();
      say('exit');
      process.exit(0);
    `);
    assert.deepEqual(lines, ['close first', 'shutdown', 'close second', 'shutdown', 'exit', 'kill']);
  });

  test('a close callback that throws hinders neither the others nor the exit', () => {
    const { lines, status, errors } = run(`
      const first = await handle();
      first.on('close', () => { throw new Error('bad callback'); });
      const second = await handle();
      second.on('close', () => say('close second'));
    `);
    assert.deepEqual(lines, ['kill', 'close second', 'kill']);
    assert.match(errors, /warning: the callback for close failed: Error: bad callback/);
    assert.equal(status, 0);
  });

  test('with closeOnExit false the handle is left alone', () => {
    const { lines } = run(`
      const g = await handle({ closeOnExit: false });
      g.on('close', () => say('close'));
    `);
    assert.deepEqual(lines, []);
  });
});
