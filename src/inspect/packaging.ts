/** How each distribution packages its software. */
import type { Tree } from '../vfs/index.js';
import type { Distro, Facts, PackageFormat, PackageManagement } from './facts.js';
import { isFile } from './text.js';

const formats: Partial<Record<Distro, PackageFormat>> = {
  alpinelinux: 'apk',
  altlinux: 'rpm',
  archlinux: 'pacman',
  centos: 'rpm',
  circle: 'rpm',
  debian: 'deb',
  fedora: 'rpm',
  gentoo: 'ebuild',
  kalilinux: 'deb',
  kylin: 'deb',
  linuxmint: 'deb',
  mageia: 'rpm',
  mandriva: 'rpm',
  meego: 'rpm',
  neokylin: 'rpm',
  openmandriva: 'rpm',
  opensuse: 'rpm',
  oraclelinux: 'rpm',
  pardus: 'pisi',
  'redhat-based': 'rpm',
  rhel: 'rpm',
  rocky: 'rpm',
  scientificlinux: 'rpm',
  sles: 'rpm',
  'suse-based': 'rpm',
  ubuntu: 'deb',
  voidlinux: 'xbps',
};

const managements: Partial<Record<Distro, PackageManagement>> = {
  alpinelinux: 'apk',
  altlinux: 'apt',
  archlinux: 'pacman',
  debian: 'apt',
  gentoo: 'portage',
  kalilinux: 'apt',
  kylin: 'apt',
  linuxmint: 'apt',
  mageia: 'urpmi',
  mandriva: 'urpmi',
  meego: 'yum',
  neokylin: 'dnf',
  openmandriva: 'dnf',
  opensuse: 'zypper',
  pardus: 'pisi',
  sles: 'zypper',
  'suse-based': 'zypper',
  ubuntu: 'apt',
  voidlinux: 'xbps',
};

const redHatFamily = new Set<Distro>([
  'centos',
  'circle',
  'oraclelinux',
  'redhat-based',
  'rhel',
  'rocky',
  'scientificlinux',
]);

function managementOf(tree: Tree, distro: Distro, majorVersion: number): PackageManagement | undefined {
  if (distro === 'fedora') {
    // dnf came with Fedora 22, but was not the only choice.
    if (majorVersion >= 22 && isFile(tree, '/usr/bin/dnf')) return 'dnf';
    return majorVersion >= 1 ? 'yum' : undefined;
  }
  if (redHatFamily.has(distro)) {
    if (majorVersion >= 8) return 'dnf';
    if (majorVersion >= 5) return 'yum';
    return majorVersion >= 2 ? 'up2date' : undefined;
  }
  return managements[distro];
}

/** Sets package format and management by distribution and version. */
export function decidePackaging(tree: Tree, facts: Facts): void {
  const { distro, version } = facts;
  if (distro === undefined) return;
  facts.packageFormat = formats[distro];
  facts.packageManagement = managementOf(tree, distro, version?.major ?? 0);
}
