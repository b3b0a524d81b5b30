/**
 * The superblock at the beginning of the disk: geometry and features, decoded and checked by the kernel's rules for a
 * mount (fs/xfs/libxfs/xfs_sb.c, xfs_validate_sb_common). All values that later code divides by, shifts by or indexes
 * with are bounded here.
 */
import { CorruptError, checksumHolds, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { checksumOf, storedChecksum } from './checksum.js';
import { type Features, featuresOf, type RawSuperblock } from './features.js';
import {
  greatestInodeSize,
  groupHeaders,
  internalInodesAt,
  leastInodeSize,
  leastSectorSize,
  superblockCrcAt,
  superblock as superblockLayout,
  superblockMagic,
} from './layout.js';
import type { Replayed } from './replayed.js';

const where = 'XFS superblock';

/** The smallest and largest sizes in bytes, as powers of two. */
const sectorLogs = [9, 15] as const;
const blockLogs = [9, 16] as const;
/** XFS_MIN_AG_BLOCKS: the smallest group. */
const leastGroupBlocks = 64;
const greatestLog = 31;
/** Blocks of a directory have at most this many bytes (XFS_MAX_BLOCKSIZE). */
const greatestDirectoryBlock = 65536;
/** A bound on work that visits all groups: 1 EiB in groups of 1 TiB. */
const groupLimit = 2 ** 20;

/** The checked values of the superblock that the rest of the driver needs. */
export interface Superblock {
  readonly raw: RawSuperblock;
  readonly features: Features;
  /** In bytes: a power of two, 512 to 65536. */
  readonly blockSize: number;
  /** In bytes: a power of two, 512 to 32768. */
  readonly sectorSize: number;
  readonly blockCount: number;
  /** Blocks of each group but the last, which may be shorter. */
  readonly groupBlocks: number;
  readonly groupCount: number;
  /** Numbers of blocks and inodes have the group above this many blocks: a power of two, at least `groupBlocks`. */
  readonly groupSpan: number;
  /** In bytes: a power of two, 256 to 2048. */
  readonly inodeSize: number;
  readonly inodesPerBlock: number;
  readonly root: number;
  /** In bytes: one or more blocks. */
  readonly directoryBlockSize: number;
  /** The UUID in blocks of metadata. */
  readonly metaUuid: Uint8Array;
  /** Internal inodes, which no directory may name. */
  readonly internalInodes: ReadonlySet<number>;
  /** The first block of a group behind its headers. */
  readonly firstUsableBlock: number;
}

/** The first sector of the disk, of at least 512 bytes; undefined if the disk is too small. */
function readSuperblockBytes(disk: Disk, size = leastSectorSize): Uint8Array | undefined {
  if (size > disk.size) return undefined;
  const bytes = new Uint8Array(size);
  disk.read(bytes, 0);
  return bytes;
}

function corrupt(problem: string, details: Record<string, number> = {}): CorruptError {
  return new CorruptError(where, problem, details);
}

/** A power of two from its logarithm, which the number beside it must agree with. */
function power(
  log: number,
  stored: number,
  name: string,
  [least, greatest]: readonly [number, number],
): number {
  if (log < least || log > greatest || stored !== 2 ** log)
    throw corrupt(`${name} is invalid`, { log, stored });
  return stored;
}

/** `replayed`: of a log whose changes are on the disk. */
export function readSuperblock(disk: Disk, replayed?: Replayed): Superblock {
  const first = readSuperblockBytes(disk);
  if (first === undefined) throw corrupt('lies outside the disk', { size: disk.size });
  const raw = superblockLayout.decode(first);
  if (raw.sb_magicnum !== superblockMagic) throw corrupt('has no magic number');
  const sectorSize = power(raw.sb_sectlog, raw.sb_sectsize, 'the sector size', sectorLogs);
  const features = featuresOf(raw);
  if (features.version === 5 && replayed?.touches(0, sectorSize) !== true) checkChecksum(disk, sectorSize);
  if (raw.sb_inprogress !== 0) throw corrupt('is marked as being made or changed');
  const blockSize = power(raw.sb_blocklog, raw.sb_blocksize, 'the block size', blockLogs);
  if (sectorSize > blockSize) throw corrupt('sectors are larger than blocks', { sectorSize, blockSize });
  const inodeSize = power(raw.sb_inodelog, raw.sb_inodesize, 'the inode size', [
    Math.log2(leastInodeSize),
    Math.log2(greatestInodeSize),
  ]);
  const inodesPerBlock = blockSize / inodeSize;
  if (raw.sb_inopblog !== raw.sb_blocklog - raw.sb_inodelog || raw.sb_inopblock !== inodesPerBlock)
    throw corrupt('the number of inodes in a block is invalid', { inodesPerBlock: raw.sb_inopblock });
  const groupBlocks = raw.sb_agblocks;
  if (groupBlocks < leastGroupBlocks || groupBlocks * blockSize < 4 * sectorSize)
    throw corrupt('its groups are too small', { blocks: groupBlocks });
  if (raw.sb_agblklog > greatestLog || raw.sb_agblklog !== Math.ceil(Math.log2(groupBlocks)))
    throw corrupt('the size of groups is invalid', { blocks: groupBlocks, log: raw.sb_agblklog });
  const groupCount = raw.sb_agcount;
  const blockCount = raw.sb_dblocks;
  const least = (groupCount - 1) * groupBlocks + leastGroupBlocks;
  if (
    groupCount === 0 ||
    groupCount > groupLimit ||
    blockCount < least ||
    blockCount > groupCount * groupBlocks
  )
    throw corrupt('its groups do not hold its blocks', { groups: groupCount, groupBlocks, blockCount });
  if (blockCount * blockSize > disk.size)
    throw corrupt('the filesystem is larger than the disk', {
      bytes: blockCount * blockSize,
      size: disk.size,
    });
  if (raw.sb_dirblklog > greatestLog || blockSize * 2 ** raw.sb_dirblklog > greatestDirectoryBlock)
    throw corrupt('the size of directory blocks is invalid', { log: raw.sb_dirblklog });
  if (raw.sb_imax_pct > 100) throw corrupt('the share of inodes is invalid', { percent: raw.sb_imax_pct });
  return {
    raw,
    features,
    blockSize,
    sectorSize,
    blockCount,
    groupBlocks,
    groupCount,
    groupSpan: 2 ** raw.sb_agblklog,
    inodeSize,
    inodesPerBlock,
    root: raw.sb_rootino,
    directoryBlockSize: blockSize * 2 ** raw.sb_dirblklog,
    metaUuid: features.metaUuid ? raw.sb_meta_uuid : raw.sb_uuid,
    internalInodes: internalInodes(viewOf(first)),
    firstUsableBlock: Math.floor((groupHeaders.agfl * sectorSize) / blockSize) + 1,
  };
}

function checkChecksum(disk: Disk, sectorSize: number): void {
  const bytes = readSuperblockBytes(disk, sectorSize);
  if (bytes === undefined) throw corrupt('lies outside the disk', { size: disk.size });
  const view = viewOf(bytes);
  // As in the kernel, a stored zero is accepted: growing wrote copies without one.
  const stored = storedChecksum(view, 0, superblockCrcAt);
  if (stored !== 0 && !checksumHolds(checksumOf(view, 0, sectorSize, superblockCrcAt), stored))
    throw corrupt('has a bad checksum', { stored });
}

/** All ones stands for none, and so does zero. */
function internalInodes(view: DataView): ReadonlySet<number> {
  const found = new Set<number>();
  for (const at of internalInodesAt) {
    const number = view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
    if (number !== 0 && Number.isSafeInteger(number)) found.add(number);
  }
  return found;
}
