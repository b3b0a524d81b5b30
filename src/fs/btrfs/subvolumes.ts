/**
 * Subvolumes: trees of files in one filesystem, each with inode numbers of its own. Items of the tree of trees link them
 * to the directories that they lie in.
 */
import { CorruptError, compareBytes, encodeText } from '../../base/index.js';
import { findName } from './entries.js';
import { itemTypes, objects, oldRootItemSize, rootItem, rootRef } from './layout.js';
import { replayLog } from './log/replay.js';
import { key, lastOffset } from './tree/keys.js';
import type { Item } from './tree/node.js';
import type { ItemTree } from './tree/tree.js';
import type { BtrfsVolume } from './volume.js';

const where = 'btrfs subvolume';
const bytesOfName = (item: Item, size: number, length: number): Uint8Array => {
  if (size + length > item.size)
    throw new CorruptError(where, 'a reference to it has a name outside of it', { length });
  return item.bytes(size, length);
};

/** A subvolume, by its number. */
export interface Subvolume {
  readonly id: number;
  readonly tree: ItemTree;
  /** The inode of its topmost directory. */
  readonly root: number;
}

/** Where a subvolume lies in another. */
interface SubvolumePlace {
  readonly parent: number;
  readonly directory: number;
  readonly name: Uint8Array;
}

export function isSubvolumeId(id: number): boolean {
  return id === objects.topLevel || id >= objects.firstFree;
}

/** The root of a tree in the tree of trees. */
export function rootItemOf(volume: BtrfsVolume, id: number): Item | undefined {
  const item = volume.rootTree.floor(id, itemTypes.rootItem, lastOffset);
  if (item !== undefined && item.size < oldRootItemSize)
    throw new CorruptError(`${where} ${id}`, 'has a root that is cut short', { size: item.size });
  return item;
}

/** Opens a subvolume by its number. Undefined if there is none, or if it was deleted and is being cleared away. */
export function findSubvolume(volume: BtrfsVolume, id: number): Subvolume | undefined {
  if (!isSubvolumeId(id)) return undefined;
  const item = rootItemOf(volume, id);
  if (item === undefined) return undefined;
  const { bytenr: address, level, generation, refs, root_dirid } = rootItem.decode(item.view, item.start);
  if (refs === 0) return undefined;
  const tree = volume.tree({ address, level, generation }, `btrfs tree ${id}`);
  const log = volume.logs.get(id);
  return {
    id,
    tree: log === undefined ? tree : replayLog(tree, log, volume.superblock.sectorSize),
    root: root_dirid,
  };
}

/** The number of the subvolume that is mounted by default. */
export function defaultSubvolume(volume: BtrfsVolume): number {
  const { raw } = volume.superblock;
  const entry = findName(volume.rootTree, raw.root_dir_objectid, encodeText('default'));
  return entry === undefined || entry.objectType !== itemTypes.rootItem ? objects.topLevel : entry.object;
}

/** Whether a directory of a subvolume has another under a name, which makes the entry with that name one to it. */
export function isReferred(
  volume: BtrfsVolume,
  parent: number,
  id: number,
  directory: number,
  name: Uint8Array,
): boolean {
  const item = volume.rootTree.find(key(parent, itemTypes.rootRef, id));
  if (item === undefined) return false;
  const place = decodeRef(item);
  return place.directory === directory && compareBytes(place.name, name) === 0;
}

function decodeRef(item: Item): { readonly directory: number; readonly name: Uint8Array } {
  if (item.size < rootRef.size) throw new CorruptError(where, 'a reference to it is cut short');
  const { dirid, name_len: length } = rootRef.decode(item.view, item.start);
  return { directory: dirid, name: bytesOfName(item, rootRef.size, length) };
}

/** Where a subvolume lies; undefined for the topmost, and for one that lies nowhere. */
export function placeOf(volume: BtrfsVolume, id: number): SubvolumePlace | undefined {
  const item = volume.rootTree.ceiling(id, itemTypes.rootBackref, 0);
  return item && { parent: item.offset, ...decodeRef(item) };
}
