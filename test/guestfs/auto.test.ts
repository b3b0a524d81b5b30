/** The backend `auto` with doubles of both backends: the order of things, and what goes wrong. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { actionNames, type Carried, type StartBackend } from '../../src/api/index.js';
import { GuestfsError, UnsupportedError } from '../../src/base/index.js';
import { autoStarter } from '../../src/guestfs/auto/auto-backend.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { testing } from '../../src/guestfs/testing.js';
import { FakeBackend, FakeClock, imageFile, rejectsWith } from './fake.js';

/** A double of the engine: it can leave. */
class FakeEngine extends FakeBackend {
  override pid = undefined;
  carried: Carried = { drives: [], calls: [] };
  /** Whether anything was written to the drive; its layer, once that was left. */
  hasWritten = false;
  layer: string | undefined;
  /** What `leave` rejects with. */
  leaveError: GuestfsError | undefined;
  /** Called when it has left; a promise delays that. */
  leaving: () => Promise<void> = async () => {};

  override cancel(): void {
    if (this.calls.length > 0) super.cancel();
  }

  async leave([file]: readonly (string | undefined)[]): Promise<Carried> {
    if (this.hasWritten) {
      assert.ok(file !== undefined);
      writeFileSync(file, 'layer');
      this.layer = file;
    }
    await this.leaving();
    if (this.leaveError) throw this.leaveError;
    this.events.quit();
    return { ...this.carried, drives: this.layer === undefined ? [] : [{ layer: this.layer }] };
  }
}

interface Launches {
  /** What happened, in order. */
  readonly log: string[];
  readonly engines: FakeEngine[];
  readonly appliances: FakeBackend[];
  /** What the check of this machine rejects with. */
  missing: GuestfsError | undefined;
  /** Runs in the middle of a launch of the appliance. */
  launching: (backend: FakeBackend, signal: AbortSignal | undefined) => Promise<void>;
  /** Runs in the middle of a launch of the engine. */
  starting: (backend: FakeEngine) => Promise<void>;
}

interface AutoHandle {
  readonly g: Guestfs;
  readonly clock: FakeClock;
  readonly launches: Launches;
  readonly messages: string[];
  readonly quits: number[];
}

/** A launched handle on `auto`, made of doubles. */
async function autoHandle({
  launch = true,
  answers = {} as Record<string, unknown>,
} = {}): Promise<AutoHandle> {
  const launches: Launches = {
    log: [],
    engines: [],
    appliances: [],
    missing: undefined,
    launching: async () => {},
    starting: async () => {},
  };
  const startEngine: StartBackend = async (config, events) => {
    launches.log.push('engine');
    const engine = new FakeEngine(config, events);
    for (const [name, value] of Object.entries(answers)) engine.answers.set(name, value);
    launches.engines.push(engine);
    await launches.starting(engine);
    return engine;
  };
  const startDirect: StartBackend = async (config, events, signal) => {
    launches.log.push('appliance');
    const appliance = new FakeBackend(config, events);
    launches.appliances.push(appliance);
    appliance.answers
      .set('mount_ro', undefined)
      .set('command', 'done')
      .set('umask', 0o22)
      .set('cat', 'there');
    await launches.launching(appliance, signal);
    return appliance;
  };
  const checkDirect = async (): Promise<void> => {
    launches.log.push('check');
    if (launches.missing) throw launches.missing;
  };
  const startBackend = autoStarter({ startEngine, startDirect, checkDirect });
  const clock = new FakeClock();
  const g = new Guestfs({
    environment: false,
    backend: 'auto',
    stderr: null,
    [testing]: { startBackend, clock },
  });
  const messages: string[] = [];
  const quits: number[] = [];
  g.on('library', (message) => messages.push(message));
  g.on('warning', (message) => messages.push(`warning: ${message}`));
  g.on('subprocessQuit', () => quits.push(1));
  g.addDrive(imageFile(), { readonly: true });
  if (launch) await g.launch();
  return { g, clock, launches, messages, quits };
}

const first = <T>(list: readonly T[], index = 0): T => {
  const found = list[index];
  assert.ok(found !== undefined, 'there is none');
  return found;
};

const unsupported = (untouched = true): UnsupportedError =>
  new UnsupportedError('/dev/sda3', ['reading btrfs'], { elsewhere: 'appliance', untouched });

const mountCall = { action: 'mount_ro', args: ['/dev/sda1', '/'], options: {} };

const done = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** The layers that are there: they have no names any more. */
const layers = (): string[] =>
  readdirSync('/proc/self/fd')
    .map((descriptor) => `/proc/${process.pid}/fd/${descriptor}`)
    .filter((path) => existsSync(path) && readlinkSync(path).includes('guestfs-layer-'));

describe('auto', () => {
  test('stays with the engine while that does the calls', async () => {
    const { g, launches, messages } = await autoHandle({ answers: { cat: 'text' } });
    assert.equal(g.getBackend(), 'auto');
    assert.equal(g.backend, 'embedded');
    assert.equal(await g.cat('/x'), 'text');
    assert.deepEqual(launches.log, ['engine']);
    assert.deepEqual(messages, []);
    assert.throws(() => g.getPid(), /the embedded backend has no process/);
    await g.close();
  });

  test('goes over for an action that only the appliance has, and stays there', async () => {
    const { g, launches, messages, quits } = await autoHandle();
    const engine = first(launches.engines);
    engine.carried = { drives: [{}], calls: [mountCall, { action: 'umask', args: [0o22], options: {} }] };
    assert.equal(await g.command(['uname']), 'done');
    assert.deepEqual(launches.log, ['engine', 'check', 'appliance']);
    assert.deepEqual(engine.calls, []);
    const appliance = first(launches.appliances);
    assert.deepEqual(
      appliance.calls.map(({ action, args }) => [action, ...args]),
      [
        ['mount_ro', '/dev/sda1', '/'],
        ['umask', 0o22],
        ['command', ['uname']],
      ],
    );
    assert.deepEqual(messages, ['starting the appliance: command']);
    assert.equal(g.backend, 'direct');
    assert.equal(g.getBackend(), 'auto');
    assert.equal(g.getPid(), 4711);
    assert.equal(await g.cat('/x'), 'there');
    assert.equal(appliance.calls.length, 4);
    assert.deepEqual(quits, []);
    await g.shutdown();
    assert.deepEqual(quits, [1]);
    assert.equal(appliance.shutdowns, 1);
    assert.equal(g.backend, undefined);
  });

  test('goes over for what the engine cannot read, once, without the warnings of the first attempt', async () => {
    const { g, launches, messages } = await autoHandle();
    const engine = first(launches.engines);
    const reading = g.cat('/x');
    await done();
    engine.events.log('warning', 'this could not be read', true, 'appliance');
    engine.events.log('warning', 'that is odd');
    engine.last.reject(unsupported());
    assert.equal(await reading, 'there');
    assert.deepEqual(messages, ['warning: that is odd', 'starting the appliance: btrfs on /dev/sda3']);
    assert.equal(launches.appliances.length, 1);
  });

  test('tells what the engine warned of where the call did not go over', async () => {
    const { g, launches, messages } = await autoHandle();
    const reading = g.cat('/x');
    await done();
    first(launches.engines).events.log('warning', 'this could not be read', true, 'appliance');
    assert.deepEqual(messages, []);
    first(launches.engines).last.resolve('text');
    await reading;
    assert.deepEqual(messages, ['warning: this could not be read (the direct backend may have it)']);
  });

  test('never makes a call again that has changed something, or that neither backend does', async () => {
    const { g, launches } = await autoHandle();
    for (const error of [
      unsupported(false),
      new UnsupportedError('x', ['y'], { untouched: true, elsewhere: 'nowhere' }),
      new UnsupportedError('x', ['y'], { untouched: true }),
    ]) {
      const reading = g.cat('/x');
      await done();
      first(launches.engines).last.reject(error);
      await rejectsWith(reading, 'ENOTSUP', /not supported/);
    }
    assert.deepEqual(launches.log, ['engine']);
  });

  test('gives the appliance the layers, and removes their files when it has them', async () => {
    const { g, launches } = await autoHandle();
    first(launches.engines).hasWritten = true;
    launches.launching = async ({ config }) => {
      const [layer = ''] = layers();
      assert.equal(config.drives[0]?.layer, layer);
      assert.equal(config.drives[0]?.format, 'raw');
      assert.equal(readFileSync(layer, 'utf8'), 'layer');
      assert.match(readlinkSync(layer), /guestfs-layer-.* \(deleted\)$/);
    };
    await g.command(['uname']);
    assert.deepEqual(layers(), []);
  });

  test('hands over the inspection that a fork has from the first handle', async () => {
    const getters = actionNames.filter((name) => /^inspect_(?:get|is)_/.test(name));
    const call = { action: 'internal_inspection', args: ['{}'], options: {} };
    const { g, launches } = await autoHandle({
      answers: {
        ...Object.fromEntries(getters.map((name) => [name, name])),
        internal_session: [call],
        internal_inspection: ['/dev/sda1'],
      },
    });
    await using second = await g.fork();
    const engine = first(launches.engines, 1);
    assert.deepEqual(
      engine.calls.map(({ action, args }) => [action, args]),
      [['internal_inspection', ['{}']]],
    );
    engine.carried = { drives: [], calls: [{ action: 'inspect_os', args: [], options: {} }] };
    await second.command(['uname']);
    const { config, calls } = first(launches.appliances);
    assert.deepEqual(config.inspection?.get('inspect_get_type /dev/sda1'), { value: 'inspect_get_type' });
    assert.deepEqual(
      calls.map(({ action }) => action),
      ['command'],
    );
  });

  test('has the appliance inspect by itself where that may know more of a system', async () => {
    const unknown = 'inspect_get_windows_group_policy';
    const getters = actionNames.filter((name) => /^inspect_(?:get|is)_/.test(name) && name !== unknown);
    const { g, launches } = await autoHandle({
      answers: { ...Object.fromEntries(getters.map((name) => [name, name])), inspect_os: ['/dev/sda1'] },
    });
    const inspection = { action: 'inspect_os', args: [], options: {} };
    first(launches.engines).carried = { drives: [], calls: [inspection, mountCall] };
    launches.launching = async ({ answers }) => void answers.set('inspect_os', ['/dev/sda1']);
    await g.inspectOs();
    const calling = g.command(['uname']);
    await done();
    assert.equal(first(launches.engines).last.action, unknown);
    first(launches.engines).last.reject(
      new UnsupportedError('/dev/sda1', ['the Windows registry'], { elsewhere: 'appliance' }),
    );
    await calling;
    const { config, calls } = first(launches.appliances);
    assert.equal(config.inspection, undefined);
    assert.deepEqual(
      calls.map(({ action }) => action),
      ['inspect_os', 'mount_ro', 'command'],
    );
  });

  test('goes on embedded where there is no appliance, and says what to install', async () => {
    const { g, launches, messages } = await autoHandle({ answers: { cat: 'text' } });
    launches.missing = new GuestfsError('ENOENT', 'the hypervisor is missing: install it');
    const failure = await rejectsWith(
      g.command(['uname']),
      'ENOTSUP',
      'command: the embedded backend: not supported: command (the appliance can do it, but cannot be started: the hypervisor is missing: install it)',
    );
    assert.ok(failure instanceof UnsupportedError);
    assert.equal(await g.cat('/x'), 'text');
    assert.deepEqual(messages, []);
    assert.deepEqual(launches.log, ['engine', 'check']);
  });

  test('goes back to the engine, with all that it had, where the appliance does not start', async () => {
    const { g, launches, quits, messages } = await autoHandle({
      answers: { cat: 'text', mount_ro: undefined },
    });
    const engine = first(launches.engines);
    engine.hasWritten = true;
    engine.carried = { drives: [], calls: [mountCall] };
    launches.launching = async () => {
      throw new GuestfsError('EIO', 'the appliance did not boot');
    };
    launches.starting = async ({ config }) => {
      assert.equal(config.drives[0]?.layer, engine.layer);
      assert.deepEqual(layers(), [engine.layer]);
    };
    await rejectsWith(g.command(['uname']), 'ENOTSUP', /cannot be started: the appliance did not boot\)$/);
    assert.deepEqual(layers(), []);
    assert.equal(await g.cat('/x'), 'text');
    assert.deepEqual(
      first(launches.engines, 1).calls.map(({ action }) => action),
      ['mount_ro', 'cat'],
    );
    assert.deepEqual(quits, []);
    // The second call does not try again.
    await rejectsWith(g.command(['uname']), 'ENOTSUP', /cannot be started: the appliance did not boot\)$/);
    assert.deepEqual(launches.log, ['engine', 'check', 'appliance', 'engine']);
    assert.deepEqual(messages, ['starting the appliance: command']);
    assert.equal(g.backend, 'embedded');
  });

  test('goes back where the appliance cannot be brought to the same state', async () => {
    const { g, launches } = await autoHandle({ answers: { mount_ro: undefined } });
    first(launches.engines).carried = { drives: [], calls: [mountCall] };
    launches.launching = async (appliance) => {
      appliance.answers.delete('mount_ro');
    };
    const calling = g.command(['uname']);
    await done();
    first(launches.appliances).last.reject(new GuestfsError('EINVAL', 'bad superblock'));
    await rejectsWith(calling, 'ENOTSUP', /cannot be started: mount_ro again: bad superblock\)$/);
    assert.equal(first(launches.appliances).shutdowns, 1);
    assert.equal(g.state, 'ready');
  });

  test('makes a call that failed in part again without asking for more', async () => {
    const { g, launches } = await autoHandle();
    const calls = [{ action: 'vg_activate', args: [true, ['VG']], options: {}, fails: true as const }];
    first(launches.engines).carried = { drives: [], calls };
    const calling = g.command(['uname']);
    await done();
    first(launches.appliances).last.reject(new GuestfsError('EIO', 'a part is missing'));
    assert.equal(await calling, 'done');
  });

  test('is embedded again after a cancellation in the middle of a launch', async () => {
    const { g, launches } = await autoHandle({ answers: { cat: 'text' } });
    first(launches.engines).hasWritten = true;
    launches.launching = (_backend, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new GuestfsError('ECANCELED', 'cancelled')));
      });
    const abort = new AbortController();
    const calling = g.command(['uname'], { signal: abort.signal });
    await done();
    assert.equal(g.state, 'busy');
    assert.equal(g.backend, 'embedded');
    abort.abort(new Error('enough'));
    const failure = await rejectsWith(calling, 'ECANCELED', 'command: cancelled');
    assert.equal((failure.cause as Error).message, 'enough');
    assert.equal(await g.cat('/x'), 'text');
    assert.deepEqual(layers(), []);
    // A cancelled launch tells nothing about the next one.
    launches.launching = async () => {};
    assert.equal(await g.command(['uname']), 'done');
  });

  test('cancels the call that is made again', async () => {
    const { g, launches } = await autoHandle({ answers: { mount_ro: undefined, cat: 'text' } });
    first(launches.engines).carried = { drives: [], calls: [mountCall] };
    launches.launching = async (appliance) => {
      appliance.answers.delete('mount_ro');
    };
    const calling = g.command(['uname']);
    await done();
    g.userCancel();
    await rejectsWith(calling, 'ECANCELED', /cancelled/);
    assert.equal(first(launches.appliances).cancels, 1);
    assert.equal(await g.cat('/x'), 'text');
  });

  for (const [when, step] of [
    ['while the engine leaves', 'leave'],
    ['while the appliance starts', 'launch'],
    ['while calls are made again', 'replay'],
  ] as const)
    test(`ends the session, and leaves nothing, when it is killed ${when}`, async () => {
      const { g, launches, quits } = await autoHandle();
      const engine = first(launches.engines);
      engine.hasWritten = true;
      engine.carried = { drives: [], calls: [mountCall] };
      const never = new Promise<void>(() => {});
      if (step === 'leave') engine.leaving = () => never;
      launches.launching = (appliance, signal) => {
        if (step === 'replay') appliance.answers.delete('mount_ro');
        if (step !== 'launch') return Promise.resolve();
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => reject(new GuestfsError('ECANCELED', 'cancelled')));
        });
      };
      const calling = g.command(['uname']);
      await done();
      const killing = g.killSubprocess();
      if (step === 'replay') first(launches.appliances).last.reject(new GuestfsError('EIO', 'gone'));
      await rejectsWith(calling, 'EIO', /before the call was done/);
      await killing;
      assert.equal(g.state, 'config');
      assert.deepEqual(quits, [1]);
      assert.equal(engine.kills, step === 'leave' ? 1 : 0 + (step === 'launch' ? 1 : 0));
      if (step === 'replay') assert.equal(first(launches.appliances).kills > 0, true);
      assert.deepEqual(layers(), []);
    });

  test('ends with its handle in the middle of going over', async () => {
    const { g, launches } = await autoHandle();
    launches.launching = (_backend, signal) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new GuestfsError('ECANCELED', 'cancelled')));
      });
    const calling = g.command(['uname']);
    await done();
    const closing = g.close();
    await rejectsWith(calling, 'ECANCELED', /the handle was closed/);
    await closing;
    assert.equal(first(launches.engines, 1).shutdowns, 1);
  });

  test('goes on where the engine cannot leave', async () => {
    const { g, launches, quits } = await autoHandle({ answers: { cat: 'text' } });
    first(launches.engines).leaveError = new GuestfsError('ENOSPC', 'no room for what was written');
    await rejectsWith(g.command(['uname']), 'ENOTSUP', /cannot be started: no room for what was written\)$/);
    assert.equal(await g.cat('/x'), 'text');
    assert.deepEqual([launches.log.length, quits.length], [2, 0]);
  });

  test('ends the session, and says why, where neither backend can go on', async () => {
    const { g, launches, quits } = await autoHandle();
    launches.launching = async () => {
      throw new GuestfsError('EIO', 'no boot');
    };
    launches.starting = async () => {
      throw new GuestfsError('ENOENT', 'the image is gone');
    };
    await rejectsWith(g.command(['uname']), 'EIO', /the session has ended: .*no boot.*the image is gone/);
    assert.deepEqual(quits, [1]);
    assert.equal(g.state, 'config');
  });

  test('hears of the death of the appliance', async () => {
    const { g, launches, quits } = await autoHandle();
    await g.command(['uname']);
    const reading = g.ls('/');
    await done();
    first(launches.appliances).events.quit(new GuestfsError('EIO', 'qemu was killed'));
    await rejectsWith(reading, 'EIO', 'ls: qemu was killed');
    assert.deepEqual(quits, [1]);
    assert.equal(g.backend, undefined);
  });

  test('launches the appliance at once where only that opens the drives', async () => {
    const { g, launches, messages } = await autoHandle({ launch: false });
    launches.starting = async () => {
      throw new UnsupportedError('disk.vmdk: vmdk image', ['the image format vmdk'], {
        elsewhere: 'appliance',
        untouched: true,
      });
    };
    launches.missing = new GuestfsError('ENOENT', 'the hypervisor is missing');
    await rejectsWith(
      g.launch(),
      'ENOTSUP',
      /vmdk.*\(the appliance can do it, but cannot be started: the hypervisor/,
    );
    launches.missing = undefined;
    await g.launch();
    assert.equal(g.backend, 'direct');
    assert.deepEqual(messages, ['starting the appliance: disk.vmdk: vmdk image: the image format vmdk']);
    await g.close();
  });

  test('tells the progress of the launch in the call that caused it', async () => {
    const { g, launches, clock } = await autoHandle();
    const told: number[] = [];
    launches.launching = async ({ events }) => {
      clock.pass(3000);
      events.progress(7, 12);
    };
    await g.command(['uname'], { onProgress: ({ position }) => told.push(position) });
    assert.deepEqual(told, [7, 12]);
  });
});
