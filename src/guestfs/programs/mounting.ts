/** What of a disk may be mounted, and mounting the filesystems of an operating system. */
import type { CallControls, Device, Mountable } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Guestfs } from '../guestfs.js';

/** Something that may be mounted. */
export interface MountableFileSystem {
  readonly mountable: Mountable;
  /** By the kernel's name: `ext4`. */
  readonly type: string;
  /** Whether it is a whole drive, whose partitions hold nothing that is known. */
  readonly isWhole: boolean;
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
 * hold nothing known. Discs that firmware can boot as a hard disk are of this kind. `listed`: the answer of
 * `listFilesystems`.
 */
export async function findWholeDrives(
  g: Guestfs,
  listed: ReadonlyMap<Mountable, string>,
  controls: CallControls = {},
): Promise<[Device, string][]> {
  if (![...listed.values()].includes('unknown')) return [];
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

/** What may be mounted: the answer of `listFilesystems`, and drives that hold a filesystem as a whole. */
export async function findMountable(g: Guestfs, controls: CallControls = {}): Promise<MountableFileSystem[]> {
  const listed = await g.listFilesystems(controls);
  const whole = await findWholeDrives(g, listed, controls);
  return [
    ...[...listed].map(([mountable, type]) => ({ mountable, type, isWhole: false })),
    ...whole.map(([mountable, type]) => ({ mountable, type, isWhole: true })),
  ].filter(({ type }) => isMountable(type));
}

const depth = (directory: string): number => directory.split('/').filter((name) => name !== '').length;

/**
 * In the order of mounting: a directory before the directories inside it. Among equals the first one given goes
 * first.
 */
export function inMountOrder<M extends { readonly directory: string }>(mounts: readonly M[]): M[] {
  return [...mounts].sort((a, b) => depth(a.directory) - depth(b.directory));
}

/** A filesystem of an operating system that could not be mounted. */
export interface NotMounted {
  /** Where its configuration wants it. */
  readonly directory: string;
  readonly mountable: Mountable;
  readonly error: GuestfsError;
}

/** How an operating system is mounted. */
export interface MountSystemOptions extends CallControls {
  /** Read-only; true by default. */
  readonly readonly?: boolean | undefined;
}

/**
 * Mounts the filesystems of an operating system that `inspectOs` found, as its own configuration says. Resolves to
 * those that cannot be mounted: a guest may name devices on other disks. Rejects if that is the root.
 */
export async function mountSystem(
  g: Guestfs,
  root: Mountable,
  { readonly = true, ...controls }: MountSystemOptions = {},
): Promise<NotMounted[]> {
  const points = await g.inspectGetMountpoints(root, controls);
  const missing: NotMounted[] = [];
  for (const { directory, mountable } of inMountOrder(
    [...points].map(([directory, mountable]) => ({ directory, mountable })),
  )) {
    try {
      if (readonly) await g.mountRo(mountable, directory, controls);
      else await g.mount(mountable, directory, controls);
    } catch (thrown) {
      if (directory === '/' || !(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
      missing.push({ directory, mountable, error: thrown });
    }
  }
  return missing;
}

/**
 * Volume groups with a missing disk: activates the volumes that lie wholly on the present disks, which the appliance
 * does by itself. Resolves to whether there was anything to activate, and to why not all could be.
 */
export async function activateHalfGroups(
  g: Guestfs,
  controls: CallControls = {},
): Promise<{ readonly activated: boolean; readonly problem?: GuestfsError }> {
  let volumes: Awaited<ReturnType<Guestfs['lvsFull']>>;
  try {
    volumes = await g.lvsFull(controls);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    return { activated: false }; // nothing of LVM can be read, and later answers say why
  }
  // The fifth letter of the attributes is the state of the volume.
  if (!volumes.some(({ lvAttr }) => lvAttr[4] !== 'a')) return { activated: false };
  try {
    await g.vgActivateAll(true, controls);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
    return { activated: true, problem: thrown };
  }
  return { activated: true };
}
