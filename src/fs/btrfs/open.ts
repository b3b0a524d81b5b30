/** Opens a filesystem, and finds the subvolume that is to be mounted. */
import { CorruptError, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystem, OpenOptions } from '../driver.js';
import { Directories } from './directory.js';
import { BtrfsFileSystem } from './filesystem.js';
import { readInode } from './inode.js';
import { objects } from './layout.js';
import { parseMountOptions } from './options.js';
import { defaultSubvolume, findSubvolume, type Subvolume } from './subvolumes.js';
import { BtrfsVolume } from './volume.js';

export function openBtrfs(disk: Disk, options: OpenOptions): FileSystem {
  const warn = options.warn ?? (() => {});
  const { degraded, verify, replay, subvolume: path, subvolumeId } = parseMountOptions(options);
  const volume = new BtrfsVolume([disk, ...(options.others ?? [])], { warn, degraded, verify, replay });
  if (volume.superblock.raw.log_root !== 0 && !replay)
    warn('btrfs filesystem: its log was not replayed, as nologreplay asks: files may be out of date');
  const mounted = wantedSubvolume(volume, path, subvolumeId);
  if (readInode(mounted.tree, mounted.root, volume.superblock.sectorSize).kind !== 'directory')
    throw new CorruptError(mounted.tree.name, 'its root is no directory');
  return new BtrfsFileSystem(volume, mounted);
}

/** The subvolume of the mount options, or the default one. ENOENT if there is none, EINVAL if two are named. */
function wantedSubvolume(volume: BtrfsVolume, path: string | undefined, id: number | undefined): Subvolume {
  const of = (number: number): Subvolume => {
    const found = findSubvolume(volume, number);
    if (found === undefined)
      throw new GuestfsError('ENOENT', `btrfs: there is no subvolume with the number ${number}`);
    return found;
  };
  if (path === undefined) return of(id === undefined ? defaultSubvolume(volume) : id || objects.topLevel);
  const named = Directories.find(volume, of(objects.topLevel), path);
  if (id !== undefined && (id || objects.topLevel) !== named.id)
    throw new GuestfsError(
      'EINVAL',
      `btrfs: the subvolume ${path} has the number ${named.id}, and not ${id}`,
    );
  return named;
}
