/** `inspect_list_applications2`: the installed packages of a guest, from the database of its package manager. */
import { compareBytewise } from '../base/index.js';
import { type Application, type PackagedGuest, requireListablePackages } from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { readApk } from './apk.js';
import { readDpkg } from './dpkg.js';
import { readPacman } from './pacman.js';
import { type OnDamagedPackage, readRpm } from './rpm.js';
import { readWindowsApplications } from './windows-applications.js';

interface ListedGuest extends PackagedGuest {
  /** Where the programs of a Windows system are listed. */
  readonly windowsSoftwareHive?: string;
}

/**
 * The packages, in the byte-wise order of their names. The guest's filesystems must be mounted in `tree`. Empty for a
 * system that is known to have no packages; UnsupportedError if its package database cannot be read here. `onDamage`
 * is called for a package that is left out, since its entry is damaged.
 */
export function listApplications(tree: Tree, guest: ListedGuest, onDamage: OnDamagedPackage): Application[] {
  return read(tree, guest, onDamage).sort((a, b) => compareBytewise(a.name, b.name));
}

function read(tree: Tree, guest: ListedGuest, onDamage: OnDamagedPackage): Application[] {
  if (guest.type === 'windows' && guest.windowsSoftwareHive !== undefined)
    return readWindowsApplications(tree, guest.windowsSoftwareHive);
  switch (guest.packageFormat) {
    case 'deb':
      return readDpkg(tree);
    case 'apk':
      return readApk(tree);
    case 'pacman':
      return readPacman(tree);
    case 'rpm':
      return readRpm(tree, onDamage);
    default:
      requireListablePackages(guest);
      return [];
  }
}
