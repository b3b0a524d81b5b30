/** The actions about the handle's state, its backend and its devices' names. */
import type { ActionsBy, CallControls, SyncActionName } from '../api/index.js';
import { GuestfsError } from '../base/index.js';
import { createImage, imageFormat, imageSummary } from '../engine/index.js';
import { canonicalDriveName, driveIndex, driveName, isMapperName } from '../formats/index.js';
import type { AsyncHandlers, HandleInternals, SyncHandlers } from './handle-internals.js';
import { notLaunchedError, stateNumbers } from './state.js';
import { apiVersion } from './version.js';

export const sessionActions = {
  user_cancel: (handle) => handle.cancelRunning(),
  is_config: ({ state }) => state === 'config',
  is_launching: ({ state }) => state === 'launching',
  is_ready: ({ state }) => state === 'ready',
  is_busy: ({ state }) => state === 'busy',
  get_state: ({ state }) => {
    if (state === 'closed') throw new GuestfsError('EBADF', 'the handle is closed');
    return stateNumbers[state];
  },
  wait_ready: ({ state }) => {
    if (state !== 'ready' && state !== 'busy') throw notLaunchedError();
  },
  get_pid: ({ state, pid, backend }) => {
    if (state !== 'ready' && state !== 'busy') throw notLaunchedError();
    if (pid === undefined)
      throw new GuestfsError('ENOTSUP', `the ${backend} backend has no process of its own`);
    return pid;
  },
  version: () => ({ ...apiVersion }),
} satisfies Partial<SyncHandlers<SyncActionName>>;

/** The answers of guestfsd's `internal_feature_available` about a group. */
const featureAnswer = { available: 0, unavailable: 1, unknown: 2 } as const;

/** Whether all groups are available. Throws GuestfsError (EINVAL) for an unknown group. */
async function allAvailable(
  handle: HandleInternals,
  groups: readonly string[],
  controls: CallControls,
): Promise<string | undefined> {
  for (const group of groups) {
    const answer = await handle.backendCall('internal_feature_available', [group], controls);
    if (answer === featureAnswer.unknown) throw new GuestfsError('EINVAL', `${group}: unknown group`);
    if (answer !== featureAnswer.available) return group;
  }
  return undefined;
}

/** Why this version cannot use a mount point of the host. */
async function noLocalMount(): Promise<never> {
  throw new GuestfsError('ENOTSUP', 'mounting into the host needs FUSE, which this version does not use');
}

export const sessionAsyncActions = {
  launch: (handle, controls) => handle.launch(controls),
  shutdown: (handle) => handle.shutdown(),
  kill_subprocess: (handle) => handle.killSubprocess(),
  c_pointer: async () => {
    throw new GuestfsError('ENOTSUP', 'this handle is none of the C library: there is no pointer to it');
  },
  available: async (handle, controls, groups) => {
    const missing = await allAvailable(handle, groups, controls);
    if (missing !== undefined) throw new GuestfsError('ENOTSUP', `${missing}: group not available`);
  },
  feature_available: async (handle, controls, groups) =>
    (await allAvailable(handle, groups, controls)) === undefined,

  canonical_device_name: async (handle, controls, device) => {
    if (!isMapperName(device)) return canonicalDriveName(device);
    try {
      return await handle.backendCall('lvm_canonical_lv_name', [device], controls);
    } catch (thrown) {
      // Not every mapped device is a logical volume, and before launch nobody knows, so the name stays unchanged. But
      // a call that was cancelled, or whose backend died, must fail.
      const code = thrown instanceof GuestfsError ? thrown.code : undefined;
      if (code === 'ECANCELED' || code === 'EIO' || code === undefined) throw thrown;
      return device;
    }
  },
  device_index: async ({ drives }, _controls, device) => {
    const index = driveIndex(device);
    if (index === undefined || index >= drives.all.length)
      throw new GuestfsError('ENODEV', `${device}: device not found`);
    return index;
  },
  device_name: async ({ drives }, _controls, index) => {
    if (index < 0 || index >= drives.all.length)
      throw new GuestfsError('EINVAL', `there is no drive ${index}: there are ${drives.all.length}`);
    return driveName(index);
  },

  disk_create: (_handle, { signal }, filename, format, size, options) =>
    createImage(filename, format, size, options, signal),
  disk_format: (_handle, _controls, filename) => imageFormat(filename),
  disk_virtual_size: async (_handle, _controls, filename) =>
    (await imageSummary(filename)).virtualSizeInBytes,
  disk_has_backing_file: async (_handle, _controls, filename) =>
    (await imageSummary(filename)).hasBackingFile,

  mount_local: noLocalMount,
  mount_local_run: noLocalMount,
  umount_local: noLocalMount,
} satisfies Partial<AsyncHandlers<ActionsBy<'handle'>>>;
