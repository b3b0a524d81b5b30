/**
 * Targets of symbolic links: in the inode, or in blocks, which in version 5 have headers. Specification: the kernel's
 * fs/xfs/libxfs/xfs_symlink_remote.c.
 */
import { CorruptError, decodeText, GuestfsError } from '../../base/index.js';
import { type Inode, inodeName } from './inode.js';
import { forkFormats } from './layout.js';
import { readRemote } from './remote.js';
import type { XfsVolume } from './volume.js';

/** XFS_SYMLINK_MAXLEN. */
const targetLimit = 1024;

export function readSymlink(volume: XfsVolume, inode: Inode): string {
  const name = inodeName(inode.number);
  if (inode.kind !== 'symlink') throw new GuestfsError('EINVAL', `${name}: not a symbolic link`);
  const size = inode.stat.sizeInBytes;
  if (size > targetLimit)
    throw new CorruptError(name, 'its target is too long', { size, limit: targetLimit });
  const target =
    inode.data.format === forkFormats.local
      ? inode.forkBytes(inode.data).subarray(0, size)
      : readRemote(
          volume,
          inode,
          { kind: 'target', fork: inode.data, firstBlock: 0, size },
          `${name}: target`,
        );
  if (target.includes(0)) throw new CorruptError(name, 'its target holds a NUL');
  return decodeText(target);
}
