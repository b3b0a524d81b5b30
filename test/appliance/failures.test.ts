/**
 * What a launch does when something is wrong with the host, the appliance or the hypervisor: one sentence that says
 * what to do, nothing left, and a next launch that works. With a hypervisor that stands in for qemu (stand-in.ts).
 */
import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BootLimits } from '../../src/appliance/machine/boot-options.js';
import { GuestfsError } from '../../src/base/index.js';
import type { Guestfs } from '../../src/guestfs/index.js';
import {
  assertAllGone,
  fixedAppliance,
  type HandleChanges,
  handle,
  onLinux,
  type Place,
  place,
  program,
  type StandIn,
  standIn,
  type Told,
} from './support.js';

const uid = process.geteuid?.() ?? 0;

interface Setting {
  readonly where: Place;
  readonly g: Guestfs;
  readonly told: Told;
  readonly beAsPatientAsUsual: () => void;
  readonly hv: StandIn;
}

/** A handle whose hypervisor behaves in a way. */
function setting(t: TestContext, behaviour: string, changes: HandleChanges = {}): Setting {
  const where = place(t);
  const hv = standIn(where, behaviour);
  return { where, hv, ...handle(t, where, { hv: hv.path, path: fixedAppliance(where), ...changes }) };
}

/** Gives the handle a drive on which what is written stays. */
function addWritableDrive({ g, where }: Setting): void {
  const path = join(where.directory, 'disk.img');
  writeFileSync(path, Buffer.alloc(1024 * 1024));
  g.addDrive(path, { format: 'raw' });
}

/** A device that opens, as KVM's does where it seems to be there. */
function openable({ directory }: Place): string {
  const path = join(directory, 'kvm');
  writeFileSync(path, '');
  return path;
}

/** Launching fails so; nothing is left; and with what works it goes on. */
async function failsAndRecovers(
  { where, g, told, beAsPatientAsUsual }: Omit<Setting, 'hv'>,
  expected: { code: string; message: RegExp },
): Promise<void> {
  await assert.rejects(g.launch(), (thrown) => {
    assert.ok(thrown instanceof GuestfsError, String(thrown));
    assert.match(thrown.message, expected.message);
    assert.match(thrown.message, /^launch: [^\n]*$/, 'one sentence');
    assert.equal(thrown.code, expected.code);
    return true;
  });
  assert.equal(g.state, 'config');
  assert.deepEqual(told.quits, []);
  await assertAllGone(where);
  beAsPatientAsUsual();
  g.setPath(fixedAppliance(where));
  g.setHv(standIn(where, 'works').path);
  g.setTmpdir(where.tmp);
  g.setCachedir(where.cache);
  await g.launch();
  assert.equal(await g.debug('hello', []), 'done');
  await g.close();
  await assertAllGone(where);
}

describe('a hypervisor', onLinux, () => {
  const failures: readonly (readonly [string, string, string, RegExp, HandleChanges?])[] = [
    [
      'that exits at once',
      'quits',
      'EIO',
      /ended before it was up: it does not say why; set LIBGUESTFS_DEBUG=1/,
    ],
    [
      'that exits with a message',
      'says -device virtio-rng-pci: no such device',
      'EIO',
      /ended before it was up: -device virtio-rng-pci: no such device; set LIBGUESTFS_DEBUG/,
    ],
    [
      'that gets too little memory',
      "says cannot set up guest memory 'pc.ram': Cannot allocate memory",
      'ENOMEM',
      /has not enough memory for an appliance of 1280 megabytes; set less with setMemsize or LIBGUESTFS_MEMSIZE/,
    ],
    [
      'whose files have no room',
      'says could not write: No space left on device',
      'ENOSPC',
      /no room for the appliance's temporary files \(.*\); choose another directory for them with setTmpdir or/,
    ],
    ['that aborts', 'aborts', 'EIO', /kvm_buf_set_msrs: Assertion `ret == n' failed/],
    ['of another processor', 'foreign', 'ENOEXEC', /is for aarch64, .* x86_64: choose another with setHv/],
    ['whose monitor sends no JSON', 'babbles', 'EPROTO', /qemu's monitor sent no JSON: this is no JSON/],
    ['that refuses a drive', 'refuses', 'EIO', /scratch drive: qemu cannot open it: no more of these/],
    [
      'whose guest panics',
      'panics',
      'EIO',
      /Kernel panic - not syncing: VFS: Unable to mount root fs; set LIBGUESTFS_DEBUG=1/,
    ],
    [
      'that never answers',
      'mute',
      'ETIMEDOUT',
      /the appliance was not up after 0.5 seconds; set LIBGUESTFS_DEBUG=1/,
      { limits: { bootInMs: 500 } },
    ],
    [
      'whose guest never starts its daemon',
      'stuck',
      'ETIMEDOUT',
      /was not up after 3 seconds; its last line is: .*Linux version 6.1.0/,
      { limits: { bootInMs: 3000 } },
    ],
    [
      'whose guest falls silent',
      'stuck',
      'ETIMEDOUT',
      /printed nothing for 0.4 seconds; its last line is: .*Linux version 6.1.0/,
      { limits: { silenceInMs: 400 } },
    ],
    [
      'whose daemon starts and then hangs',
      'stuck-daemon',
      'ETIMEDOUT',
      /printed nothing for 0.4 seconds/,
      { limits: { silenceInMs: 400 } },
    ],
  ];
  for (const [what, behaviour, code, message, changes] of failures)
    test(what, async (t) => {
      await failsAndRecovers(setting(t, behaviour, changes), { code, message });
    });

  test('that is not there, is a directory, or may not be run', async (t) => {
    for (const make of ['nothing', 'directory', 'file'] as const) {
      const where = place(t);
      const hv = join(where.directory, 'hv');
      if (make === 'directory') mkdirSync(hv);
      if (make === 'file') writeFileSync(hv, 'text');
      await failsAndRecovers(
        { where, ...handle(t, where, { hv, path: fixedAppliance(where) }) },
        {
          code: 'ENOENT',
          message: /the hypervisor .*\/hv is missing or may not be run: install it .* setHv or LIBGUESTFS_HV/,
        },
      );
    }
  });

  test('that is no program', async (t) => {
    for (const [text, message] of [
      ['\x7fELF\x02\x01\x01\0 for another machine', /ended before it was up|cannot be started/],
      ['#!/no/such/interpreter\n', /ended before it was up: .*(not found|No such file)|cannot be started/],
    ] as const) {
      const where = place(t);
      const hv = program(where, 'hv', text);
      const made = { where, ...handle(t, where, { hv, path: fixedAppliance(where) }) };
      await assert.rejects(made.g.launch(), (thrown) => {
        assert.ok(thrown instanceof GuestfsError);
        assert.match(thrown.message, message);
        return true;
      });
      assert.equal(made.g.state, 'config');
      await assertAllGone(where);
    }
  });
});

describe('an appliance', onLinux, () => {
  const failures: readonly (readonly [
    string,
    Record<string, Buffer | string | undefined>,
    string,
    RegExp,
  ])[] = [
    ['that lacks its kernel', { kernel: undefined }, 'ENOENT', /the appliance in .* lacks kernel/],
    ['that lacks two parts', { initrd: undefined, root: undefined }, 'ENOENT', /lacks initrd, root/],
    [
      'whose kernel is none',
      { kernel: 'text' },
      'ENOEXEC',
      /kernel is none that is known, .* LIBGUESTFS_PATH/,
    ],
    ['whose kernel is empty', { kernel: '' }, 'ENOEXEC', /kernel is none that is known/],
    [
      'of another processor',
      { kernel: Buffer.concat([Buffer.alloc(56), Buffer.from('ARM\x64'), Buffer.alloc(600)]) },
      'ENOEXEC',
      /is for aarch64, and this machine is x86_64: install a kernel for it, or choose another appliance with LIBGUESTFS_PATH/,
    ],
    [
      'whose disk has no filesystem',
      { root: Buffer.alloc(4096) },
      'EINVAL',
      /root is no ext2 filesystem: .* try again/,
    ],
  ];
  for (const [what, files, code, message] of failures)
    test(what, async (t) => {
      const where = place(t);
      const path = fixedAppliance(where, files);
      await failsAndRecovers(
        { where, ...handle(t, where, { path, hv: standIn(where, 'works').path }) },
        { code, message },
      );
    });

  test('that is nowhere', async (t) => {
    const where = place(t);
    await failsAndRecovers(
      {
        where,
        ...handle(t, where, { path: `${where.directory}::/no/such`, hv: standIn(where, 'works').path }),
      },
      { code: 'ENOENT', message: /there is no appliance in .*: install libguestfs's .* LIBGUESTFS_PATH/ },
    );
  });
});

describe('a directory of the host', onLinux, () => {
  /** The part of an appliance from which supermin would build one. */
  function unbuilt({ directory }: Place): string {
    mkdirSync(join(directory, 'guestfs', 'supermin.d'), { recursive: true });
    return join(directory, 'guestfs');
  }

  const caches: readonly (readonly [string, (path: string) => void, string, RegExp])[] = [
    [
      'for the cache that others may write',
      (path) => {
        mkdirSync(path);
        chmodSync(path, 0o775);
      },
      'EPERM',
      /can be written by others \(mode 775\): remove it, or choose another directory with LIBGUESTFS_CACHEDIR/,
    ],
    [
      'for the cache that is a link',
      (path) => symlinkSync('/tmp', path),
      'ENOTDIR',
      /is not a directory: remove it/,
    ],
    [
      'for the cache that is a file',
      (path) => writeFileSync(path, ''),
      'ENOTDIR',
      /is not a directory: remove it/,
    ],
  ];
  for (const [what, make, code, message] of caches)
    test(what, async (t) => {
      const where = place(t);
      make(join(where.cache, `.guestfs-${uid}`));
      const { g } = handle(t, where, { path: unbuilt(where), hv: standIn(where, 'works').path });
      await assert.rejects(g.launch(), { code, message });
      assert.equal(g.state, 'config');
      g.setPath(fixedAppliance(where));
      await g.launch();
    });

  test('for temporary files that goes away before the launch', async (t) => {
    const where = place(t);
    const made = handle(t, where, { path: fixedAppliance(where), hv: standIn(where, 'works').path });
    const gone = join(where.directory, 'gone');
    mkdirSync(gone);
    made.g.setTmpdir(gone);
    rmdirSync(gone);
    await failsAndRecovers(
      { where, ...made },
      {
        code: 'ENOENT',
        message:
          /gone: no such file or directory: choose another directory for temporary files with setTmpdir/,
      },
    );
  });
});

describe('KVM', onLinux, () => {
  /** Impatient where the way of failing is silence, and only there: the machine may be busy. */
  const patience: Readonly<Record<string, Partial<BootLimits>>> = {
    'mute-with-kvm': { kvmGreetingInMs: 500 },
    'blank-with-kvm': { kvmFirstLineInMs: 1000 },
    'stuck-with-kvm': { kvmSilenceInMs: 1200 },
  };
  const ways: readonly (readonly [string, string, RegExp])[] = [
    ['never lets the monitor greet', 'mute-with-kvm', /does not answer/],
    ['never lets the guest print a line', 'blank-with-kvm', /printed nothing of a kernel's for 1 seconds/],
    ['lets the guest print one line only', 'stuck-with-kvm', /printed nothing for 1.2 seconds/],
    ['stops of an internal error', 'stops-with-kvm', /KVM internal error. Suberror: 1/],
    ['makes qemu abort', 'aborts-with-kvm', /kvm_buf_set_msrs: Assertion/],
    ['makes qemu end without a word', 'quits-with-kvm', /it does not say why/],
  ];
  for (const [what, behaviour, why] of ways)
    test(`that opens and ${what} is done without, once and for all`, async (t) => {
      const where = place(t);
      const kvm = openable(where);
      const hv = standIn(where, behaviour);
      const path = fixedAppliance(where);
      const limits = { kvmGreetingInMs: 20_000, kvmFirstLineInMs: 20_000, ...patience[behaviour] };
      const first = handle(t, where, { hv: hv.path, path, kvm, settings: [], limits });
      await first.g.launch();
      assert.deepEqual(hv.accelerators(), ['kvm', 'tcg']);
      assert.equal(first.told.warnings.length, 1, JSON.stringify(first.told.warnings));
      assert.match(first.told.warnings[0] ?? '', /^KVM opens here but does not run a guest \(/);
      assert.match(first.told.warnings[0] ?? '', why);
      assert.deepEqual(first.told.quits, []);
      await first.g.close();
      const [name = ''] = readdirSync(join(where.cache, `.guestfs-${uid}`));
      assert.match(readFileSync(join(where.cache, `.guestfs-${uid}`, name), 'utf8'), why);

      const second = handle(t, where, { hv: hv.path, path, kvm, settings: [], limits });
      await second.g.launch();
      assert.deepEqual(hv.accelerators(), ['kvm', 'tcg', 'tcg']);
      assert.deepEqual(second.told.warnings, []);
      assert.ok(second.told.library.some((line) => why.test(line)));
      await second.g.close();
      await assertAllGone(where);
    });

  test('that works is used, and nothing is said', async (t) => {
    const where = place(t);
    const hv = standIn(where, 'works');
    const path = fixedAppliance(where);
    const { g, told } = handle(t, where, { hv: hv.path, path, kvm: openable(where), settings: [] });
    await g.launch();
    assert.deepEqual(hv.accelerators(), ['kvm']);
    assert.deepEqual(told.warnings, []);
  });

  test('that is demanded is not done without', async (t) => {
    const where = place(t);
    const hv = standIn(where, 'mute-with-kvm');
    const made = { hv: hv.path, path: fixedAppliance(where), settings: ['force_kvm'] };
    const { g } = handle(t, where, { ...made, kvm: openable(where), limits: { kvmGreetingInMs: 500 } });
    await assert.rejects(g.launch(), { code: 'ETIMEDOUT' });
    const other = handle(t, where, { ...made, kvm: '/no/such/device' });
    await assert.rejects(other.g.launch(), {
      code: 'ENODEV',
      message: /KVM is demanded by the backend setting force_kvm, but there is no \/no\/such\/device/,
    });
    assert.deepEqual(hv.accelerators(), ['kvm']);
  });

  test('is not blamed for what is wrong without it too', async (t) => {
    const where = place(t);
    const hv = standIn(where, 'quits');
    const { g, told } = handle(t, where, {
      hv: hv.path,
      path: fixedAppliance(where),
      kvm: openable(where),
      settings: [],
    });
    await assert.rejects(g.launch(), { code: 'EIO' });
    assert.deepEqual(hv.accelerators(), ['kvm', 'tcg']);
    assert.deepEqual(told.warnings, []);
    assert.deepEqual(readdirSync(join(where.cache, `.guestfs-${uid}`)), []);
  });

  test('that cannot be remembered is told of by one warning more', async (t) => {
    const where = place(t);
    const hv = standIn(where, 'quits-with-kvm');
    const made = { hv: hv.path, path: fixedAppliance(where), kvm: openable(where), settings: [] };
    mkdirSync(join(where.cache, `.guestfs-${uid}`), { mode: 0o700 });
    const { g, told } = handle(t, where, made);
    // A directory stands where the file is to be.
    await g.launch();
    const cache = join(where.cache, `.guestfs-${uid}`);
    const [name = ''] = readdirSync(cache);
    await g.close();
    rmSync(join(cache, name));
    mkdirSync(join(cache, name));
    const again = handle(t, where, made);
    await again.g.launch();
    assert.equal(told.warnings.length, 1);
    assert.equal(again.told.warnings.length, 2);
    assert.match(again.told.warnings[1] ?? '', /what was found out about KVM cannot be kept/);
  });

  test('that fails while a call runs ends the machine, and the call says why', async (t) => {
    const { g, told, where, hv } = setting(t, 'works');
    await g.launch();
    await assert.rejects(g.debug('stop', []), {
      code: 'EIO',
      message:
        /^debug: the appliance's processor failed .*KVM internal error. Suberror: 3; the backend setting force_tcg/,
    });
    assert.deepEqual(told.quits, ['config']);
    await assertAllGone(where);
    g.addDriveScratch(1024);
    await g.launch();
    assert.equal(hv.starts().length, 2);
  });
});

describe('a machine that ends while a call runs', onLinux, () => {
  test('the call says how, those behind it are refused, and the handle can be launched again', async (t) => {
    const { g, told, where } = setting(t, 'works');
    await g.launch();
    const running = assert.rejects(g.debug('die', []), {
      code: 'EIO',
      message:
        /^debug: the appliance's qemu was ended by SIGKILL before the call was done; the last that was heard of it: .*Linux version 6.1.0; launch again$/,
    });
    const waiting = assert.rejects(g.debug('hello', []), { code: 'EBADFD', message: /call launch before/ });
    await Promise.all([running, waiting]);
    assert.equal(g.state, 'config');
    await delay(50);
    assert.deepEqual(told.quits, ['config']);
    assert.deepEqual(told.warnings, []);
    await assertAllGone(where);
    await assert.rejects(g.launch(), { code: 'EINVAL', message: /no drives/ });
    g.addDriveScratch(1024);
    await g.launch();
    assert.equal(await g.debug('hello', []), 'done');
  });

  test('and one that ends while it is idle takes the handle back to config', async (t) => {
    const { g, told, where, hv } = setting(t, 'works');
    await g.launch();
    const quit = new Promise<void>((resolve) => void g.on('subprocessQuit', () => resolve()));
    process.kill(hv.starts()[0]?.pid ?? 0, 'SIGKILL');
    const alive = setInterval(() => {}, 1000); // an idle handle does not keep the process alive
    await quit;
    clearInterval(alive);
    assert.deepEqual(told.quits, ['config']);
    await assertAllGone(where);
  });
});

describe('a daemon that hangs', onLinux, () => {
  test('lets go of a call that is cancelled, and close ends it within its patience', async (t) => {
    const made = setting(t, 'works');
    const { g, where } = made;
    addWritableDrive(made);
    await g.launch();
    const abort = new AbortController();
    const call = assert.rejects(g.debug('hang', [], { signal: abort.signal }), { code: 'ECANCELED' });
    await delay(100);
    abort.abort();
    await call;
    const start = performance.now();
    await assert.rejects(g.close(), { code: 'ETIMEDOUT', message: /^shutdown: .*ended without writing/ });
    assert.ok(performance.now() - start < 7000);
    await assertAllGone(where);
  });

  test('is ended at once by close, and nothing is said to be lost, where no drive keeps what is written', async (t) => {
    const { g, where } = setting(t, 'works');
    const image = join(where.directory, 'readonly.img');
    writeFileSync(image, Buffer.alloc(1024 * 1024));
    g.addDrive(image, { readonly: true, format: 'raw' });
    await g.launch();
    const call = assert.rejects(g.debug('hang', []), { code: 'ECANCELED' });
    await delay(100);
    const start = performance.now();
    await g.close();
    await call;
    assert.ok(performance.now() - start < 4000);
    await assertAllGone(where);
  });

  test('is ended at once by killSubprocess', async (t) => {
    const { g, told, where } = setting(t, 'works');
    await g.launch();
    const call = assert.rejects(g.debug('hang', []), { code: 'EIO' });
    await delay(50);
    await g.killSubprocess();
    await call;
    assert.deepEqual(told.quits, ['config']);
    await assertAllGone(where);
  });
});

describe('an appliance that cannot write all', onLinux, () => {
  test('is ended, and shutdown tells', async (t) => {
    const made = setting(t, 'unsynced');
    const { g, told, where } = made;
    addWritableDrive(made);
    await g.launch();
    await assert.rejects(g.shutdown(), { code: 'EIO', message: 'shutdown: fsync: Input/output error' });
    assert.equal(g.state, 'config');
    assert.deepEqual(told.quits, ['config']);
    await assertAllGone(where);
  });
});

describe('a launch that is cancelled', onLinux, () => {
  /** Cancels a launch as soon as something has happened. */
  async function cancelled(
    t: TestContext,
    behaviour: string,
    when: (made: Setting) => Promise<void>,
  ): Promise<void> {
    const made = setting(t, behaviour);
    const abort = new AbortController();
    const reason = new Error('enough');
    const launch = assert.rejects(made.g.launch({ signal: abort.signal }), (thrown) => {
      assert.ok(thrown instanceof GuestfsError);
      assert.equal(thrown.code, 'ECANCELED');
      assert.equal(thrown.cause, reason);
      return true;
    });
    await when(made);
    const start = performance.now();
    abort.abort(reason);
    await launch;
    assert.ok(performance.now() - start < 1000, 'soon');
    assert.equal(made.g.state, 'config');
    await assertAllGone(made.where);
    made.g.setHv(standIn(made.where, 'works').path);
    await made.g.launch();
  }

  test('before it begins', (t) => cancelled(t, 'works', async () => {}));
  test('before the monitor greets', (t) =>
    cancelled(t, 'mute', async ({ hv }) => {
      while (hv.starts().length === 0) await delay(10);
    }));
  test('while the guest boots', (t) =>
    cancelled(t, 'stuck', async ({ g }) => {
      await new Promise<void>((resolve) => void g.on('appliance', () => resolve()));
    }));
  test('while the daemon is asked what it has', (t) =>
    cancelled(t, 'stuck-daemon', async ({ g }) => {
      await new Promise<void>(
        (resolve) => void g.on('appliance', (line) => line.includes('Linux') && resolve()),
      );
      await delay(50);
    }));
  test('by the end of the handle', async (t) => {
    const { g, where, hv } = setting(t, 'stuck');
    const launch = assert.rejects(g.launch(), { code: 'ECANCELED' });
    while (hv.starts().length === 0) await delay(10);
    await g.close();
    await launch;
    await assertAllGone(where);
  });
});
