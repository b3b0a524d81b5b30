/**
 * The blocks that a tree takes in an ext filesystem. What depends on the order in which things are made, as the leaves
 * of a directory's index do, is counted as the most that it can be.
 */
import { encodeText } from '../../../base/index.js';
import type { ExtRoom } from '../../../fs/index.js';
import type { ContentNode, ContentTree } from '../../../vfs/index.js';
import { type ContentRun, contentBlock, type Measured } from './measure.js';

const longestFastLink = 59;
/** Blocks that one extent maps, and blocks of a group. */
const longestExtent = 32768;
const extentsInInode = 4;
/** A node that was split is half full at least. */
const extentsOfNode = 170;
const addressesOfBlock = 1024;
const addressesInInode = 12;
/** Bytes of a directory's block without its checksum, and of the longest entry. */
const leafRoom = contentBlock - 12;
const longestEntry = 264;
/** Bytes of an inode behind its fields, for attributes: 256 - 160, without two words of marks. */
const xattrRoom = 88;
const longestXattrPrefix = 'security.'.length;

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** Blocks of an extent tree with so many extents. */
function extentNodes(extents: number): number {
  if (extents <= extentsInInode) return 0;
  const leaves = Math.ceil(extents / extentsOfNode);
  return leaves + (leaves > extentsInInode ? Math.ceil(leaves / extentsOfNode) + 1 : 0);
}

/** Blocks of addresses for a file whose blocks are listed. */
function addressBlocks(runs: readonly ContentRun[]): number {
  const last = runs.at(-1);
  const end = last === undefined ? 0 : last.start + last.count;
  if (end <= addressesInInode) return 0;
  const single = Math.ceil(end / addressesOfBlock);
  const all = single + (single > 1 ? Math.ceil(single / addressesOfBlock) + 1 : 0) + (single > 1025 ? 2 : 0);
  let touched = 0;
  for (const { count } of runs) touched += Math.ceil(count / addressesOfBlock) + 4;
  return Math.min(all, touched);
}

function leavesOf(node: ContentNode, isRoot: boolean): number {
  let bytes = 24 + (isRoot ? 20 : 0);
  for (const name of node.children?.keys() ?? []) bytes += roundUp(8 + encodeText(name).length, 4);
  if (bytes <= leafRoom) return 1;
  const leaves = Math.ceil(bytes / (leafRoom / 2 - longestEntry)) + 1;
  return leaves + 1 + (leaves > 500 ? Math.ceil(leaves / 250) + 1 : 0);
}

function xattrBlocks(xattrs: ReadonlyMap<string, Uint8Array>): number {
  let bytes = 0;
  for (const [name, value] of xattrs)
    bytes +=
      16 +
      roundUp(Math.max(0, encodeText(name).length - longestXattrPrefix) + longestXattrPrefix, 4) +
      roundUp(value.length, 4);
  return bytes > xattrRoom ? 1 : 0;
}

/** `hasExtents`: not in ext2 and ext3. */
export function extRoom(tree: ContentTree, { entries, runs }: Measured, hasExtents: boolean): ExtRoom {
  const mapBlocks = (parts: readonly ContentRun[], isScattered: boolean): number => {
    if (!hasExtents) return addressBlocks(parts);
    let extents = 0;
    for (const { count } of parts) extents += isScattered ? count : Math.ceil(count / longestExtent);
    return extentNodes(extents);
  };
  const directoryBlocks = (node: ContentNode, isRoot: boolean): number => {
    const count = leavesOf(node, isRoot);
    return count + mapBlocks([{ start: 0, count }], true);
  };
  const seen = new Set<ContentNode>();
  // The root has a block already.
  let blocks = directoryBlocks(tree.root, true) - 1 + xattrBlocks(tree.root.facts.xattrs);
  for (const { node } of entries) {
    if (seen.has(node)) continue;
    seen.add(node);
    const { type, target, xattrs } = node.facts;
    blocks += xattrBlocks(xattrs);
    if (type === 'directory') blocks += directoryBlocks(node, false);
    else if (target !== undefined) blocks += encodeText(target).length > longestFastLink ? 1 : 0;
    const parts = runs.get(node) ?? [];
    for (const { count } of parts) blocks += count;
    blocks += mapBlocks(parts, false);
  }
  // Where the free space of a group ends, a file is split: four times, until its map needs a block more.
  const splits = 3 * Math.ceil(blocks / longestExtent) + 10;
  return { blocks: blocks + Math.floor(splits / extentsInInode), inodes: seen.size };
}
