/** Of which guests the installed packages can be listed, and where those of rpm are kept. */
import { UnsupportedError } from '../../base/index.js';

/** In the order in which rpm came to use them, the newest first. */
export const rpmDatabases = [
  '/var/lib/rpm/rpmdb.sqlite',
  '/usr/lib/sysimage/rpm/rpmdb.sqlite',
  '/var/lib/rpm/Packages.db',
  '/usr/lib/sysimage/rpm/Packages.db',
  '/var/lib/rpm/Packages',
] as const;

/**
 * What inspection says of a guest, as far as its packages go: the words of libguestfs, `unknown` where nothing is
 * known.
 */
export interface PackagedGuest {
  readonly type: string;
  readonly distro: string;
  readonly packageFormat: string;
}

/** Systems that have no packages: what is on them was put there when they were made. */
const packagelessTypes = new Set(['dos', 'minix']);
const packagelessDistros = new Set(['buildroot', 'cirros', 'coreos', 'ttylinux']);

/**
 * To be asked about a guest of whose packages nothing is read: an empty list is the truth only of a system that has
 * none. Of all others UnsupportedError says whose packages cannot be listed.
 */
export function requireListablePackages({ type, distro, packageFormat }: PackagedGuest): void {
  if (packagelessTypes.has(type) || packagelessDistros.has(distro)) return;
  const packages =
    packageFormat !== 'unknown'
      ? `packages of the format ${packageFormat}`
      : type === 'linux' || type === 'hurd'
        ? 'the packages of a system without a package database that is known'
        : `the packages of ${type}`;
  throw new UnsupportedError('list of applications', [packages]);
}
