/**
 * Taking and giving back blocks and inodes: the bitmaps, the counts in the group descriptors, and their checksums.
 * Specification: the kernel's Documentation/filesystems/ext4/bitmaps.rst and group_descr.rst. The totals in the
 * superblock are counted by whoever closes the filesystem, or mounts it.
 */
import { CorruptError, crc32c, GuestfsError, work } from '../../../base/index.js';
import type { Block } from '../../../disk/index.js';
import { markStructures } from '../allocation.js';
import { roCompat } from '../features.js';
import { groupDescriptor, groupFlags, shortDescriptorSize } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { runFrom, setBits } from './bits.js';
import type { ChangeableBlocks } from './blocks.js';
import { Structures } from './structures.js';

/** Blocks that lie together. */
export interface BlockRange {
  readonly block: number;
  readonly count: number;
}

type Counter = 'bg_free_blocks_count' | 'bg_free_inodes_count' | 'bg_used_dirs_count' | 'bg_itable_unused';
type BitmapSum = 'bg_block_bitmap_csum' | 'bg_inode_bitmap_csum';

const fields = groupDescriptor.fields;
/** Where the two halves of each counter lie: each file that is made asks for several of them. */
const counterAt: Readonly<Record<Counter, { readonly low: number; readonly high: number }>> = {
  bg_free_blocks_count: { low: fields.bg_free_blocks_count_lo.at, high: fields.bg_free_blocks_count_hi.at },
  bg_free_inodes_count: { low: fields.bg_free_inodes_count_lo.at, high: fields.bg_free_inodes_count_hi.at },
  bg_used_dirs_count: { low: fields.bg_used_dirs_count_lo.at, high: fields.bg_used_dirs_count_hi.at },
  bg_itable_unused: { low: fields.bg_itable_unused_lo.at, high: fields.bg_itable_unused_hi.at },
};

/**
 * A directory of the root begins in a group that has at least this share of the free inodes and blocks of the
 * average.
 */
const fairShare = 0.9;
const bitmapName = 'ext4 block bitmap';

export class Space {
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  /** Clusters that are not to be given out though their bitmap has them free: a bitmap for each group that has such. */
  readonly #reserved = new Map<number, Uint8Array>();
  /** In each group, no cluster and no inode below these is free. */
  readonly #lowestBlock = new Map<number, number>();
  readonly #lowestInode = new Map<number, number>();
  /** Groups in which nothing is free send the search here. */
  readonly #nextInodeGroup = new Map<number, number>();
  readonly #clustersPerGroup: number;
  readonly #hasGroupChecksums: boolean;
  readonly #structures: Structures;

  /** `reserved`: blocks that are not to be given out. */
  constructor(volume: ExtVolume, blocks: ChangeableBlocks, reserved: readonly BlockRange[] = []) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#structures = new Structures(volume);
    const { blocksPerGroup, blocksPerCluster, features } = volume.superblock;
    this.#clustersPerGroup = blocksPerGroup / blocksPerCluster;
    this.#hasGroupChecksums = has(features.roCompat, roCompat.groupChecksums | roCompat.metadataChecksums);
    for (const range of reserved) this.#reserve(range);
  }

  /** The group of a block. */
  groupOf(block: number): number {
    const { firstDataBlock, blocksPerGroup } = this.#volume.superblock;
    return Math.floor(Math.max(0, block - firstDataBlock) / blocksPerGroup);
  }

  /** The group of an inode. */
  groupOfInode(number: number): number {
    return Math.floor((number - 1) / this.#volume.superblock.inodesPerGroup);
  }

  /** The first block of the group of an inode: where its blocks are looked for. */
  goalFor(inode: number): number {
    const { firstDataBlock, blocksPerGroup } = this.#volume.superblock;
    return firstDataBlock + this.groupOfInode(inode) * blocksPerGroup;
  }

  /** Marks the clusters of blocks as taken or free. Those that are so already stay. How many did not. */
  markBlocks(range: BlockRange, used: boolean): number {
    let total = 0;
    this.#eachGroup(range, (group, from, to) => {
      const changed = this.#setBlocks(group, from, to, used);
      total += changed;
    });
    return total;
  }

  /**
   * Gives the clusters of blocks back. They can be taken again when that is durable. CorruptError where they are
   * free.
   */
  freeBlocks(range: BlockRange): void {
    const clusters = this.#clusterRange(range);
    this.checkFile(range, 'ext4 file');
    const changed = this.markBlocks(range, false);
    if (changed !== clusters.end - clusters.at)
      throw new CorruptError(bitmapName, 'has blocks as free that a file has', {
        block: range.block,
        count: range.count,
      });
    const { firstDataBlock, blocksPerCluster } = this.#volume.superblock;
    this.#blocks.free(firstDataBlock + clusters.at * blocksPerCluster, changed * blocksPerCluster);
    this.#blocks.onDurable(() => {
      this.#eachGroup(range, (group, from) => this.#lower(this.#lowestBlock, group, from));
    });
  }

  /** CorruptError where blocks that are a file's, or are to be, are the filesystem's own. `what` says that they are. */
  checkFile({ block, count }: BlockRange, what: string): void {
    this.#structures.check(block, count, what);
  }

  /** Marks an inode as taken or free. */
  markInode(number: number, used: boolean, isDirectory: boolean): void {
    const { inodesPerGroup } = this.#volume.superblock;
    const index = (number - 1) % inodesPerGroup;
    const group = (number - 1 - index) / inodesPerGroup;
    const bitmap = this.#inodeBitmap(group);
    const changed = setBits(bitmap.bytes, index, index + 1, used);
    if (changed === 0) return;
    this.#count(group, 'bg_free_inodes_count', used ? -1 : 1);
    if (isDirectory) this.#count(group, 'bg_used_dirs_count', used ? 1 : -1);
    const unused = this.#hasGroupChecksums ? this.#counter(group, 'bg_itable_unused') : 0;
    if (used && index >= inodesPerGroup - unused)
      this.#count(group, 'bg_itable_unused', inodesPerGroup - index - 1 - unused);
    if (!used) this.#lower(this.#lowestInode, group, index);
    this.#sealDescriptor(group);
  }

  /**
   * Takes up to `wanted` blocks that lie together, as near behind `goal` as there are such: whole clusters, at least one.
   * ENOSPC where none is free.
   */
  allocate(goal: number, wanted: number): BlockRange {
    const { firstDataBlock, blocksPerCluster, groupCount, blocksPerGroup } = this.#volume.superblock;
    const clusters = Math.max(1, Math.ceil(wanted / blocksPerCluster));
    const start = Math.min(groupCount - 1, this.groupOf(goal));
    const goalBit = Math.floor(((goal - firstDataBlock) % blocksPerGroup) / blocksPerCluster);
    // A long run is worth a look into a few groups; then any run will do.
    for (const least of clusters > 1 ? [clusters, 1] : [1]) {
      for (let step = 0; step < groupCount; step++) {
        work.steps.spend(1);
        const group = (start + step) % groupCount;
        if (this.#counter(group, 'bg_free_blocks_count') < least) continue;
        const run = this.#findRun(group, step === 0 ? Math.max(0, goalBit) : 0, least, clusters);
        if (run === undefined) continue;
        const [from, to] = run;
        const range = {
          block: firstDataBlock + group * blocksPerGroup + from * blocksPerCluster,
          count: (to - from) * blocksPerCluster,
        };
        this.checkFile(range, bitmapName);
        this.#setBlocks(group, from, to, true);
        return range;
      }
    }
    throw new GuestfsError('ENOSPC', 'ext4 filesystem: has no free block');
  }

  /** Takes an inode: of its parent's group where that has one; directories of the root are spread. ENOSPC. */
  allocateInode(parent: number, isDirectory: boolean, isTop: boolean): number {
    const { groupCount, inodesPerGroup, firstInode } = this.#volume.superblock;
    const near = this.groupOfInode(parent);
    const start = isDirectory && isTop ? this.#roomyGroup(near) : (this.#nextInodeGroup.get(near) ?? near);
    for (let step = 0; step < groupCount; step++) {
      work.steps.spend(1);
      const group = (start + step) % groupCount;
      if (this.#counter(group, 'bg_free_inodes_count') === 0) continue;
      const { bytes } = this.#inodeBitmap(group);
      const lowest = Math.max(this.#lowestInode.get(group) ?? 0, group === 0 ? firstInode - 1 : 0);
      const [index] = runFrom(bytes, undefined, lowest, inodesPerGroup, 1);
      if (index === undefined) continue;
      this.#raise(this.#lowestInode, group, index + 1);
      if (!(isDirectory && isTop)) this.#nextInodeGroup.set(near, group);
      const number = group * inodesPerGroup + index + 1;
      this.#takeFlagOfBlocks(group);
      this.markInode(number, true, isDirectory);
      return number;
    }
    throw new GuestfsError('ENOSPC', 'ext4 filesystem: has no free inode');
  }

  /** A group with room for what a new directory will hold. */
  #roomyGroup(near: number): number {
    const { groupCount } = this.#volume.superblock;
    const counted = Math.min(groupCount, 4096); // bounds the work
    let inodes = 0;
    let clusters = 0;
    for (let step = 0; step < counted; step++) {
      const group = (near + step) % groupCount;
      inodes += this.#counter(group, 'bg_free_inodes_count');
      clusters += this.#counter(group, 'bg_free_blocks_count');
    }
    let best = near;
    let fewest = Number.POSITIVE_INFINITY;
    for (let step = 0; step < counted; step++) {
      const group = (near + step) % groupCount;
      if (this.#counter(group, 'bg_free_inodes_count') < Math.max(1, (inodes / counted) * fairShare))
        continue;
      if (this.#counter(group, 'bg_free_blocks_count') < (clusters / counted) * fairShare) continue;
      const directories = this.#counter(group, 'bg_used_dirs_count');
      if (directories < fewest) {
        best = group;
        fewest = directories;
      }
    }
    return best;
  }

  /** Free clusters of a group, from and to: behind `goal` first, then from the front. */
  #findRun(group: number, goal: number, least: number, most: number): [number, number] | undefined {
    const bytes = this.#lookAtBlocks(group);
    const end = this.#clustersPerGroup;
    const lowest = this.#lowestBlock.get(group) ?? 0;
    for (const from of goal > lowest ? [goal, lowest] : [lowest]) {
      const run = this.#findRunIn(group, bytes, from, end, least, most);
      if (run === undefined) continue;
      if (from === lowest && least === 1) this.#raise(this.#lowestBlock, group, run[0]);
      return run;
    }
    return undefined;
  }

  /** The same between two clusters; those that were freed and may not be taken yet are left out. */
  #findRunIn(
    group: number,
    bytes: Uint8Array,
    first: number,
    end: number,
    least: number,
    most: number,
  ): [number, number] | undefined {
    const { firstDataBlock, blocksPerGroup, blocksPerCluster } = this.#volume.superblock;
    const start = firstDataBlock + group * blocksPerGroup;
    const reserved = this.#reserved.get(group);
    for (let from = first; ; ) {
      const [at, after] = runFrom(bytes, reserved, from, end, least, most);
      if (at === undefined || after === undefined) return undefined;
      const freed = this.#blocks.freedIn(start + at * blocksPerCluster, start + after * blocksPerCluster);
      if (freed === undefined) return [at, after];
      const free = Math.floor((freed.first - start) / blocksPerCluster);
      if (free - at >= least) return [at, free];
      from = Math.ceil((freed.end - start) / blocksPerCluster);
    }
  }

  #setBlocks(group: number, from: number, to: number, used: boolean): number {
    const bitmap = this.#blockBitmap(group);
    const changed = setBits(bitmap.bytes, from, to, used);
    if (changed === 0) return 0;
    this.#count(group, 'bg_free_blocks_count', used ? -changed : changed);
    if (!used) this.#lower(this.#lowestBlock, group, from);
    this.#sealDescriptor(group);
    return changed;
  }

  #raise(lowest: Map<number, number>, group: number, index: number): void {
    if ((lowest.get(group) ?? 0) >= index) return;
    lowest.set(group, index);
    this.#blocks.onUndo(() => lowest.delete(group));
  }

  #lower(lowest: Map<number, number>, group: number, index: number): void {
    if ((lowest.get(group) ?? 0) > index) lowest.set(group, index);
    if (lowest === this.#lowestInode) this.#nextInodeGroup.clear();
  }

  #reserve(range: BlockRange): void {
    this.#eachGroup(range, (group, from, to) => {
      let bits = this.#reserved.get(group);
      if (bits === undefined) {
        bits = new Uint8Array(this.#volume.superblock.blockSize);
        this.#reserved.set(group, bits);
      }
      setBits(bits, from, to, true);
    });
  }

  /** The clusters of blocks: from, up to. */
  #clusterRange({ block, count }: BlockRange): { at: number; end: number } {
    const { firstDataBlock, blocksPerCluster } = this.#volume.superblock;
    return {
      at: Math.floor((block - firstDataBlock) / blocksPerCluster),
      end: Math.ceil((block + count - firstDataBlock) / blocksPerCluster),
    };
  }

  #eachGroup(range: BlockRange, visit: (group: number, from: number, to: number) => void): void {
    const perGroup = this.#clustersPerGroup;
    let { at, end } = this.#clusterRange(range);
    while (at < end) {
      const group = Math.floor(at / perGroup);
      this.#checkGroup(group);
      const from = at % perGroup;
      const to = Math.min(perGroup, from + end - at);
      visit(group, from, to);
      at += to - from;
      work.steps.spend(1 + (to - from) / 8);
    }
  }

  #checkGroup(number: number): void {
    const { groupCount } = this.#volume.superblock;
    if (!(number >= 0 && number < groupCount))
      throw new CorruptError('ext4 block groups', 'a block lies in none', { group: number, groupCount });
  }

  #blockBitmap(group: number): Block {
    const { blockBitmap } = this.#volume.groups.get(group);
    const blank = this.#takeFlag(group, groupFlags.EXT4_BG_BLOCK_UNINIT);
    const block = this.#blocks.change(blockBitmap, blank);
    if (blank) markStructures(this.#volume, group, block.bytes);
    this.#sealBitmap(group, 'bg_block_bitmap_csum', blockBitmap, this.#clustersPerGroup);
    return block;
  }

  /** The bitmap, for reading. */
  #lookAtBlocks(group: number): Uint8Array {
    const { blockBitmap, flags } = this.#volume.groups.get(group);
    const isBlank = this.#hasGroupChecksums && has(flags, groupFlags.EXT4_BG_BLOCK_UNINIT);
    return isBlank ? this.#blockBitmap(group).bytes : this.#blocks.peek(blockBitmap).bytes;
  }

  #inodeBitmap(group: number): Block {
    const { inodeBitmap } = this.#volume.groups.get(group);
    const { inodesPerGroup } = this.#volume.superblock;
    const blank = this.#takeFlag(group, groupFlags.EXT4_BG_INODE_UNINIT);
    const block = this.#blocks.change(inodeBitmap, blank);
    if (blank) setBits(block.bytes, inodesPerGroup, block.bytes.length * 8, true);
    this.#sealBitmap(group, 'bg_inode_bitmap_csum', inodeBitmap, inodesPerGroup);
    return block;
  }

  /** As the kernel does, a group gets its bitmap of blocks with its first inode. */
  #takeFlagOfBlocks(group: number): void {
    const { flags } = this.#volume.groups.get(group);
    if (this.#hasGroupChecksums && has(flags, groupFlags.EXT4_BG_BLOCK_UNINIT)) void this.#blockBitmap(group);
  }

  /** Clears a flag of a group, which means something only where groups have checksums; whether it was set. */
  #takeFlag(group: number, flag: number): boolean {
    const { flags } = this.#volume.groups.get(group);
    if (!this.#hasGroupChecksums || !has(flags, flag)) return false;
    const { view, base } = this.#descriptor(group);
    fields.bg_flags.write(view, base, flags & ~flag, true);
    this.#sealDescriptor(group);
    this.#volume.groups.forget(group);
    this.#blocks.onUndo(() => this.#volume.groups.forget(group));
    return true;
  }

  #descriptor(group: number): { readonly view: DataView; readonly base: number } {
    const { block, base } = this.#descriptorPlace(group);
    return { view: this.#blocks.change(block).view, base };
  }

  #descriptorPlace(group: number): { readonly block: number; readonly base: number } {
    const { blockSize } = this.#volume.superblock;
    const offset = this.#volume.groups.offsetOf(group);
    const base = offset % blockSize;
    return { block: (offset - base) / blockSize, base };
  }

  #counter(group: number, name: Counter): number {
    const { blockSize, descriptorSize } = this.#volume.superblock;
    const offset = this.#volume.groups.offsetOf(group);
    const { view } = this.#blocks.peek(Math.floor(offset / blockSize));
    const base = offset % blockSize;
    const { low, high } = counterAt[name];
    const value = view.getUint16(base + low, true);
    return descriptorSize > shortDescriptorSize ? value + view.getUint16(base + high, true) * 0x10000 : value;
  }

  #count(group: number, name: Counter, change: number): void {
    if (change === 0) return;
    const value = this.#counter(group, name) + change;
    if (value < 0)
      throw new CorruptError(`ext4 group descriptor ${group}`, 'counts too little', { [name]: value });
    const { view, base } = this.#descriptor(group);
    const { low, high } = counterAt[name];
    view.setUint16(base + low, value % 0x10000, true);
    if (this.#volume.superblock.descriptorSize > shortDescriptorSize)
      view.setUint16(base + high, Math.floor(value / 0x10000), true);
  }

  #sealBitmap(group: number, name: BitmapSum, block: number, bits: number): void {
    if (this.#volume.unsealed('block').has(block)) return;
    this.#blocks.sealLater('block', block, () => this.#sum(group, name, block, bits));
  }

  /** The checksum of a bitmap, in the descriptor of its group. */
  #sum(group: number, name: BitmapSum, block: number, bits: number): void {
    const seed = this.#volume.superblock.checksumSeed;
    if (seed === undefined) return;
    const bitmap = this.#blocks.toSeal(block);
    const { block: at, base } = this.#descriptorPlace(group);
    const descriptor = this.#blocks.toSeal(at);
    if (bitmap === undefined || descriptor === undefined) return;
    const { view } = descriptor;
    const sum = crc32c(seed, bitmap.bytes.subarray(0, bits / 8));
    view.setUint16(base + fields[`${name}_lo`].at, sum % 0x10000, true);
    if (this.#volume.superblock.descriptorSize > shortDescriptorSize)
      view.setUint16(base + fields[`${name}_hi`].at, Math.floor(sum / 0x10000), true);
    this.#sealDescriptor(group);
  }

  #sealDescriptor(group: number): void {
    const { groups } = this.#volume;
    if (!this.#hasGroupChecksums || groups.unsealed.has(group)) return;
    this.#blocks.sealLater('descriptor', group, () => {
      const { block, base } = this.#descriptorPlace(group);
      const changed = this.#blocks.toSeal(block);
      if (changed !== undefined) groups.setChecksum(group, changed.view, base);
    });
  }
}
