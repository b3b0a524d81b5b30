/** Which of the two ways an inode uses to say where its blocks lie. */
import { ExtentMap } from './extents.js';
import { IndirectMap } from './indirect.js';
import type { Inode } from './inode.js';
import { inodeFlags } from './layout.js';
import type { BlockMap } from './run.js';
import { has } from './superblock.js';
import type { ExtVolume } from './volume.js';

/** The block map of an inode, whichever kind it has. */
export function blockMapOf(volume: ExtVolume, inode: Inode): BlockMap {
  return has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)
    ? new ExtentMap(volume, inode)
    : new IndirectMap(volume, inode);
}
