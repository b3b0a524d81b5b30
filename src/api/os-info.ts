/** What an inspection tells about one operating system. */
import type { Device, Mountable } from './action.js';
import type { ActionResult } from './types.js';

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

/** The getters that every system answers, and those that Windows alone does. */
export const osGetters = [
  'inspect_get_type',
  'inspect_get_distro',
  'inspect_get_product_name',
  'inspect_get_product_variant',
  'inspect_get_major_version',
  'inspect_get_minor_version',
  'inspect_get_arch',
  'inspect_get_hostname',
  'inspect_get_osinfo',
  'inspect_get_build_id',
  'inspect_get_package_format',
  'inspect_get_package_management',
  'inspect_get_mountpoints',
  'inspect_get_filesystems',
] as const;
export const windowsGetters = ['inspect_get_drive_mappings', 'inspect_get_windows_systemroot'] as const;
export type OsGetter = (typeof osGetters)[number] | (typeof windowsGetters)[number];

/** libguestfs says `unknown` where nothing is known. */
const known = (text: string): string | null => (text === 'unknown' || text === '' ? null : text);

/** The getters' answers about the operating system on a root, as one object. */
export function osInfoOf(root: Mountable, ask: <N extends OsGetter>(getter: N) => ActionResult<N>): OsInfo {
  const type = known(ask('inspect_get_type'));
  return {
    root,
    type,
    distro: known(ask('inspect_get_distro')),
    productName: known(ask('inspect_get_product_name')),
    productVariant: known(ask('inspect_get_product_variant')),
    majorVersion: ask('inspect_get_major_version'),
    minorVersion: ask('inspect_get_minor_version'),
    arch: known(ask('inspect_get_arch')),
    hostname: known(ask('inspect_get_hostname')),
    osinfo: known(ask('inspect_get_osinfo')),
    buildId: known(ask('inspect_get_build_id')),
    packageFormat: known(ask('inspect_get_package_format')),
    packageManagement: known(ask('inspect_get_package_management')),
    mountpoints: ask('inspect_get_mountpoints'),
    filesystems: ask('inspect_get_filesystems'),
    // Windows alone has letters for drives.
    driveMappings: type === 'windows' ? ask('inspect_get_drive_mappings') : new Map(),
    windowsSystemroot: type === 'windows' ? ask('inspect_get_windows_systemroot') : null,
  };
}
