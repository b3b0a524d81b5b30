/**
 * The command on `auto`, its own backend: what it says and leaves behind where the engine is enough, where the appliance
 * takes over, and where there is none.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsAppliance } from '../support/appliance.js';
import { needs } from '../support/tools.js';
import { type Finished, fails, finished, guestfs, main, sample, scratch, start } from './command.js';

const onAuto = { LIBGUESTFS_BACKEND: 'auto', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' };
/** Takes its time, whatever was kept of launches before. */
const booting = { ...onAuto, LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg:no_snapshot_start' };
/** As on a machine without an appliance. */
const without = { ...onAuto, LIBGUESTFS_PATH: join(scratch, 'no-appliance'), LIBGUESTFS_HV: '/no/qemu' };

const auto = (...words: string[]): Promise<Finished> => finished(start(words, { env: onAuto }));

/** Processes whose command line has a word in it. */
function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^[0-9]+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(word);
    } catch {
      return false; // it has ended since
    }
  });
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !isSo(); ) {
    assert.ok(performance.now() < end, 'it never came');
    await sleep(20);
  }
}

describe('the command without an appliance', () => {
  test('says what wanted it, why there is none and what to do: status 5', async () => {
    mkdirSync(without.LIBGUESTFS_PATH, { recursive: true });
    await fails(
      5,
      ['call', '-i', sample, 'sh', 'true'],
      /^guestfs: call: sh: the embedded backend: not supported: sh \(the appliance can do it, but cannot be started: .*(?:install|apt-get|no such file).*\)$/,
      /'guestfs doctor' tells what works here/,
      without,
    );
  });

  test('does by the engine what that can do, before and after a call that nobody does', async () => {
    const words = ['call', '--json', '-i', sample, 'cat', '/etc/hostname', ':', 'list-filesystems'];
    const ours = await guestfs(...words);
    const { status, out, err } = await finished(start(words, { env: without }));
    assert.deepEqual([status, out, err], [0, ours.out, '']);
  });

  test('names the remedy where --backend embedded was asked for', async () => {
    const remedy = /^hint: give --backend direct.*which boots the real appliance.*'guestfs doctor'/;
    const words = ['call', '--backend', 'embedded', '-i', sample];
    await fails(5, [...words, 'sh', 'true'], /^guestfs: call: sh: .*not supported/, remedy, onAuto);
    await fails(
      5,
      [...words, 'ntfsfix', '/dev/sda1'],
      /^guestfs: call: ntfsfix: .*not supported/,
      /--rw/,
      onAuto,
    );
  });
});

describe('the command on auto', { ...needsAppliance(), concurrency: 2, timeout: 240_000 }, () => {
  test('goes over in the middle, and its JSON is the same as if it had not', async () => {
    const rest = [
      'list-filesystems',
      ':',
      'stat',
      '/etc/hostname',
      ':',
      'inspect-get-product-name',
      '/dev/sda2',
    ];
    const [ours, theirs] = await Promise.all([
      guestfs('call', '--json', '-i', sample, ...rest),
      auto('call', '--json', '-i', sample, 'sh', 'echo $((6 * 7))', ':', ...rest),
    ]);
    // Elsewhere than on a terminal nothing is said of it.
    assert.deepEqual([theirs.status, theirs.err], [0, '']);
    assert.deepEqual(JSON.parse(theirs.out), ['42\n', ...JSON.parse(ours.out)]);
  });

  test('has the exit statuses of the engine', async () => {
    const { status, out, err } = await auto('call', '-i', sample, 'sh', 'true', ':', 'stat', '/nope');
    assert.deepEqual([status, out.trim()], [4, '']);
    assert.match(err, /^guestfs: call: stat: \/nope: no such file or directory\n$/i);
  });

  test(
    'says on a terminal in one line what it starts, with a bar that leaves nothing',
    needs('script'),
    async () => {
      const words = [process.execPath, main, 'call', '-m', '/dev/sda2', sample, 'sh', 'hostname; echo done'];
      const line = words.map((word) => `'${word}'`).join(' ');
      const { out } = await finished(
        spawn('script', ['-qec', `stty cols 80; ${line}`, '/dev/null'], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, ...booting, TERM: 'xterm' },
        }),
      );
      const [first = '', ...more] = out.split('\r\n');
      assert.equal(first, 'guestfs: starting the appliance: sh');
      const drawings = (more[0] ?? '').split('\r').filter((each) => each.startsWith('launch'));
      assert.ok(drawings.length >= 3, out);
      for (const drawing of drawings)
        assert.match(drawing.replace('\x1b[K', ''), /^launch +\[[<=> ]+\] [ 0-9%]*\d:\d\d$/);
      const behind = (more[0] ?? '').split('\r\x1b[K').at(-1) ?? '';
      assert.match(behind, /^[a-z0-9()-]+$/, 'the bar is gone before anything else is there');
      assert.equal(more[1], 'done');
      assert.equal(out.split('starting the appliance').length, 2);
    },
  );

  test('Ctrl-C in the middle of going over ends all of it, and leaves nothing', async () => {
    const temporary = join(scratch, 'interrupted-hand-over');
    mkdirSync(temporary);
    const child = start(['call', '-i', sample, 'sh', 'true'], {
      env: { ...booting, LIBGUESTFS_TMPDIR: temporary },
    });
    const end = finished(child);
    await until(() => processesWith(`${temporary}/`).length > 1);
    await sleep(1500);
    const pressed = performance.now();
    child.kill('SIGINT');
    const { status, out, err } = await end;
    assert.deepEqual([status, out, err], [130, '', '']);
    assert.ok(
      performance.now() - pressed < 3000,
      'it heeds the signal, and is not ended by its own patience',
    );
    assert.deepEqual(readdirSync(temporary), []);
    // The guard hears of it a moment later.
    await until(() => processesWith(`${temporary}/`).length === 0);
  });
});
