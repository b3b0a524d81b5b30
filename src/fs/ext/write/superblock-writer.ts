/** The superblock as it is changed: as a part of a transaction, or for the marks of writing itself. */
import type { WriteCache } from '../../../disk/index.js';
import { roCompat } from '../features.js';
import { superblock as layout, superblockOffset, superblockSize } from '../layout.js';
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

/** At once, on the disk too: before a journal begins or behind its end. */
export function markSuperblock(cache: WriteCache, change: Change): void {
  cache.amend(superblockOffset, superblockSize, (bytes) => encodeSuperblock(bytes, change));
  cache.disk.flush();
}
