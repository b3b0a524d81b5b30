/** `inspect_get_osinfo`: a guess at the short identifier that libosinfo has for a system. */
import type { Facts, Version } from './facts.js';

type Naming = (distro: string, version: Version) => string | undefined;

const major: Naming = (distro, version) => `${distro}${version.major}`;
const both: Naming = (distro, version) => `${distro}${version.major}.${version.minor}`;
const bare: Naming = (distro) => distro;
const majorFrom =
  (first: number): Naming =>
  (distro, version) =>
    version.major >= first ? major(distro, version) : undefined;

/** The distributions that are not named with their whole version. Undefined: that one after all. */
const namings: Readonly<Record<string, Naming>> = {
  centos: (distro, version) => {
    if (version.major >= 8) return major(distro, version);
    return version.major === 7 ? `${distro}7.0` : undefined;
  },
  circle: majorFrom(8),
  rocky: majorFrom(8),
  debian: majorFrom(4),
  fedora: major,
  mageia: major,
  sles: (distro, version) =>
    version.minor === 0 ? major(distro, version) : `${distro}${version.major}sp${version.minor}`,
  ubuntu: (distro, version) => `${distro}${version.major}.${String(version.minor).padStart(2, '0')}`,
  archlinux: bare,
  gentoo: bare,
  voidlinux: bare,
  altlinux: (distro, version) => both(version.major >= 8 ? 'alt' : distro, version),
};

/** The identifier; `unknown` where none can be made up. */
export function osinfoOf({ type, distro, version = { major: 0, minor: 0 } }: Facts): string {
  if (type === 'linux' && distro !== undefined) {
    const name = Object.hasOwn(namings, distro) ? namings[distro]?.(distro, version) : undefined;
    if (name !== undefined) return name;
    if (version.major > 0 || version.minor > 0) return both(distro, version) ?? 'unknown';
  }
  if (type === 'freebsd' || type === 'netbsd' || type === 'openbsd') {
    return both(distro ?? type, version) ?? 'unknown';
  }
  if (type === 'dos' && distro === 'msdos') return 'msdos6.22';
  return 'unknown';
}
