/** The answer of `statvfs`, as the kernel computes it (fs/xfs/xfs_super.c, xfs_fs_statfs) for a read-only mount. */
import { CorruptError, work } from '../../../base/index.js';
import { type FileSystemUsage, isDamage } from '../../driver.js';
import { agf, agfMagic, agfSelf, agi, agiMagic, agiSelf, groupHeaders, magicAt } from '../layout.js';
import type { XfsVolume } from '../volume.js';

/** XFS_MAXINUMBER. */
const greatestInode = 2 ** 56 - 1;
/** XFS_INODES_PER_CHUNK. */
const inodesPerChunk = 64;
/** Blocks of each group that the kernel sets aside: for its free list, and for splits of its trees. */
const setAsidePerGroup = 8;
const nameMax = 255;

interface Counts {
  /** Inodes that have room on the disk. */
  readonly inodes: number;
  readonly freeInodes: number;
  readonly freeBlocks: number;
}

/** `recount`: whether the superblock's counts may be out of date, as they are after a log was replayed. */
export function readUsage(volume: XfsVolume, recount: boolean): FileSystemUsage {
  const { raw, blockSize, blockCount, groupCount, inodesPerBlock, features } = volume.superblock;
  const { inodes, freeInodes, freeBlocks } =
    recount || !features.lazyCounters ? countGroups(volume) : countsOfSuperblock(volume);
  const blocks = blockCount - (raw.sb_logstart === 0 ? 0 : raw.sb_logblocks);
  const unavailable = groupCount * setAsidePerGroup + blocksOfFreeSpaceTrees(volume);
  const free = Math.max(0, freeBlocks - unavailable);
  // Inodes are made where there is room: their number is what would fit, up to the share that they may take.
  let files = Math.min(inodes + free * inodesPerBlock, greatestInode);
  const most = mostInodes(volume);
  if (most > 0) files = Math.min(files, most);
  files = Math.max(files, inodes);
  return {
    blockSize,
    fragmentSize: blockSize,
    blocks,
    freeBlocks: free,
    availableBlocks: free,
    inodes: files,
    freeInodes: Math.max(0, files - (inodes - freeInodes)),
    nameMax,
    // Linux gives the number of the device, which only the caller knows.
    id: 0n,
  };
}

/**
 * Blocks of the trees of free space beyond their roots: as long as there is free space in pieces they are in use, so
 * that the kernel counts none of them as free, once it has read the headers of all groups. With the newer trees it
 * reads them for a mount. A group whose header is damaged has none, with a warning.
 */
function blocksOfFreeSpaceTrees(volume: XfsVolume): number {
  const { features, groupCount } = volume.superblock;
  if (!features.finobt && !features.reflink && !features.rmapbt) return 0;
  let blocks = 0;
  for (let group = 0; group < groupCount; group++) {
    work.entries.spend(1);
    try {
      const { agf_btreeblks: all, agf_rmap_blocks: owners } = agf.decode(header(volume, group, 'agf'));
      blocks += features.rmapbt ? Math.max(0, all - Math.max(0, owners - 1)) : all;
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      volume.warn(`${thrown.message}: how much room is free is not exact`);
    }
  }
  return blocks;
}

function mostInodes({ superblock }: XfsVolume): number {
  const { raw, blockCount, inodesPerBlock } = superblock;
  const unit = Math.max(1, inodesPerChunk / inodesPerBlock);
  const share = Math.floor((blockCount * raw.sb_imax_pct) / 100);
  return Math.floor(share / unit) * unit * inodesPerBlock;
}

function countsOfSuperblock({ superblock }: XfsVolume): Counts {
  const { raw } = superblock;
  return { inodes: raw.sb_icount, freeInodes: raw.sb_ifree, freeBlocks: raw.sb_fdblocks };
}

/** The counts of all groups together, as the kernel's xfs_initialize_perag_data. */
function countGroups(volume: XfsVolume): Counts {
  let inodes = 0;
  let freeInodes = 0;
  let freeBlocks = 0;
  for (let group = 0; group < volume.superblock.groupCount; group++) {
    const freeSpace = agf.decode(header(volume, group, 'agf'));
    const inodeSpace = agi.decode(header(volume, group, 'agi'));
    inodes += inodeSpace.agi_count;
    freeInodes += inodeSpace.agi_freecount;
    freeBlocks += freeSpace.agf_freeblks + freeSpace.agf_flcount + freeSpace.agf_btreeblks;
  }
  return { inodes, freeInodes, freeBlocks };
}

/** A sector of a group's headers, checked. */
function header(volume: XfsVolume, group: number, kind: 'agf' | 'agi'): Uint8Array {
  const { sectorSize, groupBlocks, blockSize } = volume.superblock;
  const structure = `XFS ${kind.toUpperCase()} of group ${group}`;
  const offset = group * groupBlocks * blockSize + groupHeaders[kind] * sectorSize;
  const bytes = new Uint8Array(sectorSize);
  volume.disk.read(bytes, offset);
  const view = new DataView(bytes.buffer);
  const magic = kind === 'agf' ? agfMagic : agiMagic;
  if (view.getUint32(magicAt) !== magic) throw new CorruptError(structure, 'has no magic number', { offset });
  volume.verify(
    bytes,
    kind === 'agf' ? agfSelf : agiSelf,
    [{ offset, length: sectorSize }],
    undefined,
    structure,
  );
  return bytes;
}
