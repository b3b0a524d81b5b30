/**
 * A session that is left tells what it was: another one to which the same is done answers the same, and nothing of the
 * first is left open.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { Backend, BackendConfig, BackendEvents, Carried, CarriedCall } from '../../src/api/index.js';
import { GuestfsError, readLimits } from '../../src/base/index.js';
import type { Disk } from '../../src/disk/index.js';
import { makeLayerFiles } from '../../src/engine/host/layer-files.js';
import { startEngine } from '../../src/engine/index.js';
import { Session } from '../../src/engine/session/session.js';
import { prepareToLeave } from '../../src/engine/thread/leave.js';
import { openDiskImage } from '../../src/image/index.js';
import { node } from '../../src/platform/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { readAll } from '../support/gaits.js';
import { leftLayer } from '../support/layers.js';
import { MemoryFileSystem } from '../support/memory-fs.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { scratchPath } from './support.js';

const directory = scratchDirectory();
const MiB = 2 ** 20;
const images = new Map<string, string>();

/** A fixture as a file. */
function image(name: string): string {
  const known = images.get(name);
  if (known !== undefined) return known;
  const path = scratchPath(name.replaceAll('/', '-'));
  writeFileSync(path, readFixtureBuffer(`${name}.gz`));
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

const configOf = (drives: readonly Drive[]): BackendConfig =>
  ({
    drives,
    policy: 'untrusted',
    tmpdir: directory,
    autosync: true,
    limits: readLimits([], {}),
  }) as unknown as BackendConfig; // safe: all that an engine reads of it

function start(drives: readonly Drive[], events: Partial<BackendEvents> = {}): Promise<Backend> {
  return startEngine(configOf(drives), { ...silent, ...events });
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

/** Leaves as a hand-over does, without one. */
async function leave(
  backend: Backend,
  drives: BackendConfig['drives'] = [{ readonly: true }],
): Promise<Carried> {
  assert.ok(backend.leave);
  const files = makeLayerFiles({ drives, tmpdir: directory });
  try {
    return await backend.leave(files.paths);
  } finally {
    files.remove();
  }
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
  const carried = await leave(first, configOf(drives).drives);
  const second = await start(drives);
  await follow(second, carried.calls);
  assert.deepEqual(await shown(second), before);
  await second.shutdown();
  return carried;
}

const words = ({ calls }: Carried): unknown[] => calls.map(({ action, args }) => [action, ...args]);

describe('what a session was is carried:', () => {
  test('nothing, where nothing was done', async () => {
    const carried = await carry(
      [drive('scenarios/ext4.img'), drive('scenarios/lvm1.img')],
      [['list_devices']],
    );
    assert.deepEqual(carried, { drives: [{}, {}], calls: [] });
  });

  test(
    'no option that asks for nothing: Linux refuses noload where there is no log',
    needs('mke2fs'),
    async () => {
      const path = scratchPath('ext2.img');
      writeFileSync(path, '');
      truncateSync(path, 4 * MiB);
      execFileSync('mke2fs', ['-q', '-t', 'ext2', path], { env: toolEnvironment });
      const carried = await carry(
        [drive('scenarios/ext4.img'), { path, format: 'raw', readonly: true }],
        [
          ['mount_options', 'ro,noload,noatime', '/dev/sda', '/'],
          ['mount_options', 'ro,noload,noatime', '/dev/sdb', '/dir'],
        ],
      );
      assert.deepEqual(words(carried), [
        ['mount_options', 'ro,noload,noatime', '/dev/sda', '/'],
        ['mount_options', 'ro,noatime', '/dev/sdb', '/dir'],
      ]);
    },
  );

  test('mounts in their order with their options, of which some were taken back', async () => {
    const carried = await carry(
      [drive('scenarios/ext4.img'), drive('scenarios/gpt.img')],
      [
        ['mount_options', 'ro,noatime', '/dev/vda', '/'],
        ['mount_ro', '/dev/sda', '/dir'],
        ['umount', '/dir'],
        ['mount_vfs', 'ro', 'ext4', '/dev/sda', '/dir/./../dir'],
        ['mount', '/dev/sdb1', '/dir/nothing'],
        ['mount', '/dev/sda', '/lost+found'],
        ['mount_options', 'ro', '/dev/sda', '/lost+found'],
        ['remount', '/lost+found'],
      ],
    );
    assert.deepEqual(words(carried), [
      ['mount_options', 'ro,noatime', '/dev/sda', '/'],
      ['mount_vfs', 'ro', 'ext4', '/dev/sda', '/dir'],
      // For writing it was refused: the filesystem is mounted read-only already.
      ['mount_options', 'ro', '/dev/sda', '/lost+found'],
    ]);
  });

  test('the registry hive that is open, while its filesystem is mounted', async () => {
    const windows = drive('windows/gpt.img');
    const open = (name: string): CarriedCall => ({
      action: 'hivex_open',
      args: [`/Windows/System32/config/${name}`],
      options: { write: true },
    });
    const opened = [['mount_ro', '/dev/sda2', '/'], open('SYSTEM'), open('SOFTWARE')] as const;
    const carried = await carry([windows], opened);
    assert.deepEqual(carried.calls.slice(1), [open('SOFTWARE')]);
    const mounted = [['mount_options', 'ro', '/dev/sda2', '/']];
    assert.deepEqual(words(await carry([windows], [...opened, ['hivex_close']])), mounted);
    const again = [...opened, ['umount', '/'], ['mount_ro', '/dev/sda2', '/']] as const;
    assert.deepEqual(words(await carry([windows], again)), mounted);
  });

  test('changes of the registry hive that are not in its file', async () => {
    const opened = [
      ['mount_ro', '/dev/sda2', '/'],
      { action: 'hivex_open', args: ['/Windows/System32/config/SOFTWARE'], options: { write: true } },
      ['hivex_node_add_child', 4176, 'Added'],
      ['hivex_node_set_value', 4176, 'number', 4, Uint8Array.of(1, 2, 3, 4)],
    ] as const;
    const carried = await carry([drive('windows/gpt.img')], opened);
    assert.deepEqual(words(carried).slice(2), opened.slice(2));
    assert.deepEqual(
      words(await carry([drive('windows/gpt.img')], [...opened, ['hivex_close']])).slice(1),
      [],
    );
  });

  test('watches, under their numbers, once their events were read', async () => {
    const watching = [
      ['mount_ro', '/dev/sda', '/'],
      ['inotify_init', 100],
      ['inotify_add_watch', '/', 0x200],
      ['inotify_add_watch', '/dir', 0x100],
      ['inotify_rm_watch', 1],
    ] as const;
    await assert.rejects(carry([drive('scenarios/ext4.img')], watching), /call inotify_read first/);
    const carried = await carry([drive('scenarios/ext4.img')], [...watching, ['inotify_read']]);
    assert.deepEqual(words(carried).slice(1), [
      ['inotify_init', 100],
      ['inotify_add_watch', '/dir', 0x100],
      ['inotify_rm_watch', 1],
      ['inotify_add_watch', '/dir', 0x100],
      ['inotify_read'],
    ]);
  });

  test('a mount that became read-only, flags that came after it, and umask', async () => {
    const carried = await carry(
      [drive('scenarios/ext4.img'), drive('scenarios/gpt.img')],
      [
        ['blockdev_setro', '/dev/sdb'],
        ['mount', '/dev/sda', '/'],
        { action: 'remount', args: ['/'], options: { rw: false } },
        ['blockdev_setro', '/dev/sda'],
        ['umask', 0o77],
        ['blockdev_setrw', '/dev/sdb'],
        ['umask', 0o27],
      ],
    );
    assert.deepEqual(words(carried), [
      ['mount_options', '', '/dev/sda', '/'],
      ['remount', '/'],
      ['blockdev_setro', '/dev/sda'],
      ['blockdev_setrw', '/dev/sdb'],
      ['umask', 0o27],
    ]);
    assert.deepEqual(carried.calls[1]?.options, { rw: false });
  });

  test('places for mounts, and what is mounted on them, one over another', async () => {
    const carried = await carry(
      [drive('scenarios/ext4.img'), drive('scenarios/disc.iso')],
      [
        ['mkmountpoint', '/a'],
        ['mkmountpoint', '/a/../b/'],
        ['mkmountpoint', '/b/c'],
        ['mkmountpoint', '/d'],
        ['rmmountpoint', '/d'],
        ['mount_ro', '/dev/sda', '/b/c'],
        ['mount_ro', '/dev/sdb', '/b'],
        ['mount_ro', '/dev/sda', '/a'],
        ['umount', '/b'],
        ['mount_ro', '/dev/sdb', '/a/dir'],
      ],
    );
    assert.deepEqual(words(carried), [
      ['mkmountpoint', '/a'],
      ['mkmountpoint', '/b'],
      ['mkmountpoint', '/b/c'],
      ['mount_options', 'ro', '/dev/sda', '/b/c'],
      ['mount_options', 'ro', '/dev/sda', '/a'],
      ['mount_options', 'ro', '/dev/sdb', '/a/dir'],
    ]);
  });

  test('which volumes are active: all that a group with a missing member has', async () => {
    const carried = await carry(
      [drive('scenarios/half.img')],
      [
        ['vg_activate_all', true],
        ['mount_ro', '/dev/vg/here', '/'],
      ],
    );
    assert.deepEqual(carried.calls, [
      { action: 'vg_activate', args: [true, ['vg']], options: {}, fails: true },
      { action: 'mount_options', args: ['ro', '/dev/vg/here', '/'], options: {} },
    ]);
  });

  test('nothing of an activation that was taken back, or that changed nothing', async () => {
    assert.deepEqual(words(await carry([drive('scenarios/half.img')], [['vg_activate', false, ['vg']]])), []);
    assert.deepEqual(
      words(
        await carry([drive('scenarios/lvm1.img'), drive('scenarios/lvm2.img')], [['vg_activate_all', true]]),
      ),
      [],
    );
  });

  test('a filter of LVM, which begins activation anew', async () => {
    const drives = [drive('scenarios/lvm1.img'), drive('scenarios/lvm2.img')];
    const filtered = await carry(drives, [
      ['vg_activate_all', false],
      ['lvm_set_filter', ['/dev/sda']],
      ['lvm_set_filter', ['/dev/hda', '/dev/sdb']],
    ]);
    assert.deepEqual(words(filtered), [['lvm_set_filter', ['/dev/sda', '/dev/sdb']]]);
    assert.deepEqual(
      words(await carry(drives, [['lvm_set_filter', ['/dev/sda']], ['lvm_clear_filter']])),
      [],
    );
    const half = await carry([drive('scenarios/half.img')], [['lvm_set_filter', ['/dev/sda']]]);
    assert.deepEqual(half.calls[0], {
      action: 'lvm_set_filter',
      args: [['/dev/sda']],
      options: {},
      fails: true,
    });
    const seen = await carry(drives, [
      ['vg_activate_all', false],
      ['inspect_os'],
      ['lvm_set_filter', ['/dev/sda']],
      ['lvm_clear_filter'],
    ]);
    assert.deepEqual(words(seen).slice(1), [['inspect_os'], ['lvm_clear_filter']]);
  });

  test('the last inspection, before the mounts that it would end', async () => {
    const carried = await carry(
      [{ path: 'samples/debian.qcow2', readonly: true }],
      [
        ['mount_ro', '/dev/sda2', '/'],
        ['inspect_os'],
        ['mount_ro', '/dev/sda2', '/'],
        ['inspect_os'],
        ['mount_ro', '/dev/sda2', '/'],
      ],
    );
    assert.deepEqual(words(carried), [['inspect_os'], ['mount_options', 'ro', '/dev/sda2', '/']]);
  });

  test('the devices that the last inspection saw, although there are others now', async () => {
    const drives = [drive('scenarios/lvm1.img'), drive('scenarios/lvm2.img')];
    const carried = await carry(drives, [
      ['lvm_set_filter', ['/dev/sda']],
      ['inspect_os'],
      ['lvm_clear_filter'],
      ['umask', 0],
    ]);
    assert.deepEqual(words(carried), [
      ['lvm_set_filter', ['/dev/sda']],
      ['vg_activate', true, ['VG-one']],
      ['inspect_os'],
      ['lvm_clear_filter'],
      ['umask', 0],
    ]);
  });

  test('a filesystem in a file, whose mount stays busy as long as that', async () => {
    const carried = await carry(
      [drive('scenarios/ext4.img')],
      [
        ['mkmountpoint', '/guest'],
        ['mkmountpoint', '/disc'],
        ['mount_ro', '/dev/sda', '/guest'],
        ['mount_loop', '/guest/arch/disc.iso', '/disc'],
        ['umount', '/guest'],
      ],
    );
    assert.deepEqual(words(carried), [
      ['mkmountpoint', '/guest'],
      ['mkmountpoint', '/disc'],
      ['mount_options', 'ro', '/dev/sda', '/guest'],
      ['mount_loop', '/guest/arch/disc.iso', '/disc'],
    ]);
  });
});

function emptyFile(): string {
  const path = scratchPath('layer.qcow2');
  writeFileSync(path, '');
  return path;
}

/** Opens drives without a worker, writes to them, and prepares to leave. */
async function written(
  drives: readonly Drive[],
  write: (disks: readonly Disk[]) => void,
): Promise<{ carried: Carried; disks: readonly Disk[]; close: () => void }> {
  const session = await Session.start(configOf(drives), () => {});
  const disks = session.devices.drives.map(({ disk }) => disk);
  write(disks);
  const files = drives.map(() => emptyFile());
  const told: number[][] = [];
  const carried = prepareToLeave(session, { files, progress: (...numbers) => told.push(numbers) });
  const [position, total] = told.at(-1) ?? [];
  assert.equal(position, total);
  return { carried, disks, close: () => session.close({ sync: false }) };
}

/** Both readings of a layer: what qemu-img makes of it, and what our own reader gives. */
function readings(layer: string): Buffer[] {
  const raw = scratchPath('layer.raw');
  execFileSync('qemu-img', ['check', '-q', layer]);
  execFileSync('qemu-img', ['convert', '-O', 'raw', layer, raw]);
  const { disk } = openDiskImage(node.origin(layer, 'trusted'));
  const ours = Buffer.from(readAll(disk));
  disk.close();
  return [readFileSync(raw), ours];
}

/** The bytes that a file takes on the host. */
const stored = (path: string): number => statSync(path).blocks * 512;

describe('what was written to a drive whose writes are discarded', needs('qemu-img'), () => {
  const cluster = 65536;
  const sizes = {
    'some clusters': 5 * cluster,
    'not of whole clusters': 3 * cluster + 1536,
    'a few sectors': 4096,
  };

  for (const [what, size] of Object.entries(sizes)) {
    test(`is a layer over the image, which stays as it was: ${what}`, async () => {
      const path = scratchPath('base.raw');
      const bytes = Buffer.alloc(size, 'base ');
      writeFileSync(path, bytes);
      const { carried, disks, close } = await written([{ path, format: 'raw', readonly: true }], ([disk]) => {
        disk?.write(Buffer.from('at the start'), 0);
        disk?.write(Buffer.from('over a border'), Math.min(cluster, size) - 20);
        disk?.write(Buffer.from('the end'), size - 7);
      });
      const layer = carried.drives[0]?.layer;
      assert.ok(layer && disks[0]);
      const expected = Buffer.from(readAll(disks[0]));
      assert.ok(expected.includes('at the start') && expected.includes('the end'));
      for (const reading of readings(layer)) assert.ok(reading.equals(expected));
      const info = JSON.parse(
        execFileSync('qemu-img', ['info', '--output=json', layer], { encoding: 'utf8' }),
      );
      assert.equal(info['full-backing-filename'], path);
      assert.equal(info['backing-filename-format'], 'raw');
      assert.deepEqual(readFileSync(path), bytes);
      close();
    });
  }

  test('has only the changed clusters, far from each other, and no room for zeroes', async () => {
    const path = scratchPath('base.raw');
    const size = 3 * 2 ** 30;
    writeFileSync(path, 'not zero');
    truncateSync(path, size);
    const zeroed = scratchPath('full.raw');
    writeFileSync(zeroed, Buffer.alloc(64 * cluster, 'full'));
    const places = [7, 2 ** 29 - 4, 2 ** 30 + 5 * cluster, size - 100];
    const { carried, close } = await written(
      [path, zeroed, path].map((each) => ({ path: each, format: 'raw', readonly: true })),
      ([far, full]) => {
        for (const place of places) far?.write(Buffer.from('written'), place);
        full?.zero(cluster, 62 * cluster);
      },
    );
    const [far, full, none] = carried.drives.map(({ layer }) => layer);
    assert.ok(far && full);
    assert.equal(none, undefined);
    execFileSync('qemu-img', ['check', '-q', far]);
    const { disk } = openDiskImage(node.origin(far, 'trusted'));
    const seen = Buffer.alloc(7);
    for (const place of places) {
      disk.read(seen, place);
      assert.equal(seen.toString(), 'written');
    }
    disk.read(seen, 0);
    assert.equal(seen.toString(), 'not zer');
    disk.close();
    assert.ok(stored(far) <= 20 * cluster, String(stored(far)));
    const half = Buffer.alloc(64 * cluster, 'full').fill(0, cluster, 63 * cluster);
    for (const reading of readings(full)) assert.ok(reading.equals(half));
    assert.ok(stored(full) <= 8 * cluster, String(stored(full)));
    close();
  });

  test('stands over a qcow2 image, and over nothing on a scratch drive', async () => {
    const path = scratchPath('base.qcow2');
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, String(20 * cluster)]);
    execFileSync('qemu-io', ['-c', 'write -P 7 0 300k', path]);
    const { carried, disks, close } = await written(
      [
        { path, readonly: true },
        { scratchSizeInBytes: 10 * cluster, readonly: false },
      ],
      (all) => {
        for (const disk of all) disk.write(Buffer.from('written'), 3 * cluster + 5);
      },
    );
    for (const [index, { layer }] of carried.drives.entries()) {
      const disk = disks[index];
      assert.ok(layer && disk);
      const expected = readAll(disk);
      for (const reading of readings(layer)) assert.ok(reading.equals(expected), `drive ${index}`);
    }
    close();
  });

  test('is all there if it was spilled out of memory', async () => {
    const path = scratchPath('base.raw');
    const size = 40 * 2 ** 20;
    writeFileSync(path, '');
    truncateSync(path, size);
    const bytes = Buffer.alloc(size - 5000, 'spilled!');
    const { carried, close } = await written([{ path, format: 'raw', readonly: true }], ([disk]) =>
      disk?.write(bytes, 2500),
    );
    const layer = carried.drives[0]?.layer;
    assert.ok(layer);
    const expected = Buffer.concat([Buffer.alloc(2500), bytes, Buffer.alloc(2500)]);
    for (const reading of readings(layer)) assert.ok(reading.equals(expected));
    close();
  });
});

/** The files that this process has open. */
const openFiles = (): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith('/') && !target.startsWith('/dev/') ? [target] : [];
    } catch {
      return []; // the descriptor of this very listing
    }
  });

const inProc = existsSync('/proc/self/fd') ? {} : { skip: 'needs /proc to see descriptors' };

describe('a session that is left', () => {
  test('has no file open, its thread serves the next one, and it answers no more', inProc, async () => {
    const before = openFiles().sort();
    const ends: string[] = [];
    const first = await start(
      [drive('scenarios/ext4.img'), drive('scenarios/gpt.img', { readonly: false })],
      { quit: () => ends.push('quit') },
    );
    await call(first, ['mount', '/dev/sda', '/']);
    assert.ok(openFiles().length > before.length);
    const carried = await leave(first, [{ readonly: true }, { path: 'x', readonly: false }]);
    assert.deepEqual(openFiles().sort(), before);
    assert.deepEqual(carried.drives, [{}, {}]);
    assert.deepEqual(ends, ['quit']);
    const threads = readdirSync('/proc/self/task').length;
    await assert.rejects(call(first, ['ping_daemon']), { code: 'EIO' });
    await assert.rejects(leave(first), { code: 'EIO' });
    await first.shutdown();
    first.kill();
    const second = await start([drive('scenarios/ext4.img')]);
    assert.equal(readdirSync('/proc/self/task').length, threads);
    await call(second, ['ping_daemon']);
    await second.shutdown();
    assert.deepEqual(readdirSync(directory), []);
  });

  test('is as it was where that is cancelled, and leaves no file behind', async () => {
    // What was written takes the engine some time to leave.
    const path = scratchPath('large.raw');
    writeFileSync(path, '');
    truncateSync(path, 64 * MiB);
    const layer = await leftLayer(dirname(path), { path }, (disk) =>
      disk.write(Buffer.alloc(64 * MiB, 1), 0),
    );
    const drives = [drive('scenarios/ext4.img'), { path, format: 'raw', readonly: true, layer }];
    const backend = await start(drives);
    await call(backend, ['mount_ro', '/dev/sda', '/']);
    const leaving = leave(backend, drives);
    backend.cancel();
    await assert.rejects(leaving, { code: 'ECANCELED' });
    assert.deepEqual(await call(backend, ['read_lines', '/hello.txt']), ['hello, world']);
    assert.deepEqual(words(await leave(backend, drives)), [['mount_options', 'ro', '/dev/sda', '/']]);
    assert.deepEqual(readdirSync(directory), []);
  });

  test('may be shut down or killed meanwhile; no file is left', async () => {
    for (const end of [
      (backend: Backend) => backend.shutdown(),
      async (backend: Backend) => backend.kill(),
    ]) {
      let ended = 0;
      const backend = await start([drive('scenarios/ext4.img')], { quit: () => ended++ });
      const leaving = leave(backend).then(
        () => 'left',
        (error: GuestfsError) => error.code,
      );
      await new Promise((resolve) => setImmediate(resolve));
      await end(backend);
      assert.match(await leaving, /^(?:left|EIO|ECANCELED)$/);
      while (ended === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(readdirSync(directory), []);
    }
  });

  test(
    'has its layers in files without names, so that nothing is left of a process that is killed',
    inProc,
    () => {
      const drives = [{ path: 'x', readonly: true }, { path: 'y', readonly: false }, { readonly: false }];
      const before = openFiles().length;
      const { paths, remove } = makeLayerFiles({ drives, tmpdir: directory });
      assert.deepEqual(
        paths.map((path) => path !== undefined),
        [true, false, true],
      );
      assert.deepEqual(readdirSync(directory), []);
      for (const path of paths.filter((each) => each !== undefined)) {
        assert.equal(statSync(path).mode & 0o777, 0o600);
        writeFileSync(path, 'from another opening');
        assert.equal(readFileSync(path, 'utf8'), 'from another opening');
      }
      remove();
      remove();
      assert.equal(openFiles().length, before);
      assert.throws(() => makeLayerFiles({ drives, tmpdir: join(directory, 'missing') }), { code: 'ENOENT' });
    },
  );

  test('goes on where a drive cannot be flushed, or a layer cannot be written', async () => {
    const session = await Session.start(
      configOf([drive('scenarios/gpt.img', { readonly: false }), drive('scenarios/ext4.img')]),
      () => {},
    );
    const [writable, readonly] = session.devices.drives;
    assert.ok(writable && readonly);
    const layer = scratchPath('layer.qcow2');
    const departure = { files: [undefined, layer], progress: () => {} };
    const open = session.drive(writable);
    assert.ok(open);
    const flush = open.disk.flush.bind(open.disk);
    open.disk.flush = () => {
      throw new GuestfsError('EIO', 'no flush');
    };
    assert.throws(() => prepareToLeave(session, departure), { message: 'no flush' });
    open.disk.flush = flush;
    readonly.disk.write(Uint8Array.of(1), 0);
    // The file is not there: it was removed, since the session was killed.
    assert.throws(() => prepareToLeave(session, departure), { name: 'HostError', code: 'ENOENT' });
    const sector = new Uint8Array(512);
    for (const { disk } of [writable, readonly]) disk.read(sector, 0);
    writeFileSync(layer, '');
    assert.deepEqual(prepareToLeave(session, departure).drives, [{}, { layer }]);
    session.close({ sync: false });
  });

  test('goes on where there is a mount that no call makes again', async () => {
    const session = await Session.start(configOf([drive('scenarios/ext4.img')]), () => {});
    session.mounts.mount(new MemoryFileSystem({ file: 'x' }), { source: '/dev/elsewhere', mountpoint: '/' });
    assert.throws(() => prepareToLeave(session, { files: [], progress: () => {} }), {
      code: 'ENOTSUP',
      message: '/: this mount cannot be made again elsewhere',
    });
    assert.ok(session.tree.find('/file'));
    session.close({ sync: false });
  });
});
