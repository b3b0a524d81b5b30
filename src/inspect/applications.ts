/** `inspect_list_applications2`: the installed packages of a guest, from the database of its package manager. */
import { compareBytewise, UnsupportedError } from '../base/index.js';
import {
  type Application,
  type PackagedGuest,
  requireListablePackages,
  rpmDatabases,
} from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { readApk } from './apk.js';
import { readDpkg } from './dpkg.js';
import { readPacman } from './pacman.js';
import { isFile } from './text.js';

/**
 * The packages, in the byte-wise order of their names. The guest's filesystems must be mounted in `tree`. Empty for a
 * system that is known to have no packages; UnsupportedError if its package database cannot be read here.
 */
export function listApplications(tree: Tree, guest: PackagedGuest): Application[] {
  return read(tree, guest).sort((a, b) => compareBytewise(a.name, b.name));
}

function read(tree: Tree, guest: PackagedGuest): Application[] {
  if (guest.type === 'windows') {
    throw new UnsupportedError('list of applications', ['the Windows registry'], { elsewhere: 'appliance' });
  }
  switch (guest.packageFormat) {
    case 'deb':
      return readDpkg(tree);
    case 'apk':
      return readApk(tree);
    case 'pacman':
      return readPacman(tree);
    case 'rpm': {
      const database = rpmDatabases.find((path) => isFile(tree, path)) ?? 'the rpm database';
      throw new UnsupportedError('list of applications', [database], { elsewhere: 'appliance' });
    }
    default:
      requireListablePackages(guest);
      return [];
  }
}
