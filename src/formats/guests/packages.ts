/** Guests whose installed packages can be listed, and the places of rpm's databases. */
import { UnsupportedError } from '../../base/index.js';

/** The newest first. */
export const rpmDatabases = [
  '/var/lib/rpm/rpmdb.sqlite',
  '/usr/lib/sysimage/rpm/rpmdb.sqlite',
  '/var/lib/rpm/Packages.db',
  '/usr/lib/sysimage/rpm/Packages.db',
  '/var/lib/rpm/Packages',
  '/usr/lib/sysimage/rpm/Packages',
] as const;

/** Inspection's facts about a guest that matter for packages, in libguestfs's words; `unknown` if unknown. */
export interface PackagedGuest {
  readonly type: string;
  readonly distro: string;
  readonly packageFormat: string;
}

/** Systems without packages: their contents were fixed when they were made. */
const packagelessTypes = new Set(['dos', 'minix']);
const packagelessDistros = new Set(['buildroot', 'cirros', 'coreos', 'ttylinux']);

/**
 * Called for a guest whose packages cannot be read. An empty list is correct only for a system without packages; for
 * all others it throws UnsupportedError with the system's name.
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
