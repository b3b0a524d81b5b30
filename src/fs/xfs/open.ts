/** Opens a filesystem: the superblock, the log, and the root, in the order of a mount (the kernel's xfs_mountfs). */
import { CorruptError, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystem, OpenOptions } from '../driver.js';
import { XfsFileSystem } from './filesystem.js';
import { findExtent } from './log/head.js';
import { Log } from './log/log.js';
import { parseMountOptions } from './options.js';
import { readSuperblock } from './superblock.js';
import { XfsVolume } from './volume.js';

export function openXfs(disk: Disk, options: OpenOptions): FileSystem {
  const warn = options.warn ?? (() => {});
  const mount = parseMountOptions(options);
  const superblock = readSuperblock(disk);
  const volume = new XfsVolume(disk, superblock, { warn });
  if (mount.replay) checkLog(volume);
  checkRoot(volume);
  return new XfsFileSystem(volume, !mount.replay);
}

/** UnsupportedError for a log that has to be replayed, and for one on another disk. */
function checkLog(volume: XfsVolume): void {
  const { raw, blockSize } = volume.superblock;
  const hint = 'the mount options ro and norecovery read the filesystem as it was before the log';
  if (raw.sb_logstart === 0) throw new UnsupportedError('XFS filesystem', [`a log on another disk; ${hint}`]);
  if (!volume.containsBlocks(raw.sb_logstart, raw.sb_logblocks))
    throw new CorruptError('XFS log', 'lies outside the filesystem', {
      block: raw.sb_logstart,
      count: raw.sb_logblocks,
      blockSize,
    });
  const log = new Log(volume.disk, volume.offsetOf(raw.sb_logstart), volume.superblock);
  if (!findExtent(log).isClean)
    throw new UnsupportedError('XFS filesystem', [`a log that has to be replayed; ${hint}`]);
}

function checkRoot(volume: XfsVolume): void {
  const root = volume.inode(volume.superblock.root);
  if (root.kind !== 'directory')
    throw new CorruptError('XFS root directory', 'is no directory', { mode: root.stat.mode });
}
