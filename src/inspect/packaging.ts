/** How each distribution packages its software. */
import { apkFiles, dpkgFiles, pacmanDirectory, rpmDatabases } from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import type { Distro, Facts, PackageFormat, PackageManagement } from './facts.js';
import { findQuietly, isFile } from './text.js';

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
    // dnf came with Fedora 22, but yum was still possible.
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

/** The path of each format's database. */
const databases: readonly (readonly [PackageFormat, ...(readonly string[])])[] = [
  ['deb', dpkgFiles.status, dpkgFiles.directory],
  ['rpm', ...rpmDatabases],
  ['apk', ...apkFiles],
  ['pacman', pacmanDirectory],
  ['xbps', '/var/db/xbps'],
  ['ebuild', '/var/db/pkg'],
  ['pisi', '/var/lib/pisi/package'],
];

function formatByDatabase(tree: Tree): PackageFormat | undefined {
  return databases.find(([, ...paths]) =>
    paths.some((path) => findQuietly(tree, path, true) !== undefined),
  )?.[0];
}

/** The tools of each format. If several use one format, the first one whose program exists is taken. */
const tools: Readonly<Record<PackageFormat, readonly PackageManagement[]>> = {
  apk: ['apk'],
  deb: ['apt'],
  ebuild: ['portage'],
  pacman: ['pacman'],
  pisi: ['pisi'],
  rpm: ['dnf', 'zypper', 'urpmi', 'yum', 'apt'],
  xbps: ['xbps'],
};

function toolOf(tree: Tree, format: PackageFormat): PackageManagement | undefined {
  const [only, ...others] = tools[format];
  if (others.length === 0) return only;
  return tools[format].find((tool) =>
    [`/usr/bin/${tool}`, `/usr/sbin/${tool}`].some((path) => isFile(tree, path)),
  );
}

/**
 * Sets package format and management by distribution and version. For an unknown distribution, those of the nearest
 * known distribution that it declares to be like are taken; if there is none, those of the database that exists.
 */
export function decidePackaging(tree: Tree, facts: Facts): void {
  const { distro, version, likes = [], type } = facts;
  if (distro !== undefined) {
    facts.packageFormat = formats[distro];
    facts.packageManagement = managementOf(tree, distro, version?.major ?? 0);
  } else facts.packageFormat = likes.map((like) => formats[like]).find((format) => format !== undefined);
  if (type === 'linux' || type === 'hurd') facts.packageFormat ??= formatByDatabase(tree);
  if (facts.packageFormat !== undefined) facts.packageManagement ??= toolOf(tree, facts.packageFormat);
}
