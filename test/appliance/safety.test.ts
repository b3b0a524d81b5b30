/**
 * Nothing outlives its handle: no qemu, no process that watches or builds, no directory. Each way to end is tried on a
 * program of its own, with a hypervisor that stands in for qemu; and the worst of them, `kill -9`, on the real one.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  assertAllGone,
  assertNothingLeft,
  fixedAppliance,
  handle,
  launchTimeout,
  onLinux,
  type Place,
  Program,
  place,
  processesWith,
  program,
  real,
  standIn,
} from './support.js';

/** A program with a launched handle `g`, up to `code`. */
function launched(t: TestContext, where: Place, code: string): Program {
  const settings = { hv: standIn(where, 'works').path, path: fixedAppliance(where) };
  return new Program(
    t,
    where,
    settings,
    `const g = handle(); await g.launch(); say('ready'); ${code}; say('end');`,
  );
}

/** Keeps the program alive. */
const stay = 'await new Promise((resolve) => setTimeout(resolve, 60_000))';
/** A call that the daemon never answers. */
const busy = `void g.debug('hang', []).catch(() => {}); say('busy'); ${stay}`;

describe('after the end of a program', onLinux, () => {
  const ends: readonly (readonly [string, string, { exitCode: number | null; lines: readonly string[] }])[] =
    [
      ['that closes its handle', 'await g.close()', { exitCode: 0, lines: ['ready', 'end'] }],
      ['that shuts it down', 'await g.shutdown()', { exitCode: 0, lines: ['ready', 'end'] }],
      ['that kills the backend', 'await g.killSubprocess()', { exitCode: 0, lines: ['ready', 'end'] }],
      ['that leaves the handle open', '', { exitCode: 0, lines: ['ready', 'end'] }],
      ['that throws', "throw new Error('nobody catches this')", { exitCode: 1, lines: ['ready'] }],
      ['that calls process.exit', 'process.exit(3)', { exitCode: 3, lines: ['ready'] }],
      [
        'that calls process.exit while a call runs',
        "void g.debug('hang', []).catch(() => {}); process.exit(4)",
        { exitCode: 4, lines: ['ready'] },
      ],
      [
        'that calls process.exit while it closes the handle',
        'void g.close(); process.exit(5)',
        { exitCode: 5, lines: ['ready'] },
      ],
    ];
  for (const [what, code, expected] of ends)
    test(what, async (t) => {
      const where = place(t);
      const child = launched(t, where, code);
      const { exitCode } = await child.ended();
      assert.deepEqual({ exitCode, lines: child.lines }, expected, child.errors);
      await assertNothingLeft(where);
    });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
    test(`by ${signal} while it is idle`, async (t) => {
      const where = place(t);
      const child = launched(t, where, stay);
      await child.said('ready');
      assert.ok(processesWith(where.tmp).length > 0, 'there was something to end');
      child.kill(signal);
      assert.deepEqual(await child.ended(), { exitCode: null, signal });
      await assertNothingLeft(where);
    });

    test(`by ${signal} while a call runs`, async (t) => {
      const where = place(t);
      const child = launched(t, where, busy);
      await child.said('busy');
      child.kill(signal);
      assert.deepEqual(await child.ended(), { exitCode: null, signal });
      await assertNothingLeft(where);
    });
  }

  test('by SIGKILL together with its guard: a later launch removes what they have left, and nothing else', async (t) => {
    const where = place(t);
    const child = launched(t, where, stay);
    await child.said('ready');
    const [left = '', ...more] = readdirSync(where.tmp);
    assert.deepEqual(more, []);
    assert.match(left, /^guestfs-/);
    const [guard = ''] = processesWith(where.tmp).filter((line) => line.includes('guestfs-guard'));
    process.kill(Number.parseInt(guard, 10), 'SIGKILL');
    child.kill('SIGKILL');
    await child.ended();
    // The hypervisor lives on, as nobody ends it.
    for (const line of processesWith(where.directory)) process.kill(Number.parseInt(line, 10), 'SIGKILL');
    assert.deepEqual(readdirSync(where.tmp), [left], 'there is something to remove');

    const other = launched(t, where, stay);
    await other.said('ready');
    const [running = '', ...rest] = readdirSync(where.tmp);
    assert.deepEqual(rest, []);
    assert.notEqual(running, left);
    const [, boot, namespace, pid, start, random] =
      /^guestfs-([0-9a-f]+)\.(\d+)\.(\d+)\.(\d+)-(.*)$/.exec(running) ?? [];
    assert.equal(Number(pid), other.pid);
    // Of another start of the machine, of another namespace, of no owner, and what is no directory.
    const kept = [
      `guestfs-${boot === '00000000' ? '11111111' : '00000000'}.${namespace}.${pid}.1-${random}`,
      `guestfs-${boot}.1.${pid}.1-${random}`,
      `guestfs-${random}`,
    ];
    for (const name of kept) mkdirSync(join(where.tmp, name));
    // One that bears this number now started at another time.
    const remains = `guestfs-${boot}.${namespace}.${pid}.${Number(start) + 1}-${random}`;
    mkdirSync(join(where.tmp, remains, 'deep'), { recursive: true });
    const file = `guestfs-${boot}.${namespace}.${pid}.${Number(start) + 2}-${random}`;
    writeFileSync(join(where.tmp, file), '');
    const third = launched(t, where, 'await g.close()');
    await third.ended();
    assert.deepEqual(readdirSync(where.tmp).sort(), [...kept, file, running].sort());
    other.kill('SIGKILL');
    await other.ended();
    for (const name of [...kept, file]) rmSync(join(where.tmp, name), { recursive: true });
    await assertNothingLeft(where);
  });

  test('by SIGKILL at any moment of the launch', async (t) => {
    const where = place(t);
    const { path: hv, accelerators } = standIn(where, 'stuck');
    const settings = { hv, path: fixedAppliance(where) };
    // Later and later, until the hypervisor has been running several times when the end comes.
    for (let late = 0; accelerators().length < 5 && late < 3000; late += 15) {
      const child = new Program(t, where, settings, "say('start'); await handle().launch();");
      await child.said('start');
      await delay(late);
      child.kill('SIGKILL');
      await child.ended();
    }
    assert.equal(accelerators().length, 5);
    await assertNothingLeft(where);
  });

  test('by process.exit at any moment of the launch, with nobody to watch over it', async (t) => {
    const where = place(t);
    const settings = { hv: standIn(where, 'stuck').path, path: fixedAppliance(where) };
    for (const late of [0, 1, 3, 10, 30, 60, 100, 150]) {
      const child = new Program(
        t,
        where,
        settings,
        `const g = handle();
         g.setRecoveryProc(false);
         const launch = g.launch();
         launch.catch(() => {});
         setTimeout(() => process.exit(6), ${late});
         await launch;`,
      );
      assert.equal((await child.ended()).exitCode, 6, child.errors);
    }
    await assertNothingLeft(where);
  });

  test('that is stopped by its terminal together with all of its group', async (t) => {
    const where = place(t);
    const settings = { hv: standIn(where, 'works').path, path: fixedAppliance(where) };
    const code = `const g = handle(); await g.launch(); say('ready'); ${stay}`;
    const child = new Program(t, where, settings, code, ['setsid']);
    await child.said('ready');
    process.kill(-child.pid, 'SIGINT');
    await child.ended();
    await assertNothingLeft(where);
  });
});

describe('a launched handle', onLinux, () => {
  test('has one directory, into which nobody else may look, and no socket in it', async (t) => {
    const where = place(t);
    const { g } = handle(t, where, { hv: standIn(where, 'works').path, path: fixedAppliance(where) });
    await g.launch();
    const [name, ...others] = readdirSync(where.tmp);
    assert.deepEqual(others, []);
    const directory = join(where.tmp, name ?? '');
    assert.equal(statSync(directory).mode & 0o7777, 0o700);
    const files = readdirSync(directory).map((file) => statSync(join(directory, file)));
    assert.ok(files.length > 0);
    assert.ok(files.every((stats) => stats.isFile() && (stats.mode & 0o7777) === 0o600));
    await g.close();
    await assertAllGone(where);
  });

  test('does not leave a hypervisor behind that will not end, nor what a wrapper started', async (t) => {
    const where = place(t);
    const inner = standIn(where, 'stubborn').path;
    const hv = program(where, 'wrapper', `#!/bin/sh\nsleep 1000 &\n${inner} "$@"\n`);
    const { g } = handle(t, where, { hv, path: fixedAppliance(where) });
    await g.launch();
    assert.ok(processesWith('sleep\x001000').length > 0);
    await g.close();
    await assertNothingLeft(where);
    assert.deepEqual(processesWith('sleep\x001000'), []);
  });
});

describe('the real appliance', real, () => {
  test('ends with a program that is killed while it is busy', launchTimeout, async (t) => {
    const where = place(t);
    const code = `
      const g = handle();
      const launch = g.launch();
      await launch;
      void g.debug('sh', ['sleep 600']).catch(() => {});
      say('busy');
      ${stay}`;
    const child = new Program(t, { ...where, cache: '/var/tmp' }, {}, code);
    await child.said('busy', 100_000);
    assert.ok(processesWith(where.tmp).some((line) => line.includes('qemu-system')));
    child.kill('SIGKILL');
    await child.ended();
    await assertNothingLeft(where);
  });

  test('and one that is killed while supermin builds, or the appliance boots', launchTimeout, async (t) => {
    const where = place(t);
    const code = `
      const g = handle();
      g.on('progress', ({ position }) => say('step ' + position));
      say('start');
      await g.launch();
    `;
    for (const late of [300, 1500]) {
      const child = new Program(t, where, {}, code);
      await child.said('start');
      await delay(late);
      assert.ok(processesWith(where.cache).some((line) => line.includes('supermin')));
      child.kill('SIGKILL');
      await child.ended();
      await assertNothingLeft(where);
    }
    const child = new Program(t, where, {}, code);
    await child.said('start');
    const end = performance.now() + 60_000;
    while (!processesWith(where.tmp).some((line) => line.includes('qemu-system')) && performance.now() < end)
      await delay(50);
    await delay(700);
    child.kill('SIGKILL');
    await child.ended();
    await assertNothingLeft(where);
  });
});
