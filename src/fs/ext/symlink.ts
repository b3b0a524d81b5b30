/**
 * Targets of symbolic links: in the inode if shorter than 60 bytes, else inline or in one block. Specification: the
 * kernel's Documentation/filesystems/ext4/ifork.rst, "Symbolic Links", and for encrypted ones fs/crypto/hooks.c.
 */
import { CorruptError, decodePadded, GuestfsError, viewOf } from '../../base/index.js';
import { blockMapOf } from './blockmap.js';
import { leastEncryptedName, showEncryptedName } from './directory/nokey.js';
import { incompat } from './features.js';
import { hasInlineData, readInlineData } from './inline.js';
import { type Inode, inodeName } from './inode.js';
import { inodeBlockAreaSize, inodeFlags } from './layout.js';
import { has } from './superblock.js';
import type { ExtVolume } from './volume.js';

/**
 * Whether the target is in `i_block`: by its length; on filesystems before ea_inode, because it has no block except
 * for attributes.
 */
function isFast(volume: ExtVolume, inode: Inode): boolean {
  const { superblock } = volume;
  if (has(superblock.features.incompat, incompat.eaInode))
    return inode.stat.sizeInBytes > 0 && inode.stat.sizeInBytes < inodeBlockAreaSize;
  const attributeUnits =
    inode.attributeBlock === 0 ? 0 : (superblock.blocksPerCluster * superblock.blockSize) / 512;
  return inode.stat.blockCount512 === attributeUnits;
}

/** The space with the target and the bytes after it: in the inode, or one block. */
function targetRoom(volume: ExtVolume, inode: Inode): Uint8Array {
  if (isFast(volume, inode)) return inode.blockArea;
  const name = inodeName(inode.number);
  const { block } = blockMapOf(volume, inode).find(0, 1);
  if (block === undefined) throw new CorruptError(name, 'has no block for its target');
  return volume.block(block, name);
}

/**
 * The target; for an encrypted link, the form that the kernel shows without a key. As in the kernel, a target longer
 * than its space is cut. EINVAL for other inodes.
 */
export function readSymlink(volume: ExtVolume, inode: Inode): string {
  const name = inodeName(inode.number);
  if (inode.kind !== 'symlink') throw new GuestfsError('EINVAL', `${name}: not a symbolic link`);
  const isInline = hasInlineData(inode);
  const room = isInline ? readInlineData(inode) : targetRoom(volume, inode);
  if (has(inode.flags, inodeFlags.EXT4_ENCRYPT_FL)) {
    const length = viewOf(room).getUint16(0, true);
    if (length < leastEncryptedName || 2 + length > room.length)
      throw new CorruptError(name, 'its encrypted target is cut short', { length, stored: room.length });
    return showEncryptedName(room.subarray(2, 2 + length), { major: 0, minor: 0 });
  }
  // The kernel puts a NUL at the end of a block or of `i_block`, over any byte there.
  const most = isInline ? room.length : room.length - 1;
  const target = decodePadded(room.subarray(0, Math.min(inode.stat.sizeInBytes, most)));
  if (target === '') throw new CorruptError(name, 'has an empty target');
  return target;
}
