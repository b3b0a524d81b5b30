/** `inspect_list_applications2`: the packages that a guest has installed, from the database of its package manager. */
import { type Application, compareBytewise, UnsupportedError } from '../base/index.js';
import type { Tree } from '../vfs/index.js';
import { readApk } from './apk.js';
import { readDpkg } from './dpkg.js';
import type { OsType, PackageFormat } from './facts.js';
import { readPacman } from './pacman.js';
import { isFile } from './text.js';

const rpmDatabases = [
  '/var/lib/rpm/rpmdb.sqlite',
  '/usr/lib/sysimage/rpm/rpmdb.sqlite',
  '/var/lib/rpm/Packages.db',
  '/usr/lib/sysimage/rpm/Packages.db',
  '/var/lib/rpm/Packages',
];

/**
 * The packages, in the byte-wise order of their names. The guest's filesystems must be mounted in `tree`. None for a
 * package format that libguestfs lists nothing of; UnsupportedError for rpm and for Windows.
 */
export function listApplications(
  tree: Tree,
  guest: { readonly type: OsType | 'unknown'; readonly packageFormat: PackageFormat | 'unknown' },
): Application[] {
  return read(tree, guest.type, guest.packageFormat).sort((a, b) => compareBytewise(a.name, b.name));
}

function read(tree: Tree, type: OsType | 'unknown', format: PackageFormat | 'unknown'): Application[] {
  if (type === 'windows') {
    throw new UnsupportedError('list of applications', ['the Windows registry (the direct backend has it)']);
  }
  if (type !== 'linux' && type !== 'hurd') return [];
  switch (format) {
    case 'deb':
      return readDpkg(tree);
    case 'apk':
      return readApk(tree);
    case 'pacman':
      return readPacman(tree);
    case 'rpm': {
      const database = rpmDatabases.find((path) => isFile(tree, path)) ?? 'the rpm database';
      throw new UnsupportedError('list of applications', [`${database} (the direct backend has it)`]);
    }
    default:
      return [];
  }
}
