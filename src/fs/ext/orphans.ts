/**
 * Orphans: files that were deleted while open, or were being truncated, when the machine went down. Their list begins
 * in the superblock and continues in the inodes' deletion times, or is in a file of inode numbers (orphan_file). A
 * mount deletes or truncates them; this computes the effect of that for a reader. Specification: the kernel's
 * Documentation/filesystems/ext4/orphan.rst, and fs/ext4/orphan.c for the cases in which nothing is done.
 */
import { CorruptError, checksumHolds, crc32c, viewOf, work } from '../../base/index.js';
import { blockMapOf } from './blockmap.js';
import { checkDistinct } from './distinct.js';
import { ExtentMap } from './extents.js';
import { compat, isWritableByKernel } from './features.js';
import { IndirectMap } from './indirect.js';
import { type Inode, inodeChecksumSeed } from './inode.js';
import {
  blockIdentity,
  inodeAt,
  inodeFlags,
  orphanBlockMagic,
  orphanBlockTail,
  superblockState,
} from './layout.js';
import { has } from './superblock.js';
import type { ExtVolume } from './volume.js';

export interface Orphans {
  /** The space of truncated files afterwards, in units of 512 bytes, by inode. */
  readonly truncated: ReadonlyMap<number, number>;
  /** The valid ones of the list, and those of the file; in order. */
  readonly listed: readonly number[];
  readonly filed: readonly number[];
  /** What the mount gives back. */
  readonly reclaimed: { readonly clusters: number; readonly inodes: number };
}

const noOrphans: Orphans = {
  truncated: new Map(),
  listed: [],
  filed: [],
  reclaimed: { clusters: 0, inodes: 0 },
};

/** Processes all orphans. `damaged`: the filesystem is marked as having errors, so nothing is done. */
export function findOrphans(volume: ExtVolume, damaged: boolean): Orphans {
  const { superblock } = volume;
  if (!isWritableByKernel(superblock.features) || damaged) return noOrphans;
  const cleanup = new Cleanup(volume);
  cleanup.followList(superblock.raw.s_last_orphan);
  const listed = [...cleanup.found];
  if (has(superblock.features.compat, compat.orphanFile)) cleanup.readFile(superblock.raw.s_orphan_file_inum);
  if (cleanup.shared) {
    volume.warn(
      'ext4 orphans: have more blocks than the filesystem; what they occupy is not counted as free',
    );
    return noOrphans;
  }
  const { truncated, clusters, inodes, found } = cleanup;
  return { truncated, listed, filed: found.slice(listed.length), reclaimed: { clusters, inodes } };
}

/** Whether the superblock says that errors were found. */
export function isMarkedDamaged(state: number): boolean {
  return has(state, superblockState.error);
}

class Cleanup {
  readonly truncated = new Map<number, number>();
  readonly found: number[] = [];
  clusters = 0;
  inodes = 0;
  readonly #volume: ExtVolume;
  readonly #seen = new Set<number>();
  /** Blocks of the extents that were looked at. */
  #visited = 0;

  constructor(volume: ExtVolume) {
    this.#volume = volume;
  }

  /**
   * Each inode of the list has the number of the next in place of its deletion time. An invalid inode ends the list.
   */
  followList(first: number): void {
    for (let number = first; number !== 0; ) {
      const inode = this.#take(number);
      if (inode === undefined) return;
      number = viewOf(inode.record).getUint32(inodeAt.i_dtime, true);
    }
  }

  /** Each block of the file is full of inode numbers or zeroes, except for its tail. */
  readFile(number: number): void {
    const volume = this.#volume;
    const { blockSize, checksumSeed } = volume.superblock;
    const inode = volume.anyInode(number);
    const what = `ext4 orphan file, inode ${number}`;
    const map = blockMapOf(volume, inode);
    const count = Math.floor(inode.stat.sizeInBytes / blockSize);
    if (count > volume.superblock.blockCount)
      throw new CorruptError(what, 'is larger than the filesystem', { size: inode.stat.sizeInBytes });
    checkDistinct(map, count, what);
    for (let logical = 0; logical < count; logical++) {
      const { block } = map.find(logical, 1);
      if (block === undefined) throw new CorruptError(what, 'has a hole', { block: logical });
      const bytes = volume.block(block, what);
      const view = viewOf(bytes);
      const end = blockSize - orphanBlockTail.size;
      const tail = orphanBlockTail.decode(view, end);
      if (tail.ob_magic !== orphanBlockMagic)
        throw new CorruptError(what, 'a block has no magic number', { block });
      if (checksumSeed !== undefined) {
        const seed = crc32c(inodeChecksumSeed(checksumSeed, inode), blockIdentity.encode({ number: block }));
        const sum = crc32c(seed, bytes.subarray(0, end));
        if (!checksumHolds(sum, tail.ob_checksum))
          throw new CorruptError(what, 'a block has a bad checksum', { block });
      }
      for (let at = 0; at < end; at += 4) {
        const orphan = view.getUint32(at, true);
        if (orphan !== 0) this.#take(orphan);
      }
    }
  }

  /**
   * Processes one orphan as the kernel would; undefined if it is no valid orphan, was seen before, or orphans do not
   * count.
   */
  #take(number: number): Inode | undefined {
    const { superblock } = this.#volume;
    if (
      this.shared ||
      this.#seen.has(number) ||
      number < superblock.firstInode ||
      number > superblock.inodeCount
    )
      return undefined;
    this.#seen.add(number);
    const inode = this.#read(number);
    if (inode === undefined) return undefined;
    this.found.push(number);
    const unitsPerCluster = (superblock.blockSize * superblock.blocksPerCluster) / 512;
    if (inode.stat.linkCount === 0) {
      this.inodes++;
      this.clusters += Math.floor(inode.stat.blockCount512 / unitsPerCluster);
      return inode;
    }
    if (inode.kind !== 'file' && inode.kind !== 'directory' && inode.kind !== 'symlink') return undefined;
    const freed = this.#clustersBeyondEnd(inode);
    this.clusters += freed;
    if (freed > 0)
      this.truncated.set(number, Math.max(0, inode.stat.blockCount512 - freed * unitsPerCluster));
    return inode;
  }

  /**
   * Whether orphans share blocks: each block belongs to one file, and otherwise the work would be their number times
   * their length.
   */
  get shared(): boolean {
    return this.#visited > this.#volume.superblock.blockCount;
  }

  #read(number: number): Inode | undefined {
    try {
      return this.#volume.anyInode(number);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      this.#volume.warn(`ext4 orphans: ${error.message}`);
      return undefined;
    }
  }

  #visit(blocks: number): number {
    work.lookups.spend(1);
    this.#visited += blocks;
    return blocks;
  }

  /** The blocks wholly after the cluster of the last byte. */
  #clustersBeyondEnd(inode: Inode): number {
    const volume = this.#volume;
    const { blockSize, blocksPerCluster } = volume.superblock;
    if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) return 0;
    const end = Math.ceil(inode.stat.sizeInBytes / (blockSize * blocksPerCluster)) * blocksPerCluster;
    if (!has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) {
      // Without extents there is no bigalloc.
      return inode.kind === 'symlink' ? 0 : this.#visit(new IndirectMap(volume, inode).blocksFrom(end));
    }
    const map = new ExtentMap(volume, inode);
    let blocks = 0;
    for (const { logical, count } of map.extents()) {
      this.#visit(count);
      if (this.shared) return 0;
      blocks += Math.max(0, logical + count - Math.max(logical, end));
    }
    let clusters = Math.ceil(blocks / blocksPerCluster);
    for (const { first } of map.treeBlocks()) if (first >= end && end > 0) clusters++;
    return clusters;
  }
}
