/** The superblock as it is changed: as a part of a transaction, or for the marks of writing itself. */
import type { WriteCache } from '../../../disk/index.js';
import { roCompat } from '../features.js';
import {
  goodOldFirstInode,
  superblock as layout,
  shortInodeSize,
  superblockOffset,
  superblockSize,
} from '../layout.js';
import { has, type RawSuperblock, superblockChecksum } from '../superblock.js';
import type { ChangeableBlocks } from './blocks.js';

type Change = (raw: RawSuperblock) => Partial<RawSuperblock>;

/** The block of the superblock, and its place in it. */
function placeIn(blockSize: number): { readonly block: number; readonly within: number } {
  return { block: Math.floor(superblockOffset / blockSize), within: superblockOffset % blockSize };
}

/** Changes a superblock in memory, and its checksum with it. */
export function encodeSuperblock(bytes: Uint8Array, change: Change): void {
  const raw = layout.decode(bytes);
  layout.encode(change(raw), bytes);
  if (has(raw.s_feature_ro_compat, roCompat.metadataChecksums))
    layout.encode({ s_checksum: superblockChecksum(bytes) }, bytes);
}

/** As a part of the transaction that runs. */
export function changeSuperblock(blocks: ChangeableBlocks, blockSize: number, change: Change): void {
  const { block, within } = placeIn(blockSize);
  const { bytes } = blocks.change(block);
  encodeSuperblock(bytes.subarray(within, within + superblockSize), change);
}

/** Masks of features. */
interface AddedFeatures {
  readonly compat?: number;
  readonly roCompat?: number;
}

/**
 * Adds features as a part of the transaction that runs. A filesystem of revision 0, which has none, becomes one of
 * revision 1 with it, as by the kernel's ext4_update_dynamic_rev.
 */
export function addFeatures(
  blocks: ChangeableBlocks,
  blockSize: number,
  { compat = 0, roCompat: readOnly = 0 }: AddedFeatures,
): void {
  const { block, within } = placeIn(blockSize);
  const { view } = blocks.peek(block);
  const isDynamic = layout.get(view, within, 's_rev_level') > 0;
  const missing =
    (compat & ~layout.get(view, within, 's_feature_compat')) |
    (readOnly & ~layout.get(view, within, 's_feature_ro_compat'));
  if (isDynamic && missing === 0) return;
  changeSuperblock(blocks, blockSize, (now) => ({
    s_feature_compat: ((isDynamic ? now.s_feature_compat : 0) | compat) >>> 0,
    s_feature_ro_compat: ((isDynamic ? now.s_feature_ro_compat : 0) | readOnly) >>> 0,
    ...(isDynamic ? {} : dynamicRevision),
  }));
}

/** What revision 0 does not say, and means. */
const dynamicRevision = {
  s_rev_level: 1,
  s_first_ino: goodOldFirstInode,
  s_inode_size: shortInodeSize,
  s_feature_incompat: 0,
} as const;

/** At once, on the disk too: before a journal begins or behind its end. */
export function markSuperblock(cache: WriteCache, change: Change): void {
  cache.amend(superblockOffset, superblockSize, (bytes) => encodeSuperblock(bytes, change));
  cache.disk.flush();
}
