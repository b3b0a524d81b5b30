/** Mounting filesystems into the guest's tree. */
import { GuestfsError } from '../../base/index.js';
import { type BlockDevice, mountableName } from '../../vfs/index.js';
import { parseMountOptions } from '../session/mount-options.js';
import { plainCall } from '../session/session-calls.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

interface MountRequest {
  readonly readonly: boolean;
  readonly type?: string;
  readonly options?: string;
}

/**
 * The requested type in mount(8)'s notation: `auto` and the empty word allow any, a list gives the allowed types, and
 * a list that begins with `no` gives the excluded ones. Undefined: any type.
 */
function chosenType(call: Call, device: BlockDevice, wanted: string | undefined): string | undefined {
  if (wanted === undefined || wanted === '' || wanted === 'auto') return undefined;
  const isExcluding = wanted.startsWith('no');
  const types = (isExcluding ? wanted.slice('no'.length) : wanted).split(',');
  if (!isExcluding && types.length === 1) return wanted;
  const found = call.session.contents.probe(device)?.type;
  if (found !== undefined && types.includes(found) !== isExcluding) return found;
  throw new GuestfsError(
    'EINVAL',
    `${device.name}: ${found ?? 'nothing known'} is on it, and the types asked for are ${wanted}`,
  );
}

function mount(call: Call, mountable: string, mountpoint: string, request: MountRequest): void {
  const { session } = call;
  const { device, subvolume } = session.devices.parseMountable(mountable);
  const { readonly, flags, own: given } = parseMountOptions(request.options ?? '');
  // As in libguestfs, what the options say of the subvolume comes last.
  const own = subvolume === undefined ? given : { subvol: subvolume, ...given };
  const type = chosenType(call, device, request.type);
  const isReadonly = readonly ?? (request.readonly || device.readonly);
  const lease = session.fileSystems.open(device, {
    writable: !isReadonly,
    ...(type === undefined ? {} : { type }),
    ...(Object.keys(own).length === 0 ? {} : { options: own }),
  });
  try {
    const made = session.mounts.mount(lease.fileSystem, {
      source: device.name,
      // No mount point at all is the root.
      mountpoint: mountpoint === '' ? '/' : mountpoint,
      readonly: isReadonly || lease.neverWritten,
      options: own,
      flags,
      release: lease.release,
    });
    const idle = lease.fileSystem.idleOptions ?? [];
    const options = (request.options ?? (request.readonly ? 'ro' : ''))
      .split(',')
      .filter((option) => !idle.includes(option))
      .join();
    const place = [mountableName(device, subvolume), made.mountpoint] as const;
    session.calls.record(
      'mounts',
      [made],
      request.type === undefined
        ? plainCall('mount_options', options, ...place)
        : plainCall('mount_vfs', options, request.type, ...place),
    );
  } catch (thrown) {
    lease.release();
    throw thrown;
  }
}

export const mountHandlers = {
  mount: (call, mountable, mountpoint) => mount(call, mountable, mountpoint, { readonly: false }),
  mount_ro: (call, mountable, mountpoint) => mount(call, mountable, mountpoint, { readonly: true }),
  mount_options: (call, options, mountable, mountpoint) =>
    mount(call, mountable, mountpoint, { readonly: false, options }),
  mount_vfs: (call, options, type, mountable, mountpoint) =>
    mount(call, mountable, mountpoint, { readonly: false, options, type }),
  remount(call, path, { rw }) {
    if (rw === undefined)
      throw new GuestfsError('EINVAL', 'rw must be given: without it nothing would change');
    const { session } = call;
    const { mount, inode } = session.tree.resolve(path);
    if (inode !== mount.fileSystem.root || mount === session.mounts.bottom)
      throw new GuestfsError('EINVAL', `${path}: nothing is mounted there`);
    if (rw && mount.readonly && session.devices.find(mount.source)?.readonly !== false)
      throw new GuestfsError('EACCES', `${path}: ${mount.source} cannot be written to`);
    session.remount(mount, rw);
    session.calls.record('remounts', [mount], { ...plainCall('remount', mount.mountpoint), options: { rw } });
  },
  list_9p: () => {
    throw new GuestfsError('ENOTSUP', 'libguestfs has no 9p filesystems any more');
  },
  // `force` has no effect: nothing here ever hangs, and a busy mount stays busy.
  umount(call, pathOrDevice, { lazyunmount }) {
    const { session } = call;
    const isDevice = pathOrDevice.startsWith('/dev/') && !session.mounts.isMounted(pathOrDevice);
    const name = isDevice ? session.devices.resolve(pathOrDevice).name : pathOrDevice;
    session.mounts.umount(name, { lazy: lazyunmount ?? false });
  },
  umount_all: (call) => void call.session.mounts.umountAll(),
  mounts: (call) => call.session.mounts.mounts().map(({ source }) => source),
  mountpoints: (call) => call.session.mounts.mountpoints,
  mkmountpoint({ session }, path) {
    const made = session.mounts.mkmountpoint(path);
    session.calls.record('mountpoints', [made], plainCall('mkmountpoint', made));
  },
  rmmountpoint({ session }, path) {
    const removed = session.mounts.rmmountpoint(path);
    session.calls.takeBack('mountpoints', removed, plainCall('rmmountpoint', removed));
  },
  sync: ({ session }) => session.sync(),
  // The cached data cannot change, so dropping the caches only frees memory.
  drop_caches(_call, what) {
    if (what < 1 || what > 3) throw new GuestfsError('EINVAL', `${what}: expecting 1 to 3`);
  },
  umask(call, mask) {
    if (mask < 0 || mask > 0o777)
      throw new GuestfsError('EINVAL', `0${mask.toString(8)}: expecting 0 to 0777`);
    const { session } = call;
    const old = session.umask;
    session.umask = mask;
    session.calls.record('umask', ['umask'], plainCall('umask', mask));
    return old;
  },
  get_umask: (call) => call.session.umask,
} satisfies TopicHandlers;
