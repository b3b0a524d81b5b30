/**
 * The role of a filesystem in a guest: the root of an operating system, its /usr, or something else, judged by its
 * files and directories. The rules and their order are libguestfs's, so the answers agree.
 */
import { GuestfsError } from '../base/index.js';
import type { Tree } from '../vfs/index.js';
import { fileArchitecture } from './architecture.js';
import type { Facts, OsType } from './facts.js';
import { readFstab } from './fstab.js';
import type { InspectionHost } from './host.js';
import { bsdHostname, hostnameFromFile, linuxHostname } from './hostname.js';
import type { Look } from './look.js';
import { decidePackaging } from './packaging.js';
import {
  firstLine,
  readHurdRelease,
  readLinuxRelease,
  readLsbRelease,
  readOsRelease,
} from './release-files.js';
import { findQuietly, isFile, isPlainDirectory, isPlainFile } from './text.js';
import { findSystemroot, isDirectoryAnyCase, isFileAnyCase, readWindows } from './windows.js';

/** What was found on one filesystem. */
export interface Finding {
  readonly mountable: string;
  readonly role: 'root' | 'usr' | 'swap' | 'other';
  /** Empty but for a root and a /usr. */
  readonly facts: Facts;
}

interface Rule {
  readonly role: Finding['role'];
  readonly applies: (tree: Tree) => boolean;
  readonly read?: (look: Look) => void;
}

const directories = (tree: Tree, ...paths: string[]): boolean =>
  paths.every((path) => isPlainDirectory(tree, path));
const files = (tree: Tree, ...paths: string[]): boolean => paths.every((path) => isPlainFile(tree, path));

/** On a system with a merged /usr, /bin is a link into it. */
function hasBin(tree: Tree): boolean {
  const bin = findQuietly(tree, '/bin', false);
  if (bin?.type === 'symlink') return bin.fileSystem.readlink(bin.inode) === 'usr/bin';
  return bin?.type === 'directory';
}

/** Tried in this order. The first rule that applies decides. */
const rules: readonly Rule[] = [
  {
    // A separate /boot.
    role: 'other',
    applies: (tree) =>
      ['/grub/menu.lst', '/grub/grub.conf', '/grub2/grub.cfg'].some((path) => isPlainFile(tree, path)),
  },
  {
    role: 'root',
    applies: (tree) =>
      directories(tree, '/etc', '/bin') && files(tree, '/etc/freebsd-update.conf', '/etc/fstab'),
    read: (look) => readBsd(look, 'freebsd', '/etc/motd'),
  },
  {
    role: 'root',
    applies: (tree) =>
      directories(tree, '/etc', '/bin') && files(tree, '/netbsd', '/etc/fstab', '/etc/release'),
    read: (look) => readBsd(look, 'netbsd', '/etc/release', /^NetBSD ([0-9]+)\.([0-9]+)/),
  },
  {
    role: 'root',
    applies: (tree) => directories(tree, '/etc', '/bin') && files(tree, '/bsd', '/etc/fstab', '/etc/motd'),
    read: (look) => readBsd(look, 'openbsd', '/etc/motd'),
  },
  {
    role: 'root',
    applies: (tree) => files(tree, '/hurd/console', '/hurd/hello', '/hurd/null'),
    read: (look) => readSystem(look, 'hurd', readHurdRelease, linuxHostname(look.tree)),
  },
  {
    role: 'root',
    applies: (tree) =>
      directories(tree, '/etc', '/bin') && files(tree, '/service/vm', '/etc/fstab', '/etc/version'),
    read: readMinix,
  },
  {
    role: 'root',
    applies: (tree) =>
      directories(tree, '/etc') &&
      hasBin(tree) &&
      ['/etc/fstab', '/etc/hosts'].some((path) => isPlainFile(tree, path)),
    read: (look) => readSystem(look, 'linux', readLinuxRelease, linuxHostname(look.tree)),
  },
  {
    role: 'root',
    applies: (tree) =>
      directories(tree, '/etc', '/root', '/home', '/usr') && files(tree, '/etc/coreos/update.conf'),
    read: readCoreOsRoot,
  },
  {
    // A separate /usr/local.
    role: 'other',
    applies: (tree) =>
      directories(tree, '/etc', '/bin', '/share') &&
      !isPlainDirectory(tree, '/local') &&
      !isPlainFile(tree, '/etc/fstab'),
  },
  {
    role: 'usr',
    applies: (tree) =>
      directories(tree, '/bin', '/local', '/share', '/src') && !isPlainFile(tree, '/etc/fstab'),
    read: readUsr,
  },
  {
    role: 'usr',
    applies: (tree) => directories(tree, '/bin', '/share', '/local', '/share/coreos'),
    read: readCoreOsUsr,
  },
  {
    // A separate /var.
    role: 'other',
    applies: (tree) => directories(tree, '/log', '/run', '/spool'),
  },
  {
    role: 'root',
    applies: (tree) => findSystemroot(tree) !== undefined,
    read: (look) => readWindows(look, findSystemroot(look.tree) ?? '/'),
  },
  {
    // A further disk of a Windows system.
    role: 'other',
    applies: (tree) => isDirectoryAnyCase(tree, '/System Volume Information'),
  },
  {
    role: 'root',
    applies: (tree) => isDirectoryAnyCase(tree, '/FDOS') && isFileAnyCase(tree, '/FDOS/FREEDOS.BSS'),
    read: ({ facts }) => Object.assign(facts, { type: 'dos', distro: 'freedos', arch: 'i386' }),
  },
  {
    role: 'root',
    applies: (tree) => isDirectoryAnyCase(tree, '/DOS') && isFileAnyCase(tree, '/DOS/COMMAND.COM'),
    read: ({ facts }) => Object.assign(facts, { type: 'dos', distro: 'msdos', arch: 'i386' }),
  },
];

/** Examines a filesystem that is mounted alone, as `/`. */
export function findRole(tree: Tree, mountable: string, host: InspectionHost): Finding {
  const facts: Facts = { fstab: [] };
  const rule = rules.find(({ applies }) => applies(tree));
  rule?.read?.({ tree, mountable, host, facts });
  decidePackaging(tree, facts);
  return { mountable, role: rule?.role ?? 'other', facts };
}

function readSystem(
  { tree, mountable, host, facts }: Look,
  type: OsType,
  readRelease: (tree: Tree, facts: Facts) => void,
  hostname: string | undefined,
): void {
  facts.type = type;
  readRelease(tree, facts);
  facts.arch = findArchitecture(tree, host);
  const arrays = type === 'linux' ? (host.arrays?.() ?? []) : [];
  facts.fstab = readFstab(tree, mountable, type, host.devices, arrays);
  facts.hostname = hostname;
}

function readBsd(look: Look, type: 'freebsd' | 'netbsd' | 'openbsd', file: string, pattern?: RegExp): void {
  const readRelease = (tree: Tree, facts: Facts): void => {
    if (isFile(tree, file)) firstLine(type, pattern)(tree, file, facts);
    facts.distro = type;
  };
  readSystem(look, type, readRelease, bsdHostname(look.tree));
}

/** MINIX's fstab is not read, because its device names cannot be translated. */
function readMinix({ tree, host, facts }: Look): void {
  facts.type = 'minix';
  // MINIX has no distributions, so this name is removed at once.
  firstLine('meego', /^([0-9]+)\.([0-9]+)/)(tree, '/etc/version', facts);
  facts.distro = undefined;
  facts.arch = findArchitecture(tree, host);
  facts.hostname = hostnameFromFile(tree, '/etc/hostname.file');
}

function readUsr({ tree, host, facts }: Look): void {
  facts.type = 'linux';
  if (isFile(tree, '/lib/os-release')) readOsRelease(tree, '/lib/os-release', facts);
  facts.arch = findArchitecture(tree, host);
}

/** Container Linux: the root holds only configuration and has no fstab. */
function readCoreOsRoot({ tree, mountable, facts }: Look): void {
  facts.type = 'linux';
  facts.distro = 'coreos';
  facts.hostname = linuxHostname(tree);
  facts.fstab = [{ mountable, mountpoint: '/' }];
}

function readCoreOsUsr({ tree, mountable, host, facts }: Look): void {
  facts.type = 'linux';
  if (isFile(tree, '/lib/os-release')) readOsRelease(tree, '/lib/os-release', facts);
  else if (isFile(tree, '/share/coreos/lsb-release')) {
    readLsbRelease(tree, '/share/coreos/lsb-release', facts);
  }
  facts.distro = 'coreos';
  facts.arch = findArchitecture(tree, host);
  facts.fstab = [{ mountable, mountpoint: '/usr' }];
}

const programs = ['/bin/bash', '/bin/ls', '/bin/echo', '/bin/rm', '/bin/sh'];

/** The architecture of the first of these programs that has a known one. */
function findArchitecture(tree: Tree, host: InspectionHost): string | undefined {
  for (const path of programs) {
    if (!isFile(tree, path)) continue;
    try {
      return fileArchitecture(tree, path);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || thrown.code === 'ECANCELED') throw thrown;
      host.warn?.(thrown.message);
    }
  }
  return undefined;
}
