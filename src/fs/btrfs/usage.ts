/**
 * How full the filesystem is, as the kernel's btrfs_statfs counts (fs/btrfs/super.c of Linux 6.1): what block groups have
 * in use, what the kernel sets aside for changes of its trees, and what of the devices is in no block group yet.
 */
import { work } from '../../base/index.js';
import type { FileSystemUsage } from '../driver.js';
import { emptyUsage } from '../support.js';
import { blockGroupItem, chunkTypes, devItem, itemTypes, mostLevels, objects, rootItem } from './layout.js';
import type { Chunk } from './space/chunks.js';
import { rootItemOf } from './subvolumes.js';
import { key } from './tree/keys.js';
import type { BtrfsVolume } from './volume.js';

const longestName = 255;
const mebibyte = 1024 * 1024;
/** The greatest reserve, and the changes by which a name is removed: the kernel's BTRFS_UNLINK_METADATA_UNITS. */
const mostReserve = 512 * mebibyte;
const changesOfUnlink = 6;
/** A piece of a stripe: what is left of a device beyond it, and beyond the first mebibyte, can be allocated. */
const pieceLength = 65_536;

/** How many bytes of devices a byte of a chunk takes; the kernel counts parity as nothing. */
const factorOf = ({ profile, copies }: Chunk): number => (profile === 'single' ? 1 : copies);

export function readUsage(volume: BtrfsVolume, subvolume: number): FileSystemUsage {
  const { superblock, space, blockGroupTree } = volume;
  const { total_bytes: total, fsid } = superblock.raw;
  const blockSize = superblock.sectorSize;
  let used = 0;
  let freeData = 0;
  let factor = 1;
  let data: Chunk | undefined;
  for (const chunk of space.chunks.all) {
    work.entries.spend(1);
    const group = blockGroupTree.find(key(chunk.start, itemTypes.blockGroupItem, chunk.length));
    if (group === undefined || group.size < blockGroupItem.size) continue;
    const inUse = blockGroupItem.get(group.view, group.start, 'used');
    const times = factorOf(chunk);
    used += inUse * times;
    if ((chunk.types & chunkTypes.data) === 0) continue;
    freeData += (chunk.length - inUse) * times;
    factor = times;
    data = chunk;
  }
  const inBlocks = (bytes: number): number => Math.floor(bytes / blockSize);
  const blocks = inBlocks(total / factor);
  const free = blocks - inBlocks(used / factor);
  const reserve = inBlocks(reserveOf(volume));
  const available = Math.floor(freeData / factor) + Math.floor(allocatable(volume, data) / factor);
  const view = new DataView(fsid.buffer, fsid.byteOffset, fsid.length);
  return {
    ...emptyUsage,
    blockSize,
    fragmentSize: blockSize,
    blocks,
    freeBlocks: Math.max(0, free - reserve),
    availableBlocks: Math.max(0, inBlocks(available)),
    nameMax: longestName,
    id: idOf(view, subvolume),
  };
}

/**
 * What the kernel keeps for changes of its trees: their size, or room to remove a name, which changes the trees of
 * references later, and with a tree of free space that as well.
 */
function reserveOf(volume: BtrfsVolume): number {
  let size = 0;
  const hasFreeSpaceTree = rootItemOf(volume, objects.freeSpaceTree) !== undefined;
  let changes = 1 + changesOfUnlink * (hasFreeSpaceTree ? 3 : 2);
  for (const id of [objects.extentTree, objects.csumTree, objects.freeSpaceTree, objects.blockGroupTree]) {
    const item = rootItemOf(volume, id);
    if (item === undefined) continue;
    size += rootItem.get(item.view, item.start, 'bytes_used');
    changes++;
  }
  return Math.min(mostReserve, Math.max(size, volume.superblock.nodeSize * mostLevels * 2 * changes));
}

/** Bytes of the devices that further chunks of data, of the profile of the present ones, could take. */
function allocatable(volume: BtrfsVolume, data: Chunk | undefined): number {
  const rooms: number[] = [];
  for (const item of volume.chunkTree.items(objects.devItems, itemTypes.devItem)) {
    work.entries.spend(1);
    if (item.size < devItem.size) continue;
    const { total_bytes: total, bytes_used: used } = devItem.decode(item.view, item.start);
    const room = Math.floor((total - used) / pieceLength) * pieceLength;
    if (room > mebibyte + pieceLength) rooms.push(room - mebibyte);
  }
  rooms.sort((a, b) => b - a);
  const { profile = 'single', copies = 1 } = data ?? {};
  // The kernel's raid_attr: how many devices a chunk takes, and the least.
  const least = profile === 'single' || profile === 'dup' ? 1 : Math.max(copies, leastDevices[profile] ?? 1);
  let width = profile === 'raid0' ? rooms.length : profile === 'raid10' ? 4 : Math.max(copies, 1);
  if (profile === 'dup' || profile === 'single') width = 1;
  let sum = 0;
  for (let count = rooms.length; count >= least; count--) {
    width = Math.min(width, count);
    const room = rooms[count - 1] ?? 0;
    if (room < pieceLength) continue;
    sum += room * width;
    for (let i = count - width; i < count; i++) rooms[i] = (rooms[i] ?? 0) - room;
  }
  return sum;
}

/** Of profiles whose chunks need more devices than they have copies. */
const leastDevices: Readonly<Partial<Record<Chunk['profile'], number>>> = {
  raid10: 2,
  raid5: 2,
  raid6: 3,
};

/** The kernel's `f_fsid`: the UUID folded, and the number of the subvolume. */
function idOf(fsid: DataView, subvolume: number): bigint {
  const word = (index: number): number => fsid.getUint32(index * 4);
  const first = (word(0) ^ word(2) ^ Math.floor(subvolume / 0x1_0000_0000)) >>> 0;
  const second = (word(1) ^ word(3) ^ (subvolume >>> 0)) >>> 0;
  return BigInt(second) * 0x1_0000_0000n + BigInt(first);
}
