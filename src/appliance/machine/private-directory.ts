/** Directories of our own on the host: nobody else may look into them. */
import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, rmSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { asGuestfsError, describeErrno, HostError, hostError } from '../../base/index.js';
import { ownerMark, removeRemains } from './leftovers.js';

/** A path below `parent` that nobody can guess, with the mark of this process if it has one (leftovers.ts). */
export function privatePath(parent: string): string {
  const mark = ownerMark();
  const random = randomBytes(9).toString('base64url');
  return join(parent, mark === undefined ? `guestfs-${random}` : `guestfs-${mark}-${random}`);
}

/**
 * Makes the directory with mode 0700, and removes the directories that killed processes left beside it. The name is a
 * separate step, so that the watchdog can learn it before the directory exists. Throws GuestfsError: the host's error
 * about the parent directory.
 */
export function makePrivateDirectory(path: string): void {
  removeRemains(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    const { code } = asGuestfsError(thrown);
    throw new HostError(
      code,
      `${dirname(path)}: ${describeErrno(code)}: choose another directory for temporary files with setTmpdir or LIBGUESTFS_TMPDIR, and for the appliance with setCachedir or LIBGUESTFS_CACHEDIR`,
      { path: dirname(path), cause: thrown },
    );
  }
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** The path of {@link cacheDirectory}, whether it exists or not. */
export function cachePath(parent: string): string {
  return join(parent, `.guestfs-${process.geteuid?.() ?? 0}`);
}

/**
 * The directory for files that later handles of this user use again: `<parent>/.guestfs-UID`. Made if missing, and
 * refused if another user could have written to it. Throws GuestfsError (EPERM, ENOTDIR, or the host's error).
 */
export function cacheDirectory(parent: string): string {
  const path = cachePath(parent);
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch (thrown) {
    const { code } = asGuestfsError(thrown);
    if (code !== 'EEXIST') throw hostError(path, thrown);
  }
  checkOwnDirectory(path, process.geteuid?.() ?? 0);
  return path;
}

/** Throws GuestfsError unless a path is a real directory, no link, that only `uid` may change. */
export function checkOwnDirectory(path: string, uid: number): void {
  let stats: Stats;
  try {
    stats = lstatSync(path);
  } catch (thrown) {
    throw hostError(path, thrown);
  }
  const remedy = 'remove it, or choose another directory with LIBGUESTFS_CACHEDIR';
  if (!stats.isDirectory()) throw new HostError('ENOTDIR', `${path} is not a directory: ${remedy}`, { path });
  if (stats.uid !== uid)
    throw new HostError('EPERM', `${path} belongs to the user ${stats.uid}, not to ${uid}: ${remedy}`, {
      path,
    });
  if ((stats.mode & 0o022) !== 0)
    throw new HostError(
      'EPERM',
      `${path} can be written by others (mode ${(stats.mode & 0o7777).toString(8)}): ${remedy}`,
      { path },
    );
}
