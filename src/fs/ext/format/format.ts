/**
 * Making ext2, ext3 and ext4 as mke2fs 1.47 does: the same choices, and the same bytes where the options are. What no
 * file needs is not written: bitmaps of groups without files, and what is zero already.
 */
import { GuestfsError, UnsupportedError, work } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { compat, incompat, roCompat } from '../features.js';
import { leastJournalBlocks } from '../journal/layout.js';
import { journalBackup, reservedInodes, superblockOffset, superblockState } from '../layout.js';
import { decodeSuperblock, has, type RawSuperblock } from '../superblock.js';
import type { BlockRange } from '../write/space.js';
import { BlockWrites } from './block-writes.js';
import { makeFirstDirectories, makeResizeInode, type NewVolume } from './first-inodes.js';
import { computeGeometry, emptyGeometry, type Geometry } from './geometry.js';
import { encodeGroups, hasSums, tablesToClear } from './group-descriptors.js';
import { placeTables, type Tables } from './group-tables.js';
import { encodeJournalSuperblock, makeJournal } from './journal-file.js';
import { type JournalBlocks, journalBlocksOf } from './journal-size.js';
import type { FormatOptions } from './options.js';
import { chooseProfile, type Profile } from './profile.js';
import { encodeSuperblock, newSuperblock, strideOf } from './superblock.js';
import { UsedBlocks } from './used-blocks.js';

/** Where other systems have their marks, in front of the superblock and behind it. */
const frontSize = 4096;
/** What lies at the end of a disk and could be taken for a member of an array. */
const endSize = 64 * 1024;

/** Features for which more would have to be made than this can. */
function checkMakeable({ features }: Profile): void {
  const missing = [
    has(features.incompat, incompat.inlineData) ? 'inline_data' : '',
    has(features.incompat, incompat.mmp) ? 'mmp' : '',
    has(features.compat, compat.orphanFile) ? 'orphan_file' : '',
    has(features.roCompat, roCompat.quota) ? 'quota' : '',
  ].filter((name) => name !== '');
  if (missing.length > 0)
    throw new UnsupportedError('making an ext filesystem', missing, { elsewhere: 'appliance' });
}

/**
 * Plans a filesystem, or with the feature `journal_dev` a journal for others: the function that is returned writes it.
 * EINVAL, ENOSPC, UnsupportedError for what cannot be made.
 */
export function planExt(disk: Disk, options: FormatOptions): () => void {
  const profile = chooseProfile(options, disk.size, disk.sectorSize);
  checkMakeable(profile);
  const isJournal = has(profile.features.incompat, incompat.journalDevice);
  const write = isJournal
    ? planJournalDevice(disk, options, profile)
    : planFileSystem(disk, options, profile);
  disk.checkWritable(0, profile.blockCount * profile.blockSize);
  return () => {
    write();
    disk.flush();
  };
}

/** A filesystem in memory: what will be written, and what has to be cleared. */
interface LaidOut {
  readonly volume: NewVolume;
  readonly values: Partial<RawSuperblock>;
  readonly descriptors: Uint8Array;
  readonly clear: readonly BlockRange[];
}

/** Decides where everything is. EINVAL, ENOSPC. */
export function layOut(options: FormatOptions, profile: Profile): LaidOut {
  const geometry = withLargeFile(computeGeometry(options, profile));
  const { blockSize, blockCount } = geometry;
  const tables = inClusters(placeTables(geometry, strideOf(options)), geometry);
  const structures = tables.used.countUsed(geometry.firstDataBlock, blockCount);
  const journal = journalOf(options, geometry, blockCount - geometry.firstDataBlock - structures);
  const made = journal === 'none' ? without(geometry, compat.hasJournal) : geometry;
  const writes = new BlockWrites(blockSize);
  const values = newSuperblock(options, made, profile.creator);
  const superblock = decodeSuperblock(encodeSuperblock(values), Number.POSITIVE_INFINITY);
  const volume: NewVolume = { geometry: made, superblock, tables, writes, time: options.time };
  const clear: BlockRange[] = [];
  if (options.superblocksOnly) {
    values.s_state = superblockState.valid | superblockState.error;
    if (journal !== 'none') values.s_journal_inum = reservedInodes.journal;
    values.s_jnl_backup_type = 0;
  } else {
    makeFirstDirectories(volume);
    makeResizeInode(volume);
    let overhead = structures / geometry.blocksPerCluster + geometry.firstDataBlock;
    if (typeof journal === 'object') {
      const { runs, blockArea } = makeJournal(volume, journal);
      if (!options.lazyJournal) clear.push(...runs);
      const count = journal.log + journal.fastCommits;
      overhead += Math.ceil(count / geometry.blocksPerCluster);
      values.s_journal_inum = reservedInodes.journal;
      values.s_jnl_blocks = backupOf(blockArea, count * blockSize);
    }
    values.s_overhead_clusters = overhead;
  }
  const lazy = options.lazyTables === true && hasSums(made);
  const descriptors = encodeGroups(volume, options.superblocksOnly === true, lazy);
  Object.assign(values, descriptors.totals);
  return {
    volume,
    values,
    descriptors: descriptors.bytes,
    clear: [...tablesToClear(volume, lazy), ...clear],
  };
}

function planFileSystem(disk: Disk, options: FormatOptions, profile: Profile): () => void {
  const { volume, values, descriptors, clear } = layOut(options, profile);
  const { writes } = volume;
  return () => {
    if (!options.blank) clearOld(disk, options, volume, clear);
    writes.store(disk);
    if (values.s_kbytes_written !== 0n)
      values.s_kbytes_written = BigInt(1 + Math.floor(writes.written / 1024));
    storeSuperblocks(disk, volume, values, descriptors);
  };
}

/** With a resize inode of more than 4 GiB, which mke2fs's is from blocks of 4 KiB on, files may be as large. */
function withLargeFile(geometry: Geometry): Geometry {
  const addresses = geometry.blockSize / 4;
  const large = addresses * addresses * geometry.blockSize >= 2 ** 32;
  const { features } = geometry;
  if (!large || !has(features.compat, compat.resizeInode)) return geometry;
  return { ...geometry, features: { ...features, roCompat: features.roCompat | roCompat.largeFile } };
}

function without(geometry: Geometry, feature: number): Geometry {
  const { features } = geometry;
  return { ...geometry, features: { ...features, compat: features.compat & ~feature } };
}

/** From now on, what is taken are whole clusters. */
function inClusters(tables: Tables, { blocksPerCluster, blockCount, firstDataBlock }: Geometry): Tables {
  if (blocksPerCluster === 1) return tables;
  const used = new UsedBlocks(firstDataBlock, blockCount);
  for (const { block, count } of tables.used.runsIn(firstDataBlock, blockCount)) {
    const first = block - (block % blocksPerCluster);
    used.mark(first, Math.ceil((block + count - first) / blocksPerCluster) * blocksPerCluster);
  }
  return { ...tables, used };
}

/** The journal that is to be made in it; `none` for no journal at all, undefined for one elsewhere. */
function journalOf(
  options: FormatOptions,
  geometry: Geometry,
  free: number,
): JournalBlocks | 'none' | undefined {
  const { features, blockSize, blockCount } = geometry;
  if (!has(features.compat, compat.hasJournal)) return 'none';
  if (options.journal !== undefined) {
    if (options.journal.blockSize !== blockSize)
      throw new GuestfsError(
        'EINVAL',
        `the journal has blocks of ${options.journal.blockSize} bytes, the filesystem of ${blockSize}`,
      );
    return undefined;
  }
  return journalBlocksOf(features, blockSize, blockCount, free, options.journalSize) ?? 'none';
}

/** `s_jnl_blocks`: the map of the journal's inode, and its size. */
function backupOf(blockArea: Uint8Array, size: number): Uint8Array {
  return journalBackup.encode({
    i_block: blockArea,
    i_size_high: Math.floor(size / 2 ** 32),
    i_size_lo: size % 2 ** 32,
  });
}

/** Clears what has to read as zeroes. What does so already stays as it is, so that a sparse image stays sparse. */
function clearOld(
  disk: Disk,
  { discard, superblocksOnly }: FormatOptions,
  { geometry }: NewVolume,
  ranges: readonly BlockRange[],
): void {
  const { blockSize, blockCount } = geometry;
  const size = blockCount * blockSize;
  if (discard) disk.zero(0, size, { discard: true });
  disk.zero(0, Math.min(frontSize, size), { discard: true });
  if (superblocksOnly) return;
  clearEnd(disk, size);
  for (const { block, count } of ranges) disk.zero(block * blockSize, count * blockSize, { discard: true });
}

/** The end of the disk, where other systems have their marks: up to 128 KiB, in whole units of 64 KiB. */
function clearEnd(disk: Disk, size: number): void {
  let start = size - (size % endSize);
  if (start > endSize) start -= endSize;
  if (start > 0) disk.zero(start, size - start, { discard: true });
}

/**
 * Writes descriptors and superblocks. The first superblock comes behind all else, so that a filesystem that is not
 * complete is none.
 */
export function storeSuperblocks(
  disk: Disk,
  { geometry, tables }: Pick<NewVolume, 'geometry' | 'tables'>,
  values: Partial<RawSuperblock>,
  descriptors: Uint8Array,
): void {
  const { blockSize, descriptorSize, features } = geometry;
  const metaGroups = has(features.incompat, incompat.metaGroups);
  const perBlock = blockSize / descriptorSize;
  for (const group of tables.groups) {
    if (group.descriptorCount > 0) {
      const from = metaGroups ? Math.floor(group.number / perBlock) * blockSize : 0;
      const part = descriptors.subarray(from, from + group.descriptorCount * blockSize);
      disk.write(part, group.descriptors * blockSize);
    }
    if (!group.copy || group.number === 0) continue;
    // A copy never says that the filesystem is in order.
    const state = (values.s_state ?? 0) & ~superblockState.valid;
    const copy = encodeSuperblock({ ...values, s_state: state, s_block_group_nr: group.number % 65536 });
    disk.write(copy, (group.descriptors - 1) * blockSize);
    work.lookups.spend(1);
  }
  disk.flush();
  disk.write(encodeSuperblock(values), superblockOffset);
}

/** A disk that is nothing but a journal, for filesystems on others. */
function planJournalDevice(disk: Disk, options: FormatOptions, profile: Profile): () => void {
  const { features, blockSize, blockCount } = profile;
  const before = blockSize === 1024 ? 2 : 1;
  const fast = has(features.compat, compat.fastCommit);
  const log = fast ? Math.max(leastJournalBlocks, Math.floor((blockCount * 64) / 65)) : blockCount;
  if (blockCount < leastJournalBlocks)
    throw new GuestfsError('EINVAL', `a journal has at least ${leastJournalBlocks} blocks`);
  const geometry = {
    ...emptyGeometry,
    features,
    blockSize,
    blockCount,
    firstDataBlock: blockSize === 1024 ? 1 : 0,
    blocksPerGroup: Math.min(blockSize * 8, 65528),
    inodeSize: profile.inodeSize,
  };
  const bytes = new Uint8Array(before * blockSize + blockSize);
  const values = { ...newSuperblock(options, geometry, profile.creator), s_flags: 0 };
  bytes.set(encodeSuperblock(values), superblockOffset);
  const blocks = { log, fastCommits: blockCount - log };
  bytes.set(encodeJournalSuperblock({ blockSize, blocks, uuid: options.uuid, before }), before * blockSize);
  return () => {
    if (!options.lazyJournal && !options.blank) disk.zero(0, blockCount * blockSize, { discard: true });
    disk.write(bytes, 0);
  };
}
