/** Bitmaps and counts of the groups, compared with what is in use: e2fsck's fifth pass. */
import { CorruptError, checksumHolds, crc32c, work } from '../../../base/index.js';
import { markStructures } from '../allocation.js';
import { entryTypeNumber } from '../directory/entries.js';
import { roCompat } from '../features.js';
import { groupDescriptor, groupFlags, reservedInodes, shortDescriptorSize } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { Claims } from './claims.js';
import type { Census } from './inodes.js';

const directoryType = entryTypeNumber('directory', true);

/** Whether the first `count` bits are as expected, and all behind them are set. */
function isAs(bitmap: Uint8Array, expected: Uint8Array, count: number): boolean {
  work.steps.spend(bitmap.length / 8);
  const whole = Math.floor(count / 8);
  for (let byte = 0; byte < whole; byte++) if (bitmap[byte] !== expected[byte]) return false;
  for (let byte = whole; byte < bitmap.length; byte++) {
    const bits = byte === whole ? count % 8 : 0;
    const padding = (0xff << bits) & 0xff;
    const wanted = padding | ((expected[byte] ?? 0) & ~padding & (bits > 0 ? 0xff : 0));
    if (bitmap[byte] !== wanted) return false;
  }
  return true;
}

function setCount(bits: Uint8Array, count: number): number {
  let set = 0;
  for (let at = 0; at < count; at++) set += ((bits[at >>> 3] ?? 0) >>> (at & 7)) & 1;
  return set;
}

export function checkBitmaps(volume: ExtVolume, claims: Claims, census: Census): void {
  for (let number = 0; number < volume.superblock.groupCount; number++)
    checkGroup(volume, claims, census, number);
}

function checkGroup(volume: ExtVolume, claims: Claims, { types }: Census, number: number): void {
  const { superblock, groups } = volume;
  const { firstDataBlock, blocksPerGroup, blockCount, inodesPerGroup, descriptorSize, features } = superblock;
  const { blockSize, firstInode, checksumSeed } = superblock;
  const what = `ext4 group ${number}`;
  const wrong = (problem: string): never => {
    throw new CorruptError(what, problem);
  };
  const hasFlags = has(features.roCompat, roCompat.groupChecksums | roCompat.metadataChecksums);
  const group = groups.get(number);
  const isUnwritten = (flag: number): boolean => hasFlags && has(group.flags, flag);
  const bytes = new Uint8Array(groupDescriptor.size);
  bytes.set(
    volume.pieces.bytes(groups.offsetOf(number), descriptorSize, what).subarray(0, groupDescriptor.size),
  );
  if (descriptorSize <= shortDescriptorSize) bytes.fill(0, shortDescriptorSize);
  const stored = groupDescriptor.decode(bytes);

  const first = firstDataBlock + number * blocksPerGroup;
  const blocks = Math.min(blocksPerGroup, blockCount - first);
  const claimed = claims.ofGroup(number * blocksPerGroup, blocks);
  let blockBitmap: Uint8Array;
  if (isUnwritten(groupFlags.EXT4_BG_BLOCK_UNINIT)) {
    blockBitmap = new Uint8Array(blockSize);
    markStructures(volume, number, blockBitmap);
  } else {
    blockBitmap = volume.block(group.blockBitmap, what);
    const sum =
      checksumSeed === undefined ? 0 : crc32c(checksumSeed, blockBitmap.subarray(0, blocksPerGroup / 8));
    if (checksumSeed !== undefined && !groups.bitmapSumHolds(number, sum))
      wrong('its block bitmap has a bad checksum');
  }
  if (!isAs(blockBitmap, claimed, blocks)) wrong('its block bitmap is wrong');
  if (
    stored.bg_free_blocks_count_lo + stored.bg_free_blocks_count_hi * 0x10000 !==
    blocks - setCount(claimed, blocks)
  )
    wrong('its count of free blocks is wrong');

  const used = new Uint8Array(Math.ceil(inodesPerGroup / 8));
  let directories = 0;
  let end = 0;
  let free = inodesPerGroup;
  for (let index = 0; index < inodesPerGroup; index++) {
    const inode = number * inodesPerGroup + index + 1;
    const type = types[inode];
    if (type === directoryType) directories++;
    if (type === 0 && (inode >= firstInode || inode === reservedInodes.root)) continue;
    used[index >>> 3] = (used[index >>> 3] ?? 0) | (1 << (index & 7));
    end = index + 1;
    free--;
  }
  if (isUnwritten(groupFlags.EXT4_BG_INODE_UNINIT)) {
    if (end > 0) wrong('has inodes, and says that it has none');
  } else {
    const inodeBitmap = volume.block(group.inodeBitmap, what);
    if (!isAs(inodeBitmap, used, inodesPerGroup)) wrong('its inode bitmap is wrong');
    if (checksumSeed !== undefined) {
      const sum = crc32c(checksumSeed, inodeBitmap.subarray(0, inodesPerGroup / 8));
      const low = stored.bg_inode_bitmap_csum_lo;
      const isLong = descriptorSize > shortDescriptorSize;
      const known = isLong ? low + stored.bg_inode_bitmap_csum_hi * 0x10000 : low;
      if (!checksumHolds(isLong ? sum : sum % 0x10000, known)) wrong('its inode bitmap has a bad checksum');
    }
  }
  if (stored.bg_free_inodes_count_lo + stored.bg_free_inodes_count_hi * 0x10000 !== free)
    wrong('its count of free inodes is wrong');
  if (stored.bg_used_dirs_count_lo + stored.bg_used_dirs_count_hi * 0x10000 !== directories)
    wrong('its count of directories is wrong');
  const unused = stored.bg_itable_unused_lo + stored.bg_itable_unused_hi * 0x10000;
  if (hasFlags && end > inodesPerGroup - unused) wrong('has inodes where it says that there were none');
}
