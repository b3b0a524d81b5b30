/** Many handles in one process: they work side by side, and nothing of them is left. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';

const sample = 'samples/debian.qcow2';
const handleCount = 50;
/** Threads that are kept for later launches, at most; one of them is there before the fifty. */
const mostSpare = 4;

/** Open files of this process that are no pipes, sockets or the like: what a leak of ours would be. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith('/') && !target.startsWith('/dev/') ? [target] : [];
    } catch {
      return []; // the descriptor of this very listing
    }
  });
}

const threadCount = (): number => readdirSync('/proc/self/task').length;

async function withSample<T>(work: (g: Guestfs) => Promise<T>, directory: string): Promise<T> {
  await using g = new Guestfs({ environment: false });
  g.setTmpdir(directory);
  g.addDrive(sample, { readonly: true });
  await g.launch();
  await g.mountRo('/dev/sda2', '/');
  return await work(g);
}

const linuxOnly = existsSync('/proc/self/task') ? {} : { skip: 'needs /proc to look for what is left' };

test(
  'fifty handles read side by side, and leave no file, no temporary file and no more than a few threads behind',
  linuxOnly,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'guestfs-many-'));
    try {
      // One before counting: what Node itself opens once stays open.
      await withSample((g) => g.readFile('/etc/os-release'), directory);
      const filesBefore = openFiles().sort();
      const threadsBefore = threadCount();
      const answers = await Promise.all(
        Array.from({ length: handleCount }, () =>
          withSample(async (g) => {
            const [release, sums] = [
              await g.cat('/etc/os-release'),
              await g.checksum('sha256', '/etc/passwd'),
            ];
            return `${release}${sums}`;
          }, directory),
        ),
      );
      assert.equal(new Set(answers).size, 1);
      assert.match(answers[0] ?? '', /Debian/);
      assert.deepEqual(openFiles().sort(), filesBefore);
      const most = threadsBefore - 1 + mostSpare;
      assert.ok(threadCount() <= most, `${threadCount()} threads, ${threadsBefore} before`);
      assert.deepEqual(readdirSync(directory), []);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);

test(
  'a handle that is never closed does not keep its temporary files past the process',
  linuxOnly,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'guestfs-kill-'));
    const { spawn } = await import('node:child_process');
    const program = `
    import { Guestfs } from ${JSON.stringify(new URL('../../../src/guestfs/index.js', import.meta.url).href)};
    const g = new Guestfs({ environment: false });
    g.setTmpdir(${JSON.stringify(directory)});
    g.addDrive(${JSON.stringify(sample)}, { readonly: true });
    await g.launch();
    await g.mountRo('/dev/sda2', '/');
    console.log('ready');
    await g.sleep(60);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
      assert.deepEqual(readdirSync(directory), []);
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
);
