/**
 * How full the filesystem is, as the kernel's btrfs_statfs counts: what block groups have in use, on the devices that
 * they are on. What is not allocated to any block group yet counts as free.
 */
import { work } from '../../base/index.js';
import type { FileSystemUsage } from '../driver.js';
import { emptyUsage } from '../support.js';
import { blockGroupItem, chunkTypes, itemTypes } from './layout.js';
import type { Chunk } from './space/chunks.js';
import { key } from './tree/keys.js';
import type { BtrfsVolume } from './volume.js';

const longestName = 255;

/** How many bytes of devices a byte of a chunk takes; the kernel counts parity as nothing. */
const factorOf = ({ profile, copies }: Chunk): number => (profile === 'single' ? 1 : copies);

export function readUsage(volume: BtrfsVolume, subvolume: number): FileSystemUsage {
  const { superblock, space, blockGroupTree } = volume;
  const { total_bytes: total, fsid } = superblock.raw;
  const blockSize = superblock.sectorSize;
  let used = 0;
  let freeData = 0;
  let factor = 1;
  for (const chunk of space.chunks.all) {
    work.entries.spend(1);
    const group = blockGroupTree.find(key(chunk.start, itemTypes.blockGroupItem, chunk.length));
    if (group === undefined || group.size < blockGroupItem.size) continue;
    const inUse = blockGroupItem.get(group.view, group.start, 'used');
    const times = factorOf(chunk);
    used += inUse * times;
    if ((chunk.types & chunkTypes.data) === 0) continue;
    freeData += (chunk.length - inUse) * times;
    factor = Math.max(factor, times);
  }
  const blocks = Math.floor(total / factor / blockSize);
  const free = Math.max(0, blocks - Math.floor(used / factor / blockSize));
  const view = new DataView(fsid.buffer, fsid.byteOffset, fsid.length);
  return {
    ...emptyUsage,
    blockSize,
    fragmentSize: blockSize,
    blocks,
    freeBlocks: free,
    availableBlocks: Math.min(free, Math.floor(freeData / factor / blockSize)),
    nameMax: longestName,
    id: idOf(view, subvolume),
  };
}

/** The kernel's `f_fsid`: the UUID folded, and the number of the subvolume. */
function idOf(fsid: DataView, subvolume: number): bigint {
  const word = (index: number): number => fsid.getUint32(index * 4);
  const first = (word(0) ^ word(2) ^ Math.floor(subvolume / 0x1_0000_0000)) >>> 0;
  const second = (word(1) ^ word(3) ^ (subvolume >>> 0)) >>> 0;
  return BigInt(second) * 0x1_0000_0000n + BigInt(first);
}
