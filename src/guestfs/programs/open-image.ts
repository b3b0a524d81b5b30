/** The usual steps to the files of an image, in one call: launch, inspect, mount. */
import type { CallControls, HostPath, Mountable, OsInfo, Unreadable } from '../../api/index.js';
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import { isSubvolume } from '../../formats/index.js';
import type { GuestFs } from '../fs/guest-fs.js';
import { Guestfs, type GuestfsOptions } from '../guestfs.js';
import { drivesOfFiles, type FileDrive } from './archive-drives.js';
import { activateHalfGroups, findMountable, mountSystem, type NotMounted } from './mounting.js';
import { findLargeSectors } from './sector-sizes.js';

/** How an image is opened: options of the handle, of the drives and of what is mounted. */
export interface GuestImageOptions extends GuestfsOptions, CallControls {
  /** The format of the first file, by qemu's name; further files' formats are detected. Default: detected. */
  readonly format?: string | undefined;
  /** Whether drives and filesystems are read-only; true by default. */
  readonly readonly?: boolean | undefined;
  /** The sector size of the drives. Default: 512, or 4096 for a drive with a partition table for that. */
  readonly blocksize?: 512 | 4096 | undefined;
  /**
   * Which operating system, where there are several, by the filesystem of its root: `/dev/sda2`. On a disk without any,
   * the filesystem that is mounted.
   */
  readonly root?: Mountable | undefined;
}

/** An image that was opened. */
export class GuestImage {
  /** The handle, launched, with the filesystems mounted. */
  readonly g: Guestfs;
  /** The filesystem that is mounted on `/`. */
  readonly root: Mountable;
  /** The operating system; null where there is none, and the one filesystem of the disk is mounted. */
  readonly osInfo: OsInfo | null;
  /** Filesystems of the operating system that could not be mounted, because they are on other disks for example. */
  readonly notMounted: readonly NotMounted[];
  /** Devices that could not be read, as `g.unreadable()` has them. On the direct backend none are known. */
  readonly unreadable: readonly Unreadable[];

  /** @internal */
  constructor(parts: Pick<GuestImage, 'g' | 'root' | 'osInfo' | 'notMounted' | 'unreadable'>) {
    this.g = parts.g;
    this.root = parts.root;
    this.osInfo = parts.osInfo;
    this.notMounted = parts.notMounted;
    this.unreadable = parts.unreadable;
  }

  /** The files, in the shape of Node's `fs.promises`. */
  get fs(): GuestFs {
    return this.g.fs;
  }

  /** Closes the handle. */
  close(): Promise<void> {
    return this.g.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

type Files = HostPath | URL | readonly (HostPath | URL)[];
type DriveOptions = Pick<GuestImageOptions, 'format' | 'readonly'>;

/** A launched handle with the drives of the files. */
async function launch(
  files: readonly FileDrive<HostPath | URL>[],
  sizes: readonly (512 | 4096 | undefined)[],
  { format, readonly = true }: DriveOptions,
  options: GuestfsOptions,
  controls: CallControls,
): Promise<Guestfs> {
  const g = new Guestfs(options);
  try {
    for (const [index, { file, member }] of files.entries()) {
      const blocksize = sizes[index];
      g.addDrive(file, {
        readonly,
        ...(member === undefined ? {} : { member }),
        ...(format === undefined || index > 0 ? {} : { format }),
        ...(blocksize === undefined ? {} : { blocksize }),
      });
    }
    await g.launch(controls);
    return g;
  } catch (thrown) {
    await g.close();
    throw thrown;
  }
}

/** The devices that could not be read. The appliance reports none. */
async function listUnreadable(g: Guestfs, controls: CallControls): Promise<readonly Unreadable[]> {
  try {
    return await g.unreadable(controls);
  } catch (thrown) {
    if (thrown instanceof UnsupportedError) return [];
    throw thrown;
  }
}

const failure = (code: 'EINVAL' | 'ENODEV', message: string): GuestfsError =>
  new GuestfsError(code, message, { action: 'openImage' });

/** A device by the name that the handle has for it. */
async function canonical(g: Guestfs, device: Mountable, controls: CallControls): Promise<Mountable> {
  return isSubvolume(device) ? device : await g.canonicalDeviceName(device, controls);
}

async function chooseRoot(
  g: Guestfs,
  roots: readonly Mountable[],
  wanted: Mountable | undefined,
  controls: CallControls,
): Promise<Mountable> {
  if (wanted !== undefined) {
    const name = await canonical(g, wanted, controls);
    if (roots.includes(name)) return name;
    throw failure('EINVAL', `there is no operating system on ${wanted}; there is one on ${roots.join(', ')}`);
  }
  const [only] = roots;
  if (only !== undefined && roots.length === 1) return only;
  throw failure(
    'EINVAL',
    `there are several operating systems, on ${roots.join(', ')}: choose one with the option root`,
  );
}

/** Of a disk without an operating system: the only filesystem, or the one that is wanted. */
async function chooseFilesystem(
  g: Guestfs,
  wanted: Mountable | undefined,
  controls: CallControls,
): Promise<Mountable> {
  const found = await findMountable(g, controls);
  const listed = found.map(({ mountable, type }) => `${mountable} (${type})`).join(', ');
  const [only] = found;
  if (only === undefined) throw failure('ENODEV', 'no filesystem was found');
  if (wanted !== undefined) {
    const name = await canonical(g, wanted, controls);
    if (found.some(({ mountable }) => mountable === name)) return name;
    throw failure('EINVAL', `there is no filesystem on ${wanted}; there are ${listed}`);
  }
  if (found.length === 1) return only.mountable;
  throw failure(
    'EINVAL',
    `no operating system was found, and there are several filesystems: ${listed}: choose one with the option root`,
  );
}

/** Inspects and mounts. */
async function mountImage(
  g: Guestfs,
  { readonly = true, root: wanted }: GuestImageOptions,
  controls: CallControls,
): Promise<GuestImage> {
  let roots = await g.inspectOs(controls);
  if (roots.length === 0 && (await activateHalfGroups(g, controls)).activated)
    roots = await g.inspectOs(controls);
  if (roots.length === 0) {
    const root = await chooseFilesystem(g, wanted, controls);
    if (readonly) await g.mountRo(root, '/', controls);
    else await g.mount(root, '/', controls);
    return new GuestImage({
      g,
      root,
      osInfo: null,
      notMounted: [],
      unreadable: await listUnreadable(g, controls),
    });
  }
  const root = await chooseRoot(g, roots, wanted, controls);
  const osInfo = await g.osInfo(root, controls);
  const notMounted = await mountSystem(g, root, { readonly, ...controls });
  return new GuestImage({ g, root, osInfo, notMounted, unreadable: await listUnreadable(g, controls) });
}

/**
 * Opens an image, or the images of one machine: launches a handle with them, inspects, and mounts the filesystems of
 * the operating system as its own configuration says; on a disk without an operating system its one filesystem.
 * Read-only by default. Of an archive (OVA, tar) all disks are drives. Closing the answer closes all.
 *
 *     await using image = await openImage('debian.qcow2');
 *     console.log(image.osInfo?.productName, await image.fs.readFile('/etc/hostname', 'utf8'));
 *
 * Rejects with a GuestfsError, leaving nothing open: as `addDrive` and `launch` for files that cannot be opened; as
 * `inspectOs` and `mount` for what is on them and cannot be read, with the reason; ENODEV if there is no filesystem;
 * EINVAL if several may be meant, with their names.
 */
export async function openImage(images: Files, options: GuestImageOptions = {}): Promise<GuestImage> {
  const { format, readonly, blocksize, root, signal, onProgress, ...own } = options;
  const given = typeof images === 'string' || images instanceof URL ? [images] : images;
  if (!Array.isArray(given) || given.length === 0) throw new TypeError('openImage: no file is given');
  const drives = { format, readonly };
  const controls = { signal };
  const files = await drivesOfFiles(given, format);
  let g = await launch(
    files,
    files.map(() => blocksize),
    drives,
    own,
    { signal, onProgress },
  );
  try {
    const sizes = blocksize === undefined ? await findLargeSectors(g, files.length, controls) : undefined;
    if (sizes !== undefined) {
      await g.close();
      g = await launch(files, sizes, drives, own, { signal, onProgress });
    }
    return await mountImage(g, { readonly, root }, controls);
  } catch (thrown) {
    await g.close();
    throw thrown;
  }
}
