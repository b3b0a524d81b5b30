/**
 * Inline data: small files, directories and symbolic links whose bytes lie in the inode itself, first in the 60 bytes of
 * `i_block`, then in the value of the attribute `system.data`. Specification: the kernel's
 * Documentation/filesystems/ext4/inlinedata.rst.
 */
import { type Inode, inodeName } from './inode.js';
import { xattrIndex } from './layout.js';
import { inodeXattrEntries } from './xattr-entries.js';

const dataName = Buffer.from('data');

/** The part of the inline bytes that lies in the attribute; empty where there is none. */
export function inlineContinuation(inode: Inode): Uint8Array {
  const entry = inodeXattrEntries(inode, inodeName(inode.number)).find(
    ({ index, name }) => index === xattrIndex.system && dataName.equals(name),
  );
  return entry === undefined ? new Uint8Array(0) : entry.value;
}

/** All inline bytes of an inode: at least 60, whatever its size says. A copy. */
export function readInlineData(inode: Inode): Uint8Array {
  return Buffer.concat([inode.blockArea, inlineContinuation(inode)]);
}
