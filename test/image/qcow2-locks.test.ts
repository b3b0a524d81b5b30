/** Locks of a whole chain, as qemu takes them: against a real qemu-img that commits into it. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openImage } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { qemuImg } from './qcow2-writing.js';

const directory = scratchDirectory();
const at = (name: string): string => join(directory, `${name}.qcow2`);
const options = { encoding: 'utf8', env: toolEnvironment } as const;
const open = (name: string, writable: boolean) => openImage(at(name), { writable }).disk;

/** base ← middle ← top, and another image over `middle`. */
function makeChain(): void {
  qemuImg('create', '-q', '-f', 'qcow2', at('base'), '16M');
  qemuImg('create', '-q', '-f', 'raw', at('raw'), '1M');
  qemuImg('create', '-q', '-f', 'qcow2', '-b', at('raw'), '-F', 'raw', at('over raw'));
  for (const [name, below] of [
    ['middle', 'base'],
    ['top', 'middle'],
    ['other', 'middle'],
  ] as const)
    qemuImg('create', '-q', '-f', 'qcow2', '-b', at(below), '-F', 'qcow2', at(name));
  const write = ['-f', 'qcow2', '-c', 'write 0 8M', at('top')];
  assert.equal(spawnSync('qemu-io', write, options).status, 0);
}

/** The bytes of a file that are locked. */
function locksOf(name: string): number[] {
  const { ino } = statSync(at(name));
  return readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, kind, , , , file]) => kind === 'OFDLCK' && file?.endsWith(`:${ino}`) === true)
    .flatMap(([, , , , , , first, last]) =>
      Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => Number(first) + index),
    )
    .sort((one, two) => one - two);
}

/** Commits `top` over `middle` into `base`. */
const commit = ['commit', '-f', 'qcow2', '-b', at('base'), at('top')];

test(
  'all files below an image that is written to are locked, as qemu locks them',
  needs('qemu-io'),
  async () => {
    makeChain();
    const qemu = spawn('qemu-io', ['-f', 'qcow2', at('top')], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(qemu.stdout, 'data'); // its prompt
    const expected = ['top', 'middle', 'base'].map(locksOf);
    qemu.stdin.end('quit\n');
    await once(qemu, 'exit');
    assert.deepEqual(expected[2], [100, 201, 203]);

    const reading = open('top', false);
    assert.deepEqual(locksOf('top'), []);
    assert.deepEqual(locksOf('middle'), []);
    reading.close();
    const disk = open('top', true);
    assert.deepEqual(['top', 'middle', 'base'].map(locksOf), expected);
    // Others may be over the same files.
    open('other', true).close();
    disk.close();
    assert.deepEqual(['top', 'middle', 'base'].flatMap(locksOf), []);
  },
);

test(
  'what commits over a file below is refused while an image over it is written to',
  needs('qemu-img'),
  () => {
    makeChain();
    const disk = open('other', true);
    const { status, stderr } = spawnSync('qemu-img', commit, options);
    assert.notEqual(status, 0);
    assert.match(stderr, /Failed to get .* lock/);
    disk.close();
    assert.equal(spawnSync('qemu-img', commit, options).status, 0);
  },
);

test('an image over a file that qemu commits over is not written to', needs('qemu-img'), async () => {
  makeChain();
  const qemu = spawn('qemu-img', ['commit', '-r', '1M', ...commit.slice(1)], { stdio: 'ignore' });
  try {
    while (!locksOf('middle').includes(200)) {
      assert.equal(qemu.exitCode, null, 'qemu-img was done before it was looked at');
      await setTimeout(10);
    }
    assert.throws(() => open('other', true), {
      code: 'EBUSY',
      message: /middle\.qcow2: is in use by qemu-img \(process \d+\)/,
    });
    open('other', false).close();
  } finally {
    qemu.kill('SIGKILL');
    await once(qemu, 'exit');
  }
  open('other', true).close();
});
