/** Every device that can hold a filesystem, with its content: the answer of `list_filesystems`. */
import { endsCall, GuestfsError } from '../../base/index.js';
import { btrfsDetails } from '../../fs/index.js';
import { type BlockDevice, mountableName } from '../../vfs/index.js';
import type { Call } from '../thread/call.js';
import { type Fault, faultError, filesystemDevices, findFaults } from './unreadable.js';

/**
 * Members and encrypted disks are no filesystems. As in libguestfs, the name of the type decides, and all other types
 * are listed.
 */
function isContainer(type: string): boolean {
  return type.endsWith('_member') || type === 'crypto_LUKS' || type === 'BitLocker';
}

/** The paths of the subvolumes of btrfs beside the default one, which the device itself stands for. */
function furtherSubvolumes({ session }: Call, device: BlockDevice): string[] {
  const { fileSystem, release } = session.fileSystems.open(device);
  try {
    const details = btrfsDetails(fileSystem);
    return (details?.subvolumes() ?? [])
      .filter(({ id }) => id !== details?.defaultId)
      .map(({ path }) => path);
  } finally {
    release();
  }
}

/**
 * Types by device; `unknown` if nothing is recognised or readable, which `faults` reports. Members of volume groups
 * and arrays, and encrypted disks, are left out.
 */
export function listWithFaults(call: Call): { listed: Map<string, string>; faults: readonly Fault[] } {
  const { session } = call;
  const faults = findFaults(session);
  const unread = new Set(faults.filter(({ type }) => type === null).map(({ device }) => device));
  const listed = new Map<string, string>();
  for (const device of filesystemDevices(session)) {
    call.checkpoint();
    const type = unread.has(device.name) ? 'unknown' : (session.contents.probe(device)?.type ?? 'unknown');
    if (isContainer(type)) continue;
    listed.set(device.name, type);
    if (type !== 'btrfs') continue;
    try {
      for (const path of furtherSubvolumes(call, device)) listed.set(mountableName(device, path), type);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
      faults.push({ device: device.name, type, error: thrown });
    }
  }
  return { listed, faults };
}

/**
 * As {@link listWithFaults}. Unreadable devices fail the call if nothing else is recognised. A device with
 * contradictory signatures does not: `unknown` is the correct answer for it.
 */
export function listFileSystems(call: Call): Map<string, string> {
  const { listed, faults } = listWithFaults(call);
  const hidden = faults.filter(({ device, type }) => type === null || !listed.has(device));
  const [first, ...more] = hidden;
  if (first === undefined) return listed;
  if ([...listed.values()].every((type) => type === 'unknown'))
    throw faultError([first, ...more], 'no filesystem was found');
  for (const { device, error } of hidden) call.session.warnings.warnOf(device, error);
  return listed;
}
