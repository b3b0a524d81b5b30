import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GuestfsError } from '../../src/base/index.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { fakeHandle, imageFile, launchedHandle, rejectsWith, throwsWith } from './fake.js';

describe('states', () => {
  test('config, launching, ready, busy, ready, config, closed', async () => {
    const handle = fakeHandle();
    const { g } = handle;
    const facts = (): unknown[] => [
      g.state,
      g.getState(),
      g.isConfig(),
      g.isLaunching(),
      g.isReady(),
      g.isBusy(),
    ];
    g.addDrive(imageFile());
    assert.deepEqual(facts(), ['config', 0, true, false, false, false]);
    const launch = g.launch();
    assert.deepEqual(facts(), ['launching', 1, false, true, false, false]);
    await launch;
    assert.deepEqual(facts(), ['ready', 2, false, false, true, false]);
    const call = g.zero('/dev/sda');
    assert.deepEqual(facts(), ['busy', 3, false, false, false, true]);
    handle.backend.last.resolve();
    await call;
    assert.deepEqual(facts(), ['ready', 2, false, false, true, false]);
    await g.shutdown();
    assert.deepEqual(facts(), ['config', 0, true, false, false, false]);
    const close = g.close();
    assert.equal(g.state, 'closed');
    await close;
    assert.equal(g.state, 'closed');
  });

  test('the handle is ready when launchDone is told, and in config when subprocessQuit is', async () => {
    const { g } = fakeHandle();
    const seen: string[] = [];
    g.on('launchDone', () => seen.push(g.state));
    g.on('subprocessQuit', () => seen.push(g.state));
    g.addDrive(imageFile());
    await g.launch();
    await g.shutdown();
    assert.deepEqual(seen, ['ready', 'config']);
    await g.close();
  });

  test('actions before launch, and while launching, are refused', async () => {
    let go = (): void => {};
    const { g } = fakeHandle({
      start: () =>
        new Promise((resolve) => {
          go = resolve;
        }),
    });
    await rejectsWith(g.mount('/dev/sda1', '/'), 'EBADFD', 'mount: call launch before using this function');
    throwsWith(() => g.waitReady(), 'EBADFD', 'wait_ready: call launch before using this function');
    throwsWith(() => g.getPid(), 'EBADFD', 'get_pid: call launch before using this function');
    g.addDrive(imageFile());
    const launch = g.launch();
    await rejectsWith(g.mount('/dev/sda1', '/'), 'EBADFD', /^mount: the launch is not done yet/);
    await rejectsWith(g.shutdown(), 'EBADFD', /^shutdown: the launch is not done yet/);
    go();
    await launch;
    await g.close();
  });

  test('what is for the config state is refused later: launch, drives, most settings', async () => {
    const { g } = await launchedHandle();
    const message = (name: string): string => `${name}: this function can only be called in the config state`;
    await rejectsWith(g.launch(), 'EBADFD', message('launch'));
    throwsWith(() => g.addDrive(imageFile()), 'EBADFD', message('add_drive'));
    throwsWith(() => g.addDriveRo(imageFile()), 'EBADFD', message('add_drive_ro'));
    throwsWith(() => g.addDriveScratch(512), 'EBADFD', message('add_drive_scratch'));
    throwsWith(() => g.removeDrive('x'), 'EBADFD', message('remove_drive'));
    throwsWith(() => g.setMemsize(600), 'EBADFD', message('set_memsize'));
    throwsWith(() => g.setBackend('embedded'), 'EBADFD', message('set_backend'));
    g.setVerbose(false);
    g.setAutosync(true);
    g.setIdentifier('any-time');
    g.setProgram('any time');
    await g.close();
  });

  test('launch twice at once is refused', async () => {
    const { g, backends } = fakeHandle();
    g.addDrive(imageFile());
    const first = g.launch();
    await rejectsWith(g.launch(), 'EBADFD', /config state/);
    await first;
    assert.equal(backends.length, 1);
    await g.close();
  });

  test('launch needs a drive, and takes 255 at most', async () => {
    const { g } = fakeHandle();
    await rejectsWith(g.launch(), 'EINVAL', 'launch: there are no drives: call add_drive before launch');
    assert.equal(g.maxDisks(), 255);
    for (let drive = 0; drive < 256; drive++) g.addDriveScratch(512);
    await rejectsWith(g.launch(), 'EINVAL', 'launch: there are 256 drives, and 255 at most');
    assert.equal(g.state, 'config');
    await g.close();
  });

  test('a launch that fails leaves the handle in config with its drives, and can be tried again', async () => {
    let fail = true;
    const { g } = fakeHandle({
      start: async () => {
        if (fail) throw new GuestfsError('EACCES', 'no permission', { action: 'launch' });
      },
    });
    const seen: string[] = [];
    g.on('launchDone', () => seen.push('launchDone'));
    g.on('subprocessQuit', () => seen.push('subprocessQuit'));
    g.addDrive(imageFile());
    await rejectsWith(g.launch(), 'EACCES', 'launch: no permission');
    assert.equal(g.state, 'config');
    assert.equal(g.debugDrives().length, 1);
    assert.deepEqual(seen, []);
    fail = false;
    await g.launch();
    assert.equal(g.state, 'ready');
    await g.close();
    assert.deepEqual(seen, ['launchDone']);
  });

  test('a launch can be cancelled by its signal', async () => {
    const reason = new Error('changed my mind');
    const handle = fakeHandle({
      start: (_backend, signal) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new GuestfsError('ECANCELED', 'stopped')));
        }),
    });
    const { g } = handle;
    g.addDrive(imageFile());
    const stop = new AbortController();
    const launch = g.launch({ signal: stop.signal });
    stop.abort(reason);
    const error = await rejectsWith(launch, 'ECANCELED', 'launch: cancelled');
    assert.equal(error.cause, reason);
    assert.equal(g.state, 'config');
    await rejectsWith(g.launch({ signal: AbortSignal.abort() }), 'ECANCELED', 'launch: cancelled');
    assert.equal(handle.backends.length, 1);
    await g.close();
  });

  test('a backend that comes up in spite of a cancelled launch is shut down', async () => {
    const handle = fakeHandle();
    handle.g.addDrive(imageFile());
    const stop = new AbortController();
    const launch = handle.g.launch({ signal: stop.signal });
    stop.abort();
    await rejectsWith(launch, 'ECANCELED', 'launch: cancelled');
    assert.equal(handle.backend.shutdowns, 1);
    assert.equal(handle.g.state, 'config');
    await handle.g.close();
  });

  test('a backend that ends while it is launched fails the launch', async () => {
    const handle = fakeHandle({ start: async (backend) => backend.events.quit() });
    handle.g.addDrive(imageFile());
    await rejectsWith(handle.g.launch(), 'EIO', 'launch: the backend ended while it was launched');
    assert.equal(handle.g.state, 'config');
    await handle.g.close();
  });

  test('a backend that ends by itself fails the running call and those that wait; then a launch works', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    const seen: string[] = [];
    g.on('subprocessQuit', () => seen.push(`quit in ${g.state}`));
    const running = g.zero('/dev/sda');
    const waiting = g.zero('/dev/sdb');
    handle.backend.events.quit();
    handle.backend.events.quit();
    assert.equal(g.state, 'config');
    await rejectsWith(running, 'EIO', 'zero: the backend ended before the call was done');
    await rejectsWith(waiting, 'EBADFD', 'zero: call launch before using this function');
    assert.deepEqual(seen, ['quit in config']);
    assert.deepEqual(g.debugDrives(), [], 'as in the C library, drives are forgotten');
    g.addDrive(imageFile());
    await g.launch();
    handle.backend.answers.set('list_devices', []);
    assert.deepEqual(await g.listDevices(), []);
    await g.close();
  });

  test('nothing is heard of a backend that has ended', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    const seen: string[] = [];
    g.on('appliance', (message) => seen.push(message));
    g.on('progress', () => seen.push('progress'));
    const old = handle.backend;
    await g.shutdown();
    g.addDrive(imageFile());
    await g.launch();
    const call = g.zero('/dev/sda');
    handle.clock.pass(2000);
    old.events.log('appliance', 'from the grave');
    old.events.progress(1, 2);
    old.events.quit();
    assert.equal(g.state, 'busy');
    handle.backend.last.resolve();
    await call;
    assert.deepEqual(seen, []);
    await g.close();
  });
});

describe('shutdown and killSubprocess', () => {
  test('in config both do nothing, and drives stay', async () => {
    const { g } = fakeHandle();
    g.addDrive(imageFile());
    await g.shutdown();
    await g.killSubprocess();
    assert.equal(g.debugDrives().length, 1);
    await g.close();
  });

  test('shutdown waits for the calls before it, and refuses those after it', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    const order: string[] = [];
    const first = g.zero('/dev/sda').then(() => order.push('first'));
    const second = g.zero('/dev/sdb').then(() => order.push('second'));
    const down = g.shutdown().then(() => order.push('down'));
    const late = g.zero('/dev/sdc');
    handle.backend.last.resolve();
    await first;
    handle.backend.last.resolve();
    await second;
    await down;
    await rejectsWith(late, 'EBADFD', 'zero: call launch before using this function');
    assert.deepEqual(order, ['first', 'second', 'down']);
    assert.equal(g.state, 'config');
    assert.deepEqual(g.debugDrives(), []);
    await g.close();
  });

  test('shutdown tells what went wrong, and the handle is in config all the same', async () => {
    const handle = await launchedHandle();
    handle.backend.shutdownError = new GuestfsError('EIO', 'sync failed');
    await rejectsWith(handle.g.shutdown(), 'EIO', 'shutdown: sync failed');
    assert.equal(handle.g.state, 'config');
    await handle.g.close();
  });

  test('two shutdowns at once are one', async () => {
    const handle = await launchedHandle();
    await Promise.all([handle.g.shutdown(), handle.g.shutdown()]);
    assert.equal(handle.backend.shutdowns, 1);
    await handle.g.close();
  });

  test('killSubprocess cuts everything off at once', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    const quits: string[] = [];
    g.on('subprocessQuit', () => quits.push(g.state));
    const running = g.zero('/dev/sda');
    const waiting = g.zero('/dev/sdb');
    const killed = g.killSubprocess();
    assert.equal(g.state, 'config');
    await rejectsWith(running, 'EIO', 'zero: the backend ended before the call was done');
    await rejectsWith(waiting, 'EBADFD', /call launch/);
    await killed;
    assert.deepEqual(quits, ['config']);
    assert.equal(handle.backend.kills, 1);
    assert.equal(handle.backend.shutdowns, 0);
    await g.close();
  });

  test('killSubprocess ends a launch', async () => {
    const handle = fakeHandle({
      start: (_backend, signal) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
    });
    handle.g.addDrive(imageFile());
    const launch = handle.g.launch();
    const killed = handle.g.killSubprocess();
    await rejectsWith(launch, 'ECANCELED', 'launch: cancelled');
    await killed;
    assert.equal(handle.g.state, 'config');
    await handle.g.close();
  });
});

describe('close', () => {
  test('the callback runs before close returns, once', async () => {
    const { g } = await launchedHandle();
    let calls = 0;
    g.setCloseCallback(() => {
      calls += 1;
    });
    const first = g.close();
    assert.equal(calls, 1);
    assert.equal(g.close(), first);
    await first;
    await g.close();
    assert.equal(calls, 1);
  });

  test('the backend is shut down in good order', async () => {
    const handle = await launchedHandle();
    await handle.g.close();
    assert.equal(handle.backend.shutdowns, 1);
    assert.equal(handle.backend.kills, 0);
  });

  test('everything is refused afterwards', async () => {
    const { g } = await launchedHandle();
    await g.close();
    await rejectsWith(g.mount('/dev/sda1', '/'), 'EBADF', 'mount: the handle is closed');
    await rejectsWith(g.launch(), 'EBADF', 'launch: the handle is closed');
    await rejectsWith(g.shutdown(), 'EBADF', 'shutdown: the handle is closed');
    throwsWith(() => g.addDrive(imageFile()), 'EBADF', 'add_drive: the handle is closed');
    throwsWith(() => g.getState(), 'EBADF', 'get_state: the handle is closed');
    throwsWith(() => g.on('close', () => {}), 'EBADF', /closed/);
    throwsWith(() => g.setCloseCallback(() => {}), 'EBADF', /closed/);
    throwsWith(() => g.events('progress'), 'EBADF', /closed/);
  });

  test('actions are refused inside the close callback', async () => {
    const { g } = await launchedHandle();
    const inside: Promise<unknown>[] = [];
    g.setCloseCallback(() => {
      inside.push(rejectsWith(g.listDevices(), 'EBADF', 'list_devices: the handle is closed'));
      throwsWith(() => g.getSmp(), 'EBADF', 'get_smp: the handle is closed');
    });
    await g.close();
    assert.equal(inside.length, 1);
    await Promise.all(inside);
  });

  test('the running call is cancelled, and those that wait are refused', async () => {
    const handle = await launchedHandle();
    const running = handle.g.zero('/dev/sda');
    const waiting = handle.g.zero('/dev/sdb');
    const close = handle.g.close();
    await rejectsWith(running, 'ECANCELED', 'zero: the handle was closed');
    await rejectsWith(waiting, 'ECANCELED', 'zero: the handle was closed');
    await close;
    assert.equal(handle.backend.calls.length, 1);
    assert.equal(handle.backend.shutdowns, 1);
  });

  test('a call that is done all the same gives its result', async () => {
    const handle = await launchedHandle();
    handle.backend.heedsCancel = false;
    const running = handle.g.zero('/dev/sda');
    const close = handle.g.close();
    handle.backend.last.resolve();
    await running;
    await close;
    assert.equal(handle.backend.shutdowns, 1);
  });

  test('a call that does not heed its cancellation is waited for five seconds', async () => {
    const handle = await launchedHandle();
    handle.backend.heedsCancel = false;
    const running = handle.g.zero('/dev/sda');
    const close = handle.g.close();
    handle.clock.pass(4900);
    assert.equal(handle.backend.kills, 0);
    handle.clock.pass(200);
    assert.equal(handle.backend.kills, 1);
    await rejectsWith(running, 'ECANCELED', 'zero: the handle was closed');
    await close;
    assert.equal(handle.clock.pending, 0);
  });

  test('a launch that is under way is stopped', async () => {
    const handle = fakeHandle({
      start: (_backend, signal) =>
        new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('stopped')))),
    });
    handle.g.addDrive(imageFile());
    const launch = handle.g.launch();
    const close = handle.g.close();
    await rejectsWith(launch, 'ECANCELED', 'launch: cancelled');
    await close;
  });

  test('close tells when not all was in order', async () => {
    const handle = await launchedHandle();
    handle.backend.shutdownError = new GuestfsError('EIO', 'sync failed');
    await rejectsWith(handle.g.close(), 'EIO', 'shutdown: sync failed');
  });

  test('no event comes after it', async () => {
    const handle = await launchedHandle();
    const seen: string[] = [];
    handle.g.setEventCallback(({ event }) => seen.push(event), 0x3ff);
    await handle.g.close();
    await setImmediate();
    assert.deepEqual(seen, ['close']);
  });

  test('`await using` closes', async () => {
    const handle = await launchedHandle();
    {
      await using g = handle.g;
      assert.equal(g.state, 'ready');
    }
    assert.equal(handle.g.state, 'closed');
    assert.equal(handle.backend.shutdowns, 1);
  });
});

describe('the backend of a handle', () => {
  test('auto is the default, embedded and direct are known, others are refused', () => {
    assert.equal(fakeHandle().g.getBackend(), 'auto');
    assert.equal(fakeHandle({ backend: 'embedded' }).g.getBackend(), 'embedded');
    assert.equal(fakeHandle({ backend: 'direct' }).g.getBackend(), 'direct');
    throwsWith(() => fakeHandle({ backend: 'magic' as 'auto' }), 'EINVAL', /no such backend: 'magic'/);
  });

  test('a launch of a backend that this version lacks says so', async () => {
    for (const backend of ['libvirt', 'libvirt:qemu:///session']) {
      const g = new Guestfs({ environment: false, stderr: null });
      g.setBackend(backend);
      g.addDriveScratch(512);
      await rejectsWith(g.launch(), 'ENOTSUP', /^launch: the .* backend is not part of this version/);
      assert.equal(g.state, 'config');
      await g.close();
    }
  });

  test('options that there are not are refused', () => {
    assert.throws(() => new Guestfs({ bakend: 'auto' } as never), /no option bakend/);
    assert.throws(() => new Guestfs({ policy: 'naive' } as never), /policy must be/);
  });

  test('the backend gets the drives and the settings as they are at launch', async () => {
    const path = imageFile();
    const handle = fakeHandle({ policy: 'trusted' });
    const { g } = handle;
    g.addDrive(path, { readonly: true, format: 'raw', label: 'data' });
    g.addDriveScratch(1024 * 1024);
    g.setMemsize(600);
    g.setSmp(3);
    g.setAppend('quiet');
    g.setNetwork(true);
    g.setVerbose(true);
    g.setBackendSettings(['force_tcg']);
    g.config('-smbios', 'type=1');
    await g.launch();
    const { drives, policy, memsize, smp, append, network, verbose, backendSettings, hvParams, trace } =
      handle.backend.config;
    assert.deepEqual(drives, [
      { path, readonly: true, format: 'raw', label: 'data' },
      { scratchSizeInBytes: 1024 * 1024, readonly: false, format: 'raw', cachemode: 'unsafe' },
    ]);
    assert.deepEqual(
      { policy, memsize, smp, append, network, verbose, backendSettings, hvParams, trace },
      {
        policy: 'trusted',
        memsize: 600,
        smp: 3,
        append: 'quiet',
        network: true,
        verbose: true,
        trace: false,
        backendSettings: ['force_tcg'],
        hvParams: [['-smbios', 'type=1']],
      },
    );
    await g.close();
  });

  test('getPid is the pid of a backend that is a process', async () => {
    const handle = await launchedHandle();
    assert.equal(handle.g.getPid(), 4711);
    handle.backend.pid = undefined;
    throwsWith(
      () => handle.g.getPid(),
      'ENOTSUP',
      /^get_pid: the embedded backend has no process of its own/,
    );
    handle.g.waitReady();
    await handle.g.close();
  });
});
