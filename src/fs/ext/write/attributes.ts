/**
 * Blocks of extended attributes, which files share. Specification: the kernel's
 * Documentation/filesystems/ext4/attributes.rst.
 */
import { CorruptError } from '../../../base/index.js';
import { xattrHeader, xattrMagic } from '../layout.js';
import type { ExtVolume } from '../volume.js';
import { xattrBlockChecksum } from '../xattr.js';
import type { ChangeableBlocks } from './blocks.js';

/**
 * Takes one file off a block of attributes, or adds one. How many files have it then: the block is free with the
 * last.
 */
export function countUsers(
  volume: ExtVolume,
  blocks: ChangeableBlocks,
  block: number,
  change: number,
): number {
  const what = `ext4 xattr block ${block}`;
  const { h_magic: magic, h_refcount: before } = xattrHeader.decode(volume.peekBlock(block, what));
  if (magic !== xattrMagic) throw new CorruptError(what, 'has no magic number', { found: magic });
  const users = Math.max(0, before + change);
  if (users === 0) return 0;
  const { bytes } = blocks.change(block);
  xattrHeader.encode({ h_refcount: users }, bytes);
  sealAttributes(volume, block, bytes);
  return users;
}

export function releaseAttributes(volume: ExtVolume, blocks: ChangeableBlocks, block: number): number {
  return countUsers(volume, blocks, block, -1);
}

/** Puts the right checksum into a block of attributes. */
export function sealAttributes(volume: ExtVolume, block: number, bytes: Uint8Array): void {
  const sum = xattrBlockChecksum(volume, block, bytes);
  if (sum !== undefined) xattrHeader.encode({ h_checksum: sum }, bytes);
}
