/**
 * What can be known of an operating system, in the words of libguestfs's inspection (guestfs(3), INSPECTION and the
 * `inspect_get_*` calls). Undefined is "could not be determined", which the calls answer with `unknown`.
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

/** A line of fstab: what is mounted, where. The second is no path for what is not mounted (`none`, `swap`). */
export interface FstabEntry {
  readonly mountable: string;
  readonly mountpoint: string;
}

/** What is known so far of one operating system; filled in by looking at one filesystem after the other. */
export interface Facts {
  type?: OsType | undefined;
  distro?: Distro | undefined;
  productName?: string | undefined;
  productVariant?: string | undefined;
  version?: Version | undefined;
  arch?: string | undefined;
  hostname?: string | undefined;
  buildId?: string | undefined;
  /** Distributions that it says it is like, the nearest first. */
  likes?: readonly Distro[] | undefined;
  packageFormat?: PackageFormat | undefined;
  packageManagement?: PackageManagement | undefined;
  fstab: readonly FstabEntry[];
  windowsSystemroot?: string | undefined;
  windowsSoftwareHive?: string | undefined;
  windowsSystemHive?: string | undefined;
}

/** Adds to `facts` what `other` knows and it does not: what a separate `/usr` tells of the root it belongs to. */
export function mergeFacts(facts: Facts, other: Facts): void {
  const fstab = [...other.fstab, ...facts.fstab];
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  Object.assign(facts, { ...other, ...known, fstab });
}
