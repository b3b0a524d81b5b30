/** The engine's thread when it is started before the launch, seen from outside: each test runs a program of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

function run(program: string): { lines: string[]; status: number | null; errors: string } {
  const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const prelude = `
    import { readdirSync } from 'node:fs';
    import { offerThread, startThread } from ${url('../../../src/guestfs/preload.js')};
    import { Guestfs } from ${url('../../../src/guestfs/index.js')};
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

test('one that nobody launches with does not keep the process alive', () => {
  assert.deepEqual(run(`offerThread(startThread()); console.log('end');`), {
    lines: ['end'],
    status: 0,
    errors: '',
  });
});

test('the first launch takes the one that is offered; the second has it again', () => {
  const { lines, errors } = run(`
    const before = threads();
    const thread = startThread();
    offerThread(thread);
    console.log(threads() - before);
    const g = new Guestfs({ environment: false });
    g.addDrive('samples/debian.qcow2', { readonly: true });
    await g.launch();
    console.log(threads() - before);
    await g.close();
    console.log(threads() - before, thread.worker.threadId > 0);
    console.log(await release(), threads() - before);
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['1', '1', '1 true', 'true 1']);
});

test('one that has died meanwhile is not used', () => {
  const { lines, errors } = run(`
    const thread = startThread();
    offerThread(thread);
    await thread.worker.terminate();
    console.log(await release());
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['true']);
});

test('a launch in a working directory that was deleted says so, and works again in another', () => {
  const { lines, errors } = run(`
    const { mkdtempSync, rmdirSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const image = process.cwd() + '/samples/debian.qcow2';
    const directory = mkdtempSync(tmpdir() + '/guestfs-test-');
    process.chdir(directory);
    rmdirSync(directory);
    const g = new Guestfs({ environment: false });
    g.addDrive(image, { readonly: true });
    console.log(await g.launch().catch((error) => error.code + ' ' + error.message));
    process.chdir('/');
    await g.launch();
    console.log(await g.listDevices());
  `);
  assert.equal(errors, '');
  assert.match(
    lines[0] ?? '',
    /^ENOENT launch: the working directory of this process was deleted, .*: change to another/,
  );
  assert.equal(lines[1], "[ '/dev/sda' ]");
});

test('one that is kept ends when no launch has come for a while, and the process does not wait for that', () => {
  const { lines, errors } = run(`
    const before = threads();
    const setTimer = globalThis.setTimeout;
    const idle = [];
    globalThis.setTimeout = (work, time) => {
      if (time !== 10_000) return setTimer(work, time);
      idle.push(work);
      return setTimer(() => {}, 0);
    };
    await release();
    console.log(threads() - before, idle.length);
    globalThis.setTimeout = setTimer;
    for (const work of idle) work();
    for (let tries = 0; tries < 200 && threads() > before; tries++)
      await new Promise((resolve) => setTimer(resolve, 10));
    console.log(threads() - before);
    console.log(await release(), threads() - before);
    const start = performance.now();
    process.on('exit', () => console.log(performance.now() - start < 2_000));
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['1 1', '0', 'true 1', 'true']);
});

/** Programs that launch, and what they do then: none of it is a call that is still running when they are at their end. */
const endings: Readonly<Record<string, string>> = {
  'launches and calls nothing': '',
  'asks the handle for settings': 'g.getState(); g.debugDrives(); g.getBackend();',
  'makes a call that succeeds': 'await g.listDevices();',
  'makes a call that fails': "await g.cat('/x').catch(() => {});",
  'makes a call that the tables answer': 'await g.availableAllGroups();',
  'asks for a feature that there is not': "await g.available(['bogus']).catch(() => {});",
  'gives a call up': 'await g.listDevices({ signal: AbortSignal.abort() }).catch(() => {});',
  'launches again after a shutdown':
    "await g.shutdown(); g.addDrive('samples/debian.qcow2', { readonly: true }); await g.launch();",
  'launches again after the engine was killed':
    "await g.killSubprocess(); g.addDrive('samples/debian.qcow2', { readonly: true }); await g.launch();",
  'has a second handle': `const other = new Guestfs({ environment: false });
    other.addDrive('samples/debian.qcow2', { readonly: true }); await other.launch();`,
};

for (const [what, program] of Object.entries(endings)) {
  test(`a program ends by itself that ${what}, with its handle open`, () => {
    const { lines, status, errors } = run(`
      const g = new Guestfs({ environment: false });
      g.addDrive('samples/debian.qcow2', { readonly: true });
      await g.launch();
      ${program}
      console.log('end');
    `);
    assert.deepEqual({ lines, status, errors }, { lines: ['end'], status: 0, errors: '' });
  });
}

test('a program that forks has a thread ready for its next fork', () => {
  const { lines, errors } = run(`
    const before = threads();
    const open = async () => {
      const g = new Guestfs({ environment: false });
      g.addDrive('samples/debian.qcow2', { readonly: true });
      await g.launch();
      return g;
    };
    const g = await open();
    console.log(threads() - before);
    const second = await g.fork();
    console.log(threads() - before);
    const third = await second.fork();
    console.log(threads() - before);
    await Promise.all([g, second, third].map((each) => each.close()));
    console.log('end');
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['1', '3', '4', 'end']);
});

test('a pool has a thread ready for its next handle, as long as it may have one more', () => {
  const { lines, errors } = run(`
    const { GuestfsPool } = await import('${new URL('../../../src/guestfs/index.js', import.meta.url).href}');
    const before = threads();
    for (const max of [1, 2]) {
      const pool = new GuestfsPool('samples/debian.qcow2', { max, environment: false });
      const first = await pool.acquire();
      console.log(threads() - before);
      const others = max > 1 ? [await pool.acquire()] : [];
      console.log(threads() - before);
      await pool.close();
    }
    console.log('end');
  `);
  assert.equal(errors, '');
  assert.deepEqual(lines, ['1', '1', '2', '2', 'end']);
});
