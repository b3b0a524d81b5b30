/**
 * The command on the direct backend, which boots the real appliance: it says what it says on the embedded one.
 * Without KVM a boot takes some ten seconds, so only a few commands are tried.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needsAppliance } from '../support/appliance.js';
import { needs } from '../support/tools.js';
import { type Finished, finished, guestfs, main, sample, scratch, start } from './command.js';

const patienceInMs = 240_000;

/** Where KVM is of no use, this saves the time to find that out. */
const withoutKvm = { LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' };
/** Takes its time, whatever was kept of launches before. */
const booting = { LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg:no_snapshot_start' };

/** Runs a command to its end on the direct backend. */
const direct = ([command = '', ...words]: readonly string[]): Promise<Finished> =>
  finished(start([command, '--backend', 'direct', ...words], { env: withoutKvm }));

function succeeded({ status, out, err }: Finished): string {
  assert.equal(err, '');
  assert.equal(status, 0);
  return out;
}

/** What a command prints on both. */
async function onBoth(...words: string[]): Promise<[embedded: string, direct: string]> {
  const [ours, theirs] = await Promise.all([guestfs(...words), direct(words)]);
  return [succeeded(ours), succeeded(theirs)];
}

/** Processes whose command line has a word in it. */
function processesWith(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(word);
      } catch {
        return false; // it has ended since
      }
    })
    .map(Number);
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 60_000; !isSo(); ) {
    assert.ok(performance.now() < end, 'it never came');
    await sleep(20);
  }
}

describe('the command on the direct backend', {
  ...needsAppliance(),
  concurrency: 2,
  timeout: patienceInMs,
}, () => {
  test('inspect says the same, packages and all', async () => {
    const [ours, theirs] = await onBoth('inspect', '--json', sample);
    assert.deepEqual(JSON.parse(theirs), JSON.parse(ours));
  });

  test('find lists the same files with the same facts, in an order of its own', async () => {
    const [ours, theirs] = await onBoth('find', '-l', sample);
    assert.ok(ours.split('\n').length > 1000);
    assert.deepEqual(theirs.split('\n').sort(), ours.split('\n').sort());
  });

  test('call does what only the appliance can, and the rest as the embedded engine does', async () => {
    const rest = ['checksum', 'sha256', '/etc/passwd', ':', 'list-filesystems', ':', 'stat', '/etc/hostname'];
    const [ours, theirs] = await Promise.all([
      guestfs('call', '-i', sample, ...rest),
      direct(['call', '-i', sample, 'sh', 'echo $((6 * 7))', ':', ...rest]),
    ]);
    assert.equal(succeeded(theirs), `42\n${succeeded(ours)}`);
  });

  test('without --rw a change is told to need it, and with it the image is changed', async () => {
    const image = join(scratch, 'changed.qcow2');
    copyFileSync(sample, image);
    const refused = await direct(['call', '-i', image, 'touch', '/root/x']);
    assert.equal(refused.status, 1);
    assert.match(refused.err, /^guestfs: touch: without --rw no change gets to the image\n/);
    assert.match(refused.err, /: call: touch: .*[Rr]ead-only.*\nhint: .*give --rw to change it\n$/);
    const changed = await direct(['call', '--rw', '-i', image, 'touch', '/root/x']);
    assert.equal(changed.status, 0, changed.err);
    assert.equal(succeeded(await guestfs('call', '-i', image, 'is-file', '/root/x')), 'true\n');
  });

  test(
    'a launch that takes long shows a bar on a terminal, which leaves nothing',
    needs('script'),
    async () => {
      const words = [
        process.execPath,
        main,
        'cat',
        '--backend',
        'direct',
        '-m',
        '/dev/sda2',
        sample,
        '/etc/hostname',
      ];
      const line = words.map((word) => `'${word}'`).join(' ');
      const { out } = await finished(
        spawn('script', ['-qec', `stty cols 80; ${line}`, '/dev/null'], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, ...booting, TERM: 'xterm' },
        }),
      );
      const drawings = out.split('\r').filter((each) => each.startsWith('launch'));
      assert.ok(drawings.length >= 3, out);
      for (const drawing of drawings)
        assert.match(drawing.replace('\x1b[K', ''), /^launch +\[[<=> ]+\] [ 0-9%]*\d:\d\d$/);
      const hostname = succeeded(await guestfs('cat', '-m', '/dev/sda2', sample, '/etc/hostname'));
      assert.ok(out.replaceAll('\r\n', '\n').endsWith(`\r\x1b[K${hostname}`), out);
    },
  );

  test('Ctrl-C while it boots ends it in good order, and leaves nothing', async () => {
    const temporary = join(scratch, 'interrupted-boot');
    mkdirSync(temporary);
    const child = start(['ls', '--backend', 'direct', sample], {
      env: { ...booting, LIBGUESTFS_TMPDIR: temporary },
    });
    const end = finished(child);
    await until(() => processesWith(`${temporary}/`).length > 1 && readdirSync(temporary).length > 0);
    await sleep(1500);
    const pressed = performance.now();
    child.kill('SIGINT');
    const { status, out, err } = await end;
    assert.equal(status, 130);
    assert.equal(out + err, '');
    assert.ok(
      performance.now() - pressed < 3000,
      'it heeds the signal, and is not ended by its own patience',
    );
    assert.deepEqual(readdirSync(temporary), []);
    // The guard hears of it a moment later.
    await until(() => processesWith(`${temporary}/`).length === 0);
  });
});
