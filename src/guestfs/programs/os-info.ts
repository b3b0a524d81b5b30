/** The answers of an inspection about one operating system, as one object. */
import type { CallControls, Device, Mountable } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { Guestfs } from '../guestfs.js';

/** What is known of an operating system. null: the inspection could not tell. */
export interface OsInfo {
  /** The filesystem that the system's `/` is on. */
  readonly root: Mountable;
  /** `linux`, `windows`, `freebsd`, … */
  readonly type: string | null;
  /** `debian`, `fedora`, … */
  readonly distro: string | null;
  readonly productName: string | null;
  readonly productVariant: string | null;
  /** 0 if not known, as is `minorVersion`. */
  readonly majorVersion: number;
  readonly minorVersion: number;
  /** `x86_64`, `aarch64`, … */
  readonly arch: string | null;
  readonly hostname: string | null;
  /** libosinfo's short name: `debian12`. */
  readonly osinfo: string | null;
  readonly buildId: string | null;
  /** `deb`, `rpm`, … */
  readonly packageFormat: string | null;
  /** `apt`, `dnf`, … */
  readonly packageManagement: string | null;
  /** The filesystem for each directory, by the system's own configuration. */
  readonly mountpoints: ReadonlyMap<string, Mountable>;
  /** All filesystems of the system, swap too. */
  readonly filesystems: readonly Mountable[];
  /** Of Windows: the device for each drive letter. */
  readonly driveMappings: ReadonlyMap<string, Device>;
  /** Of Windows: the directory that Windows is in, `/Windows`; null for other systems. */
  readonly windowsSystemroot: string | null;
}

/** libguestfs says `unknown` where nothing is known. */
const known = (text: string): string | null => (text === 'unknown' || text === '' ? null : text);

/** Daemons before 1.49 do not have it: they cannot tell. */
async function readBuildId(g: Guestfs, root: Mountable, controls: CallControls): Promise<string | null> {
  try {
    return known(await g.inspectGetBuildId(root, controls));
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code === 'ENOTSUP') return null;
    throw thrown;
  }
}

/** The facts about an operating system that `inspectOs` of this handle has found. Rejects as the getters do. */
export async function readOsInfo(g: Guestfs, root: Mountable, controls: CallControls = {}): Promise<OsInfo> {
  const type = known(await g.inspectGetType(root, controls));
  return {
    root,
    type,
    distro: known(await g.inspectGetDistro(root, controls)),
    productName: known(await g.inspectGetProductName(root, controls)),
    productVariant: known(await g.inspectGetProductVariant(root, controls)),
    majorVersion: await g.inspectGetMajorVersion(root, controls),
    minorVersion: await g.inspectGetMinorVersion(root, controls),
    arch: known(await g.inspectGetArch(root, controls)),
    hostname: known(await g.inspectGetHostname(root, controls)),
    osinfo: known(await g.inspectGetOsinfo(root, controls)),
    buildId: await readBuildId(g, root, controls),
    packageFormat: known(await g.inspectGetPackageFormat(root, controls)),
    packageManagement: known(await g.inspectGetPackageManagement(root, controls)),
    mountpoints: await g.inspectGetMountpoints(root, controls),
    filesystems: await g.inspectGetFilesystems(root, controls),
    // Windows alone has letters for drives.
    driveMappings: type === 'windows' ? await g.inspectGetDriveMappings(root, controls) : new Map(),
    windowsSystemroot: type === 'windows' ? await g.inspectGetWindowsSystemroot(root, controls) : null,
  };
}
