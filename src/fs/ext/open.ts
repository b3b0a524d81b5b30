/**
 * Opens a filesystem: the superblock, the journal and its replay, orphans, and the root, in the order of a mount (the
 * kernel's fs/ext4/super.c, ext4_fill_super).
 */
import { CorruptError, systemError, UnsupportedError } from '../../base/index.js';
import { type BlockReader, type Disk, GatheredDisk, WriteCache } from '../../disk/index.js';
import type { FileSystem, OpenOptions } from '../driver.js';
import { currentTime } from '../support.js';
import { compat, incompat, roCompat } from './features.js';
import { ExtFileSystem, type Writing } from './filesystem.js';
import { readFastCommits } from './journal/fast-commit.js';
import { type Journal, openJournal } from './journal/journal.js';
import { journalIncompat } from './journal/layout.js';
import { commitChanges, finishRecovery, type Recovery, replayLog } from './journal/recover.js';
import { transactionRoom } from './journal/transaction.js';
import { reservedInodes } from './layout.js';
import { checkMountOptions, type ExtMountOptions, parseMountOptions } from './options.js';
import { findOrphans, isMarkedDamaged } from './orphans.js';
import { probeExt } from './probe.js';
import { decodeSuperblock, has, readSuperblockBytes, type Superblock } from './superblock.js';
import { ExtVolume } from './volume.js';
import { changeAsCommitted, whyReadOnly } from './write/index.js';

/** Groups whose descriptors are checked when opening; further ones are checked on demand. */
const groupsCheckedAtOnce = 65536;

export function openExt(disk: Disk, options: OpenOptions): FileSystem {
  const mount = parseMountOptions(options);
  const warn = options.warn ?? (() => {});
  let volume = openVolume(disk, readSuperblock(disk, mount), mount, warn);
  let damaged = isMarkedDamaged(volume.superblock.raw.s_state);
  const { features } = volume.superblock;
  checkMountOptions(mount, probeExt(disk)?.type ?? 'ext4', has(features.roCompat, roCompat.project));
  if (mount.replay && has(features.compat, compat.hasJournal)) {
    const needed = has(features.incompat, incompat.needsRecovery);
    if (needed || volume.superblock.raw.s_journal_inum !== 0) {
      const before = volume;
      withoutLog(() => {
        const journal = openJournal(before, options.findJournal);
        if (journal.raw.s_errno !== 0) damaged = true;
        if (needed) volume = recover(disk, before, journal, mount, options);
      });
    }
  }
  damaged ||= isMarkedDamaged(volume.superblock.raw.s_state);
  const writing = prepareWriting(disk, volume, mount, options);
  if ('cache' in writing) {
    const { superblock } = volume;
    volume = openVolume(writing.data, superblock, mount, warn, writing.cache);
  }
  const orphans = findOrphans(volume, damaged);
  checkRoot(volume);
  return new ExtFileSystem(probeExt(volume.disk)?.type ?? 'ext4', volume, mount, orphans, writing);
}

/** Whether the filesystem will be written. Nothing is, until something changes. */
function prepareWriting(
  disk: Disk,
  { superblock }: ExtVolume,
  mount: ExtMountOptions,
  options: OpenOptions,
): Writing {
  if (options.readonly !== false || !disk.writable)
    return { whyReadOnly: systemError('EROFS', 'ext4 filesystem') };
  const reason = whyReadOnly(superblock, mount);
  if (reason !== undefined) return { whyReadOnly: reason };
  const { findJournal, isNew = false, now = currentTime } = options;
  const cache = new WriteCache(disk, { blockSize: superblock.blockSize });
  return { cache, data: new GatheredDisk(cache.view), now, findJournal, isNew };
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
  pieces?: BlockReader,
): ExtVolume {
  const volume = new ExtVolume(disk, superblock, {
    warn,
    strict: !mount.readOnly,
    ...(pieces === undefined ? {} : { pieces }),
  });
  volume.groups.check(Math.min(superblock.groupCount, groupsCheckedAtOnce));
  return volume;
}

/** Replays the journal, and reads what is then there. */
function recover(
  disk: Disk,
  before: ExtVolume,
  journal: Journal,
  mount: ExtMountOptions,
  options: OpenOptions,
): ExtVolume {
  const target = options.readonly === false && disk.writable ? disk : options.overlay(disk);
  const { blockSize, blockCount } = before.superblock;
  const recovery: Recovery = {
    journal,
    disk: target,
    log:
      journal.device === undefined
        ? target
        : target === disk
          ? journal.device
          : options.overlay(journal.device),
    blockSize,
    blockCount,
    superblockAt: mount.superblockAt,
  };
  const open = (from: Disk, pieces?: BlockReader): ExtVolume =>
    openVolume(from, readSuperblock(from, mount), mount, before.warn, pieces);
  const next = replayLog(recovery);
  if (next !== undefined && has(journal.incompat, journalIncompat.fastCommit)) {
    const records = [...readFastCommits(journal, next, before.warn)];
    if (records.length > 0) {
      // The changes stay in the cache, and become one transaction of the log itself.
      const cache = new WriteCache(target, { blockSize });
      const room = transactionRoom(journal);
      changeAsCommitted(open(cache.view, cache), cache, room, records);
      if (cache.changed.size > room)
        throw new UnsupportedError('ext4 journal', [
          'fast commits that change more than the log has room for',
        ]);
      commitChanges(recovery, next, new Map([...cache.changed].map(([block, { bytes }]) => [block, bytes])));
    }
  }
  const free = open(target).groups.free();
  finishRecovery(recovery, next === undefined ? undefined : (next + 1) >>> 0, {
    // Descriptors of a damaged filesystem may count more than there are.
    blocks: Math.min(free.clusters * before.superblock.blocksPerCluster, blockCount),
    inodes: Math.min(free.inodes, before.superblock.inodeCount),
  });
  return open(target);
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
