/** The packages that rpm has installed. */
import { CorruptError, type GuestfsError, systemError, UnsupportedError } from '../base/index.js';
import {
  type Application,
  decodeRpmHeader,
  packageDatabaseLimit,
  packageLimit,
  rpmDatabases,
  rpmPackages,
} from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { findQuietly, isFile } from './text.js';

/** Told of a package that is left out of a list: the error, and the database's path. */
export type OnDamagedPackage = (error: GuestfsError, path: string) => void;

/**
 * The installed packages, the last one of the database first, as libguestfs has them before it sorts them. ENOENT
 * without a database.
 */
export function readRpm(tree: Tree, onDamage: OnDamagedPackage): Application[] {
  const found = rpmDatabases.find((path) => isFile(tree, path));
  if (found === undefined) throw systemError('ENOENT', rpmDatabases[0]);
  // SQLite looks for a log and a journal beside the file itself, wherever links to that are.
  const path = tree.realpath(found);
  try {
    return readDatabase(tree, path, onDamage).reverse();
  } catch (thrown) {
    if (thrown instanceof CorruptError || thrown instanceof UnsupportedError) throw thrown.within(path, path);
    throw thrown;
  }
}

function readDatabase(tree: Tree, path: string, onDamage: OnDamagedPackage): Application[] {
  const applications: Application[] = [];
  let left = packageDatabaseLimit;
  const sibling = (suffix: string) => findFile(tree, path + suffix);
  for (const { number, header } of rpmPackages(fileAt(tree, path), sibling)) {
    const application = decode(number, header, (error) => onDamage(error, path));
    if (application === undefined) continue;
    const { name, version, release, arch, url, summary, description } = application;
    for (const { length } of [name, version, release, arch, url, summary, description]) left -= length;
    if (left < 0) throw systemError('EFBIG', path);
    if (applications.push(application) > packageLimit)
      throw new CorruptError('rpm database', 'lists too many packages', { packageLimit });
  }
  return applications;
}

function decode(
  number: number,
  header: () => Parameters<typeof decodeRpmHeader>[0],
  onDamage: (error: GuestfsError) => void,
): Application | undefined {
  try {
    return decodeRpmHeader(header());
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    onDamage(thrown.within(`package ${number}`));
    return undefined;
  }
}

function findFile(tree: Tree, path: string) {
  const place = findQuietly(tree, path, true);
  return place?.type === 'file' ? place.fileSystem.data(place.inode) : undefined;
}

function fileAt(tree: Tree, path: string) {
  const file = findFile(tree, path);
  if (file === undefined) throw systemError('ENOENT', path);
  return file;
}
