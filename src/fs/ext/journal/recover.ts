/**
 * Recovery: the log is replayed, and then the filesystem says that there is nothing to replay. Each step is durable
 * before the next begins, so that a crash at any moment leaves a log that is replayed again, or a filesystem that
 * needs none.
 */
import { CorruptError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { incompat } from '../features.js';
import { superblockSize, superblockState } from '../layout.js';
import { has, readSuperblockBytes } from '../superblock.js';
import { encodeSuperblock } from '../write/superblock-writer.js';
import type { Journal } from './journal.js';
import { journalIncompat } from './layout.js';
import { replayJournal } from './replay.js';
import { changeJournalSuperblock } from './superblock.js';
import { clearStale, logLength, writeTransaction } from './transaction.js';

/** What is recovered, and where it is written. */
export interface Recovery {
  readonly journal: Journal;
  /** The filesystem's disk, or the layer over it. */
  readonly disk: Disk;
  /** The disk that the journal lies on: the same, but for an external journal. */
  readonly log: Disk;
  readonly blockSize: number;
  readonly blockCount: number;
  /** Where the superblock lies, in bytes. */
  readonly superblockAt: number;
}

/** Replays the log and makes it durable. The transaction that comes next; undefined where the log is empty. */
export function replayLog(recovery: Recovery): number | undefined {
  const { journal, disk, blockSize, blockCount, superblockAt } = recovery;
  const replayed = replayJournal(journal, disk, blockCount, (block, bytes) => {
    const within = superblockAt - block * blockSize;
    // Whatever the log says, the flag stays until all of the log is written: a crash in between must lead back here.
    if (within >= 0 && within < blockSize)
      encodeSuperblock(bytes.subarray(within, within + superblockSize), (raw) => ({
        s_feature_incompat: (raw.s_feature_incompat | incompat.needsRecovery) >>> 0,
      }));
  });
  disk.flush();
  return replayed?.nextTransaction;
}

/**
 * Makes what fast commits change one full transaction, `next`: all of it is in the log before any of it is in its
 * place. The log was replayed, and begins anew with that transaction; the fast commits count until it is committed,
 * and then no more.
 */
export function commitChanges(
  { journal, disk, log, blockSize }: Recovery,
  next: number,
  blocks: ReadonlyMap<number, Uint8Array>,
): void {
  changeJournalSuperblock(journal, log, () => ({ s_start: journal.first, s_sequence: next }));
  log.flush();
  // Its time is 0: no other commit block is left that could be compared with it.
  const transaction = { sequence: next, start: journal.first, blocks, time: 0 };
  clearStale(journal, log, transaction, logLength(journal, blocks.size, 0));
  writeTransaction(journal, log, transaction);
  for (const [number, bytes] of blocks) disk.write(bytes, number * blockSize);
  disk.flush();
}

/**
 * Empties the log, of which `next` is the first transaction to come, and clears the flag that asks for a replay. The
 * other order would leave a log that nobody knows to replay, which e2fsck complains of. `free` is what the groups
 * have free, which no transaction tells the superblock: the kernel counts anew when it mounts.
 */
export function finishRecovery(
  recovery: Recovery,
  next: number | undefined,
  free: { readonly blocks: number; readonly inodes: number },
): void {
  const { journal, disk, log, superblockAt } = recovery;
  if (next !== undefined) {
    changeJournalSuperblock(journal, log, ({ s_feature_incompat }) => ({
      s_start: 0,
      s_sequence: next,
      // An empty journal is one that kernels without fast commits may use.
      s_feature_incompat: (s_feature_incompat & ~journalIncompat.fastCommit) >>> 0,
    }));
    log.flush();
  }
  const bytes = readSuperblockBytes(disk, superblockAt);
  if (bytes === undefined) throw new CorruptError('ext4 superblock', 'lies outside the disk');
  const failed = journal.raw.s_errno !== 0;
  encodeSuperblock(bytes, (raw) => ({
    s_feature_incompat: (raw.s_feature_incompat & ~incompat.needsRecovery) >>> 0,
    s_free_blocks_count_lo: free.blocks % 0x1_0000_0000,
    ...(has(raw.s_feature_incompat, incompat.sixtyFourBit)
      ? { s_free_blocks_count_hi: Math.floor(free.blocks / 0x1_0000_0000) }
      : {}),
    s_free_inodes_count: free.inodes,
    // An error that the log tells of becomes the filesystem's.
    s_state: failed ? raw.s_state | superblockState.error : raw.s_state,
  }));
  disk.write(bytes, superblockAt);
  disk.flush();
  if (!failed) return;
  changeJournalSuperblock(journal, log, () => ({ s_errno: 0 }));
  log.flush();
}
