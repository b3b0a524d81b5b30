/**
 * Blocks of extended attributes, which files share. Specification: the kernel's
 * Documentation/filesystems/ext4/attributes.rst.
 */
import { CorruptError } from '../../../base/index.js';
import { xattrHeader, xattrMagic } from '../layout.js';
import type { ExtVolume } from '../volume.js';
import { xattrBlockChecksum } from '../xattr.js';

/** Takes one file off a block of attributes. Whether it was the last, so that the block is free. */
export function releaseAttributes(volume: ExtVolume, block: number): boolean {
  const what = `ext4 xattr block ${block}`;
  const bytes = volume.block(block, what);
  const { h_magic: magic, h_refcount: users } = xattrHeader.decode(bytes);
  if (magic !== xattrMagic) throw new CorruptError(what, 'has no magic number', { found: magic });
  if (users <= 1) return true;
  xattrHeader.encode({ h_refcount: users - 1 }, bytes);
  const sum = xattrBlockChecksum(volume, block, bytes);
  if (sum !== undefined) xattrHeader.encode({ h_checksum: sum }, bytes);
  volume.storeBlock(block, bytes);
  return false;
}
