/**
 * Taking and giving back blocks and inodes: the bitmaps, the counts in the group descriptors, and their checksums.
 * Specification: the kernel's Documentation/filesystems/ext4/bitmaps.rst and group_descr.rst. What is changed is held in
 * memory until {@link Space.store}; the totals in the superblock are counted by whoever mounts.
 */
import { CorruptError, crc32c, GuestfsError, viewOf, work } from '../../../base/index.js';
import { isBlockInUse } from '../allocation.js';
import { roCompat } from '../features.js';
import { groupDescriptor, groupFlags, shortDescriptorSize } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';

/** Blocks that lie together. */
export interface BlockRange {
  readonly block: number;
  readonly count: number;
}

interface Bitmap {
  readonly bytes: Uint8Array;
  readonly block: number;
  changed: boolean;
}

/** A group that is looked at: its descriptor as stored, and its bitmaps as soon as they are asked for. */
interface ChangedGroup {
  readonly number: number;
  readonly descriptor: Uint8Array;
  readonly view: DataView;
  blocks: Bitmap | undefined;
  inodes: Bitmap | undefined;
  changed: boolean;
}

type Counter = 'bg_free_blocks_count' | 'bg_free_inodes_count' | 'bg_used_dirs_count' | 'bg_itable_unused';

export class Space {
  readonly #volume: ExtVolume;
  readonly #groups = new Map<number, ChangedGroup>();
  /** Blocks that are not to be given out though the bitmap has them free: in order, by their first. */
  readonly #reserved: readonly BlockRange[];

  constructor(volume: ExtVolume, reserved: readonly BlockRange[] = []) {
    this.#volume = volume;
    this.#reserved = reserved;
  }

  /** Marks the clusters of blocks as taken or free. Those that are so already stay. */
  markBlocks({ block: first, count }: BlockRange, used: boolean): void {
    const { firstDataBlock, blocksPerGroup, blocksPerCluster } = this.#volume.superblock;
    let at = Math.floor((first - firstDataBlock) / blocksPerCluster);
    const end = Math.ceil((first + count - firstDataBlock) / blocksPerCluster);
    const perGroup = blocksPerGroup / blocksPerCluster;
    while (at < end) {
      const group = this.#group(Math.floor(at / perGroup));
      const from = at % perGroup;
      const to = Math.min(perGroup, from + end - at);
      const changed = this.#set(this.#blockBitmap(group), from, to, used);
      this.#count(group, 'bg_free_blocks_count', used ? -changed : changed);
      at += to - from;
      work.steps.spend(to - from);
    }
  }

  /** Marks an inode as taken or free. */
  markInode(number: number, used: boolean, isDirectory: boolean): void {
    const { inodesPerGroup } = this.#volume.superblock;
    const index = (number - 1) % inodesPerGroup;
    const group = this.#group((number - 1 - index) / inodesPerGroup);
    const changed = this.#set(this.#inodeBitmap(group), index, index + 1, used);
    this.#count(group, 'bg_free_inodes_count', used ? -changed : changed);
    if (isDirectory) this.#count(group, 'bg_used_dirs_count', used ? changed : -changed);
    const unused = this.#counter(group, 'bg_itable_unused');
    if (used && this.#hasGroupChecksums && index >= inodesPerGroup - unused)
      this.#count(group, 'bg_itable_unused', inodesPerGroup - index - 1 - unused);
  }

  /**
   * Takes a cluster that is free, of `near`'s group or the next that has one. The first block of it; ENOSPC where
   * none is.
   */
  allocate(near: number): number {
    const { firstDataBlock, blocksPerGroup, blocksPerCluster, groupCount, blockCount } =
      this.#volume.superblock;
    const start = Math.floor((near - firstDataBlock) / blocksPerGroup);
    for (let step = 0; step < groupCount; step++) {
      const group = this.#group((start + step) % groupCount);
      if (this.#counter(group, 'bg_free_blocks_count') === 0) continue;
      const { bytes } = this.#blockBitmap(group);
      const first = firstDataBlock + group.number * blocksPerGroup;
      const clusters = Math.floor(Math.min(blocksPerGroup, blockCount - first) / blocksPerCluster);
      work.steps.spend(clusters);
      for (let index = 0; index < clusters; index++) {
        const block = first + index * blocksPerCluster;
        if (((bytes[index >>> 3] ?? 0) >>> (index & 7)) & 1 || this.#isReserved(block, blocksPerCluster))
          continue;
        this.markBlocks({ block, count: 1 }, true);
        return block;
      }
    }
    throw new GuestfsError('ENOSPC', 'ext4 filesystem: has no free block');
  }

  /** Writes what was changed. */
  store(): void {
    const { superblock } = this.#volume;
    for (const group of this.#groups.values()) {
      if (!group.changed) continue;
      if (group.blocks?.changed) {
        this.#volume.storeBlock(group.blocks.block, group.blocks.bytes);
        const bits = superblock.blocksPerGroup / superblock.blocksPerCluster;
        this.#sum(group, 'bg_block_bitmap_csum', group.blocks.bytes.subarray(0, bits / 8));
      }
      if (group.inodes?.changed) {
        this.#volume.storeBlock(group.inodes.block, group.inodes.bytes);
        this.#sum(
          group,
          'bg_inode_bitmap_csum',
          group.inodes.bytes.subarray(0, superblock.inodesPerGroup / 8),
        );
      }
      this.#volume.groups.setChecksum(group.number, group.descriptor);
      this.#volume.store(this.#volume.groups.offsetOf(group.number), group.descriptor);
    }
  }

  get #hasGroupChecksums(): boolean {
    return has(
      this.#volume.superblock.features.roCompat,
      roCompat.groupChecksums | roCompat.metadataChecksums,
    );
  }

  #isReserved(block: number, count: number): boolean {
    let low = 0;
    let high = this.#reserved.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#reserved[middle] as BlockRange; // safe: middle < high ≤ length
      if (range.block + range.count <= block) low = middle + 1;
      else high = middle;
    }
    const next = this.#reserved[low];
    return next !== undefined && next.block < block + count;
  }

  #group(number: number): ChangedGroup {
    let group = this.#groups.get(number);
    if (group === undefined) {
      const { groupCount, descriptorSize } = this.#volume.superblock;
      if (!(number >= 0 && number < groupCount))
        throw new CorruptError('ext4 block groups', 'a block lies in none', { group: number, groupCount });
      void this.#volume.groups.get(number); // checked
      const offset = this.#volume.groups.offsetOf(number);
      const descriptor = this.#volume.pieces.bytes(offset, descriptorSize, 'ext4 group descriptors').slice();
      group = {
        number,
        descriptor,
        view: viewOf(descriptor),
        blocks: undefined,
        inodes: undefined,
        changed: false,
      };
      this.#groups.set(number, group);
    }
    return group;
  }

  #blockBitmap(group: ChangedGroup): Bitmap {
    if (group.blocks === undefined) {
      const { superblock } = this.#volume;
      const { firstDataBlock, blocksPerGroup, blocksPerCluster, blockCount } = superblock;
      const { blockBitmap: block } = this.#volume.groups.get(group.number);
      let bytes = this.#volume.block(block, 'ext4 block bitmap');
      const changed = this.#takeFlag(group, groupFlags.EXT4_BG_BLOCK_UNINIT);
      if (changed) {
        // Never written: only the group's own structures are in use, and what lies beyond the end.
        bytes = new Uint8Array(bytes.length);
        const first = firstDataBlock + group.number * blocksPerGroup;
        const clusters = blocksPerGroup / blocksPerCluster;
        for (let index = 0; index < bytes.length * 8; index++) {
          const start = first + index * blocksPerCluster;
          let used = index >= clusters || start >= blockCount;
          for (let at = start; !used && at < Math.min(start + blocksPerCluster, blockCount); at++)
            used = isBlockInUse(this.#volume, at);
          if (used) setBits(bytes, index, index + 1, true);
        }
      }
      group.blocks = { bytes, block, changed };
    }
    return group.blocks;
  }

  #inodeBitmap(group: ChangedGroup): Bitmap {
    if (group.inodes === undefined) {
      const { inodeBitmap: block } = this.#volume.groups.get(group.number);
      let bytes = this.#volume.block(block, 'ext4 inode bitmap');
      const changed = this.#takeFlag(group, groupFlags.EXT4_BG_INODE_UNINIT);
      if (changed) {
        bytes = new Uint8Array(bytes.length);
        setBits(bytes, this.#volume.superblock.inodesPerGroup, bytes.length * 8, true);
      }
      group.inodes = { bytes, block, changed };
    }
    return group.inodes;
  }

  /** Clears a flag of a group, which means something only where groups have checksums; whether it was set. */
  #takeFlag(group: ChangedGroup, flag: number): boolean {
    const flags = groupDescriptor.get(group.view, 0, 'bg_flags');
    if (!this.#hasGroupChecksums || !has(flags, flag)) return false;
    groupDescriptor.set(group.view, 0, 'bg_flags', flags & ~flag);
    group.changed = true;
    return true;
  }

  #counter(group: ChangedGroup, name: Counter): number {
    const low = groupDescriptor.get(group.view, 0, `${name}_lo`);
    return group.descriptor.length > shortDescriptorSize
      ? low + groupDescriptor.get(group.view, 0, `${name}_hi`) * 0x10000
      : low;
  }

  #count(group: ChangedGroup, name: Counter, change: number): void {
    if (change === 0) return;
    const value = this.#counter(group, name) + change;
    if (value < 0)
      throw new CorruptError(`ext4 group descriptor ${group.number}`, 'counts too little', { [name]: value });
    group.changed = true;
    groupDescriptor.set(group.view, 0, `${name}_lo`, value % 0x10000);
    if (group.descriptor.length > shortDescriptorSize)
      groupDescriptor.set(group.view, 0, `${name}_hi`, Math.floor(value / 0x10000));
  }

  /** Sets or clears bits; how many were otherwise. */
  #set(bitmap: Bitmap, from: number, to: number, value: boolean): number {
    const changed = setBits(bitmap.bytes, from, to, value);
    if (changed > 0) bitmap.changed = true;
    return changed;
  }

  #sum(group: ChangedGroup, name: 'bg_block_bitmap_csum' | 'bg_inode_bitmap_csum', bits: Uint8Array): void {
    const seed = this.#volume.superblock.checksumSeed;
    if (seed === undefined) return;
    const sum = crc32c(seed, bits);
    groupDescriptor.set(group.view, 0, `${name}_lo`, sum % 0x10000);
    if (group.descriptor.length > shortDescriptorSize)
      groupDescriptor.set(group.view, 0, `${name}_hi`, Math.floor(sum / 0x10000));
  }
}

/** Sets or clears bits `from` up to `to`; how many were otherwise. */
function setBits(bytes: Uint8Array, from: number, to: number, value: boolean): number {
  let changed = 0;
  for (let index = from; index < to; index++) {
    const mask = 1 << (index & 7);
    const byte = bytes[index >>> 3] ?? 0;
    if (((byte & mask) !== 0) === value) continue;
    bytes[index >>> 3] = byte ^ mask;
    changed++;
  }
  return changed;
}
