import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type ActionName, actionNames, actions, camelCase } from '../../src/api/index.js';
import { GuestfsError } from '../../src/base/index.js';
import { Guestfs, packageVersion } from '../../src/guestfs/index.js';
import { fakeHandle, launchedHandle, rejectsWith } from './fake.js';

/** A good value for each kind of argument. */
const samples: Record<string, unknown> = {
  string: 'text',
  optString: null,
  stringList: ['a', 'b'],
  deviceList: ['/dev/sda'],
  pathnameList: ['/a'],
  filenameList: ['a'],
  device: '/dev/sda',
  pathname: '/a',
  mountable: '/dev/sda1',
  devOrPathname: '/dev/sda',
  mountableOrPathname: '/dev/sda',
  guid: '01234567-89ab-cdef-0123-456789abcdef',
  key: 'secret',
  int: 1,
  int64: 1,
  bits64: 1n,
  bool: true,
  bufferIn: new Uint8Array([1, 2]),
  hostPath: '/dev/null',
  optHostPath: null,
  fileIn: '/dev/null',
  fileOut: '/dev/null',
};

describe('methods', () => {
  test('every action of the table is a method, by its name in camelCase', () => {
    const methods = new Set(Object.getOwnPropertyNames(Guestfs.prototype));
    for (const name of actionNames) {
      const method = camelCase<ActionName>(name);
      assert.ok(methods.has(method), method);
      assert.equal(Guestfs.prototype[method].name, method);
    }
    assert.ok(actionNames.length >= 590, `${actionNames.length} actions`);
    for (const method of ['partDisk', 'lvmRemoveAll', 'mke2fsJ', 'addDrive', 'isConfig'])
      assert.ok(methods.has(method), method);
  });

  test("no action's name is that of another member of the class", () => {
    const own = [
      'close',
      'state',
      'fs',
      'fork',
      'walk',
      'walkInParts',
      'unreadable',
      'osInfo',
      'setPrivate',
      'getPrivate',
      'on',
      'once',
      'events',
      'constructor',
    ];
    const methods = actionNames.map((name) => camelCase<ActionName>(name)) as string[];
    assert.deepEqual(
      methods.filter((name) => own.includes(name)),
      [],
    );
    assert.equal(new Set(methods).size, methods.length);
  });

  test('the package speaks of its own version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    assert.equal(packageVersion, version);
    const { g } = fakeHandle();
    assert.deepEqual(g.version(), { major: 1, minor: 61, release: 1, extra: `-guestfs-${version}` });
    await g.close();
  });

  test('every action that is not the handle’s own reaches the backend by its libguestfs name', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    const own: string[] = [];
    for (const name of actionNames) {
      const action = actions[name];
      if (action.nonBlocking === true || ['launch', 'shutdown', 'kill_subprocess'].includes(name)) continue;
      if (action.configOnly === true || action.args.some(({ type }) => type === 'pointer')) continue;
      const before = handle.backend.calls.length;
      const args = action.args.map(({ type }) => samples[type]);
      const method = g[camelCase<ActionName>(name)] as (...given: unknown[]) => Promise<unknown>;
      const result = method.apply(g, args).catch(() => {});
      const made = handle.backend.calls.slice(before);
      if (made.length === 0 || made[0]?.action !== name) own.push(name);
      else assert.deepEqual(made[0]?.args, args, name);
      for (const call of made) call.reject(new GuestfsError('ENOTSUP', 'a fake'));
      await result;
    }
    assert.deepEqual(own.sort(), [
      'available',
      'c_pointer',
      'canonical_device_name',
      'device_index',
      'device_name',
      'disk_create',
      'disk_format',
      'disk_has_backing_file',
      'disk_virtual_size',
      'feature_available',
      'mount_local',
      'mount_local_run',
      'umount_local',
    ]);
    await g.close();
  });

  test('what makes no sense here is refused with a reason', async () => {
    const { g } = await launchedHandle();
    await rejectsWith(g.cPointer(), 'ENOTSUP', /^c_pointer: .*no pointer/);
    await rejectsWith(g.mountLocal('/mnt'), 'ENOTSUP', /^mount_local: .*FUSE/);
    await g.shutdown();
    await rejectsWith(g.addDomain('vm'), 'ENOTSUP', /^add_domain: libvirt is not asked/);
    assert.throws(() => g.getLibvirtRequestedCredentials(), /libvirtAuth/);
    await g.close();
  });
});

describe('calls', () => {
  test('arguments, options and result go through', async () => {
    const handle = await launchedHandle();
    handle.backend.answers.set('mkfs', undefined);
    handle.backend.answers.set('part_list', [{ partNum: 1 }]);
    await handle.g.mkfs('ext4', '/dev/sda1', { blocksize: 4096, label: undefined });
    const { action, args, options } = handle.backend.last;
    assert.deepEqual(
      { action, args, options },
      {
        action: 'mkfs',
        args: ['ext4', '/dev/sda1'],
        options: { blocksize: 4096 },
      },
    );
    assert.deepEqual(await handle.g.partList('/dev/sda'), [{ partNum: 1 }]);
    await handle.g.close();
  });

  test('bad arguments reject, with the name of the method, before anything is told', async () => {
    const { g } = await launchedHandle();
    const seen: string[] = [];
    g.on('enter', (name) => seen.push(name));
    await assert.rejects(g.partList(12 as never), /^TypeError: partList: argument 1 \(device\) must be/);
    await assert.rejects(g.partList('/dev/sda', { nothing: 1 } as never), TypeError);
    assert.throws(() => g.setSmp('two' as never), /^TypeError: setSmp: argument 1/);
    assert.deepEqual(seen, []);
    await g.close();
  });

  test('calls run one at a time, in the order in which they were made', async () => {
    const handle = await launchedHandle();
    const done: number[] = [];
    const all = [1, 2, 3, 4, 5].map((number) =>
      handle.g.zero(`/dev/sd${number}`).then(() => done.push(number)),
    );
    for (let number = 1; number <= 5; number++) {
      assert.equal(handle.backend.calls.length, number);
      assert.deepEqual(handle.backend.last.args, [`/dev/sd${number}`]);
      handle.backend.last.resolve();
      await all[number - 1];
    }
    assert.deepEqual(done, [1, 2, 3, 4, 5]);
    await handle.g.close();
  });

  test('a call that fails does not hinder the next', async () => {
    const handle = await launchedHandle();
    const first = handle.g.zero('/dev/sda');
    const second = handle.g.zero('/dev/sdb');
    handle.backend.last.reject(new GuestfsError('ENOENT', '/dev/sda: no such device', { action: 'zero' }));
    const error = await rejectsWith(first, 'ENOENT', 'zero: /dev/sda: no such device');
    assert.equal(error.action, 'zero');
    assert.equal(error.errno, 2);
    handle.backend.last.resolve();
    await second;
    await handle.g.close();
  });

  test('many handles run side by side', async () => {
    const before = process.listeners('exit').length;
    const handles = await Promise.all(Array.from({ length: 50 }, () => launchedHandle()));
    const calls = handles.map(({ g }) => g.zero('/dev/sda'));
    assert.ok(handles.every(({ g }) => g.state === 'busy'));
    for (const { backend } of handles) backend.last.resolve();
    await Promise.all(calls);
    assert.equal(process.listeners('exit').length, before + 1, 'one listener serves them all');
    await Promise.all(handles.map(({ g }) => g.close()));
    assert.equal(process.listeners('exit').length, before);
  });
});

describe('signals', () => {
  test('one that aborts ends the running call with ECANCELED and its reason; the handle stays usable', async () => {
    const handle = await launchedHandle();
    const stop = new AbortController();
    const reason = new Error('enough');
    const running = handle.g.zero('/dev/sda', { signal: stop.signal });
    stop.abort(reason);
    const error = await rejectsWith(running, 'ECANCELED', 'zero: cancelled');
    assert.equal(error.cause, reason);
    assert.equal(handle.backend.cancels, 1);
    handle.backend.answers.set('list_devices', []);
    assert.deepEqual(await handle.g.listDevices(), []);
    await handle.g.close();
  });

  test('one that aborts takes out a call that waits, at once', async () => {
    const handle = await launchedHandle();
    const stop = new AbortController();
    const first = handle.g.zero('/dev/sda');
    const second = handle.g.zero('/dev/sdb', { signal: stop.signal });
    const third = handle.g.zero('/dev/sdc');
    stop.abort();
    await rejectsWith(second, 'ECANCELED', 'zero: cancelled');
    assert.equal(handle.backend.cancels, 0);
    handle.backend.last.resolve();
    await first;
    assert.deepEqual(handle.backend.last.args, ['/dev/sdc']);
    handle.backend.last.resolve();
    await third;
    assert.equal(handle.backend.calls.length, 2);
    await handle.g.close();
  });

  test('one that has aborted already refuses the call', async () => {
    const handle = await launchedHandle();
    const signal = AbortSignal.abort();
    await rejectsWith(handle.g.zero('/dev/sda', { signal }), 'ECANCELED', 'zero: cancelled');
    await rejectsWith(handle.g.deviceName(0, { signal }), 'ECANCELED', 'device_name: cancelled');
    assert.equal(handle.backend.calls.length, 0);
    assert.equal(handle.g.state, 'ready');
    await handle.g.close();
  });

  test('one that aborts too late changes nothing', async () => {
    const handle = await launchedHandle();
    const stop = new AbortController();
    const call = handle.g.zero('/dev/sda', { signal: stop.signal });
    handle.backend.last.resolve();
    await call;
    const next = handle.g.zero('/dev/sdb');
    stop.abort();
    assert.equal(handle.backend.cancels, 0);
    handle.backend.last.resolve();
    await next;
    await handle.g.close();
  });

  test('an error of another kind is told as it is, also after an abort', async () => {
    const handle = await launchedHandle();
    handle.backend.heedsCancel = false;
    const stop = new AbortController();
    const call = handle.g.zero('/dev/sda', { signal: stop.signal });
    stop.abort();
    handle.backend.last.reject(new GuestfsError('EIO', 'zero: disk trouble', {}));
    await rejectsWith(call, 'EIO', /disk trouble/);
    await handle.g.close();
  });

  test('userCancel ends the running call, and nothing else', async () => {
    const handle = await launchedHandle();
    const seen: string[] = [];
    handle.g.on('enter', (name) => seen.push(name));
    handle.g.userCancel();
    assert.equal(handle.backend.cancels, 0);
    const call = handle.g.zero('/dev/sda');
    const next = handle.g.zero('/dev/sdb');
    handle.g.userCancel();
    await rejectsWith(call, 'ECANCELED', /cancelled/);
    handle.backend.last.resolve();
    await next;
    assert.deepEqual(seen, ['zero', 'zero']);
    await handle.g.close();
  });
});

describe('groups', () => {
  test('available and featureAvailable ask group by group', async () => {
    const handle = await launchedHandle();
    const { g } = handle;
    let answer: (group: string) => number = () => 0;
    handle.backend.call = (action, args) => {
      assert.equal(action, 'internal_feature_available');
      return Promise.resolve(answer(args[0] as string));
    };
    await g.available(['acl', 'xfs']);
    assert.equal(await g.featureAvailable(['acl', 'xfs']), true);
    assert.equal(await g.featureAvailable([]), true);
    answer = (group) => (group === 'xfs' ? 1 : 0);
    await rejectsWith(g.available(['acl', 'xfs']), 'ENOTSUP', 'available: xfs: group not available');
    assert.equal(await g.featureAvailable(['acl', 'xfs']), false);
    answer = () => 2;
    await rejectsWith(g.available(['nope']), 'EINVAL', 'available: nope: unknown group');
    await rejectsWith(g.featureAvailable(['nope']), 'EINVAL', 'feature_available: nope: unknown group');
    await g.close();
  });
});
