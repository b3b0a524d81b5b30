/** All blocks of an inode, claimed for it, and whether the tree or table that leads to them is in order. */
import { CorruptError, viewOf, work } from '../../../base/index.js';
import { ExtentMap } from '../extents.js';
import { type Inode, inodeName } from '../inode.js';
import { extentEntrySize, extentHeader, inodeFlags } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { Claims } from './claims.js';

interface BlocksOf {
  /** Of the contents, and with those that lead to them. */
  readonly data: number;
  readonly all: number;
  /** One past the last logical block that is written. */
  readonly end: number;
  /** Whether there is a hole before the end, or a block that was never written. */
  readonly hasGaps: boolean;
}

const rootEntries = 4;
const directBlocks = 12;

export function claimBlocks(volume: ExtVolume, claims: Claims, inode: Inode): BlocksOf {
  return has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)
    ? claimExtents(volume, claims, inode)
    : claimTable(volume, claims, inode);
}

/** How full the nodes of one level are. */
interface Level {
  entries: number;
  room: number;
}

function claimExtents(volume: ExtVolume, claims: Claims, inode: Inode): BlocksOf {
  const what = inodeName(inode.number);
  const { blockSize } = volume.superblock;
  const perBlock = Math.floor(blockSize / extentEntrySize) - 1;
  const root = extentHeader.decode(inode.blockView);
  const levels: Level[] = [{ entries: root.eh_entries, room: root.eh_max }];
  if (root.eh_max !== rootEntries) throw new CorruptError(what, 'its extent root has another capacity');
  const map = new ExtentMap(volume, inode);
  let tree = 0;
  for (const { block, level } of map.treeBlocks()) {
    claims.take(block, 1, what);
    tree++;
    const header = extentHeader.decode(viewOf(volume.peekBlock(block, what)));
    if (header.eh_max < perBlock - 2) throw new CorruptError(what, 'an extent block has another capacity');
    const depth = root.eh_depth - level;
    levels[depth] ??= { entries: 0, room: 0 };
    const sum = levels[depth] as Level; // safe: just made
    sum.entries += header.eh_entries;
    sum.room += header.eh_max;
  }
  // e2fsck makes such trees anew (e2fsck/extents.c).
  for (const [depth, { entries, room }] of levels.entries()) {
    const above = levels[depth - 1];
    if (above !== undefined && (entries <= above.room || room - entries > 2 * perBlock))
      throw new CorruptError(what, 'its extent tree is larger than it need be');
  }
  let data = 0;
  let end = 0;
  let next = 0;
  let hasGaps = false;
  for (const { logical, count, block, written } of map.extents()) {
    claims.take(block, count, what);
    data += count;
    if (logical !== next || !written) hasGaps = true;
    next = logical + count;
    if (written) end = next;
  }
  return { data, all: data + tree, end, hasGaps };
}

function claimTable(volume: ExtVolume, claims: Claims, inode: Inode): BlocksOf {
  const what = inodeName(inode.number);
  const perBlock = volume.superblock.blockSize / 4;
  let data = 0;
  let all = 0;
  let end = 0;
  let hasGaps = false;
  /** A block and, at most three levels deep, those below it. Each is claimed, so none is met twice. */
  const take = (block: number, level: number, first: number): void => {
    if (block === 0) return;
    claims.take(block, 1, what);
    all++;
    if (level === 0) {
      if (first !== end) hasGaps = true;
      data++;
      end = first + 1;
      return;
    }
    work.steps.spend(perBlock);
    const table = viewOf(volume.block(block, what));
    const reach = perBlock ** (level - 1);
    for (let index = 0; index < perBlock; index++)
      take(table.getUint32(index * 4, true), level - 1, first + index * reach);
  };
  const root = inode.blockView;
  for (let index = 0; index < directBlocks; index++) take(root.getUint32(index * 4, true), 0, index);
  for (let level = 1, first = directBlocks; level <= 3; first += perBlock ** level, level++)
    take(root.getUint32((directBlocks - 1 + level) * 4, true), level, first);
  return { data, all, end, hasGaps };
}
