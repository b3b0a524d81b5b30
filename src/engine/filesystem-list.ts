/** Every device that can hold a filesystem, and what is on it: the answer of `list_filesystems`. */
import { GuestfsError } from '../base/index.js';
import type { Device } from '../vfs/index.js';
import type { Call } from './call.js';

/** Types that are parts of something else and hold no filesystem themselves. */
const memberTypes = new Set(['LVM2_member', 'linux_raid_member', 'zfs_member', 'VMFS_volume_member']);

function typeOn(call: Call, device: Device): string {
  try {
    return call.session.probe(device)?.type ?? 'unknown';
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    call.session.warn(`${device.name}: ${thrown.message}`);
    return 'unknown';
  }
}

/** Types by device; `unknown` where nothing is recognised. Members of volume groups and arrays are left out. */
export function listFileSystems(call: Call): Map<string, string> {
  const { session } = call;
  const { devices } = session;
  const whole = devices.drives.filter((drive) => devices.partitions(drive).length === 0);
  const listed = new Map<string, string>();
  for (const device of [...whole, ...devices.partitions(), ...devices.volumes]) {
    call.checkpoint();
    if (session.partition(device)?.kind === 'extended') continue;
    const type = typeOn(call, device);
    if (!memberTypes.has(type)) listed.set(device.name, type);
  }
  return listed;
}
