/**
 * The facts about an operating system, in the words of libguestfs's inspection (guestfs(3), INSPECTION and the
 * `inspect_get_*` calls). Undefined means "could not be determined", for which the calls answer `unknown`.
 */

/** The answers of `inspect_get_type`. */
export type OsType = 'dos' | 'freebsd' | 'hurd' | 'linux' | 'minix' | 'netbsd' | 'openbsd' | 'windows';

/** The answers of `inspect_get_distro`. */
export type Distro =
  | 'alpinelinux'
  | 'altlinux'
  | 'archlinux'
  | 'buildroot'
  | 'centos'
  | 'circle'
  | 'cirros'
  | 'coreos'
  | 'debian'
  | 'fedora'
  | 'freebsd'
  | 'freedos'
  | 'frugalware'
  | 'gentoo'
  | 'kalilinux'
  | 'kylin'
  | 'linuxmint'
  | 'mageia'
  | 'mandriva'
  | 'meego'
  | 'msdos'
  | 'neokylin'
  | 'netbsd'
  | 'openbsd'
  | 'openmandriva'
  | 'opensuse'
  | 'oraclelinux'
  | 'pardus'
  | 'pldlinux'
  | 'redhat-based'
  | 'rhel'
  | 'rocky'
  | 'scientificlinux'
  | 'slackware'
  | 'sles'
  | 'suse-based'
  | 'ttylinux'
  | 'ubuntu'
  | 'voidlinux'
  | 'windows';

/** The answers of `inspect_get_package_format`. */
export type PackageFormat = 'apk' | 'deb' | 'ebuild' | 'pacman' | 'pisi' | 'rpm' | 'xbps';

/** The answers of `inspect_get_package_management`. */
export type PackageManagement =
  | 'apk'
  | 'apt'
  | 'dnf'
  | 'pacman'
  | 'pisi'
  | 'portage'
  | 'up2date'
  | 'urpmi'
  | 'xbps'
  | 'yum'
  | 'zypper';

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/**
 * A line of fstab: a device and its mount point. For lines that mount nothing, the mount point is no path (`none`,
 * `swap`).
 */
export interface FstabEntry {
  readonly mountable: string;
  readonly mountpoint: string;
}

/** The facts so far about one operating system, collected from one filesystem after the other. */
export interface Facts {
  type?: OsType | undefined;
  distro?: Distro | undefined;
  productName?: string | undefined;
  productVariant?: string | undefined;
  version?: Version | undefined;
  arch?: string | undefined;
  hostname?: string | undefined;
  buildId?: string | undefined;
  /** Distributions that the system declares to be like, the nearest first. */
  likes?: readonly Distro[] | undefined;
  packageFormat?: PackageFormat | undefined;
  packageManagement?: PackageManagement | undefined;
  fstab: readonly FstabEntry[];
  windowsSystemroot?: string | undefined;
  windowsSoftwareHive?: string | undefined;
  windowsSystemHive?: string | undefined;
  windowsCurrentControlSet?: string | undefined;
  windowsGroupPolicy?: boolean | undefined;
  /** Drive letters of Windows, each with its partition. */
  driveMappings?: readonly (readonly [letter: string, device: string])[] | undefined;
}

/** Adds to `facts` the facts that only `other` has: a separate `/usr` knows things about its root. */
export function mergeFacts(facts: Facts, other: Facts): void {
  const fstab = [...other.fstab, ...facts.fstab];
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  Object.assign(facts, { ...other, ...known, fstab });
}
