/**
 * Growing ext2, ext3 and ext4 as resize2fs 1.47 does, while they are not mounted: into the blocks that are kept for
 * descriptors, so that nothing in use is moved. What would move something, and shrinking, is refused by name.
 */
import {
  CorruptError,
  GuestfsError,
  UnsupportedError,
  undisturbed,
  viewOf,
  work,
} from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { freeRuns } from '../allocation.js';
import { compat, incompat, isWritableByKernel, roCompat } from '../features.js';
import { descriptorChecksum } from '../groups.js';
import { setInodeChecksum } from '../inode.js';
import {
  groupDescriptor,
  groupFlags,
  inodeAt,
  reservedInodes,
  shortDescriptorSize,
  superblockOffset,
  superblockState,
} from '../layout.js';
import {
  decodeSuperblock,
  has,
  readSuperblockBytes,
  reservedBlockCount,
  type Superblock,
} from '../superblock.js';
import { ExtVolume } from '../volume.js';
import { setBlocks } from '../write/inode-table.js';
import { encodeSuperblock } from '../write/superblock-writer.js';
import { BlockWrites } from './block-writes.js';
import { doubleIndirect, mapReserved, type NewVolume } from './first-inodes.js';
import { storeSuperblocks } from './format.js';
import { type Geometry, holdsCopy } from './geometry.js';
import { encodeBlockBitmap, encodeGroup, freeIn, hasSums } from './group-descriptors.js';
import { makeGroups, type NewGroup, placeTablesOf, type Tables } from './group-tables.js';

const fields = groupDescriptor.fields;
/** Bytes of which an unasked size is a multiple, as resize2fs rounds it to pages. */
const pageSize = 4096;
/** A last group has at least so many blocks beside its structures. */
const leastOfLastGroup = 50;

function refuse(what: string): never {
  throw new UnsupportedError('resizing an ext filesystem', [what], { elsewhere: 'appliance' });
}

function checkGrowable({ features, raw, blocksPerCluster, firstMetaGroup }: Superblock): void {
  if (!isWritableByKernel(features)) refuse('features that allow nothing but reading');
  if (has(features.incompat, incompat.needsRecovery)) refuse('one whose log is not replayed');
  if (has(features.incompat, incompat.mmp)) refuse('mmp');
  if (has(features.compat, compat.sparseSuper2)) refuse('sparse_super2');
  if (blocksPerCluster > 1) refuse('bigalloc');
  if (has(features.incompat, incompat.metaGroups) && firstMetaGroup > 0)
    refuse('meta_bg that begins behind the first groups');
  const checked = raw.s_lastcheck + raw.s_lastcheck_hi * 2 ** 32;
  const mounted = raw.s_mtime + raw.s_mtime_hi * 2 ** 32;
  const state = raw.s_state & (superblockState.valid | superblockState.error);
  if (state !== superblockState.valid || checked < mounted)
    throw new GuestfsError(
      'EINVAL',
      'the filesystem was not checked since it was mounted: run e2fsck_f first',
    );
}

/** The size that it can have: a last group without room for its structures is left out. */
function geometryOf(superblock: Superblock, wanted: number): Geometry {
  const { raw, features, blockSize, firstDataBlock, blocksPerGroup, inodesPerGroup, inodeSize } = superblock;
  const { descriptorSize, groupCount: oldGroups, blockCount: oldCount } = superblock;
  const perBlock = blockSize / descriptorSize;
  const tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
  const metaGroups = has(features.incompat, incompat.metaGroups);
  const room = Math.ceil(oldGroups / perBlock) + raw.s_reserved_gdt_blocks;
  for (let blockCount = wanted; ; ) {
    const groupCount = Math.ceil((blockCount - firstDataBlock) / blocksPerGroup);
    const descriptorBlocks = Math.ceil(groupCount / perBlock);
    const copy = holdsCopy({ features, backupGroups: [0, 0] }, groupCount - 1);
    const overhead = 2 + tableBlocks + (copy ? 1 + descriptorBlocks + raw.s_reserved_gdt_blocks : 0);
    const rest = (blockCount - firstDataBlock) % blocksPerGroup;
    if (groupCount > oldGroups && rest > 0 && rest < overhead + leastOfLastGroup) {
      blockCount -= rest;
      continue;
    }
    if (!metaGroups && descriptorBlocks > room) refuse('more descriptors than there is room kept for');
    if (groupCount * inodesPerGroup > 0xffff_ffff) refuse('more inodes than have numbers');
    const share = Math.min(50, (reservedBlockCount(superblock) * 100) / oldCount);
    return {
      features,
      blockSize,
      blockCount,
      firstDataBlock,
      blocksPerCluster: 1,
      blocksPerGroup,
      groupCount,
      inodesPerGroup,
      inodeSize,
      tableBlocks,
      descriptorSize,
      descriptorBlocks,
      reservedDescriptorBlocks: metaGroups ? raw.s_reserved_gdt_blocks : room - descriptorBlocks,
      reservedBlocks: Math.floor((share * blockCount) / 100),
      groupsPerFlex: has(features.incompat, incompat.flexGroups) ? 2 ** raw.s_log_groups_per_flex : 1,
      backupGroups: [0, 0],
    };
  }
}

/** The groups that there are and will be, with what is in use, and the tables of the new ones placed. */
function tablesOf(volume: ExtVolume, geometry: Geometry): Tables {
  const { groupCount, blockCount, firstDataBlock, raw } = volume.superblock;
  const tables = makeGroups(geometry);
  let at = firstDataBlock;
  const take = (end: number): void => {
    if (end > at) tables.used.mark(at, end - at);
  };
  for (const { block, count } of freeRuns(volume)) {
    take(block);
    at = block + count;
  }
  take(blockCount);
  for (const group of tables.groups) {
    if (group.number >= groupCount) placeTablesOf(tables, geometry, group, raw.s_raid_stride);
    else Object.assign(group, placesOf(volume, group.number));
  }
  return tables;
}

function placesOf(
  volume: ExtVolume,
  number: number,
): Pick<NewGroup, 'blockBitmap' | 'inodeBitmap' | 'inodeTable'> {
  const { blockBitmap, inodeBitmap, inodeTable } = volume.groups.get(number);
  return { blockBitmap, inodeBitmap, inodeTable };
}

/** A group that was there has a new bitmap of blocks: its descriptor says so. */
function changeGroup(volume: NewVolume, group: NewGroup, bytes: Uint8Array): void {
  const { geometry, superblock } = volume;
  const view = viewOf(bytes);
  const sum = encodeBlockBitmap(volume, group);
  const { clusters } = freeIn(volume, group);
  const set = (name: 'bg_free_blocks_count' | 'bg_block_bitmap_csum', value: number): void => {
    groupDescriptor.set(view, 0, `${name}_lo`, value % 0x10000);
    if (geometry.descriptorSize > shortDescriptorSize)
      groupDescriptor.set(view, 0, `${name}_hi`, Math.floor(value / 0x10000));
  };
  set('bg_free_blocks_count', clusters);
  if (has(geometry.features.roCompat, roCompat.metadataChecksums)) set('bg_block_bitmap_csum', sum);
  const flags = view.getUint16(fields.bg_flags.at, true) & ~groupFlags.EXT4_BG_BLOCK_UNINIT;
  if (hasSums(geometry)) groupDescriptor.set(view, 0, 'bg_flags', flags);
  const whole = descriptorChecksum(superblock, group.number, view, 0);
  if (whole !== undefined) groupDescriptor.set(view, 0, 'bg_checksum', whole);
}

/** The inode of the blocks that are kept for descriptors, made anew in the block that it has for addresses. */
function changeResizeInode(old: ExtVolume, volume: NewVolume): void {
  const { geometry, writes, tables } = volume;
  const { resize } = reservedInodes;
  if (!has(geometry.features.compat, compat.resizeInode)) return;
  const record = old.inodeRecord(resize);
  const view = viewOf(record);
  const double = view.getUint32(inodeAt.i_block + doubleIndirect * 4, true);
  if (!old.containsBlocks(double, 1) || tables.used.isFree(double, 1))
    throw new CorruptError('ext4 resize inode', 'has no block of addresses', { block: double });
  setBlocks({ bytes: record, view }, mapReserved(volume, double), geometry.blockSize);
  setInodeChecksum(old.superblock, resize, view);
  const offset = old.inodeOffset(resize);
  const first = Math.floor(offset / geometry.blockSize);
  const block = writes.block(first);
  block.set(old.block(first, 'ext4 inode table'));
  block.set(record, offset % geometry.blockSize);
}

/**
 * Plans growth to `sizeInBytes`, or to the disk: the function that is returned writes it, and undefined where nothing
 * changes. EINVAL for what the disk has no room for, UnsupportedError for what would have to move.
 */
export function planGrowth(
  disk: Disk,
  sizeInBytes: number | undefined,
  time: number,
): (() => void) | undefined {
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined) throw new GuestfsError('EINVAL', 'the device is too small for an ext filesystem');
  const superblock = decodeSuperblock(bytes, disk.size);
  checkGrowable(superblock);
  const { blockSize, blockCount, groupCount, inodesPerGroup, descriptorSize, raw } = superblock;
  const unit = Math.max(1, pageSize / blockSize);
  const most = Math.floor(disk.size / blockSize);
  const wanted = sizeInBytes === undefined ? most - (most % unit) : Math.floor(sizeInBytes / blockSize);
  if (wanted > most)
    throw new GuestfsError(
      'EINVAL',
      `the device has only ${most} blocks of ${blockSize} bytes, not ${wanted}`,
    );
  if (wanted === blockCount) return undefined;
  if (wanted < blockCount) refuse('shrinking');
  if (wanted > 0xffff_ffff && !has(superblock.features.incompat, incompat.sixtyFourBit))
    refuse('2³² blocks and more without the feature 64bit');
  const geometry = geometryOf(superblock, wanted);
  if (geometry.blockCount <= blockCount) return undefined;
  const old = new ExtVolume(disk, superblock, {
    strict: true,
    warn: (message) => {
      throw new CorruptError('ext4 filesystem', message);
    },
  });
  const tables = tablesOf(old, geometry);
  const made: NewVolume = { geometry, superblock, tables, writes: new BlockWrites(blockSize), time };
  const changed: NewVolume = { ...made, writes: new BlockWrites(blockSize) };
  const descriptors = new Uint8Array(geometry.descriptorBlocks * blockSize);
  let free = 0;
  let freeInodes = raw.s_free_inodes_count;
  const clear: NewGroup[] = [];
  for (const group of tables.groups) {
    work.steps.spend(1);
    const place = descriptors.subarray(group.number * descriptorSize, (group.number + 1) * descriptorSize);
    if (group.number >= groupCount) {
      free += encodeGroup(made, group, place, false, hasSums(geometry)).clusters;
      freeInodes += inodesPerGroup;
      if (!hasSums(geometry)) clear.push(group);
      continue;
    }
    disk.read(place, old.groups.offsetOf(group.number));
    const isLonger = group.number === groupCount - 1 && group.last >= blockCount;
    if (group.touched || isLonger) changeGroup(changed, group, place);
    free += freeIn(made, group).clusters;
  }
  changeResizeInode(old, changed);
  const low = (value: number): number => value % 2 ** 32;
  const high = (value: number): number => Math.floor(value / 2 ** 32);
  const values = {
    ...raw,
    s_inodes_count: inodesPerGroup * geometry.groupCount,
    s_free_inodes_count: freeInodes,
    s_blocks_count_lo: low(geometry.blockCount),
    s_blocks_count_hi: high(geometry.blockCount),
    s_free_blocks_count_lo: low(free),
    s_free_blocks_count_hi: high(free),
    s_r_blocks_count_lo: low(geometry.reservedBlocks),
    s_r_blocks_count_hi: high(geometry.reservedBlocks),
    s_reserved_gdt_blocks: geometry.reservedDescriptorBlocks,
    s_overhead_clusters: 0,
    s_wtime: low(time),
    s_wtime_hi: high(time),
  };
  disk.checkWritable(0, geometry.blockCount * blockSize);
  const write = (): void => {
    // Until all is in its place, a crash leaves one that has to be checked.
    encodeSuperblock(bytes, ({ s_state }) => ({ s_state: s_state | superblockState.error }));
    disk.write(bytes, superblockOffset);
    disk.flush();
    for (const { inodeTable } of clear)
      disk.zero(inodeTable * blockSize, geometry.tableBlocks * blockSize, { discard: true });
    made.writes.store(disk);
    changed.writes.store(disk);
    // With a barrier before the superblock itself, which says last that it is in order.
    storeSuperblocks(disk, { geometry, tables }, values, descriptors);
    disk.flush();
  };
  // Not cancelled either: it would have to be checked.
  return () => undisturbed(write);
}
