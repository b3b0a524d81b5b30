/**
 * Inline data: small files, directories and symbolic links whose bytes are in the inode itself, first in the 60 bytes
 * of `i_block`, then in the value of the attribute `system.data`. Specification: the kernel's
 * Documentation/filesystems/ext4/inlinedata.rst.
 */
import { compareBytes, concatBytes, encodeText } from '../../base/index.js';
import { type Inode, inodeName } from './inode.js';
import { inodeAt, inodeBlockAreaSize, inodeFlags, xattrIndex } from './layout.js';
import { has } from './superblock.js';
import { inodeXattrEntries, type XattrEntry } from './xattr-entries.js';

const dataName = encodeText('data');

function continuationIn(entries: readonly XattrEntry[]): Uint8Array | undefined {
  return entries.find(({ index, name }) => index === xattrIndex.system && compareBytes(dataName, name) === 0)
    ?.value;
}

function findContinuation(inode: Inode): Uint8Array | undefined {
  return continuationIn(inodeXattrEntries(inode, inodeName(inode.number)));
}

/**
 * Whether an inode with the inline flag has inline data: as in the kernel, the attribute decides, even an empty one.
 */
export function hasInlineData(inode: Inode): boolean {
  return has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL) && findContinuation(inode) !== undefined;
}

/** The part of the inline bytes that is in the attribute; empty without one. */
export function inlineContinuation(inode: Inode): Uint8Array {
  return findContinuation(inode) ?? new Uint8Array(0);
}

/** All inline bytes of an inode: at least 60, whatever its size is. A copy. */
export function readInlineData(inode: Inode): Uint8Array {
  return concatBytes([inode.blockArea, inlineContinuation(inode)]);
}

/** Inline directories begin with the number of the parent; `.` and `..` are not stored. */
export const inlineParentSize = 4;

/** Where the entries of an inline directory lie in the record of its inode: from, up to. */
export function inlineEntryRanges(inode: Inode, record: Uint8Array): [number, number][] {
  const ranges: [number, number][] = [
    [inodeAt.i_block + inlineParentSize, inodeAt.i_block + inodeBlockAreaSize],
  ];
  const value = continuationIn(inodeXattrEntries(inode, inodeName(inode.number), record));
  if (value !== undefined && value.length > 0) {
    const start = value.byteOffset - record.byteOffset;
    ranges.push([start, start + value.length]);
  }
  return ranges;
}
