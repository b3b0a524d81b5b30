/** What the direct backend finds out about a machine: with programs and directories that are made for each test. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { daemonOfParts } from '../../src/appliance/doctor/daemon-parts.js';
import { tryGuest } from '../../src/appliance/doctor/guest-trial.js';
import { type CheckResult, checkAppliance } from '../../src/appliance/index.js';
import { forgetKvmProblem, rememberKvmProblem } from '../../src/appliance/machine/accelerator.js';
import { listKept } from '../../src/appliance/machine/cache-contents.js';
import { findProgram } from '../../src/appliance/machine/programs.js';
import { findArchitecture } from '../../src/appliance/machine/qemu.js';
import { listKernels } from '../../src/appliance/machine/supermin.js';
import { needs } from '../support/tools.js';

const scratch = mkdtempSync(join(tmpdir(), 'guestfs-examination-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let made = 0;
function directory(): string {
  const path = join(scratch, `${made++}`);
  mkdirSync(path);
  return path;
}

/** A program that does as a shell script says. */
function program(script: string): string {
  const path = join(directory(), 'program');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A file that begins as a kernel of this processor does. */
function kernelIn(path: string): string {
  const head = Buffer.alloc(0x400);
  head.write('HdrS', 0x202, 'latin1');
  writeFileSync(path, head);
  return path;
}

interface Place {
  readonly hv?: string;
  readonly path?: string;
  readonly cachedir?: string;
  readonly backendSettings?: readonly string[];
  readonly boot?: string;
}

async function examine({ hv = 'no-such-qemu', path, cachedir, backendSettings = [], boot }: Place) {
  const settings = { hv, path: path ?? directory(), cachedir: cachedir ?? directory(), backendSettings };
  const findings = await checkAppliance(settings, {
    showSize: String,
    trialLimitInMs: 500,
    boot: boot ?? directory(),
  });
  return new Map(findings.map((finding) => [finding.name, finding]));
}

/** A finding that must be there. */
function found(findings: ReadonlyMap<string, CheckResult>, name: string): CheckResult {
  const finding = findings.get(name);
  assert.ok(finding, `nothing is said of ${name}`);
  return finding;
}

const onX86 = process.arch === 'x64' ? {} : { skip: `the direct backend is not for ${process.arch}` };

describe('an examination', onX86, () => {
  test('names what is missing, with its package', async () => {
    const findings = await examine({});
    for (const [name, word] of [
      ['qemu', 'qemu-system-x86'],
      ['kernel', 'linux-image-cloud-amd64'],
      ['appliance', 'libguestfs0'],
    ] as const) {
      const { status, remedy = '' } = found(findings, name);
      assert.equal(status, 'missing', name);
      assert.ok(remedy.includes(word), `${name}: ${remedy}`);
    }
    assert.equal(found(findings, 'guestfsd').status, 'missing');
  });

  test('tells the version of qemu, and refuses one that is too old', async () => {
    const now = found(await examine({ hv: program('echo "QEMU emulator version 7.2.22 (Debian)"') }), 'qemu');
    assert.equal(now.status, 'ok');
    assert.equal(now.facts?.version, '7.2.22');
    const old = found(await examine({ hv: program('echo "QEMU emulator version 6.1.1"') }), 'qemu');
    assert.equal(old.status, 'failed');
    assert.match(old.detail, /6\.2 or later/);
    const broken = found(await examine({ hv: program('echo no such library >&2; exit 127') }), 'qemu');
    assert.equal(broken.status, 'failed');
    assert.match(broken.detail, /no such library/);
  });

  test('makes nothing in the cache directory, and tells what is there', async () => {
    const cachedir = directory();
    const cache = join(cachedir, `.guestfs-${process.geteuid?.() ?? 0}`);
    const before = found(await examine({ cachedir }), 'cache');
    assert.equal(before.status, 'ok');
    assert.match(before.detail, /not made yet/);
    assert.equal(existsSync(cache), false);

    mkdirSync(join(cache, 'appliance.d'), { recursive: true, mode: 0o755 });
    writeFileSync(join(cache, 'appliance.d', 'root'), Buffer.alloc(100_000, 1));
    writeFileSync(join(cache, 'something'), 'else');
    const after = found(await examine({ cachedir }), 'cache');
    assert.equal(after.status, 'ok');
    assert.deepEqual(
      listKept(cache).map(({ what, names }) => [what, ...names]),
      [
        ['appliance', 'appliance.d'],
        ['other files', 'something'],
      ],
    );
    assert.ok((after.facts?.sizeInBytes as number) >= 100_000);
    assert.equal(after.facts?.mode, '0755');

    chmodSync(cache, 0o777);
    const open = found(await examine({ cachedir }), 'cache');
    assert.equal(open.status, 'failed');
    assert.match(open.detail, /can be written by others \(mode 777\).*LIBGUESTFS_CACHEDIR/);
  });

  test('a damaged appliance in the cache can be built anew', async () => {
    const path = directory();
    mkdirSync(join(path, 'supermin.d'));
    const cachedir = directory();
    const built = join(cachedir, `.guestfs-${process.geteuid?.() ?? 0}`, 'appliance.d');
    const unbuilt = found(await examine({ path, cachedir }), 'appliance');
    assert.equal(unbuilt.status, 'ok');
    assert.match(unbuilt.detail, /not built yet/);
    mkdirSync(built, { recursive: true });
    kernelIn(join(built, 'kernel'));
    writeFileSync(join(built, 'initrd'), '');
    writeFileSync(join(built, 'root'), 'no filesystem');
    const damaged = found(await examine({ path, cachedir }), 'appliance');
    assert.equal(damaged.status, 'failed');
    assert.match(damaged.detail, /no ext2 filesystem/);
    assert.match(damaged.remedy ?? '', /^remove .*appliance\.d/);
  });

  test('a fixed appliance needs neither supermin nor a kernel of the distribution', async () => {
    const path = directory();
    for (const name of ['README.fixed', 'initrd']) writeFileSync(join(path, name), '');
    kernelIn(join(path, 'kernel'));
    const root = Buffer.alloc(4096);
    root.writeUInt16LE(0xef53, 1024 + 0x38);
    writeFileSync(join(path, 'root'), root);
    const findings = await examine({ path });
    for (const name of ['supermin', 'kernel', 'appliance', 'guestfsd'])
      assert.equal(found(findings, name).status, 'ok', name);
  });

  test('what a guestfsd in an archive has is told by the names in it', async () => {
    const supermin = directory();
    const pack = (...names: string[]): void =>
      writeFileSync(
        join(supermin, 'daemon.tar.gz'),
        gzipSync(Buffer.from(['', ...names, ''].join('\0'), 'latin1')),
      );
    pack('readdir', 'mount');
    assert.equal((await daemonOfParts(supermin)).lastProcedure, 510);
    pack('readdir', 'internal_readdir', 'clevis_luks_unlock', 'inspect_get_build_id');
    assert.equal((await daemonOfParts(supermin)).lastProcedure, 513);
    writeFileSync(join(supermin, 'daemon.tar.gz'), 'no archive');
    await assert.rejects(daemonOfParts(supermin), { code: 'EIO', message: /daemon\.tar\.gz/ });
  });
});

const opens = existsSync('/dev/kvm') ? {} : { skip: 'there is no /dev/kvm' };

describe('KVM in an examination', { ...onX86, ...opens }, () => {
  const kernels = directory();
  if (process.arch === 'x64') kernelIn(join(kernels, 'vmlinuz-1'));
  const panics = 'echo "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)"';

  test('a guest that runs to its panic is right', async () => {
    const kvm = found(await examine({ hv: program(panics), boot: kernels }), 'KVM');
    assert.equal(kvm.status, 'ok', kvm.detail);
    assert.equal(kvm.facts?.runs, true);
  });

  test('a qemu that dies, and a guest that hangs, are told apart', async () => {
    const dies = program('echo "qemu-system-x86_64: error: failed to set MSR 0x10a" >&2; kill -ABRT $$');
    const dead = found(await examine({ hv: dies, boot: kernels }), 'KVM');
    assert.equal(dead.status, 'limited');
    assert.match(dead.detail, /SIGABRT: error: failed to set MSR 0x10a;/);
    const hung = found(await examine({ hv: program('exec sleep 20'), boot: kernels }), 'KVM');
    assert.equal(hung.status, 'limited');
    assert.match(hung.detail, /a kernel hung, and was given up after 0\.5 seconds/);
    assert.equal(hung.facts?.runs, false);
  });

  test('what a launch has remembered is told, with the file to remove', async () => {
    const cachedir = directory();
    const cache = join(cachedir, `.guestfs-${process.geteuid?.() ?? 0}`);
    mkdirSync(cache, { mode: 0o755 });
    const hv = program(panics);
    rememberKvmProblem(cache, hv, { reason: 'it died', failure: 'failed' });
    const kvm = found(await examine({ hv, cachedir, boot: kernels }), 'KVM');
    assert.equal(kvm.status, 'limited');
    assert.match(kvm.detail, /runs a guest; it did not on .*it died/);
    assert.match(kvm.remedy ?? '', /rm .*no-kvm-[0-9a-f]+\.json$/);
    forgetKvmProblem(cache, hv);
    assert.equal(found(await examine({ hv, cachedir, boot: kernels }), 'KVM').status, 'ok');
  });

  test('nothing is tried where the settings forbid KVM', async () => {
    const mark = join(directory(), 'was-started');
    const hv = program(`case $* in *kernel*) touch '${mark}';; esac; echo 7.2.0`);
    const kvm = found(await examine({ hv, boot: kernels, backendSettings: ['force_tcg'] }), 'KVM');
    assert.equal(kvm.status, 'limited');
    assert.match(kvm.detail, /force_tcg/);
    assert.equal(existsSync(mark), false);
  });

  test('cancelling ends it', async () => {
    const abort = new AbortController();
    const settings = {
      hv: program('exec sleep 20'),
      path: directory(),
      cachedir: directory(),
      backendSettings: [],
    };
    const end = checkAppliance(settings, { showSize: String, boot: kernels, signal: abort.signal });
    setTimeout(() => abort.abort(), 200);
    await assert.rejects(end, { code: 'ECANCELED' });
  });
});

const kernel = listKernels().all.filter((path) => !listKernels().unreadable.includes(path))[0];

test(
  'a real kernel runs to its panic without KVM, and a file that is no kernel does not',
  kernel === undefined ? { skip: 'there is no kernel in /boot' } : needs('qemu-system-x86_64'),
  async () => {
    const hv = findProgram('qemu-system-x86_64') as string; // safe: it is installed
    const architecture = findArchitecture('x64');
    const options = { hv, architecture, accelerator: 'tcg' as const, limitInMs: 60_000 };
    const { problem } = await tryGuest({ ...options, kernel: kernel as string }); // safe: else skipped
    assert.equal(problem, undefined);
    const none = join(directory(), 'none');
    const broken = await tryGuest({ ...options, kernel: none });
    assert.match(broken.problem ?? '', /ended with status 1: .*could not open|No such file/i);
  },
);
