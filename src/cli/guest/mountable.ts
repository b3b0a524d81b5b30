/** What of an image may be mounted. */
import type { Device } from '../../api/index.js';
import type { Guest } from './guest.js';

/** Something with a filesystem on it. */
export interface MountableFileSystem {
  readonly mountable: string;
  readonly type: string;
}

/** Types of content that are no filesystem. */
const notMountable = new Set([
  '',
  'swap',
  'swsuspend',
  'unknown',
  'LVM2_member',
  'crypto_LUKS',
  'linux_raid_member',
]);

const isMountable = (type: string): boolean => !notMountable.has(type);

/**
 * Drives that hold a filesystem as a whole, with its type, although they have partitions: drives whose partitions
 * hold nothing known. Discs that firmware can boot as a hard disk are of this kind.
 */
export async function findWholeDrives(
  { g, controls }: Guest,
  listed: ReadonlyMap<string, string>,
): Promise<[Device, string][]> {
  const unknown = new Set<string>();
  const known = new Set<string>();
  for (const partition of await g.listPartitions(controls)) {
    const drive = await g.partToDev(partition, controls);
    // Extended partitions are not listed, since they hold nothing themselves.
    if (!listed.has(partition)) continue;
    (listed.get(partition) === 'unknown' ? unknown : known).add(drive);
  }
  const found: [Device, string][] = [];
  for (const drive of await g.listDevices(controls)) {
    if (!unknown.has(drive) || known.has(drive)) continue;
    const type = await g.vfsType(drive, controls);
    if (isMountable(type)) found.push([drive, type]);
  }
  return found;
}

/** What may be mounted: the answer of `list_filesystems`, and drives that hold a filesystem as a whole. */
export async function findMountable(
  guest: Guest,
): Promise<(MountableFileSystem & { readonly isWhole: boolean })[]> {
  const listed = await guest.g.listFilesystems(guest.controls);
  const whole = await findWholeDrives(guest, listed);
  return [
    ...[...listed].map(([mountable, type]) => ({ mountable, type, isWhole: false })),
    ...whole.map(([mountable, type]) => ({ mountable, type, isWhole: true })),
  ].filter(({ type }) => isMountable(type));
}
