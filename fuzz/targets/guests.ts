/** Whole guests: what inspection reads of their files, and a session from drives to packages. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginWork, defaultLimits, endWork, GuestfsError } from '../../src/base/index.js';
import { Session } from '../../src/engine/session/session.js';
import { Call } from '../../src/engine/thread/call.js';
import { findHandler } from '../../src/engine/thread/dispatch.js';
import {
  fileArchitecture,
  findIcon,
  InspectedGuest,
  Inspection,
  listApplications,
} from '../../src/inspect/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { hostOf } from '../../test/inspect/host.js';
import { fixturesIn } from '../../test/support/fixtures.js';
import { MemoryFileSystem } from '../../test/support/memory-fs.js';
import { part, partLater, type Target } from '../target.js';
import { fileOf } from './disks.js';
import { packSystem, systemSeeds, unpackSystem } from './seeds/systems.js';

const getters = Object.entries(Object.getOwnPropertyDescriptors(InspectedGuest.prototype)).flatMap(
  ([name, { get }]) => (get === undefined ? [] : [name as keyof InspectedGuest]),
);

const inspect: Target = {
  name: 'inspect',
  fixtures: [...systemSeeds.keys()],
  load: (fixture) => packSystem(systemSeeds.get(fixture) ?? {}),
  moves: true,
  run(bytes) {
    const files = unpackSystem(bytes);
    const inspection = Inspection.run(hostOf([{ name: 'input', files }]));
    for (const guest of inspection.guests) {
      for (const name of getters) part(() => guest[name]);
      const mounts = new MountTable();
      mounts.mount(new MemoryFileSystem(files), { source: guest.root, mountpoint: '/' });
      part(() => listApplications(mounts.tree, guest, () => {}));
      part(() => findIcon(mounts.tree, guest, { favicon: true, highQuality: true }));
      part(() => fileArchitecture(mounts.tree, '/bin/sh'));
    }
  },
};

/** What is asked of every session, of every device, of every system that is found, and of what is mounted. */
const aboutSession = [
  'list_filesystems',
  'list_partitions',
  'pvs_full',
  'vgs_full',
  'lvs_full',
  'list_dm_devices',
];
const aboutDevice = [
  'blkid',
  'vfs_type',
  'vfs_minimum_size',
  'part_list',
  'part_get_parttype',
  'file',
  'tune2fs_l',
];
const aboutRoot = [
  'inspect_get_product_name',
  'inspect_get_major_version',
  'inspect_get_arch',
  'inspect_get_hostname',
  'inspect_get_filesystems',
  'inspect_get_osinfo',
  'inspect_get_icon',
  'inspect_get_windows_systemroot',
  'inspect_list_applications2',
];
const aboutTree = [
  ['internal_walk', '/'],
  ['find', '/'],
  ['ll', '/etc'],
  ['du', '/'],
  ['statvfs', '/'],
  ['mountpoints'],
  ['glob_expand', '/*/*'],
  ['file_architecture', '/bin/sh'],
  ['file_architecture', '/boot/initrd.img'],
  ['initrd_list', '/boot/initrd.img'],
  ['cat', '/etc/fstab'],
  ['lxattrlist', '/', ['etc', 'bin']],
  ['grep', 'root', '/etc/fstab'],
] as const;

const mostDevices = 8;

/** Calls actions in a session, as the worker does. */
class Caller {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** What an action gives; undefined where it is refused. */
  async call(action: string, ...args: readonly unknown[]): Promise<unknown> {
    const outlet = { isCancelled: () => false, progress() {}, warn() {} };
    return await partLater(async () => {
      const handler = await findHandler(action);
      beginWork(defaultLimits, () => {});
      try {
        return handler(new Call(action, this.#session, outlet, false), ...args, {});
      } finally {
        endWork();
      }
    });
  }

  /** The same, of one that gives a list. */
  async list(action: string, ...args: readonly unknown[]): Promise<readonly string[]> {
    const given = await this.call(action, ...args);
    return Array.isArray(given) ? given.slice(0, mostDevices).map(String) : [];
  }
}

async function useSession(session: Session): Promise<void> {
  const caller = new Caller(session);
  for (const action of aboutSession) await caller.call(action);
  const devices = [...(await caller.list('list_devices')), ...(await caller.list('list_partitions'))];
  for (const device of [...devices, ...(await caller.list('lvs'))])
    for (const action of aboutDevice) await caller.call(action, device);
  const roots = await caller.list('inspect_os');
  for (const root of roots) {
    const mountpoints = await caller.call('inspect_get_mountpoints', root);
    if (mountpoints instanceof Map) {
      const byLength = [...(mountpoints as Map<string, string>)].sort(([a], [b]) => a.length - b.length);
      for (const [path, device] of byLength.slice(0, mostDevices))
        await caller.call('mount_ro', device, path);
    }
    for (const action of aboutRoot) await caller.call(action, root);
    for (const [action, ...args] of aboutTree) await caller.call(action, ...args);
    await caller.call('umount_all');
  }
}

/** What a session wants to know of its handle. */
const settings = {
  policy: 'untrusted',
  verbose: false,
  trace: false,
  tmpdir: tmpdir(),
  cachedir: tmpdir(),
  sockdir: tmpdir(),
  memsize: 0,
  smp: 1,
  hv: '',
  path: '',
  append: null,
  network: false,
  autosync: true,
  recoveryProc: true,
  backendSettings: [],
  hvParams: [],
  limits: defaultLimits,
} as const;

const session: Target = {
  name: 'session',
  fixtures: [
    ...fixturesIn('guests', /\.gz$/),
    join('scenarios', 'lvm1.img.gz'),
    join('scenarios', 'gpt.img.gz'),
  ],
  async run(bytes) {
    const path = fileOf(bytes);
    let opened: Session;
    try {
      opened = await Session.start({ ...settings, drives: [{ path, readonly: true }] }, () => {});
    } catch (thrown) {
      if (thrown instanceof GuestfsError) return;
      throw thrown;
    }
    try {
      await useSession(opened);
    } finally {
      opened.close({ sync: false });
    }
  },
};

export const guestTargets: readonly Target[] = [inspect, session];
