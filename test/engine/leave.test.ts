/**
 * A session that is left tells what it was: another one to which the same is done answers the same, and nothing of the
 * first is left open.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Backend, BackendConfig, BackendEvents, Carried, CarriedCall } from '../../src/api/index.js';
import { GuestfsError, readLimits } from '../../src/base/index.js';
import { startEngine } from '../../src/engine/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { scratchDirectory } from '../support/scratch.js';
import { scratchPath } from './support.js';

const directory = scratchDirectory();
const images = new Map<string, string>();

/** A fixture as a file. */
function image(name: string): string {
  const known = images.get(name);
  if (known !== undefined) return known;
  const path = scratchPath(name.replaceAll('/', '-'));
  writeFileSync(path, readFixtureBuffer(`${name}.img.gz`));
  images.set(name, path);
  return path;
}

type Drive = BackendConfig['drives'][number];

const drive = (name: string, more: Partial<Drive> = {}): Drive => ({
  path: image(name),
  format: 'raw',
  readonly: true,
  ...more,
});

const silent: BackendEvents = { progress() {}, log() {}, quit() {} };

function start(drives: readonly Drive[], events: Partial<BackendEvents> = {}): Promise<Backend> {
  const config = {
    drives,
    policy: 'untrusted',
    tmpdir: directory,
    autosync: true,
    limits: readLimits([], {}),
  } as unknown as BackendConfig; // safe: all that an engine reads of it
  return startEngine(config, { ...silent, ...events });
}

type Words = readonly [action: string, ...args: unknown[]];

const call = (backend: Backend, [action, ...args]: Words, options = {}): Promise<unknown> =>
  backend.call(action, args, options, { wantsProgress: false });

/** What a session shows of its state. */
async function shown(backend: Backend): Promise<unknown> {
  const answers: unknown[] = [];
  for (const words of [
    ['mountpoints'],
    ['debug', 'mounts', []],
    ['get_umask'],
    ['list_filesystems'],
    ['lvs'],
    ['vgs'],
    ['pvs'],
    ['inspect_get_roots'],
    ['list_dm_devices'],
    ['ls0', '/'],
    ...['/dev/sda', '/dev/sda1', '/dev/sdb', '/dev/vg/here'].map((name): Words => ['blockdev_getro', name]),
  ] as const satisfies readonly Words[])
    answers.push([...words, await outcome(call(backend, words))]);
  return answers;
}

const outcome = async (answer: Promise<unknown>): Promise<unknown> => {
  try {
    const value = await answer;
    return value instanceof Map ? [...value] : value;
  } catch (thrown) {
    assert.ok(thrown instanceof GuestfsError, String(thrown));
    return `${thrown.code} ${thrown.message}`;
  }
};

/** Does what was carried. */
async function follow(backend: Backend, calls: readonly CarriedCall[]): Promise<void> {
  for (const { action, args, options, fails } of calls) {
    const answer = backend.call(action, args, options, { wantsProgress: false });
    if (fails === true) await assert.rejects(answer, GuestfsError);
    else await answer;
  }
}

async function leave(backend: Backend): Promise<Carried> {
  assert.ok(backend.leave);
  return await backend.leave();
}

/** Does something, leaves, and does what was carried to a new session, which must show the same. */
async function carry(drives: readonly Drive[], calls: readonly (Words | CarriedCall)[]): Promise<Carried> {
  const first = await start(drives);
  for (const words of calls) {
    const { action, args, options } =
      'action' in words ? words : { action: words[0], args: words.slice(1), options: {} };
    await outcome(first.call(action, args, options, { wantsProgress: false }));
  }
  const before = await shown(first);
  const carried = await leave(first);
  const second = await start(drives);
  await follow(second, carried.calls);
  assert.deepEqual(await shown(second), before);
  await second.shutdown();
  return carried;
}

const words = ({ calls }: Carried): unknown[] => calls.map(({ action, args }) => [action, ...args]);

describe('what a session was is carried:', () => {
  test('nothing, where nothing was done', async () => {
    const carried = await carry([drive('scenarios/ext4'), drive('scenarios/lvm1')], [['list_devices']]);
    assert.deepEqual(carried, { drives: [{}, {}], calls: [] });
  });

  test('mounts in their order with their options, of which some were taken back', async () => {
    const carried = await carry(
      [drive('scenarios/ext4'), drive('scenarios/gpt')],
      [
        ['mount_options', 'ro,noatime', '/dev/disk/guestfs/none', '/'],
        ['mount_options', 'ro,noatime', '/dev/vda', '/'],
        ['mount_ro', '/dev/sda', '/dir'],
        ['umount', '/dir'],
        ['mount_vfs', 'ro', 'ext4', '/dev/sda', '/dir'],
      ],
    );
    assert.deepEqual(words(carried), [
      ['mount_options', 'ro,noatime', '/dev/sda', '/'],
      ['mount_vfs', 'ro', 'ext4', '/dev/sda', '/dir'],
    ]);
  });
});
