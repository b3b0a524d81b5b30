/** Block devices: their list, names, sizes and flags. */
import { GuestfsError } from '../../base/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import { plainCall } from '../session/session-calls.js';
import { dynamicFaults, orFault } from '../session/unreadable.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

const device = (call: Call, name: string): BlockDevice => call.session.devices.resolve(name);
const names = (devices: readonly BlockDevice[]): string[] => devices.map(({ name }) => name);

const pageSize = 4096;

/**
 * The kernel's block size for a device from which nothing is mounted: the largest that divides the device, up to a
 * page.
 */
function kernelBlockSize({ sectorSize, disk }: BlockDevice): number {
  let size: number = sectorSize;
  while (size < pageSize && disk.size % (size * 2) === 0) size *= 2;
  return size;
}

/** No volumes, provided that no drive is a dynamic disk of Windows, which cannot be read here. */
function noDynamicDisks(call: Call): string[] {
  const [fault] = dynamicFaults(call.session);
  if (fault !== undefined) throw fault.error;
  return [];
}

function setReadonly(call: Call, name: string, readonly: boolean): void {
  const found = device(call, name);
  found.setReadonly(readonly);
  const again = plainCall(readonly ? 'blockdev_setro' : 'blockdev_setrw', found.name);
  call.session.calls.record('flags', [found], again);
}

export const blockDeviceHandlers = {
  list_devices: (call) => names(call.session.devices.drives),
  list_partitions: ({ session }) =>
    orFault(session, names(session.devices.partitions()), 'no partition was found'),
  list_disk_labels: (call) => call.session.devices.labels,
  // As in libguestfs, LVM's volumes are left out: `lvs` lists those.
  list_dm_devices: ({ session }) => names(session.scan.locks.unlocked),
  // This engine assembles no arrays, so "none" is the correct answer only if there are no members of one.
  list_md_devices: ({ session }) => orFault(session, [], 'no array was assembled', 'linux_raid_member'),
  list_ldm_volumes: noDynamicDisks,
  list_ldm_partitions: noDynamicDisks,
  nr_devices: (call) => call.session.devices.drives.length,
  is_whole_device: (call, name) => device(call, name).kind === 'drive',
  part_to_dev(call, name) {
    const { parent } = device(call, name);
    if (parent === undefined) throw new GuestfsError('EINVAL', `${name}: device name is not a partition`);
    return parent.name;
  },
  part_to_partnum(call, name) {
    const { number } = device(call, name);
    if (number === undefined) throw new GuestfsError('EINVAL', `${name}: device name is not a partition`);
    return number;
  },

  blockdev_getbsz(call, name) {
    const found = device(call, name);
    const mount = call.session.mountOf(found);
    return mount?.blockSize ?? kernelBlockSize(found);
  },
  blockdev_getro: (call, name) => device(call, name).readonly,
  blockdev_getss: (call, name) => device(call, name).sectorSize,
  blockdev_getsize64: (call, name) => device(call, name).disk.size,
  blockdev_getsz: (call, name) => Math.floor(device(call, name).disk.size / 512),
  blockdev_setro: (call, name) => setReadonly(call, name, true),
  blockdev_setrw: (call, name) => setReadonly(call, name, false),
  // Since 4.12 Linux guarantees this for no device, so the answer is always no.
  blkdiscardzeroes(call, name) {
    void device(call, name);
    return false;
  },
  // This engine reads nothing ahead, so the setting is checked and has no effect.
  blockdev_setra: (call, name) => void device(call, name),
  // The kernel drops the setting when the device is closed, so it never has an effect; an invalid one is refused.
  blockdev_setbsz(call, name, size) {
    const { sectorSize } = device(call, name);
    if (size < sectorSize || size > pageSize || Math.log2(size) % 1 !== 0) {
      throw new GuestfsError('EINVAL', `${size}: expecting a power of two from ${sectorSize} to ${pageSize}`);
    }
  },
  blockdev_flushbufs: (call, name) => device(call, name).disk.flush(),
  blockdev_rereadpt(call, name) {
    const found = device(call, name);
    if (found.kind !== 'drive') throw new GuestfsError('EINVAL', `${name}: not a whole device`);
    const partitions = call.session.devices.partitions(found);
    if (partitions.some((partition) => call.session.mountOf(partition) !== undefined)) {
      throw new GuestfsError('EBUSY', `${name}: a partition of it is mounted`);
    }
    const [used] = call.session.scan.volumesInUse;
    if (used !== undefined) throw new GuestfsError('EBUSY', `${name}: the volume ${used.name} is in use`);
    call.session.scan.rescan([found.name]);
  },
} satisfies TopicHandlers;
