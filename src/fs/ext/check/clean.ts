/**
 * What e2fsck -p does with a filesystem that it finds in order: the log is replayed, orphans go, and nothing else is
 * looked at (e2fsck/unix.c, check_if_skip), or with -f all of it. What it would repair is refused.
 */
import { CorruptError, UnsupportedError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { compat, incompat, isWritableByKernel, roCompat } from '../features.js';
import { openJournal } from '../journal/journal.js';
import { extMagic, superblockOffset, superblockState, superblock as table } from '../layout.js';
import { openExt } from '../open.js';
import {
  decodeSuperblock,
  freeBlockCount,
  has,
  hasSuperblockCopy,
  type RawSuperblock,
  readSuperblockBytes,
  type Superblock,
} from '../superblock.js';
import { ExtVolume } from '../volume.js';
import { encodeSuperblock } from '../write/superblock-writer.js';
import { checkWhole } from './whole.js';

interface CheckOptions {
  /** A layer over the disk, for a trial; the caller closes it. */
  readonly overlay: (disk: Disk) => Disk;
  /** Seconds since 1970. */
  readonly time: number;
  /** Whether all of it is looked at, whatever it says of itself: -f. */
  readonly isFull?: boolean;
  /** Whether nothing may be written: -n. */
  readonly isReadOnly?: boolean;
}

/** A check that would go on: repairs are done elsewhere. */
function refuse(reason: string, cause?: Error): never {
  throw new UnsupportedError('checking an ext filesystem', [reason], {
    elsewhere: 'appliance',
    ...(cause !== undefined && { cause }),
  });
}

/** Features that may be in the first superblock alone, as a kernel or a log sets them in passing. */
const passing = {
  compat: 0,
  incompat: incompat.extents | incompat.needsRecovery,
  roCompat: roCompat.largeFile | roCompat.dirNlink | roCompat.orphanPresent,
};

/** Whether the first copy of the superblock, where one can be read, tells of the same filesystem. */
function agreesWithCopy(disk: Disk, superblock: Superblock): boolean {
  const { raw, groupCount, firstDataBlock, blocksPerGroup, blockSize } = superblock;
  for (let group = 1; group < groupCount; group++) {
    if (!hasSuperblockCopy(superblock, group)) continue;
    const bytes = readSuperblockBytes(disk, (firstDataBlock + group * blocksPerGroup) * blockSize);
    if (bytes === undefined) return false;
    const copy = table.decode(bytes);
    if (copy.s_magic !== extMagic) return false;
    const differ = (name: keyof RawSuperblock, but = 0): boolean =>
      ((Number(copy[name]) ^ Number(raw[name])) & ~but) !== 0;
    return !(
      differ('s_feature_compat', passing.compat) ||
      differ('s_feature_incompat', passing.incompat) ||
      differ('s_feature_ro_compat', passing.roCompat) ||
      differ('s_blocks_count_lo') ||
      differ('s_blocks_count_hi') ||
      differ('s_inodes_count') ||
      copy.s_uuid.some((byte, index) => byte !== raw.s_uuid[index])
    );
  }
  return true;
}

/** Refuses a filesystem, its log replayed, of which e2fsck would want to see more. */
function checkSkippable(volume: ExtVolume, time: number, isFull: boolean): void {
  const { disk, superblock } = volume;
  const { raw, blocksPerCluster } = superblock;
  if (isPending(volume)) refuse('orphans that a mount leaves');
  if (has(raw.s_state, superblockState.error)) refuse('one that is marked as having errors');
  if (!isFull && !has(raw.s_state, superblockState.valid)) refuse('one that was not cleanly unmounted');
  if (raw.s_error_count > 0) refuse('one in which errors were found');
  if (!isFull && raw.s_max_mnt_count > 0 && raw.s_mnt_count >= raw.s_max_mnt_count)
    refuse('one that was mounted often enough to be checked');
  const lastCheck = raw.s_lastcheck + raw.s_lastcheck_hi * 2 ** 32;
  if (!isFull && raw.s_checkinterval > 0 && time - lastCheck >= raw.s_checkinterval)
    refuse('one that was not checked for as long as it may be');
  const times = [lastCheck, raw.s_mtime + raw.s_mtime_hi * 2 ** 32, raw.s_wtime + raw.s_wtime_hi * 2 ** 32];
  if (times.some((known) => known > time)) refuse('one with times in the future');
  if (raw.s_uuid.every((byte) => byte === 0)) refuse('one without a UUID');
  if (!has(superblock.features.compat, compat.resizeInode) && raw.s_reserved_gdt_blocks > 0)
    refuse('one with reserved descriptors that no inode has');
  const free = volume.groups.free();
  if (
    free.clusters * blocksPerCluster !== freeBlockCount(superblock) ||
    free.inodes !== raw.s_free_inodes_count
  )
    refuse('one whose totals are wrong');
  if (!agreesWithCopy(disk, superblock)) refuse('one whose copy of the superblock differs');
}

function openVolume(disk: Disk): ExtVolume {
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined) refuse('a device that is too small for one');
  const superblock = decodeSuperblock(bytes, disk.size);
  const volume = new ExtVolume(disk, superblock, { warn: refuse, strict: true });
  volume.groups.check(superblock.groupCount);
  return volume;
}

/** Refuses what is seen at first, before anything is tried. */
function checkFeatures(volume: ExtVolume): void {
  const { features, raw } = volume.superblock;
  if (!isWritableByKernel(features)) refuse('features that allow nothing but reading');
  if (has(features.incompat, incompat.mmp)) refuse('mmp');
  if (has(features.roCompat, roCompat.quota)) refuse('quota');
  if (!has(features.compat, compat.hasJournal)) return;
  if (raw.s_journal_inum === 0) refuse('a journal on another device');
  const journal = openJournal(volume, undefined);
  if (journal.raw.s_errno !== 0) refuse('a log that tells of an error');
  if (journal.raw.s_start !== 0 && !has(features.incompat, incompat.needsRecovery))
    refuse('a log that nothing asks to be replayed');
}

/** Whether there is a log to be replayed, or are orphans. */
function isPending({ superblock: { features, raw } }: ExtVolume): boolean {
  return (
    has(features.incompat, incompat.needsRecovery) ||
    has(features.roCompat, roCompat.orphanPresent) ||
    raw.s_last_orphan !== 0
  );
}

/** Replays the log and finishes the orphans, as a mount does. */
function settle(disk: Disk, time: number): void {
  const fileSystem = openExt(disk, {
    readonly: false,
    overlay: () => refuse('a disk that cannot be written'),
    warn: refuse,
    now: () => ({ seconds: time, nanoseconds: 0 }),
  });
  const { superblock } = openVolume(disk);
  try {
    if (isPending(openVolume(disk))) {
      if (fileSystem.writer === undefined) refuse('orphans', fileSystem.whyReadOnly);
      fileSystem.writer.sync();
    }
  } finally {
    fileSystem.close();
  }
  // A check is no mount: what tells of the last one stays.
  const { s_mnt_count, s_mtime, s_mtime_hi } = superblock.raw;
  const bytes = openVolume(disk).superblock.bytes;
  encodeSuperblock(bytes, () => ({
    s_mnt_count,
    s_mtime,
    s_mtime_hi,
    s_wtime: time % 2 ** 32,
    s_wtime_hi: Math.floor(time / 2 ** 32),
  }));
  disk.write(bytes, superblockOffset);
  disk.flush();
}

/** Notes that all of it was looked at. */
function markChecked(disk: Disk, time: number): void {
  const { bytes } = openVolume(disk).superblock;
  encodeSuperblock(bytes, ({ s_state: state }) => ({
    s_state: state | superblockState.valid,
    s_mnt_count: 0,
    s_lastcheck: time % 2 ** 32,
    s_lastcheck_hi: Math.floor(time / 2 ** 32),
    s_wtime: time % 2 ** 32,
    s_wtime_hi: Math.floor(time / 2 ** 32),
  }));
  disk.write(bytes, superblockOffset);
  disk.flush();
}

/**
 * Judges a filesystem that is not mounted: returns what writes what is left to be done, and undefined where nothing is.
 * UnsupportedError for whatever is not in order.
 */
export function planCleanCheck(
  disk: Disk,
  { overlay, time, isFull = false, isReadOnly = false }: CheckOptions,
): (() => void) | undefined {
  try {
    const volume = openVolume(disk);
    checkFeatures(volume);
    const pending = isPending(volume);
    if (pending && isReadOnly) refuse('one whose log may not be replayed');
    const settled = pending ? overlay(disk) : disk;
    if (pending) settle(settled, time);
    const result = openVolume(settled);
    checkSkippable(result, time, isFull);
    if (isFull) checkWhole(result);
    if (isReadOnly || !(pending || isFull)) return undefined;
    return () => {
      if (pending) settle(disk, time);
      if (isFull) markChecked(disk, time);
    };
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    refuse('one that is damaged', thrown);
  }
}
