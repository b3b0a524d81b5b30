/**
 * Opens a filesystem: the superblock, the journal and its replay, orphans, and the root, in the order of a mount (the
 * kernel's fs/ext4/super.c, ext4_fill_super).
 */
import { CorruptError, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystem, OpenOptions } from '../driver.js';
import { compat, incompat, roCompat } from './features.js';
import { ExtFileSystem } from './filesystem.js';
import { readFastCommits } from './journal/fast-commit.js';
import { type FastCommitUsage, replayFastCommits } from './journal/fast-commit-replay.js';
import { type Journal, openJournal } from './journal/journal.js';
import { journalIncompat } from './journal/layout.js';
import { replayJournal } from './journal/replay.js';
import { superblock as layout, reservedInodes } from './layout.js';
import { checkMountOptions, type ExtMountOptions, parseMountOptions } from './options.js';
import { findOrphans, isMarkedDamaged, type Orphans } from './orphans.js';
import { probeExt } from './probe.js';
import {
  decodeSuperblock,
  has,
  readSuperblockBytes,
  type Superblock,
  superblockChecksum,
} from './superblock.js';
import { ExtVolume } from './volume.js';

/** Groups whose descriptors are checked when opening; further ones are checked on demand. */
const groupsCheckedAtOnce = 65536;

export function openExt(disk: Disk, options: OpenOptions): FileSystem {
  const mount = parseMountOptions(options);
  const warn = options.warn ?? (() => {});
  let volume = openVolume(disk, readSuperblock(disk, mount), mount, warn);
  let damaged = isMarkedDamaged(volume.superblock.raw.s_state);
  let fast: FastCommitUsage = { freed512: 0, freedInodes: 0 };
  const { features } = volume.superblock;
  checkMountOptions(mount, probeExt(disk)?.type ?? 'ext4', has(features.roCompat, roCompat.project));
  if (mount.replay && has(features.compat, compat.hasJournal)) {
    const needed = has(features.incompat, incompat.needsRecovery);
    if (needed || volume.superblock.raw.s_journal_inum !== 0) {
      const before = volume;
      withoutLog(() => {
        const journal = openJournal(before);
        if (journal.raw.s_errno !== 0) damaged = true;
        if (needed) ({ volume, fast } = recover(disk, before, journal, mount, options));
      });
    }
  }
  const orphans = findOrphans(volume, damaged || isMarkedDamaged(volume.superblock.raw.s_state));
  checkRoot(volume);
  return new ExtFileSystem(
    probeExt(volume.disk)?.type ?? 'ext4',
    volume,
    mount,
    withFastCommits(volume, orphans, fast),
  );
}

/** Runs a part that concerns the log. If the log is damaged, the error says how to mount without it. */
function withoutLog(work: () => void): void {
  try {
    work();
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    const { structure, problem, details } = thrown;
    throw new CorruptError(
      structure,
      `${problem}; the mount option norecovery reads the filesystem as it was before the log`,
      details,
      { cause: thrown },
    );
  }
}

function readSuperblock(disk: Disk, mount: ExtMountOptions): Superblock {
  const bytes = readSuperblockBytes(disk, mount.superblockAt);
  if (bytes === undefined)
    throw new CorruptError('ext4 superblock', 'lies outside the disk', { size: disk.size });
  return decodeSuperblock(bytes, disk.size);
}

function openVolume(
  disk: Disk,
  superblock: Superblock,
  mount: ExtMountOptions,
  warn: ExtVolume['warn'],
): ExtVolume {
  const volume = new ExtVolume(disk, superblock, { warn, strict: !mount.readOnly });
  volume.groups.check(Math.min(superblock.groupCount, groupsCheckedAtOnce));
  return volume;
}

/** Replays the journal into an overlay, and reads from there. */
function recover(
  disk: Disk,
  before: ExtVolume,
  journal: Journal,
  mount: ExtMountOptions,
  options: OpenOptions,
): { volume: ExtVolume; fast: FastCommitUsage } {
  const overlay = options.overlay(disk);
  const { blockCount } = before.superblock;
  const replayed = replayJournal(journal, overlay, blockCount);
  markRecovered(overlay, mount);
  const volume = openVolume(overlay, readSuperblock(overlay, mount), mount, before.warn);
  let fast: FastCommitUsage = { freed512: 0, freedInodes: 0 };
  if (replayed !== undefined && has(journal.incompat, journalIncompat.fastCommit)) {
    const records = readFastCommits(journal, replayed.nextTransaction, before.warn);
    fast = replayFastCommits(volume, overlay, records);
  }
  return { volume, fast };
}

/** Clears the flag that asks for a replay, and the one that asks for a check of the orphan file. */
function markRecovered(overlay: Disk, mount: ExtMountOptions): void {
  const bytes = readSuperblockBytes(overlay, mount.superblockAt);
  if (bytes === undefined) throw new CorruptError('ext4 superblock', 'lies outside the disk');
  const view = viewOf(bytes);
  const clear = (at: number, flag: number): void =>
    view.setUint32(at, view.getUint32(at, true) & ~flag, true);
  clear(layout.fields.s_feature_incompat.at, incompat.needsRecovery);
  clear(layout.fields.s_feature_ro_compat.at, roCompat.orphanPresent);
  if (has(layout.get(view, 0, 's_feature_ro_compat'), roCompat.metadataChecksums))
    view.setUint32(layout.fields.s_checksum.at, superblockChecksum(bytes), true);
  overlay.write(bytes, mount.superblockAt);
}

/** The root must be a directory that is not empty. As in the kernel, its entries are not checked. */
function checkRoot(volume: ExtVolume): void {
  const root = volume.inode(reservedInodes.root);
  if (root.kind !== 'directory' || root.stat.sizeInBytes === 0)
    throw new CorruptError('ext4 root directory', 'is damaged', {
      mode: root.stat.mode,
      size: root.stat.sizeInBytes,
    });
}

/** What orphans free, with what the fast commits free. */
function withFastCommits(volume: ExtVolume, orphans: Orphans, fast: FastCommitUsage): Orphans {
  const { blockSize, blocksPerCluster } = volume.superblock;
  const unitsPerCluster = (blockSize * blocksPerCluster) / 512;
  return {
    truncated: orphans.truncated,
    reclaimed: {
      clusters: orphans.reclaimed.clusters + Math.trunc(fast.freed512 / unitsPerCluster),
      inodes: orphans.reclaimed.inodes + fast.freedInodes,
    },
  };
}
