/** Files of a filesystem that are used one by one: a round needs not walk through all of a tree. */
import { typeOfMode } from '../../src/base/index.js';
import type { FileSystem, InodeNumber } from '../../src/fs/index.js';
import { part } from '../target.js';
import { readStart } from './contents.js';

/** Bounds of the walk through the undamaged tree, from which the files are chosen. */
const mostWalked = 2000;
const mostDepth = 12;
/** How many are chosen, of each type. */
const mostChosen: Readonly<Record<string, number>> = { directory: 14, file: 22, symlink: 4 };
const mostOthers = 2;
/** Of a file so much is read, and of a directory so many entries are taken. */
const mostOfFile = 32 * 1024;
const mostEntries = 1500;
/** Of a damaged directory so many entries are followed that were not there before. */
const mostFollowed = 2;

/** Attributes that NTFS answers to and does not list: of the indexes of descriptors and identifiers. */
const unlisted = [
  'system.ntfs_acl',
  'system.ntfs_object_id',
  'system.ntfs_dos_name',
  'system.ntfs_reparse_data',
];

/** Asks everything there is to ask of an inode. Gives the entries of a directory. */
export function useInode(fileSystem: FileSystem, inode: InodeNumber, most: number): InodeNumber[] {
  const found: InodeNumber[] = [];
  part(() => {
    const { mode } = fileSystem.stat(inode);
    part(() => fileSystem.xattrs(inode));
    if (fileSystem.xattr !== undefined)
      for (const name of unlisted) part(() => fileSystem.xattr?.(inode, name));
    const type = mode & 0o170000;
    if (type === 0o120000) fileSystem.readlink(inode);
    else if (type === 0o100000) readStart(fileSystem.data(inode), mostOfFile);
    else if (type === 0o040000) {
      part(() => fileSystem.parent(inode));
      let some = '';
      part(() => {
        for (const entry of fileSystem.entries(inode)) {
          found.push(entry.inode);
          some = entry.name;
          if (found.length > most) break;
        }
      });
      part(() => fileSystem.lookup(inode, some));
      part(() => fileSystem.lookup(inode, 'no such name'));
    }
  });
  return found;
}

/** A file of the undamaged filesystem. */
interface Site {
  readonly inode: InodeNumber;
  readonly type: string;
  /** Names from the root on. */
  readonly path: readonly string[];
}

/** Every nth of a list that is too long. */
function thinned<T>(list: readonly T[], most: number): readonly T[] {
  const step = Math.ceil(list.length / most);
  return list.filter((_, index) => index % step === 0);
}

/** Some files of each type, from all of a tree. */
export function chooseSites(fileSystem: FileSystem): {
  sites: readonly Site[];
  known: ReadonlySet<InodeNumber>;
} {
  const root: Site = { inode: fileSystem.root, type: 'directory', path: [] };
  const known = new Set([root.inode]);
  const byType = new Map<string, Site[]>([['directory', [root]]]);
  const pending = [root];
  for (let at = pending.shift(); at !== undefined && known.size < mostWalked; at = pending.shift()) {
    const { inode: directory, path } = at;
    part(() => {
      for (const { inode, name, type: told } of fileSystem.entries(directory)) {
        if (known.has(inode)) continue;
        known.add(inode);
        const type = told === 'unknown' ? typeOfMode(fileSystem.stat(inode).mode) : told;
        const site = { inode, type, path: [...path, name] };
        byType.set(type, [...(byType.get(type) ?? []), site]);
        if (type === 'directory' && path.length < mostDepth) pending.push(site);
        if (known.size >= mostWalked) break;
      }
    });
  }
  const sites = [...byType].flatMap(([type, list]) => thinned(list, mostChosen[type] ?? mostOthers));
  return { sites, known };
}

/** Uses one file, and what a damaged directory names that it did not name before. */
export function useSite(
  fileSystem: FileSystem,
  { inode, path }: Site,
  known: ReadonlySet<InodeNumber>,
  byPath: boolean,
): void {
  let found: InodeNumber | undefined = inode;
  if (byPath) {
    found = fileSystem.root;
    for (const name of path) {
      const directory: InodeNumber = found;
      found = part(() => fileSystem.lookup(directory, name));
      if (found === undefined) return;
    }
  }
  let followed = 0;
  for (const entry of useInode(fileSystem, found, mostEntries)) {
    if (known.has(entry) || ++followed > mostFollowed) continue;
    useInode(fileSystem, entry, mostEntries);
  }
}
