/**
 * Runs the built command as a process of its own, on the sample guest and on small images in a directory of the
 * test's.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { readFixture } from '../support/fixtures.js';

/** The repository: tests run from it. */
const root = process.cwd();
/** As it is shipped: bundled, it starts in a quarter of the time. */
export const main = join(root, 'dist/cli.cjs');
/** A real guest: Debian on GPT with an EFI system partition and ext4. */
export const sample = join(root, 'samples/debian.qcow2');

/** A directory that is gone when the test file is done. */
export const scratch = mkdtempSync(join(tmpdir(), 'guestfs-cli-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** An ext4 without a partition table, with awkward names and an 8 GiB file that is one hole. */
export const names = join(scratch, 'names.img');
writeFileSync(names, readFixture('cli/names.img.gz'));

export interface Finished {
  /** The exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** Standard output as text. */
  readonly out: string;
  readonly err: string;
}

/** The environment of the command: nothing of ours that would change what it prints. */
const environment: NodeJS.ProcessEnv = { ...process.env, TZ: 'Asia/Tokyo' };
for (const name of ['NO_COLOR', 'FORCE_COLOR', 'COLUMNS', 'NODE_OPTIONS', 'NODE_V8_COVERAGE'])
  delete environment[name];
for (const name of Object.keys(environment)) if (name.startsWith('LIBGUESTFS_')) delete environment[name];

// Without this, what the engine lacks would boot the appliance wherever there is one: auto.test.ts has that.
environment.LIBGUESTFS_BACKEND = 'embedded';

export function start(args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
    env: { ...environment, ...options.env },
  });
}

/** Waits for a process to end, and gives what it said. */
export function finished(child: ChildProcess): Promise<Finished> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => {
      const stdout = Buffer.concat(out);
      resolve({ status, signal, stdout, out: stdout.toString(), err: Buffer.concat(err).toString() });
    });
  });
}

/** Runs the command to its end. */
export function guestfs(...args: readonly string[]): Promise<Finished> {
  return finished(start(args));
}

/** Runs a command that must fail with a status; its first line on standard error is the message, the next the hint. */
export async function fails(
  status: number,
  args: readonly string[],
  message: RegExp,
  hint?: RegExp,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const { status: actual, err } = await finished(start(args, { env }));
  assert.equal(actual, status, err);
  const [first = '', second = '', ...more] = err.split('\n');
  assert.match(first, message);
  if (hint !== undefined) {
    assert.match(second, /^hint: /);
    assert.match(second, hint);
    assert.deepEqual(more, ['']);
  } else assert.equal(second, '');
}
