/**
 * What a launch meets on real hosts: kernels that are missing or may not be read, full disks, builds at once, KVM as
 * it is here, too little memory. With the real supermin and qemu.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { kvmProblem } from '../../src/appliance/machine/accelerator.js';
import { findAppliance } from '../../src/appliance/machine/appliance.js';
import { listKernels } from '../../src/appliance/machine/supermin.js';
import { GuestfsError } from '../../src/base/index.js';
import { needs } from '../support/tools.js';
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

const isRoot = process.geteuid?.() === 0;
/** What needs root: to mount, to be another user. */
const asRoot = isRoot ? {} : { skip: 'not root' };
const both = (...all: { skip?: string }[]): { skip?: string } =>
  all.find(({ skip }) => skip !== undefined) ?? {};

const path = '/usr/lib/x86_64-linux-gnu/guestfs';
const nobody = 65534;

/** A disk of so many bytes, mounted as long as the test goes on. */
function mounted(t: TestContext, sizeInBytes: number): string {
  const point = mkdtempSync(join(tmpdir(), 'guestfs-test-mount-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeInBytes}`, 'guestfs-test', point]);
  t.after(() => {
    execFileSync('umount', ['-l', point]);
    rmdirSync(point);
  });
  return point;
}

/** Runs a program that sees other kernels in `/boot`. */
const withBoot = (boot: string): string[] => [
  'unshare',
  '--mount',
  '--',
  'sh',
  '-c',
  'mount --bind "$1" /boot && shift && exec "$@"',
  'sh',
  boot,
];

const needsUnshare = both(asRoot, real, needs('unshare', 'mount'));

describe('the kernels of the distribution', needsUnshare, () => {
  test('where there is none, one must be installed', async (t) => {
    const where = place(t);
    const boot = join(where.directory, 'boot');
    mkdirSync(boot);
    const child = new Program(
      t,
      where,
      {},
      'const g = handle(); await g.launch().catch((error) => say(error.code + " " + error.message)); say(g.state);',
      withBoot(boot),
    );
    await child.ended();
    assert.deepEqual(child.lines, [
      'ENOENT launch: there is no kernel for the appliance in /boot: install one for x86_64 (Debian: linux-image-cloud-amd64 or linux-image-amd64)',
      'config',
    ]);
    await assertNothingLeft(where);
  });

  test('where it may not be read, the remedy is told, and helps', launchTimeout, async (t) => {
    const where = place(t);
    const boot = join(where.directory, 'boot');
    mkdirSync(boot);
    for (const name of [where.directory, boot]) chmodSync(name, 0o755);
    for (const directory of [where.tmp, where.cache]) chownSync(directory, nobody, nobody);
    const kernels = listKernels().all;
    for (const kernel of kernels) {
      const copy = join(boot, kernel.slice('/boot/'.length));
      copyFileSync(kernel, copy);
      chmodSync(copy, 0o600);
    }
    const remedied = join(where.directory, 'remedied');
    const child = new Program(
      t,
      where,
      {},
      `
      import { existsSync } from 'node:fs';
      import { setTimeout as delay } from 'node:timers/promises';
      await import(${JSON.stringify(new URL('../../src/appliance/index.js', import.meta.url).href)});
      process.setgroups([]);
      process.setgid(${nobody});
      process.setuid(${nobody});
      const g = handle();
      await g.launch().catch((error) => say(error.code + ' ' + error.message));
      say(g.state);
      while (!existsSync(${JSON.stringify(remedied)})) await delay(50);
      await g.launch();
      say(JSON.stringify(await g.listDevices()));
      await g.close();
      `,
      withBoot(boot),
    );
    await child.said('config');
    assert.match(
      child.lines[0] ?? '',
      /^EACCES launch: the kernel \/boot\/vmlinuz-\S+, of which the appliance is made, may not be read by this user: let it be with `sudo chmod \+r \/boot\/vmlinuz-\S+`/,
    );
    for (const kernel of kernels) chmodSync(join(boot, kernel.slice('/boot/'.length)), 0o644);
    writeFileSync(remedied, '');
    assert.equal((await child.ended()).exitCode, 0, child.errors);
    assert.equal(child.lines.at(-1), '["/dev/sda"]');
    await assertNothingLeft(where);
  });
});

describe('a full disk', both(onLinux, asRoot, needs('mount')), () => {
  test('under the temporary files', async (t) => {
    const where = place(t);
    const full = mounted(t, 64 * 1024);
    assert.throws(() => writeFileSync(join(full, 'all'), Buffer.alloc(2 ** 20)), { code: 'ENOSPC' });
    const { g } = handle(t, where, { hv: standIn(where, 'works').path, path: fixedAppliance(where) });
    g.setTmpdir(full);
    await assert.rejects(g.launch(), {
      code: 'ENOSPC',
      message:
        /^launch: there is no room for the appliance's temporary files in .*; choose another directory for them with setTmpdir or LIBGUESTFS_TMPDIR$/,
    });
    assert.equal(g.state, 'config');
    assert.deepEqual(readdirSync(full), ['all']);
    await assertAllGone(where);
    g.setTmpdir(where.tmp);
    await g.launch();
  });

  test('under the appliance that is built', both(real), async (t) => {
    const where = place(t);
    const full = mounted(t, 16 * 2 ** 20);
    const { g } = handle(t, where, { path });
    g.setCachedir(full);
    await assert.rejects(g.launch(), {
      code: 'ENOSPC',
      message:
        /^launch: there is no room to build the appliance in .*: choose another with LIBGUESTFS_CACHEDIR$/,
    });
    assert.equal(g.state, 'config');
    assert.deepEqual(readdirSync(join(full, `.guestfs-${process.geteuid?.()}`)), ['lock']);
    await assertAllGone(where);
  });
});

test('a cache that belongs to another user is not used', both(onLinux, asRoot), async (t) => {
  const where = place(t);
  const cache = join(where.cache, '.guestfs-0');
  mkdirSync(cache);
  chownSync(cache, nobody, nobody);
  const { g } = handle(t, where, { path });
  await assert.rejects(g.launch(), {
    code: 'EPERM',
    message:
      /belongs to the user 65534, not to 0: remove it, or choose another directory with LIBGUESTFS_CACHEDIR/,
  });
});

describe('builds of the appliance', real, () => {
  const options = ({ cache }: Place, signal?: AbortSignal) =>
    ({ path, cachedir: cache, architecture: 'x86_64', signal }) as const;

  /** Waits until supermin has begun to build. */
  async function building({ cache }: Place): Promise<void> {
    const directory = join(cache, `.guestfs-${process.geteuid?.()}`);
    while (!readdirSync(directory).some((name) => name.startsWith('appliance.d.'))) await delay(10);
  }

  test('at once wait for each other; one that gives up neither harms the other nor leaves anything', async (t) => {
    const where = place(t);
    const first = findAppliance(options(where));
    await building(where);
    const abort = new AbortController();
    const second = assert.rejects(findAppliance(options(where, abort.signal)), { code: 'ECANCELED' });
    const third = findAppliance(options(where));
    await delay(300);
    abort.abort();
    await second;
    for (const { kind, root } of await Promise.all([first, third])) {
      assert.equal(kind, 'supermin');
      assert.ok(statSync(root).size > 2 ** 30);
    }
    await assertAllGone(where);
  });

  test('that are cancelled leave nothing, and the one that waited goes on', async (t) => {
    const where = place(t);
    const abort = new AbortController();
    const first = assert.rejects(findAppliance(options(where, abort.signal)), { code: 'ECANCELED' });
    await building(where);
    const second = findAppliance(options(where));
    await delay(200);
    const start = performance.now();
    abort.abort();
    await first;
    assert.ok(performance.now() - start < 1000);
    assert.equal((await second).kind, 'supermin');
    await assertAllGone(where);
  });

  test('are cancelled with the launch', async (t) => {
    const where = place(t);
    const { g } = handle(t, where, { path });
    const abort = new AbortController();
    const launch = assert.rejects(g.launch({ signal: abort.signal }), { code: 'ECANCELED' });
    while (processesWith(where.cache).length === 0) await delay(10);
    await building(where);
    abort.abort();
    await launch;
    assert.equal(g.state, 'config');
    await assertAllGone(where);
  });
});

test(
  'what supermin says is told where nothing better is known; without supermin it must be installed',
  onLinux,
  async (t) => {
    const where = place(t);
    const { buildAppliance } = await import('../../src/appliance/machine/supermin.js');
    const { directory, cache } = where;
    const boot = join(directory, 'boot');
    mkdirSync(boot);
    writeFileSync(join(boot, 'vmlinuz-6.1'), '');
    const options = { source: directory, cache, architecture: 'x86_64', boot };
    const failsWith = async (supermin: string, code: string, message: RegExp): Promise<void> =>
      await assert.rejects(buildAppliance({ ...options, supermin }), (thrown) => {
        assert.ok(thrown instanceof GuestfsError);
        assert.match(thrown.message, message);
        assert.equal(thrown.code, code);
        return true;
      });
    const script = (name: string, text: string): string => program(where, name, `#!/bin/sh\n${text}\n`);
    await failsWith(
      '/no/such/supermin',
      'ENOENT',
      /supermin, which builds the appliance, is missing: install it \(Debian/,
    );
    await failsWith(
      script('a', 'echo odd things >&2; exit 1'),
      'EIO',
      /could not build the appliance: odd things; .*install them again/,
    );
    await failsWith(script('b', 'exit 1'), 'EIO', /it does not say why/);
    await failsWith(script('c', 'kill -9 $$'), 'EIO', /it was ended by SIGKILL/);
    await failsWith(
      script('d', 'echo supermin: failed to find a suitable kernel; exit 1'),
      'ENOENT',
      /there is no kernel/,
    );
    await failsWith(script('e', 'exit 0'), 'ENOENT', /appliance.d/);
  },
);

describe('the real qemu', real, () => {
  test('with more memory than there is', async (t) => {
    const where = place(t);
    const { g } = handle(t, where, { path: fixedAppliance(where) });
    g.setMemsize(100_000_000);
    await assert.rejects(g.launch(), {
      code: 'ENOMEM',
      message:
        /^launch: this machine has not enough memory for an appliance of 100000000 megabytes; set less with setMemsize or LIBGUESTFS_MEMSIZE$/,
    });
    assert.equal(g.state, 'config');
    await assertAllGone(where);
  });

  test('with a kernel that does not boot', async (t) => {
    const where = place(t);
    const { g } = handle(t, where, { path: fixedAppliance(where), limits: { bootInMs: 5000 } });
    await assert.rejects(g.launch(), {
      message: /^launch: [^\n]*; set LIBGUESTFS_DEBUG=1 to see all that it says$/,
    });
    assert.equal(g.state, 'config');
    await assertAllGone(where);
  });

  test(
    'with KVM as it is here: used where it works, else done without and remembered',
    launchTimeout,
    async (t) => {
      const where = place(t);
      const { g, told } = handle(t, where, { path, settings: [] });
      await g.launch();
      assert.deepEqual(await g.listDevices(), ['/dev/sda']);
      await g.close();
      const cache = join(where.cache, `.guestfs-${process.geteuid?.()}`);
      const remembered = readdirSync(cache).filter((name) => name.startsWith('no-kvm-'));
      assert.equal(told.warnings.length, remembered.length);
      for (const name of remembered) {
        const { reason } = JSON.parse(readFileSync(join(cache, name), 'utf8')) as { reason: string };
        assert.ok(told.warnings[0]?.includes(reason));
      }
      // Where there is no device, or it may not be opened, that is said to whoever listens, and warned of to nobody.
      const problem = kvmProblem();
      if (problem !== undefined) {
        assert.deepEqual(remembered, []);
        assert.ok(told.library.some((line) => line.includes(problem)));
      }
      await assertAllGone(where);
    },
  );
});
