/** The command as a process: signals, broken pipes, terminals. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { needs } from '../support/tools.js';
import { finished, guestfs, main, names, sample, scratch, start } from './command.js';

/** Waits until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 20_000; !isSo(); ) {
    assert.ok(performance.now() < end, 'it never came');
    await sleep(20);
  }
}

const quote = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(' ');

/** The command in a shell line. */
const line = (...args: string[]): string => quote([process.execPath, main, ...args]);

function shell(script: string) {
  return finished(spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Runs the command on a terminal of 80 columns; gives what the terminal got. */
async function onTerminal(...args: string[]) {
  const { out } = await finished(
    spawn('script', ['-qec', `stty cols 80; ${line(...args)}`, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '' },
    }),
  );
  return out.replaceAll('\r\n', '\n');
}

describe('process', { concurrency: 3 }, () => {
  test('Ctrl-C ends a call in good order: status 130, and no file is left', async () => {
    const directory = join(scratch, 'interrupted');
    mkdirSync(directory);
    const child = start(['tar-out', '-q', '--compress', 'gzip', `${names}:/`, join(directory, 'all.tar.gz')]);
    const end = finished(child);
    await until(() => readdirSync(directory).length > 0);
    const pressed = performance.now();
    child.kill('SIGINT');
    const { status, err } = await end;
    assert.equal(status, 130);
    assert.equal(err, '');
    assert.ok(performance.now() - pressed < 3000);
    assert.deepEqual(readdirSync(directory), []);
  });

  test('what was there before an interrupted copy is still there', async () => {
    const directory = join(scratch, 'kept');
    mkdirSync(directory);
    const file = join(directory, 'all.tar.gz');
    writeFileSync(file, 'before');
    const child = start(['tar-out', '-q', '--compress', 'gzip', `${names}:/`, file]);
    const end = finished(child);
    await until(() => readdirSync(directory).length > 1);
    child.kill('SIGTERM');
    assert.equal((await end).status, 143);
    assert.equal(readFileSync(file, 'utf8'), 'before');
    assert.deepEqual(readdirSync(directory), ['all.tar.gz']);
  });

  test('a second Ctrl-C ends at once, also while a pipe is full that nobody reads', async () => {
    const child = start(['cat', '-q', `${names}:/big`], { stdio: ['ignore', 'pipe', 'pipe'] });
    const end = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('exit', (status, signal) => resolve([status, signal])),
    );
    child.stdout?.once('readable', () => child.stdout?.pause());
    await sleep(1500);
    child.kill('SIGINT');
    await sleep(50);
    child.kill('SIGINT');
    const [status, signal] = await end;
    assert.ok(status === 130 || signal === 'SIGINT', `${status} ${signal}`);
    child.stdout?.destroy();
  });

  test('a reader that goes away ends it quietly', async () => {
    const pipe = await shell(
      `{ ${line('cat', '-q', `${names}:/big`)}; echo "status $?" >&2; } | head -c 5 >/dev/null`,
    );
    assert.equal(pipe.err, 'status 0\n');
    const child = start(['cat', '-q', `${names}:/big`]);
    const end = finished(child);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const socket = await end;
    assert.equal(socket.status, 0);
    assert.equal(socket.err, '');
  });

  test('a pipe whose reader is slow gets all of it, and others may go on to write to it', async () => {
    // Far more than a pipe holds and than is under way at a time, and no two places of it are the same.
    const bytes = Buffer.alloc(24 * 1024 * 1024 + 5, 'behind');
    for (let at = 0; at + 4 <= bytes.length; at += 512) bytes.writeUInt32BE(at, at);
    const directory = join(scratch, 'large');
    const image = join(scratch, 'large.img');
    mkdirSync(directory);
    writeFileSync(join(directory, 'file'), bytes);
    const made = await guestfs('make-fs', '-q', directory, '-o', image);
    assert.deepEqual([made.status, made.err], [0, '']);
    const cat = line('cat', '-q', `${image}:/file`);
    const slow = await shell(
      `{ ${cat}; echo behind; } | { sleep 0.5; dd bs=7000 count=3 status=none; sleep 0.2; cat; } | sha256sum`,
    );
    const file = await shell(`{ ${cat} > ${scratch}/big; echo behind; } >> ${scratch}/big`);
    const whole = await shell(`{ cat ${scratch}/big; } | sha256sum`);
    assert.deepEqual([slow.err, file.err, whole.err], ['', '', '']);
    assert.equal(slow.out, whole.out);
    assert.equal(whole.out, `${createHash('sha256').update(bytes).update('behind\n').digest('hex')}  -\n`);
  });

  test('standard output that is a file is written on from where it is', async () => {
    const file = join(scratch, 'joined');
    const fd = openSync(file, 'w');
    writeFileSync(fd, 'before\n');
    const { status } = await finished(
      start(['cat', '-q', names, '/plain/one.txt', '/plain/two.TXT'], { stdio: ['ignore', fd, 'pipe'] }),
    );
    closeSync(fd);
    assert.equal(status, 0);
    assert.equal(readFileSync(file, 'utf8'), 'before\none\ntwo, and more\n');
  });

  test('a name that is no UTF-8 can be typed', async () => {
    const { out, err } = await shell(`${line('cat', '-q', names)} "$(printf '/odd/bytes\\377\\376')"`);
    assert.equal(err, '');
    assert.equal(out, 'bytes\n');
  });

  test('a name that is no UTF-8 is copied as it is', async () => {
    const directory = join(scratch, 'bytes');
    mkdirSync(directory);
    const { err, status } = await shell(
      `${line('cp', '-q', names)} "$(printf '/odd/bytes\\377\\376')" '${directory}'`,
    );
    assert.equal(err, '');
    assert.equal(status, 0);
    const [name] = readdirSync(directory, 'buffer');
    assert.deepEqual(name, Buffer.from('bytes\xff\xfe', 'latin1'));
  });

  test('in a working directory that was deleted, absolute paths work, and others are not found', async () => {
    const gone = (words: string[]) =>
      shell(`mkdir ${scratch}/gone && cd ${scratch}/gone && rmdir ${scratch}/gone && ${line(...words)}`);
    const { out, err, status } = await gone(['cat', `${sample}:/etc/hostname`]);
    assert.deepEqual({ out, err, status }, { out: 'dolphin\n', err: '', status: 0 });
    const relative = await gone(['cat', 'debian.qcow2:/etc/hostname']);
    assert.equal(relative.status, 3);
    assert.match(relative.err, /^guestfs: .*debian\.qcow2: no such file or directory/);
    const copied = await gone(['cp', `${sample}:/etc/hostname`, 'copy']);
    assert.notEqual(copied.status, 0);
  });

  test('the trace shows calls on standard error', async () => {
    const { err } = await finished(start(['ls', '-qx', `${names}:/plain`]));
    assert.match(err, /mount_ro "\/dev\/sda" "\/"/);
  });

  test('names on a terminal are escaped, and in columns', needs('script'), async () => {
    const out = await onTerminal('ls', '-q', `${names}:/odd`);
    assert.equal(
      out,
      'a b         bell\\x07\\x1b[31mred  new\\nline            漢字\nback\\slash  bytes\\xff\\xfe        turn\\u{202e}gpj.exe\n',
    );
  });

  test('colours are for terminals', needs('script'), async () => {
    const [coloured, plain, piped] = await Promise.all([
      onTerminal('ls', '-q', `${names}:/plain`),
      onTerminal('ls', '-q', '--color=never', `${names}:/plain`),
      finished(start(['ls', '-q', '--color=always', `${names}:/plain/sub`, '-d'])),
    ]);
    assert.ok(coloured.includes('\x1b[1;34msub\x1b[0m'));
    assert.ok(!plain.includes('\x1b['));
    assert.equal(piped.out, '\x1b[1;34m/plain/sub\x1b[0m\n');
  });

  test('a call of more than two seconds shows a bar on a terminal', needs('script'), async () => {
    const out = await onTerminal('call', '-q', sample, 'debug', 'progress', '3');
    assert.ok(!out.includes('['), 'not with -q');
    const shown = await onTerminal('call', sample, 'debug', 'progress', '4');
    const drawings = shown.split('\r').filter((each) => each.includes('['));
    assert.ok(drawings.length >= 3, shown);
    for (const drawing of drawings) assert.ok((drawing.split('\x1b[K')[0] ?? '').length < 80, drawing);
    assert.match(shown, /100%.*in +0:04/);
  });

  test('no bar is drawn where nobody looks', async () => {
    const { err, out } = await finished(start(['call', sample, 'debug', 'progress', '3']));
    assert.equal(err, '');
    assert.equal(out, 'ok\n');
  });
});
