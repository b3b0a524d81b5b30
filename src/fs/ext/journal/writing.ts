/**
 * Opens a filesystem's journal for writing, and the marks that say that it is being written: as in a mount and an
 * unmount (the kernel's ext4_setup_super and ext4_put_super in fs/ext4/super.c).
 */
import {
  type Disk,
  DiskJournal,
  directJournal,
  orderedJournal,
  type WriteCache,
} from '../../../disk/index.js';
import { compat, incompat } from '../features.js';
import { superblockState } from '../layout.js';
import { has, type RawSuperblock } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { markSuperblock } from '../write/superblock-writer.js';
import { openJournal } from './journal.js';
import { Log } from './log.js';

/** What a writer has to say about a journal. */
interface ExtWriting {
  /** Nobody needs the filesystem before it is closed. */
  readonly isNew?: boolean;
  /** Finds the disk of an external journal by its UUID, as `blkid` prints it. */
  readonly findJournal: ((uuid: string) => Disk | undefined) | undefined;
  /** What else changes in the superblock before the first write: times, counts of mounts. */
  opened?(raw: RawSuperblock): Partial<RawSuperblock>;
  /** What else changes in the superblock after the last write: totals, times. */
  closed?(): Partial<RawSuperblock>;
}

/**
 * The journal through which `cache` gets to the disk. The log was replayed. Nothing is written before the first commit
 * that has something to write. A filesystem without a journal is written in the order of the barriers, and is not valid
 * until all is in its place.
 */
export function openForWriting(volume: ExtVolume, cache: WriteCache, writing: ExtWriting): DiskJournal {
  const { features, raw } = volume.superblock;
  if (writing.isNew === true)
    return directJournal(cache, {
      begin() {},
      end: () => markSuperblock(cache, () => ({ ...writing.closed?.() })),
    });
  if (!has(features.compat, compat.hasJournal)) {
    const valid = raw.s_state & superblockState.valid;
    return orderedJournal(cache, {
      begin: () =>
        markSuperblock(cache, (now) => ({
          s_state: now.s_state & ~superblockState.valid,
          ...writing.opened?.(now),
        })),
      end: () => {
        const closed = writing.closed?.();
        markSuperblock(cache, (now) => ({ s_state: now.s_state | valid, ...closed }));
      },
    });
  }
  const log = new Log(openJournal(volume, writing.findJournal), cache, volume.superblock);
  return new DiskJournal(cache, log, {
    begin: () =>
      markSuperblock(cache, (now) => ({
        s_feature_incompat: (now.s_feature_incompat | incompat.needsRecovery) >>> 0,
        ...writing.opened?.(now),
      })),
    end: () => {
      // The other order would leave a log that nobody knows to replay.
      log.end();
      const closed = writing.closed?.();
      markSuperblock(cache, (now) => ({
        s_feature_incompat: (now.s_feature_incompat & ~incompat.needsRecovery) >>> 0,
        ...closed,
      }));
    },
  });
}
