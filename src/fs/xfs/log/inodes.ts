/**
 * Items of the log that bring back inodes (the kernel's fs/xfs/xfs_inode_item_recover.c), and those that make new ones
 * (fs/xfs/xfs_icreate_item.c). The core of an inode is logged in the byte order of the machine; forks are as on the disk,
 * but for the roots of trees, which have the form that they have in memory.
 */
import { bits64, CorruptError, type Endian, viewOf } from '../../../base/index.js';
import {
  btreeHeaderSize,
  btreeHeaderSize5,
  btreeKeySize,
  btreePointerSize,
  btreeRoot,
  extentSize,
  forkUnit,
  inodeAt,
  inodeFlags2,
  inodeMagic,
  inodeSize3,
  leastInodeSize,
  shortInodeSize,
} from '../layout.js';
import type { Superblock } from '../superblock.js';
import { bufferKey, type CancelledBuffers, firstRegion, type ReplayTarget } from './buffers.js';
import {
  flushCountAt,
  greatestFlushCount,
  icreate,
  inodeFormat,
  inodeFormat32,
  inodeParts,
  loggedCounts,
  loggedCreationTime,
  loggedInodeBytes,
  loggedInodeWords,
  loggedInodeWords3,
  loggedLargeCounts,
  loggedTimes,
  loggedUuidAt,
  logUnit,
  lsnOfInodeAt,
  newInode,
  noInode,
} from './layout.js';
import { comparePositions, type LogPosition, logName, positionOf } from './log.js';
import type { LogItem } from './transactions.js';

const dataParts = inodeParts.dataLocal | inodeParts.dataExtents | inodeParts.dataRoot;
const attributeParts = inodeParts.attributesLocal | inodeParts.attributesExtents | inodeParts.attributesRoot;

/** Brings an inode back. Gives its number if it took over the blocks of another. */
export function replayInode(
  { regions }: LogItem,
  position: LogPosition,
  target: ReplayTarget,
  superblock: Superblock,
  cancelled: CancelledBuffers,
): number | undefined {
  const first = firstRegion(regions);
  const layout = first.length === inodeFormat32(target.endian).size ? inodeFormat32 : inodeFormat;
  const format = layout(target.endian).decode(first);
  const { ilf_fields: parts, ilf_len: length, ilf_boffset: inBuffer } = format;
  const sector = Number(format.ilf_blkno);
  if (cancelled.has(bufferKey(sector, length))) return undefined;
  const { inodeSize } = superblock;
  if (inBuffer < 0 || inBuffer % inodeSize !== 0 || inBuffer + inodeSize > length * logUnit)
    throw new CorruptError(logName, 'an inode lies outside its buffer', { offset: inBuffer, length });
  const offset = sector * logUnit + inBuffer;
  const bytes = target.read(offset, inodeSize);
  const view = viewOf(bytes);
  const core = regions[1];
  if (core === undefined) throw new CorruptError(logName, 'an inode lacks its core');
  if (view.getUint16(inodeAt.di_magic) !== inodeMagic)
    throw new CorruptError(logName, 'brings back an inode where there is none', { offset });
  const version = core[inodeAt.di_version] ?? 0;
  const coreSize = version === 3 ? inodeSize3 : shortInodeSize;
  if (core.length < coreSize - (version === 3 ? 0 : 4))
    throw new CorruptError(logName, 'the core of an inode is cut short', { size: core.length });
  if (isNewer(view, core, version, position, target.endian)) return ownerOf(parts, format.ilf_ino);
  storeCore(bytes, core, version, target.endian);
  const forkAt = coreSize;
  const border = (bytes[inodeAt.di_forkoff] ?? 0) * forkUnit;
  const dataEnd = border === 0 ? inodeSize : forkAt + border;
  if (dataEnd > inodeSize) throw new CorruptError(logName, 'the forks of an inode lie outside', { border });
  const version5 = superblock.features.version === 5;
  if ((parts & inodeParts.device) !== 0) view.setUint32(forkAt, format.ilf_rdev);
  if ((parts & dataParts) !== 0)
    storeFork(bytes.subarray(forkAt, dataEnd), regions[2], (parts & inodeParts.dataRoot) !== 0, version5);
  if ((parts & attributeParts) !== 0) {
    const region = regions[(parts & dataParts) === 0 ? 2 : 3];
    storeFork(bytes.subarray(dataEnd), region, (parts & inodeParts.attributesRoot) !== 0, version5);
  }
  target.store(offset, bytes);
  return ownerOf(parts, format.ilf_ino);
}

function ownerOf(parts: number, inode: bigint): number | undefined {
  return (parts & (inodeParts.dataOwner | inodeParts.attributesOwner)) === 0 ? undefined : Number(inode);
}

/** Whether the disk has the inode as it was later. */
function isNewer(
  view: DataView,
  core: Uint8Array,
  version: number,
  position: LogPosition,
  endian: Endian,
): boolean {
  if (version === 3) {
    const lsn = bits64(lsnOfInodeAt).read(view, 0, false);
    if (lsn === 0n || lsn === 0xffff_ffff_ffff_ffffn) return false;
    return comparePositions(positionOf(lsn), position) > 0;
  }
  const logged = viewOf(core).getUint16(flushCountAt, endian === 'little');
  const stored = view.getUint16(flushCountAt);
  // The count wraps around: a small one is later than the greatest.
  if (stored === greatestFlushCount && logged < greatestFlushCount >>> 1) return false;
  return logged < stored;
}

/** Puts the core into an inode's bytes: word by word, from the machine's order to the disk's. */
function storeCore(into: Uint8Array, core: Uint8Array, version: number, endian: Endian): void {
  const swap = (at: number, size: number): void => {
    const part = core.slice(at, at + size);
    into.set(endian === 'little' ? part.reverse() : part, at);
  };
  const logged = viewOf(core);
  const flags2 = version === 3 ? logged.getBigUint64(inodeAt.di_flags2, endian === 'little') : 0n;
  const hasFlag = (flag: number): boolean => (flags2 & BigInt(flag)) !== 0n;
  const times = version === 3 ? [...loggedTimes, loggedCreationTime] : loggedTimes;
  const timeWords = times.flatMap((at): (readonly [number, number])[] =>
    hasFlag(inodeFlags2.bigtime)
      ? [[at, 8]]
      : [
          [at, 4],
          [at + 4, 4],
        ],
  );
  const counts = hasFlag(inodeFlags2.nrext64) ? loggedLargeCounts : loggedCounts;
  const more = version === 3 ? loggedInodeWords3 : [];
  for (const [at, size] of [...loggedInodeWords, ...counts, ...timeWords, ...more]) swap(at, size);
  for (const at of loggedInodeBytes) into[at] = core[at] ?? 0;
  if (version === 3) into.set(core.subarray(loggedUuidAt, loggedUuidAt + 16), loggedUuidAt);
}

/** Puts a fork in its place: as it is, or a tree's root in its shorter form. */
function storeFork(
  fork: Uint8Array,
  region: Uint8Array | undefined,
  isRoot: boolean,
  version5: boolean,
): void {
  if (region === undefined) throw new CorruptError(logName, 'an inode lacks a fork');
  if (!isRoot) {
    if (region.length > fork.length)
      throw new CorruptError(logName, 'a fork does not fit into its inode', { size: region.length });
    fork.set(region);
    return;
  }
  const headerSize = version5 ? btreeHeaderSize5 : btreeHeaderSize;
  if (region.length < headerSize) throw new CorruptError(logName, 'a root of extents is cut short');
  const view = viewOf(region);
  // The header of a block begins with its magic number; level and count follow.
  const level = view.getUint16(rootLevelAt);
  const count = view.getUint16(rootLevelAt + 2);
  const roomHere = Math.floor((fork.length - btreeRoot.size) / extentSize);
  const roomThere = Math.floor((region.length - headerSize) / extentSize);
  if (count > roomHere || count > roomThere)
    throw new CorruptError(logName, 'a root of extents does not fit into its inode', {
      count,
      room: roomHere,
    });
  btreeRoot.encode({ bb_level: level, bb_numrecs: count }, fork);
  const keys = region.subarray(headerSize, headerSize + count * btreeKeySize);
  const pointersAt = headerSize + roomThere * btreeKeySize;
  fork.set(keys, btreeRoot.size);
  fork.set(
    region.subarray(pointersAt, pointersAt + count * btreePointerSize),
    btreeRoot.size + roomHere * btreeKeySize,
  );
}

const rootLevelAt = 4;

/** Makes new inodes, none of which is in use yet. */
export function replayCreation(
  { regions }: LogItem,
  target: ReplayTarget,
  superblock: Superblock,
  cancelled: CancelledBuffers,
): void {
  const {
    icl_ag: group,
    icl_agbno: first,
    icl_count: count,
    icl_isize: size,
    icl_length: length,
    icl_gen: generation,
  } = icreate.decode(firstRegion(regions));
  const { blockSize, groupBlocks, groupCount, groupSpan, inodeSize, inodesPerBlock, metaUuid } = superblock;
  if (group >= groupCount || first === 0 || first + length > groupBlocks || size !== inodeSize)
    throw new CorruptError(logName, 'makes inodes outside the filesystem', {
      group,
      block: first,
      length,
      size,
    });
  if (length === 0 || count !== length * inodesPerBlock)
    throw new CorruptError(logName, 'makes a wrong number of inodes', { count, blocks: length });
  const start = (group * groupBlocks + first) * blockSize;
  // Inodes are written in clusters; that they were freed again is said of each.
  const cluster = clusterSize(superblock);
  for (let done = 0; done < length * blockSize; done += cluster)
    if (cancelled.has(bufferKey((start + done) / logUnit, cluster / logUnit))) return;
  for (let done = 0; done < length * blockSize; done += cluster) {
    const part = Math.min(cluster, length * blockSize - done);
    const bytes = new Uint8Array(part);
    for (let at = 0; at < part; at += inodeSize) {
      const index = (done + at) / inodeSize;
      const number = (group * groupSpan + first) * inodesPerBlock + index;
      newInode.encode(
        {
          di_magic: inodeMagic,
          di_version: 3,
          di_gen: generation,
          di_next_unlinked: noInode,
          di_ino: BigInt(number),
          di_uuid: metaUuid,
        },
        bytes,
        at,
      );
    }
    target.store(start + done, bytes);
  }
}

/** XFS_INODE_BIG_CLUSTER_SIZE, which grows with the size of inodes where they are aligned to that. */
const plainCluster = 8192;

function clusterSize({ raw, blockSize, inodeSize }: Superblock): number {
  const grown = plainCluster * (inodeSize / leastInodeSize);
  const isAligned = raw.sb_inoalignmt >= Math.floor(grown / blockSize);
  return Math.max(blockSize, isAligned ? grown : plainCluster);
}
