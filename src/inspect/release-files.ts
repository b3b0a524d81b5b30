/**
 * Identifies the distribution: os-release(5), lsb-release, and the release files of older systems, in libguestfs's
 * order. A file that does not identify the distribution still adds its product name and version, which later files
 * may replace.
 */
import type { Tree } from '../vfs/index.js';
import type { Distro, Facts } from './facts.js';
import {
  findVersion,
  isFile,
  keyValues,
  matchLine,
  parseNumber,
  readLines,
  shellUnquote,
  unquote,
} from './text.js';

/** Reads one file; true if the distribution is identified. */
type Reader = (tree: Tree, path: string, facts: Facts) => boolean;

/** `ID` of os-release to libguestfs's name. */
const osReleaseIds = new Map<string, Distro>([
  ['alpine', 'alpinelinux'],
  ['altlinux', 'altlinux'],
  ['arch', 'archlinux'],
  ['centos', 'centos'],
  ['circle', 'circle'],
  ['coreos', 'coreos'],
  ['debian', 'debian'],
  ['fedora', 'fedora'],
  ['frugalware', 'frugalware'],
  ['gentoo', 'gentoo'],
  ['kali', 'kalilinux'],
  ['kylin', 'kylin'],
  ['mageia', 'mageia'],
  ['neokylin', 'neokylin'],
  ['openmandriva', 'openmandriva'],
  ['opensuse', 'opensuse'],
  ['pardus', 'pardus'],
  ['pld', 'pldlinux'],
  ['rhel', 'rhel'],
  ['rocky', 'rocky'],
  ['sled', 'sles'],
  ['sles', 'sles'],
  ['ubuntu', 'ubuntu'],
  ['void', 'voidlinux'],
]);

/** `DISTRIB_ID` of lsb-release to libguestfs's name. */
const lsbIds = new Map<string, Distro>([
  ['CoreOS', 'coreos'],
  ['LinuxMint', 'linuxmint'],
  ['Mageia', 'mageia'],
  ['MandrivaLinux', 'mandriva'],
  ['Ubuntu', 'ubuntu'],
]);

/** Distributions with only a major number in os-release: their own release file has more. */
const coarseInOsRelease = new Set<Distro>(['debian', 'centos', 'circle', 'rocky']);
/** These have no version at all. */
const rolling = new Set<Distro>(['archlinux', 'gentoo', 'voidlinux']);

/** The most distributions that a system may declare to be like; real systems name a few. */
const mostLikes = 20;

const distroOfId = (id: string): Distro | undefined =>
  osReleaseIds.get(id) ?? (id.startsWith('opensuse-') ? 'opensuse' : undefined);

/** /etc/os-release, or /usr/lib/os-release. */
export const readOsRelease: Reader = (tree, path, facts) => {
  for (const [key, value] of keyValues(readLines(tree, path) ?? [])) {
    const text = shellUnquote(value);
    if (key === 'ID') facts.distro = distroOfId(text) ?? facts.distro;
    else if (key === 'ID_LIKE') {
      facts.likes = text
        .split(' ', mostLikes)
        .map(distroOfId)
        .filter((distro) => distro !== undefined);
    } else if (key === 'PRETTY_NAME') facts.productName = text;
    else if (key === 'BUILD_ID') facts.buildId = text;
    else if (key === 'VERSION_ID') readVersionId(text, facts);
  }
  const { distro, productName, version } = facts;
  if (distro === undefined || productName === undefined) return false;
  if (version === undefined) {
    if (!rolling.has(distro)) return false;
    facts.version = { major: 0, minor: 0 };
    return true;
  }
  return !(coarseInOsRelease.has(distro) && version.minor === 0);
};

function readVersionId(text: string, facts: Facts): void {
  // NeoKylin writes "V7Update6".
  const [, major, minor] = matchLine(text, /^V([0-9]+)Update([0-9]+)$/) ?? [];
  const version =
    major === undefined
      ? findVersion(text)
      : { major: parseNumber(major) ?? 0, minor: parseNumber(minor) ?? 0 };
  if (version !== undefined) facts.version = version;
}

/** /etc/lsb-release. Some files name neither a distribution nor a product, and identify nothing. */
export const readLsbRelease: Reader = (tree, path, facts) => {
  let settled = false;
  for (const [key, value] of keyValues(readLines(tree, path) ?? [])) {
    const text = unquote(value);
    if (key === 'DISTRIB_ID') {
      const distro = lsbIds.get(text);
      if (distro === undefined) continue;
      facts.distro = distro;
      settled = true;
    } else if (key === 'DISTRIB_RELEASE') facts.version = findVersion(text) ?? facts.version;
    else if (key === 'DISTRIB_DESCRIPTION') {
      facts.productName = text;
      settled = true;
    }
  }
  return settled;
};

/**
 * A release file whose first line is the product's name. With `pattern`, the line must match it, and its groups are
 * the version; without `pattern`, any number in the line is the version.
 */
export function firstLine(distro: Distro, pattern?: RegExp): Reader {
  return (tree, path, facts) => {
    const line = readLines(tree, path)?.[0] ?? '';
    if (line === '') return false;
    facts.productName = line;
    facts.distro = distro;
    if (pattern === undefined) {
      facts.version = findVersion(line) ?? facts.version;
      return true;
    }
    const match = matchLine(line, pattern);
    if (match === null) return false;
    const major = parseNumber(match[1]);
    if (major !== undefined) facts.version = { major, minor: parseNumber(match[2]) ?? 0 };
    return true;
  };
}

/** Only the existence of the file counts. */
function present(distro: Distro): Reader {
  return (_tree, _path, facts) => {
    facts.distro = distro;
    return true;
  };
}

/** /etc/SuSE-release: a name, then `VERSION = 11`, then perhaps `PATCHLEVEL = 4`. */
const readSuseRelease: Reader = (tree, path, facts) => {
  const [name, second = '', third = ''] = readLines(tree, path) ?? [];
  if (name === undefined || name === '') return false;
  facts.productName = name;
  if (matchLine(name, /^(?:SUSE (?:Linux|LINUX) Enterprise|Novell Linux Desktop) /)) {
    facts.distro = 'sles';
    const major = parseNumber(matchLine(second, /^VERSION = ([0-9]+)/)?.[1]);
    const minor = parseNumber(matchLine(third, /^PATCHLEVEL = ([0-9]+)/)?.[1]);
    facts.version = major === undefined ? undefined : { major, minor: minor ?? 0 };
  } else if (matchLine(name, /^(?:openSUSE|SuSE Linux|SUSE LINUX) /)) {
    facts.distro = 'opensuse';
    facts.version = findVersion(second) ?? facts.version;
  } else facts.distro = 'suse-based';
  return true;
};

/** /etc/br-version is Buildroot's. CirrOS is made with Buildroot and recognised by its logo. */
const readBuildrootVersion: Reader = (tree, path, facts) =>
  firstLine(isFile(tree, '/usr/share/cirros/logo') ? 'cirros' : 'buildroot')(tree, path, facts);

/** Version formats of Red Hat and its rebuilds: `NAME … release 4 … Update 3`, `release 7.9`, `release 9`. */
function releases(distro: Distro, name: string): Reader[] {
  return [
    firstLine(distro, new RegExp(`${name}.*release ([0-9]+).*Update ([0-9]+)`)),
    firstLine(distro, new RegExp(`${name}.*release ([0-9]+)\\.([0-9]+)`)),
    firstLine(distro, new RegExp(`${name}.*release ([0-9]+)`)),
  ];
}

/** The files in order, each with its readers in order. */
type ReleaseFiles = readonly (readonly [path: string, readers: readonly Reader[]])[];

/** os-release(5): the second file is the vendor's, and counts only without the first one. */
const osReleaseFiles: ReleaseFiles = [
  ['/etc/os-release', [readOsRelease]],
  [
    '/usr/lib/os-release',
    [(tree, path, facts) => !isFile(tree, '/etc/os-release') && readOsRelease(tree, path, facts)],
  ],
];

const linuxFiles: ReleaseFiles = [
  ...osReleaseFiles,
  ['/etc/lsb-release', [readLsbRelease]],
  // Rebuilds of Red Hat's system also have /etc/redhat-release, so their own files come first.
  [
    '/etc/openmandriva-release',
    [firstLine('openmandriva', /OpenMandriva.*release ([0-9]+)\.([0-9]+)\.?(?:[0-9]+)? ./)],
  ],
  ['/etc/oracle-release', releases('oraclelinux', 'Oracle Linux')],
  ['/etc/centos-release', releases('centos', 'CentOS')],
  ['/etc/circle-release', releases('circle', 'Circle Linux').slice(1)],
  ['/etc/rocky-release', releases('rocky', 'Rocky Linux').slice(1)],
  ['/etc/altlinux-release', [firstLine('altlinux')]],
  [
    '/etc/redhat-release',
    [
      firstLine('fedora', /Fedora release ([0-9]+)/),
      ...releases('rhel', 'Red Hat'),
      ...releases('centos', 'CentOS'),
      ...releases('circle', 'Circle Linux').slice(1),
      ...releases('rocky', 'Rocky Linux').slice(1),
      ...releases('scientificlinux', 'Scientific Linux'),
      firstLine('redhat-based'),
      present('redhat-based'),
    ],
  ],
  ['/etc/debian_version', [firstLine('debian')]],
  ['/etc/pardus-release', [firstLine('pardus')]],
  ['/etc/arch-release', [present('archlinux')]],
  ['/etc/gentoo-release', [firstLine('gentoo')]],
  ['/etc/meego-release', [firstLine('meego')]],
  ['/etc/slackware-version', [firstLine('slackware')]],
  ['/etc/ttylinux-target', [firstLine('ttylinux')]],
  ['/etc/SuSE-release', [readSuseRelease, present('suse-based')]],
  ['/etc/cirros/version', [firstLine('cirros')]],
  ['/etc/br-version', [readBuildrootVersion]],
  ['/etc/alpine-release', [firstLine('alpinelinux')]],
  ['/etc/frugalware-release', [firstLine('frugalware', /Frugalware ([0-9]+)\.([0-9]+)/)]],
  ['/etc/pld-release', [firstLine('pldlinux', /([0-9]+)\.([0-9]+) PLD Linux/)]],
];

const hurdFiles: ReleaseFiles = [...osReleaseFiles, ['/etc/debian_version', [firstLine('debian')]]];

function readReleaseFiles(tree: Tree, facts: Facts, files: ReleaseFiles): void {
  for (const [path, readers] of files) {
    if (isFile(tree, path) && readers.some((read) => read(tree, path, facts))) return;
  }
}

/** Finds out the distribution, version and product name of a Linux system. */
export function readLinuxRelease(tree: Tree, facts: Facts): void {
  readReleaseFiles(tree, facts, linuxFiles);
}

/** The same of a GNU/Hurd system. */
export function readHurdRelease(tree: Tree, facts: Facts): void {
  readReleaseFiles(tree, facts, hurdFiles);
}
