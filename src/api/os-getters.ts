/** The getters of an inspection, whose answers are `OsInfo`. */
import type { Mountable } from './action.js';
import type { OsInfo } from './os-info.js';
import type { ActionResult } from './types.js';

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
