/** Changing the superblock of a filesystem that is not mounted, with all of its copies: as tune2fs(8) and e2label(8). */
import { GuestfsError, UnsupportedError, work } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { compat, incompat, roCompat } from '../features.js';
import { extMagic, superblockOffset, superblock as superblockTable } from '../layout.js';
import {
  decodeSuperblock,
  has,
  hasSuperblockCopy,
  type RawSuperblock,
  readSuperblockBytes,
  type Superblock,
} from '../superblock.js';
import { encodeSuperblock } from '../write/superblock-writer.js';

/** What can be set; what is left out stays. */
export interface Tuning {
  readonly label?: string;
  /** 16 bytes. */
  readonly uuid?: Uint8Array;
  /** Mounts after which a check is due; 0 for never. */
  readonly mostMounts?: number;
  readonly mounts?: number;
  readonly onErrors?: 'continue' | 'remount-ro' | 'panic';
  /** Seconds after which a check is due; 0 for never. */
  readonly checkInterval?: number;
  readonly reservedPercent?: number;
  readonly reservedBlocks?: number;
  readonly reservedUser?: number;
  readonly reservedGroup?: number;
  readonly lastMounted?: string;
}

const errorBehaviours = ['continue', 'remount-ro', 'panic'] as const;
const mostMountCount = 16_000;
const longestInterval = 365 * 86_400;

function checkRange(what: string, value: number | undefined, most: number): void {
  if (value !== undefined && (value < 0 || value > most))
    throw new GuestfsError('EINVAL', `${what} ${value} is not from 0 to ${most}`);
}

function checkTuning(tuning: Tuning, { blockCount }: Superblock): void {
  checkRange('the mount count', tuning.mostMounts, mostMountCount);
  checkRange('the mount count', tuning.mounts, mostMountCount);
  checkRange('the interval', tuning.checkInterval, longestInterval);
  checkRange('the reserved blocks percentage', tuning.reservedPercent, 50);
  checkRange('the count of reserved blocks', tuning.reservedBlocks, Math.floor(blockCount / 2));
  checkRange('the user', tuning.reservedUser, 0xffff);
  checkRange('the group', tuning.reservedGroup, 0xffff);
}

/** Refuses what would have to change more than superblocks. */
function checkTunable({ uuid }: Tuning, { features, raw }: Superblock): void {
  const refuse = (what: string): never => {
    throw new UnsupportedError('ext filesystem', [what], { elsewhere: 'appliance' });
  };
  if (has(features.incompat, incompat.needsRecovery)) refuse('changing it before its journal is replayed');
  if (uuid === undefined) return;
  if (has(features.compat, compat.hasJournal) && raw.s_journal_inum === 0)
    refuse('a new UUID where the journal is on another device');
  const seeded = has(features.incompat, incompat.checksumSeed);
  if (has(features.roCompat, roCompat.groupChecksums | roCompat.metadataChecksums) && !seeded)
    refuse('a new UUID where checksums are made with the old one');
}

function changesOf(tuning: Tuning, { blockCount }: Superblock, time: number): Partial<RawSuperblock> {
  const { mostMounts, mounts, onErrors, reservedPercent, uuid, label, lastMounted } = tuning;
  const reserved =
    tuning.reservedBlocks ??
    (reservedPercent === undefined ? undefined : Math.floor((reservedPercent * blockCount) / 100));
  const { checkInterval, reservedUser, reservedGroup } = tuning;
  return {
    s_wtime: time % 2 ** 32,
    s_wtime_hi: Math.floor(time / 2 ** 32),
    ...(label !== undefined && { s_volume_name: label }),
    ...(uuid !== undefined && { s_uuid: uuid }),
    ...(lastMounted !== undefined && { s_last_mounted: lastMounted }),
    ...(mostMounts !== undefined && { s_max_mnt_count: mostMounts === 0 ? -1 : mostMounts }),
    ...(mounts !== undefined && { s_mnt_count: mounts }),
    ...(onErrors !== undefined && { s_errors: errorBehaviours.indexOf(onErrors) + 1 }),
    ...(checkInterval !== undefined && { s_checkinterval: checkInterval }),
    ...(reservedUser !== undefined && { s_def_resuid: reservedUser }),
    ...(reservedGroup !== undefined && { s_def_resgid: reservedGroup }),
    ...(reserved !== undefined && {
      s_r_blocks_count_lo: reserved % 2 ** 32,
      s_r_blocks_count_hi: Math.floor(reserved / 2 ** 32),
    }),
  };
}

/**
 * Plans a change: the function that is returned writes it, the copies first. `time` in seconds since 1970. EINVAL for a
 * value out of range, RangeError for a text without room, UnsupportedError for what needs more than that.
 */
export function planTuning(disk: Disk, tuning: Tuning, time: number): () => void {
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined) throw new GuestfsError('EINVAL', 'the device is too small for an ext filesystem');
  const superblock = decodeSuperblock(bytes, disk.size);
  checkTuning(tuning, superblock);
  checkTunable(tuning, superblock);
  const changes = changesOf(tuning, superblock, time);
  encodeSuperblock(bytes, () => changes);
  disk.checkWritable(superblockOffset, bytes.length);
  return () => {
    const { blockSize, firstDataBlock, blocksPerGroup, groupCount } = superblock;
    for (let group = 1; group < groupCount; group++) {
      work.steps.spend(1);
      if (!hasSuperblockCopy(superblock, group)) continue;
      const place = (firstDataBlock + group * blocksPerGroup) * blockSize;
      const copy = readSuperblockBytes(disk, place);
      // What is no copy is left alone: it was damaged before, and is e2fsck's business.
      if (copy === undefined || superblockTable.decode(copy).s_magic !== extMagic) continue;
      encodeSuperblock(copy, () => changes);
      disk.write(copy, place);
    }
    disk.flush();
    disk.write(bytes, superblockOffset);
    disk.flush();
  };
}
