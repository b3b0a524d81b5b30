/** `inspect_get_osinfo`: guesses libosinfo's short identifier of a system. */

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** The facts that the identifier depends on, in the words of `inspect_get_*`; undefined if unknown. */
interface OsinfoFacts {
  readonly type?: string | undefined;
  readonly distro?: string | undefined;
  readonly version?: Version | undefined;
  /** The next three of Windows only. */
  readonly productName?: string | undefined;
  readonly productVariant?: string | undefined;
  readonly buildId?: string | undefined;
}

type Naming = (distro: string, version: Version) => string | undefined;

const major: Naming = (distro, version) => `${distro}${version.major}`;
const both: Naming = (distro, version) => `${distro}${version.major}.${version.minor}`;
const bare: Naming = (distro) => distro;
const majorFrom =
  (first: number): Naming =>
  (distro, version) =>
    version.major >= first ? major(distro, version) : undefined;

/** Distributions whose identifier has only a part of the version. Undefined: the whole version after all. */
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
  // From 15 on, the name is that of the whole family.
  sles: (distro, version) => {
    const name = major(version.major >= 15 ? 'sle' : distro, version);
    return version.minor === 0 ? name : `${name}sp${version.minor}`;
  },
  ubuntu: (distro, version) => `${distro}${version.major}.${String(version.minor).padStart(2, '0')}`,
  archlinux: bare,
  gentoo: bare,
  voidlinux: bare,
  altlinux: (distro, version) => both(version.major >= 8 ? 'alt' : distro, version),
};

/** Releases of Windows by version: the server's name, then the name of all others. */
const windows: Readonly<Record<string, readonly [server: string, other: string]>> = {
  '6.0': ['win2k8', 'winvista'],
  '6.1': ['win2k8r2', 'win7'],
  '6.2': ['win2k12', 'win8'],
  '6.3': ['win2k12r2', 'win8.1'],
};
/** Servers of version 10.0, by the year in their name. */
const windowsServers = ['2025', '2022', '2019'];
/** The first build of Windows 11, whose version is 10.0 as well. */
const firstEleven = 22000;

function windowsName({ version, productName = '', productVariant = '', buildId }: OsinfoFacts): string {
  const release = `${version?.major}.${version?.minor}`;
  const isServer = productVariant.includes('Server');
  if (release === '5.1') return 'winxp';
  if (release === '5.2') {
    if (productName.includes('XP')) return 'winxp';
    return productName.includes('R2') ? 'win2k3r2' : 'win2k3';
  }
  if (release === '10.0') {
    if (!isServer) return Number(buildId) >= firstEleven ? 'win11' : 'win10';
    const year = windowsServers.find((candidate) => productName.includes(candidate)) ?? '2016';
    return `win2k${year.slice(2)}`;
  }
  return windows[release]?.[isServer ? 0 : 1] ?? 'unknown';
}

/** The identifier; `unknown` without a guess. */
export function osinfoOf(facts: OsinfoFacts): string {
  const { type, distro, version = { major: 0, minor: 0 } } = facts;
  if (type === 'linux' && distro !== undefined) {
    const name = Object.hasOwn(namings, distro) ? namings[distro]?.(distro, version) : undefined;
    if (name !== undefined) return name;
    if (version.major > 0 || version.minor > 0) return both(distro, version) ?? 'unknown';
  }
  if (type === 'freebsd' || type === 'netbsd' || type === 'openbsd') {
    return both(distro ?? type, version) ?? 'unknown';
  }
  if (type === 'windows') return windowsName(facts);
  if (type === 'dos' && distro === 'msdos') return 'msdos6.22';
  return 'unknown';
}
