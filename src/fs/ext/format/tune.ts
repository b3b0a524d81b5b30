/** Changing the superblock with all of its copies, as tune2fs(8) and e2label(8): on the disk, or where it is mounted. */
import { GuestfsError, UnsupportedError, undisturbed } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { FileSystem } from '../../driver.js';
import { compat, incompat, roCompat } from '../features.js';
import { ExtFileSystem } from '../filesystem.js';
import { extMagic, superblockOffset, superblock as superblockTable } from '../layout.js';
import {
  decodeSuperblock,
  has,
  type RawSuperblock,
  readSuperblockBytes,
  type Superblock,
  superblockCopies,
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

function refuse(what: string): never {
  throw new UnsupportedError('ext filesystem', [what], { elsewhere: 'appliance' });
}

/** Refuses what would have to change more than superblocks. */
function checkTunable({ uuid }: Tuning, { features, raw }: Superblock): void {
  if (uuid === undefined) return;
  if (has(features.compat, compat.stableInodes))
    refuse('a new UUID where inodes are encrypted with the old one');
  if (has(features.compat, compat.hasJournal) && raw.s_journal_inum === 0)
    refuse('a new UUID where the journal is on another device');
  if (has(features.incompat, incompat.checksumSeed)) return;
  if (
    has(features.roCompat, roCompat.groupChecksums | roCompat.metadataChecksums) ||
    has(features.incompat, incompat.eaInode)
  )
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

/** Where superblocks are mounted, they are a part of its journal, and of what is in memory. */
function planMounted(mounted: ExtFileSystem, tuning: Tuning, time: number): (() => void) | undefined {
  const { superblock } = mounted.volume;
  checkTuning(tuning, superblock);
  checkTunable(tuning, superblock);
  const changes = changesOf(tuning, superblock, time);
  encodeSuperblock(superblock.bytes.slice(), () => changes);
  return mounted.superblockChange(changes);
}

/**
 * Plans a change: the function that is returned writes it, the copies first. `mounted`: the filesystem, where the disk's
 * is open. `time` in seconds since 1970. EINVAL for a value out of range, RangeError for a text without room,
 * UnsupportedError for what needs more than that.
 */
export function planTuning(disk: Disk, tuning: Tuning, time: number, mounted?: FileSystem): () => void {
  if (mounted !== undefined && !(mounted instanceof ExtFileSystem)) refuse('changing another that is in use');
  const throughMount = mounted && planMounted(mounted, tuning, time);
  if (throughMount !== undefined) return throughMount;
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined) throw new GuestfsError('EINVAL', 'the device is too small for an ext filesystem');
  const superblock = decodeSuperblock(bytes, disk.size);
  if (has(superblock.features.incompat, incompat.needsRecovery))
    refuse('changing it before its journal is replayed');
  checkTuning(tuning, superblock);
  checkTunable(tuning, superblock);
  const changes = changesOf(tuning, superblock, time);
  encodeSuperblock(bytes, () => changes);
  disk.checkWritable(superblockOffset, bytes.length);
  const write = (): void => {
    for (const block of superblockCopies(superblock)) {
      const place = block * superblock.blockSize;
      const copy = readSuperblockBytes(disk, place);
      // What is no copy is left alone: it was damaged before, and is e2fsck's business.
      if (copy === undefined || superblockTable.decode(copy).s_magic !== extMagic) continue;
      encodeSuperblock(copy, () => changes);
      disk.write(copy, place);
    }
    disk.flush();
    disk.write(bytes, superblockOffset);
    disk.flush();
    if (mounted !== undefined) Object.assign(mounted.volume.superblock.raw, changes);
  };
  // Not cancelled between two copies.
  return () => undisturbed(write);
}
