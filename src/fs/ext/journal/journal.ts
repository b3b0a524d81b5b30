/**
 * The journal as a sequence of blocks: checks its superblock, and reads blocks by their number in it. Specification:
 * the kernel's Documentation/filesystems/ext4/journal.rst; the checks are those of fs/jbd2/journal.c.
 */
import {
  CorruptError,
  checksumHolds,
  crc32c,
  type Decoded,
  formatUuid,
  UnsupportedError,
} from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { blockMapOf } from '../blockmap.js';
import { openData } from '../data.js';
import { checkDistinct } from '../distinct.js';
import { incompat } from '../features.js';
import { extMagic, superblock as superblockLayout, superblockOffset } from '../layout.js';
import { has, readSuperblockBytes, type Superblock, superblockChecksumHolds } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { journalSuperblockChecksum } from './checksum.js';
import {
  defaultFastCommitBlocks,
  journalBlockTypes,
  journalChecksumTypes,
  journalCompat,
  journalIncompat,
  journalMagic,
  journalSuperblock,
  leastJournalBlocks,
} from './layout.js';

const what = 'ext4 journal';
const knownIncompat = Object.values(journalIncompat).reduce((all, flag) => all | flag, 0);

export interface Journal {
  readonly raw: Decoded<typeof journalSuperblock.fields>;
  readonly blockSize: number;
  /** In blocks. */
  readonly length: number;
  /** The log proper: blocks `first` up to but not including `end`. */
  readonly first: number;
  readonly end: number;
  /** The place of fast commits after the log; both are the journal's length if it has none. */
  readonly fastCommitFirst: number;
  readonly fastCommitEnd: number;
  readonly compat: number;
  readonly incompat: number;
  /** The seed of version 2 and 3 checksums; undefined without them. */
  readonly checksumSeed: number | undefined;
  /** A copy of a block, which must lie in the journal. */
  readonly block: (number: number) => Uint8Array;
  /** The device that the journal has for itself; undefined where it is a file of the filesystem. */
  readonly device: Disk | undefined;
  /** The block of the journal's superblock. */
  readonly superblockBlock: number;
  /** Where a block lies, in bytes, on {@link device} or on the filesystem's own disk. */
  readonly offsetOf: (number: number) => number;
}

/** What of a journal depends on whether it is a file or a device. */
interface Place {
  readonly disk: Disk;
  readonly device: Disk | undefined;
  readonly superblockBlock: number;
  readonly offsetOf: (number: number) => number;
}

/** Finds the disk of an external journal by its UUID, as `blkid` prints it. */
type FindJournal = (uuid: string) => Disk | undefined;

/** The journal of a filesystem. An external one that `find` does not find is an UnsupportedError. */
export function openJournal(volume: ExtVolume, find: FindJournal | undefined): Journal {
  const { blockSize, raw } = volume.superblock;
  const number = raw.s_journal_inum;
  if (number === 0) {
    if (raw.s_journal_dev === 0)
      throw new CorruptError(what, 'is nowhere: neither inode nor device is named');
    return openExternal(volume.superblock, find);
  }
  const inode = volume.anyInode(number);
  if (inode.kind !== 'file' || inode.stat.linkCount === 0)
    throw new CorruptError(what, 'its inode is not in use as a file', { inode: number });
  const disk = openData(volume, inode);
  if (disk.size < journalSuperblock.size)
    throw new CorruptError(what, 'has no superblock', { size: disk.size });
  const map = blockMapOf(volume, inode);
  const offsetOf = (logical: number): number => {
    const { block } = map.find(logical, 1);
    if (block === undefined) throw new CorruptError(what, 'has a hole', { block: logical });
    return block * blockSize;
  };
  const journal = decodeJournal({ disk, device: undefined, superblockBlock: 0, offsetOf }, blockSize);
  // Only the log's length bounds what a replay writes, and shared blocks would make the log arbitrarily long.
  checkDistinct(map, journal.length, what);
  return journal;
}

/**
 * A journal on a device of its own: a superblock of ext at byte 1024 says whose it is, and the journal's own follows
 * in the next block. Blocks are counted from the start of the device (the kernel's fs/ext4/super.c,
 * ext4_get_dev_journal).
 */
function openExternal({ raw, blockSize }: Superblock, find: FindJournal | undefined): Journal {
  const uuid = formatUuid(raw.s_journal_uuid);
  const disk = find?.(uuid);
  if (disk === undefined)
    throw new UnsupportedError('ext4 filesystem', [`external journal ${uuid}, which is on no drive here`]);
  const bytes = readSuperblockBytes(disk);
  const own = bytes && superblockLayout.decode(bytes);
  const refuse = (problem: string, details: Record<string, number | string> = {}): never => {
    throw new CorruptError(`${what} device`, problem, details);
  };
  if (bytes === undefined || own === undefined || own.s_magic !== extMagic)
    return refuse('has no superblock');
  if (!has(own.s_feature_incompat, incompat.journalDevice)) refuse('is no journal');
  if (!superblockChecksumHolds(bytes, own)) refuse('its superblock has a bad checksum');
  if (formatUuid(own.s_uuid) !== uuid)
    refuse('belongs to another filesystem', { uuid: formatUuid(own.s_uuid) });
  if (own.s_log_block_size > 6 || 1024 << own.s_log_block_size !== blockSize)
    refuse('has another block size', { logarithm: own.s_log_block_size });
  const superblockBlock = Math.floor(superblockOffset / blockSize) + 1;
  if ((superblockBlock + 1) * blockSize > disk.size) refuse('is too small', { size: disk.size });
  const offsetOf = (number: number): number => number * blockSize;
  const journal = decodeJournal({ disk, device: disk, superblockBlock, offsetOf }, blockSize);
  if (journal.raw.s_nr_users !== 1)
    throw new UnsupportedError(what, [`${journal.raw.s_nr_users} filesystems that share a journal`]);
  return journal;
}

function decodeJournal(place: Place, blockSize: number): Journal {
  const { disk, superblockBlock } = place;
  const superblock = new Uint8Array(journalSuperblock.size);
  disk.read(superblock, superblockBlock * blockSize);
  const raw = journalSuperblock.decode(superblock);
  const refuse = (problem: string, details: Record<string, number> = {}): never => {
    throw new CorruptError(`${what} superblock`, problem, details);
  };
  if (raw.h_magic !== journalMagic) refuse('has no magic number', { found: raw.h_magic });
  const version2 = raw.h_blocktype === journalBlockTypes.superblockV2;
  if (!version2 && raw.h_blocktype !== journalBlockTypes.superblockV1)
    refuse('is of no known version', { type: raw.h_blocktype });
  if (raw.s_blocksize !== blockSize) refuse('has another block size', { blockSize: raw.s_blocksize });
  const length = raw.s_maxlen;
  if (length > Math.floor(disk.size / blockSize))
    refuse('is longer than its file', { length, size: disk.size });
  if (raw.s_first <= superblockBlock || raw.s_first >= length)
    refuse('its first block is outside', { first: raw.s_first, length });

  const compat = version2 ? raw.s_feature_compat : 0;
  const incompat = version2 ? raw.s_feature_incompat : 0;
  const unknown = (incompat & ~knownIncompat) >>> 0;
  if (unknown !== 0) throw new UnsupportedError(what, [`incompatible features 0x${unknown.toString(16)}`]);
  const summed = has(incompat, journalIncompat.checksumV2 | journalIncompat.checksumV3);
  if (has(incompat, journalIncompat.checksumV2) && has(incompat, journalIncompat.checksumV3))
    refuse('has two kinds of checksums');
  if (summed && has(compat, journalCompat.checksum)) refuse('has two kinds of checksums');
  if (summed) {
    if (raw.s_checksum_type !== journalChecksumTypes.crc32c)
      throw new UnsupportedError(what, [`checksum type ${raw.s_checksum_type}`]);
    if (!checksumHolds(journalSuperblockChecksum(superblock), raw.s_checksum)) refuse('has a bad checksum');
  }

  let end = length;
  const fast = has(incompat, journalIncompat.fastCommit);
  if (fast) {
    const blocks = raw.s_num_fc_blks === 0 ? defaultFastCommitBlocks : raw.s_num_fc_blks;
    if (length - blocks >= leastJournalBlocks) end = length - blocks;
  }
  if (raw.s_first >= end) refuse('its first block is outside', { first: raw.s_first, end });
  if (raw.s_start !== 0 && (raw.s_start < raw.s_first || raw.s_start >= end))
    refuse('its log begins outside', { start: raw.s_start, first: raw.s_first, end });
  return {
    raw,
    blockSize,
    length,
    first: raw.s_first,
    end,
    // The kernel leaves one block free between the two.
    fastCommitFirst: fast ? end + 1 : length,
    fastCommitEnd: length,
    compat,
    incompat,
    checksumSeed: summed ? crc32c(0xffffffff, raw.s_uuid) : undefined,
    device: place.device,
    superblockBlock,
    offsetOf: place.offsetOf,
    block(number) {
      if (number >= length) throw new CorruptError(what, 'a block lies outside', { block: number, length });
      const bytes = new Uint8Array(blockSize);
      disk.read(bytes, number * blockSize);
      return bytes;
    },
  };
}
