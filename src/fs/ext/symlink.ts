/**
 * Targets of symbolic links: in the inode where they are shorter than 60 bytes, else inline or in one block. Specification:
 * the kernel's Documentation/filesystems/ext4/ifork.rst, "Symbolic Links", and for encrypted ones fs/crypto/hooks.c.
 */
import { CorruptError, decodePadded, GuestfsError, viewOf } from '../../base/index.js';
import { readWhole } from './data.js';
import { incompat } from './features.js';
import { type Inode, inodeName } from './inode.js';
import { inodeBlockAreaSize, inodeFlags } from './layout.js';
import { leastEncryptedName, showEncryptedName } from './nokey.js';
import { has } from './superblock.js';
import type { Volume } from './volume.js';

/** Whether the target lies in `i_block`: by its length, or before ea_inode by there being no block but for attributes. */
function isFast(volume: Volume, inode: Inode): boolean {
  if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) return false;
  const { superblock } = volume;
  if (has(superblock.features.incompat, incompat.eaInode))
    return inode.stat.sizeInBytes > 0 && inode.stat.sizeInBytes < inodeBlockAreaSize;
  const attributeUnits =
    inode.attributeBlock === 0 ? 0 : (superblock.blocksPerCluster * superblock.blockSize) / 512;
  return inode.stat.blockCount512 === attributeUnits;
}

function targetBytes(volume: Volume, inode: Inode): Uint8Array {
  const { sizeInBytes } = inode.stat;
  const name = inodeName(inode.number);
  if (!isFast(volume, inode)) return readWhole(volume, inode, volume.superblock.blockSize - 1);
  if (sizeInBytes >= inodeBlockAreaSize)
    throw new CorruptError(name, 'its target does not fit', { size: sizeInBytes });
  return inode.blockArea.subarray(0, sizeInBytes);
}

/** The target; of an encrypted link the form that the kernel shows without a key. EINVAL for other inodes. */
export function readSymlink(volume: Volume, inode: Inode): string {
  const name = inodeName(inode.number);
  if (inode.kind !== 'symlink') throw new GuestfsError('EINVAL', `${name}: not a symbolic link`);
  const stored = targetBytes(volume, inode);
  if (has(inode.flags, inodeFlags.EXT4_ENCRYPT_FL)) {
    const length = stored.length < 2 ? 0 : viewOf(stored).getUint16(0, true);
    if (length < leastEncryptedName || 2 + length > stored.length)
      throw new CorruptError(name, 'its encrypted target is cut short', { length, stored: stored.length });
    return showEncryptedName(stored.subarray(2, 2 + length), { major: 0, minor: 0 });
  }
  const target = decodePadded(stored);
  if (target === '') throw new CorruptError(name, 'has an empty target');
  return target;
}
