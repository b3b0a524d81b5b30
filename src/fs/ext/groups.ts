/**
 * Block groups: where a group's descriptor lies, and what it says. Read and checked one at a time, as they are needed.
 * Specification: the kernel's Documentation/filesystems/ext4/group_descr.rst and blockgroup.rst (meta_bg).
 */
import { CorruptError, crc16, crc32c, LruMap, viewOf } from '../../base/index.js';
import { incompat, roCompat } from './features.js';
import { groupDescriptor, shortDescriptorSize } from './layout.js';
import type { PieceCache } from './pieces.js';
import { has, hasSuperblockCopy, type Superblock } from './superblock.js';

/** A group as its descriptor tells. */
export interface Group {
  readonly number: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  /** The first block of the inode table; the whole table lies inside the filesystem. */
  readonly inodeTable: number;
  /** In clusters. */
  readonly freeClusters: number;
  readonly freeInodes: number;
}

const checksumAt = groupDescriptor.fields.bg_checksum.at;

export class Groups {
  readonly #superblock: Superblock;
  readonly #pieces: PieceCache;
  readonly #known = new LruMap<number, Group>(1024);
  readonly #onBadChecksum: (message: string) => void;
  #last: Group | undefined;

  /** `onBadChecksum` is told of descriptors whose checksum is wrong; it may throw. */
  constructor(superblock: Superblock, pieces: PieceCache, onBadChecksum: (message: string) => void) {
    this.#superblock = superblock;
    this.#pieces = pieces;
    this.#onBadChecksum = onBadChecksum;
  }

  /** `number` must be below the superblock's group count. Throws CorruptError. */
  get(number: number): Group {
    const last = this.#last;
    if (last !== undefined && last.number === number) return last;
    let group = this.#known.get(number);
    if (group === undefined) {
      group = this.#read(number);
      this.#known.set(number, group);
    }
    this.#last = group;
    return group;
  }

  /** What all groups together have free, as their descriptors say: the kernel counts so when it mounts. */
  free(): { readonly clusters: number; readonly inodes: number } {
    const { blockSize, descriptorSize, groupCount } = this.#superblock;
    const fields = groupDescriptor.fields;
    const perBlock = blockSize / descriptorSize;
    const long = descriptorSize > shortDescriptorSize;
    let clusters = 0;
    let inodes = 0;
    for (let first = 0; first < groupCount; first += perBlock) {
      const offset = this.#descriptorBlock(first / perBlock) * blockSize;
      const view = viewOf(this.#pieces.bytes(offset, blockSize, `ext4 group descriptor ${first}`));
      const end = Math.min(perBlock, groupCount - first) * descriptorSize;
      for (let at = 0; at < end; at += descriptorSize) {
        clusters += view.getUint16(at + fields.bg_free_blocks_count_lo.at, true);
        inodes += view.getUint16(at + fields.bg_free_inodes_count_lo.at, true);
        if (!long) continue;
        clusters += view.getUint16(at + fields.bg_free_blocks_count_hi.at, true) * 0x10000;
        inodes += view.getUint16(at + fields.bg_free_inodes_count_hi.at, true) * 0x10000;
      }
    }
    return { clusters, inodes };
  }

  /** The block in which the `index`th block of descriptors lies. */
  #descriptorBlock(index: number): number {
    const { blockSize, firstDataBlock, firstMetaGroup, blocksPerGroup, descriptorSize } = this.#superblock;
    // The superblock lies at byte 1024: in block 1 of 1 KiB blocks, else in block 0.
    if (index < firstMetaGroup) return (blockSize === 1024 ? 1 : 0) + 1 + index;
    const group = index * (blockSize / descriptorSize);
    let behind = hasSuperblockCopy(this.#superblock, group) ? 1 : 0;
    // With 1 KiB blocks and bigalloc, group 0 begins at block 0 but the superblock lies in block 1.
    if (blockSize === 1024 && index === 0 && firstDataBlock === 0) behind++;
    return firstDataBlock + group * blocksPerGroup + behind;
  }

  #read(number: number): Group {
    const { blockSize, descriptorSize, features } = this.#superblock;
    const what = `ext4 group descriptor ${number}`;
    const perBlock = blockSize / descriptorSize;
    const offset =
      this.#descriptorBlock(Math.floor(number / perBlock)) * blockSize + (number % perBlock) * descriptorSize;
    const bytes = this.#pieces.bytes(offset, descriptorSize, what);
    if (!this.#checksumHolds(number, bytes)) this.#onBadChecksum(`${what}: has a bad checksum`);
    const padded = new Uint8Array(groupDescriptor.size);
    padded.set(bytes.subarray(0, Math.min(descriptorSize, padded.length)));
    const raw = groupDescriptor.decode(padded);
    const join = (low: number, high: number): number => high * 0x1_0000_0000 + low;
    const group: Group = {
      number,
      blockBitmap: join(raw.bg_block_bitmap_lo, raw.bg_block_bitmap_hi),
      inodeBitmap: join(raw.bg_inode_bitmap_lo, raw.bg_inode_bitmap_hi),
      inodeTable: join(raw.bg_inode_table_lo, raw.bg_inode_table_hi),
      freeClusters: raw.bg_free_blocks_count_hi * 0x10000 + raw.bg_free_blocks_count_lo,
      freeInodes: raw.bg_free_inodes_count_hi * 0x10000 + raw.bg_free_inodes_count_lo,
    };
    this.#checkPlaces(group, what, has(features.incompat, incompat.flexGroups));
    return group;
  }

  /** Bitmaps and inode table lie in their group, or with flex_bg anywhere in the filesystem. */
  #checkPlaces(group: Group, what: string, anywhere: boolean): void {
    const { firstDataBlock, blockCount, blocksPerGroup, inodesPerGroup, inodeSize, blockSize } =
      this.#superblock;
    const first = anywhere ? firstDataBlock : firstDataBlock + group.number * blocksPerGroup;
    const end = anywhere ? blockCount : Math.min(blockCount, first + blocksPerGroup);
    const tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
    const check = (name: string, block: number, length: number): void => {
      if (block < first || block + length > end)
        throw new CorruptError(what, `the ${name} lies outside`, { block, length, first, end });
    };
    check('block bitmap', group.blockBitmap, 1);
    check('inode bitmap', group.inodeBitmap, 1);
    check('inode table', group.inodeTable, tableBlocks);
  }

  #checksumHolds(number: number, bytes: Uint8Array): boolean {
    const { checksumSeed, features, raw } = this.#superblock;
    const stored = (bytes[checksumAt] ?? 0) | ((bytes[checksumAt + 1] ?? 0) << 8);
    const numberBytes = new Uint8Array(4);
    new DataView(numberBytes.buffer).setUint32(0, number, true);
    const before = bytes.subarray(0, checksumAt);
    const after = bytes.subarray(checksumAt + 2);
    if (checksumSeed !== undefined) {
      let sum = crc32c(checksumSeed, numberBytes);
      sum = crc32c(sum, before);
      sum = crc32c(sum, new Uint8Array(2));
      sum = crc32c(sum, after);
      return (sum & 0xffff) === stored;
    }
    if (has(features.roCompat, roCompat.groupChecksums)) {
      let sum = crc16(0xffff, raw.s_uuid);
      sum = crc16(sum, numberBytes);
      sum = crc16(sum, before);
      if (bytes.length > shortDescriptorSize) sum = crc16(sum, after);
      return sum === stored;
    }
    return true;
  }
}
