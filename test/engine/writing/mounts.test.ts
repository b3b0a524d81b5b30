/** Mounting for writing: who shares a filesystem, what is written when, and what is left when that fails. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { prepareToLeave } from '../../../src/engine/thread/leave.js';
import type { FileSystemDriver, OpenOptions } from '../../../src/fs/index.js';
import { WritableFileSystem } from '../../support/writable-fs.js';
import { Ground } from './ground.js';

/** What was done to the filesystems of a session, in order. */
let log: string[] = [];

/** A filesystem whose syncs and closes are told. */
class ToldFileSystem extends WritableFileSystem {
  readonly name: string;
  fails = false;

  constructor(name: string) {
    super({ type: 'told' });
    this.name = name;
  }

  #tell(what: string): void {
    log.push(`${what} ${this.name}`);
    if (this.fails) throw new GuestfsError('EIO', `${this.name} cannot be written`);
  }

  override sync(): void {
    this.#tell('sync');
  }

  override close(): void {
    this.#tell('close');
  }
}

let ground: Ground;
before(async () => {
  ground = await Ground.make(2 ** 20);
});
after(() => ground.close());

test('sync reaches what is in files first, then the filesystems, and a failure leaves out nothing', async () => {
  log = [];
  const [outer, inner] = [new ToldFileSystem('outer'), new ToldFileSystem('inner')];
  ground.mount(outer, '/');
  await ground.call('mkdir', '/in');
  ground.mount(inner, '/in', '/dev/loop0');
  await ground.call('sync');
  assert.deepEqual(log, ['sync inner', 'sync outer']);
  inner.fails = true;
  await assert.rejects(ground.call('sync'), { code: 'EIO' });
  assert.deepEqual(log.slice(2), ['sync inner', 'sync outer']);
  await assert.rejects(ground.call('umount_all'), { code: 'EIO' });
  assert.deepEqual(log.slice(4), ['close inner', 'close outer']);
  assert.deepEqual(await ground.call('mounts'), []);
});

/** A driver in the place of all others, which counts how it is asked to open. */
function driver(): FileSystemDriver & { readonly asked: (boolean | undefined)[]; refuses: boolean } {
  const asked: (boolean | undefined)[] = [];
  const contents = new ToldFileSystem('shared');
  const made = {
    asked,
    refuses: false,
    name: 'told',
    role: 'filesystem' as const,
    usage: 'filesystem' as const,
    types: ['told'],
    probe: () => ({ type: 'told', facts: {} }),
    open(_disk: unknown, { readonly }: OpenOptions) {
      if (made.refuses && readonly !== true) throw new GuestfsError('EIO', 'this is not to be written');
      asked.push(readonly);
      return contents;
    },
  };
  return made as unknown as FileSystemDriver & typeof made;
}

test('a device is mounted for writing by all or by none, and a remount opens it anew', async () => {
  const { OpenFileSystems } = await import('../../../src/engine/session/open-filesystems.js');
  const told = driver();
  const [device] = ground.session.devices.drives;
  assert.ok(device);
  const fileSystems = new OpenFileSystems({
    devices: ground.session.devices,
    contents: {
      recognise: () => ({ seen: [{ kind: told, probed: told.probe(device.disk, undefined as never) }] }),
      probeIfReadable: () => undefined,
    } as never,
    kinds: [told],
    tmpdir: ground.directory,
    warn() {},
  });
  const first = fileSystems.open(device, { type: 'told', writable: false });
  assert.throws(() => fileSystems.open(device, { type: 'told', writable: true }), { code: 'EBUSY' });
  // Who only looks shares it, however it is open.
  fileSystems.open(device, { type: 'told' }).release();
  assert.deepEqual(told.asked, [true]);
  fileSystems.reopen(first.fileSystem, true);
  assert.deepEqual(told.asked, [true, false]);
  assert.throws(() => fileSystems.open(device, { type: 'told', writable: false }), { code: 'EBUSY' });
  fileSystems.reopen(first.fileSystem, false);
  assert.deepEqual(told.asked, [true, false, true]);
  told.refuses = true;
  assert.throws(() => fileSystems.reopen(first.fileSystem, true), { code: 'EIO' });
  assert.deepEqual(told.asked.length, 3);
  assert.ok(fileSystems.isOpen(device));
  first.release();
  assert.ok(!fileSystems.isOpen(device));
});

test('what a directory held is told anew once it was changed', async () => {
  ground.mount(new WritableFileSystem(), '/');
  for (const name of ['a', 'b', 'c', 'd']) await ground.call('touch', `/${name}`);
  const { directoryPage } = await import('../../../src/engine/actions/directory-pages.js');
  const { Call } = await import('../../../src/engine/thread/call.js');
  const page = (from: string): readonly string[] => {
    const call = new Call('x', ground.session, { isCancelled: () => false, progress() {} }, false);
    return directoryPage(call, '/', from, 2, false).names;
  };
  assert.deepEqual(page(''), ['a', 'b']);
  await ground.call('rm', '/c');
  await ground.call('touch', '/e');
  assert.deepEqual(page('b'), ['d', 'e']);
  await ground.call('umount_all');
});

test('a session that is left has its filesystems as after an unmount, and can go on if leaving fails', async () => {
  log = [];
  const fileSystem = new ToldFileSystem('left');
  ground.mount(fileSystem, '/', '/dev/sda');
  const [mount] = ground.session.mounts.mounts();
  assert.ok(mount);
  const reopened: boolean[] = [];
  const { remount } = ground.session;
  ground.session.remount = (one, writable) => {
    reopened.push(writable);
    one.remount(!writable);
  };
  ground.session.calls.record('mounts', [mount], { action: 'mount', args: ['/dev/sda', '/'], options: {} });
  const failing = {
    files: [],
    progress() {
      throw new GuestfsError('ECANCELED', 'not now');
    },
  };
  assert.throws(() => prepareToLeave(ground.session, failing), { code: 'ECANCELED' });
  assert.deepEqual(reopened, [false, true]);
  assert.equal(mount.readonly, false);
  assert.equal(prepareToLeave(ground.session, { files: [], progress() {} }).calls.length, 1);
  assert.deepEqual(reopened, [false, true, false]);
  ground.session.remount = remount;
  await ground.call('umount_all');
});
