/** Contents that leave their inode, since they are changed: of files, and of directories that need more room. */

import { viewOf } from '../../../base/index.js';
import { incompat } from '../features.js';
import { readInlineData } from '../inline.js';
import type { Inode } from '../inode.js';
import { inodeAt as at, inodeBlockAreaSize, inodeFlags } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { DirectoryWriter } from './directory-writer.js';
import { emptyTree } from './extent-tree.js';
import type { Files } from './files.js';
import type { InodeTable } from './inode-table.js';
import type { XattrWriter } from './xattr-writer.js';

/** What takes part in that. */
interface Parts {
  readonly volume: ExtVolume;
  readonly inodes: InodeTable;
  readonly files: Files;
  readonly xattrs: XattrWriter;
  readonly directories: DirectoryWriter;
}

/** Gives an inode blocks for what it holds itself. The inode as it is then. */
export function moveOut(parts: Parts, inode: Inode): Inode {
  const { volume, inodes, files, xattrs, directories } = parts;
  const { number, stat, kind } = inode;
  const bytes = readInlineData(inode);
  const entries = kind === 'directory' ? directories.inlineEntries(inode) : [];
  const parent = viewOf(inode.record).getUint32(at.i_block, true);
  xattrs.removeInlineData(inode);
  inodes.change(number, ({ bytes: record, view }) => {
    let flags = view.getUint32(at.i_flags, true) & ~inodeFlags.EXT4_INLINE_DATA_FL;
    const isTree = has(volume.superblock.features.incompat, incompat.extents);
    if (isTree) flags |= inodeFlags.EXT4_EXTENTS_FL;
    view.setUint32(at.i_flags, flags >>> 0, true);
    record.set(isTree ? emptyTree() : new Uint8Array(inodeBlockAreaSize), at.i_block);
  });
  files.forget(number);
  const empty = volume.anyInode(number);
  if (kind === 'directory') directories.fill(empty, parent, entries);
  else if (stat.sizeInBytes > 0) files.fill(empty, bytes.subarray(0, stat.sizeInBytes));
  return volume.anyInode(number);
}
