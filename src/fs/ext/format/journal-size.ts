/** How large a journal is: mke2fs's table, and what it refuses (lib/ext2fs/mkjournal.c, misc/util.c). */
import { GuestfsError } from '../../../base/index.js';
import { compat, type FeatureMasks } from '../features.js';
import { leastJournalBlocks } from '../journal/layout.js';
import { has } from '../superblock.js';

const mostJournalBlocks = 10_240_000;
/** One block for fast commits for so many of the journal. */
const fastCommitShare = 64;
const k = 1024;
/** Below so many blocks, a filesystem has a journal of so many. */
const sizes: readonly (readonly [below: number, blocks: number])[] = [
  [2 * k, 0],
  [32 * k, k],
  [256 * k, 4 * k],
  [512 * k, 8 * k],
  [4096 * k, 16 * k],
  [8192 * k, 32 * k],
  [16384 * k, 64 * k],
  [32768 * k, 128 * k],
  [Number.POSITIVE_INFINITY, 256 * k],
];

export interface JournalBlocks {
  readonly log: number;
  readonly fastCommits: number;
}

/**
 * The blocks of the journal; undefined for a filesystem that is too small for one, as in mke2fs. `bytes`: the size
 * asked for, if any; `free`: blocks that are free before. EINVAL.
 */
export function journalBlocksOf(
  features: FeatureMasks,
  blockSize: number,
  blockCount: number,
  free: number,
  bytes: number | undefined,
): JournalBlocks | undefined {
  const usual = sizes.find(([below]) => blockCount < below)?.[1] ?? 0;
  if (usual === 0) return undefined;
  const log = bytes ? Math.floor(bytes / blockSize) : usual;
  const fastCommits = has(features.compat, compat.fastCommit) ? Math.floor(log / fastCommitShare) : 0;
  const total = log + fastCommits;
  if (bytes) {
    if (total < leastJournalBlocks || total > mostJournalBlocks)
      throw new GuestfsError(
        'EINVAL',
        `the requested journal size is ${total} blocks; it must be between ${leastJournalBlocks} and ${mostJournalBlocks}`,
      );
    if (total > free / 2) throw new GuestfsError('EINVAL', 'the journal size is too big for the filesystem');
  }
  return { log, fastCommits };
}
