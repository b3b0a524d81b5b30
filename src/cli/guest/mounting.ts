/** Mounts the filesystems of a guest, by inspection or as the options say. */
import { GuestfsError } from '../../base/index.js';
import { isSubvolume } from '../../formats/index.js';
import { findMountable, inMountOrder, type MountableFileSystem, mountSystem } from '../../guestfs/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Invocation } from '../command/invocation.js';
import { type Guest, withGuest } from './guest.js';
import { activateHalfGroups } from './half-groups.js';
import { type MountPoint, readMountPoint } from './mount-points.js';

const listed = (found: readonly MountableFileSystem[]): string =>
  found.map(({ mountable, type }) => `${mountable} (${type})`).join(', ');

async function mountOne({ g, controls, invocation }: Guest, point: MountPoint): Promise<void> {
  const { mountable, directory, options, type } = point;
  const readonly = !invocation.options.flag('rw');
  const given = [...(readonly ? ['ro'] : []), ...(options === '' ? [] : [options])].join(',');
  if (type !== undefined) await g.mountVfs(given, type, mountable, directory, controls);
  else if (options !== '') await g.mountOptions(given, mountable, directory, controls);
  else if (readonly) await g.mountRo(mountable, directory, controls);
  else await g.mount(mountable, directory, controls);
}

/** Mounts. If the device is missing, activates incomplete volume groups, which may have it, and tries again. */
async function mountOrActivate(guest: Guest, point: MountPoint): Promise<void> {
  try {
    await mountOne(guest, point);
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown.code !== 'ENOENT' || !(await activateHalfGroups(guest)))
      throw thrown;
    await mountOne(guest, point);
  }
}

async function mountByHand(guest: Guest, words: readonly string[]): Promise<void> {
  const points = words.map(readMountPoint);
  for (const point of inMountOrder(points)) {
    try {
      await mountOrActivate(guest, point);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || !['ENOENT', 'ENODEV', 'EINVAL'].includes(thrown.code))
        throw thrown;
      // The available devices are looked up only after a failure, since this takes time.
      const found = await findMountable(guest.g, guest.controls);
      throw new Failure(
        `-m ${point.mountable}: ${thrown.bareMessage}`,
        exitStatus.notFound,
        found.length > 0 ? `there are ${listed(found)}` : undefined,
      );
    }
  }
}

/** Everything could be read and nothing looks like an operating system: a data disk. */
async function mountOnlyFilesystem(guest: Guest): Promise<void> {
  const found = await findMountable(guest.g, guest.controls);
  const [only] = found;
  const { image, invocation } = guest;
  if (only === undefined)
    throw new Failure(
      `${image}: no filesystem was found`,
      exitStatus.notFound,
      `'guestfs info ${image}' shows what is on the disk`,
    );
  if (found.length > 1)
    throw new Failure(
      `${image}: no operating system was found, and there are several filesystems: ${listed(found)}`,
      exitStatus.notFound,
      `choose one with -m, for example: -m ${only.mountable}`,
    );
  await mountOne(guest, { mountable: only.mountable, directory: '/', options: '', type: undefined });
  const what = only.isWhole
    ? `${only.type}, the whole disk: its partitions hold nothing that is known`
    : only.type;
  invocation.note(`no operating system was found: ${only.mountable} (${what}) is mounted as /`);
}

/** The root to mount: the only one, or the one of `--root`. */
async function chooseRoot(
  guest: Guest,
  roots: readonly string[],
  wanted: string | undefined,
): Promise<string> {
  const { g, image, controls } = guest;
  if (wanted !== undefined) {
    const device = wanted.startsWith('/') || isSubvolume(wanted) ? wanted : `/dev/${wanted}`;
    const canonical = await g.canonicalDeviceName(device, controls);
    const root = roots.find((candidate) => candidate === canonical || candidate === device);
    if (root !== undefined) return root;
    throw usageFailure(
      `--root ${wanted}: there is no operating system on it`,
      `there is one on ${roots.join(', ')}`,
    );
  }
  const [only] = roots;
  if (only !== undefined && roots.length === 1) return only;
  const names = await Promise.all(
    roots.map(async (root) => `${root} (${await g.inspectGetProductName(root, controls)})`),
  );
  throw usageFailure(
    `${image}: there are several operating systems: ${names.join(', ')}`,
    `choose one with --root, for example: --root ${roots[0]}`,
  );
}

/** Mounts the filesystems of an operating system as its own configuration says. */
export async function mountRoot({ g, controls, invocation }: Guest, root: string): Promise<void> {
  const readonly = !invocation.options.flag('rw');
  for (const { directory, error } of await mountSystem(g, root, { readonly, ...controls }))
    invocation.note(`${directory} is not mounted: ${error.bareMessage}`);
}

/** Mounts what the options ask for, by inspection if they ask for nothing. */
export async function mountGuest(guest: Guest): Promise<void> {
  const { g, controls, invocation } = guest;
  const { options } = invocation;
  const byHand = options.list('mount');
  if (byHand.length > 0) {
    if (options.flag('inspect') || options.text('root') !== undefined)
      throw usageFailure('-m and -i exclude each other', 'mount by hand with -m, or by inspection with -i');
    return await mountByHand(guest, byHand);
  }
  let roots = await g.inspectOs(controls);
  if (roots.length === 0 && (await activateHalfGroups(guest))) roots = await g.inspectOs(controls);
  if (roots.length === 0) return await mountOnlyFilesystem(guest);
  await mountRoot(guest, await chooseRoot(guest, roots, options.text('root')));
}

/** Opens an image with its filesystems mounted, for the time of `work`. */
export async function withMountedGuest<T>(
  invocation: Invocation,
  image: string,
  work: (guest: Guest) => Promise<T>,
): Promise<T> {
  return await withGuest(invocation, image, async (guest) => {
    await mountGuest(guest);
    return await work(guest);
  });
}
