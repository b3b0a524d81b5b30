/** Opens a filesystem: the superblock, the log, and the root, in the order of a mount (the kernel's xfs_mountfs). */
import { CorruptError, formatUuid, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystem, OpenOptions } from '../driver.js';
import { checkLogFeatures } from './features.js';
import { XfsFileSystem } from './filesystem.js';
import { finishIntents } from './log/finishing/finish.js';
import { findExtent } from './log/head.js';
import { Log, logName } from './log/log.js';
import { replayLog } from './log/replay.js';
import { parseMountOptions } from './options.js';
import { probeExternalLog } from './probe.js';
import { readSuperblock } from './superblock.js';
import { XfsVolume } from './volume.js';

export function openXfs(disk: Disk, options: OpenOptions): FileSystem {
  const warn = options.warn ?? (() => {});
  const { replay } = parseMountOptions(options);
  const superblock = readSuperblock(disk);
  const before = new XfsVolume(disk, superblock, { warn });
  const after = withHint(replay, () => afterLog(before, replay, options));
  checkRoot(after ?? before);
  // Counts of the superblock are right after an unmount alone.
  return new XfsFileSystem(after ?? before, after !== undefined || !replay);
}

/** Says how to mount without the log, where that is what is damaged. */
function withHint<T>(replay: boolean, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!replay || !(thrown instanceof CorruptError)) throw thrown;
    const { structure, problem, details } = thrown;
    throw new CorruptError(
      structure,
      `${problem}; the mount options ro and norecovery read the filesystem as it was before the log`,
      details,
      { cause: thrown },
    );
  }
}

/** The filesystem as it is after its log; undefined if there is nothing to replay, or nothing is to be replayed. */
function afterLog(before: XfsVolume, replay: boolean, options: OpenOptions): XfsVolume | undefined {
  const { disk, superblock, warn } = before;
  const log = openLog(before, replay, options.findJournal);
  if (log === undefined) return undefined;
  const extent = findExtent(log);
  if (extent.isClean) return undefined;
  if (!replay) {
    warn('XFS filesystem: its log was not replayed, as norecovery asks: files may be out of date');
    return undefined;
  }
  checkLogFeatures(superblock.raw, superblock.features.version);
  const changed = options.overlay(disk);
  const { replayed, intents } = replayLog(log, extent, changed, superblock);
  const after = new XfsVolume(changed, readSuperblock(changed, replayed), { warn, replayed });
  finishIntents(after, replayed, intents);
  return after;
}

/** The log in the filesystem, or on a disk of its own; undefined where that is missing and not needed. */
function openLog(
  volume: XfsVolume,
  replay: boolean,
  findJournal: OpenOptions['findJournal'],
): Log | undefined {
  const { disk, superblock } = volume;
  const { sb_logstart: start, sb_logblocks: count, sb_uuid: uuid } = superblock.raw;
  if (start !== 0) {
    if (!volume.containsBlocks(start, count))
      throw new CorruptError(logName, 'lies outside the filesystem', { block: start, count });
    return new Log(disk, volume.offsetOf(start), superblock);
  }
  const name = formatUuid(uuid);
  const device = findJournal?.(name);
  if (device !== undefined && probeExternalLog(device)?.facts.LOGUUID === name)
    return new Log(device, 0, superblock);
  if (replay)
    throw new GuestfsError(
      'EINVAL',
      'XFS filesystem: its log is on another disk, which is not here: add that disk, or mount with ro and norecovery',
    );
  volume.warn('XFS filesystem: its log is on another disk, which is not here: files may be out of date');
  return undefined;
}

function checkRoot(volume: XfsVolume): void {
  const root = volume.inode(volume.superblock.root);
  if (root.kind !== 'directory')
    throw new CorruptError('XFS root directory', 'is no directory', { mode: root.stat.mode });
}
