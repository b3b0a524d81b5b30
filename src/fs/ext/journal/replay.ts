/**
 * Replay of the journal, as in a mount after a crash. Three passes over the log, as in the kernel's
 * fs/jbd2/recovery.c: find the end of the log; collect the revoked blocks (freed, and since used for data outside the
 * log); write all others to their places. Transaction numbers have 32 bits and wrap around.
 */
import { CorruptError, checksumHolds } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { has } from '../superblock.js';
import { commitChecksumHolds, crc32BigEndian, dataChecksum, tailChecksumHolds } from './checksum.js';
import type { Journal } from './journal.js';
import {
  commitHeader,
  journalBlockTypes,
  journalChecksumTypes,
  journalCompat,
  journalHeader,
  journalIncompat,
  journalMagic,
} from './layout.js';
import { decodeRevoked, decodeTags } from './tags.js';

const what = 'ext4 journal';
/** The most revoked blocks, which bounds memory to about 200 MB. The kernel's own journals hold far fewer. */
const revokeLimit = 2 ** 21;

/** Whether transaction `a` came after `b`. */
function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** One block of the log, between its first and its last transaction. */
interface LogBlock {
  readonly type: number;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** Walks the log from its start: returns the next block, and skips or reads data blocks. */
class LogReader {
  readonly #journal: Journal;
  #next: number;
  /** Blocks left until the log would run into its own start. */
  #left: number;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#next = journal.raw.s_start;
    this.#left = journal.end - journal.first;
  }

  /** The next block, after a wrap at the end of the journal; undefined when all blocks were visited. */
  read(): Uint8Array | undefined {
    const at = this.#advance();
    return at === undefined ? undefined : this.#journal.block(at);
  }

  #advance(): number | undefined {
    if (this.#left === 0) return undefined;
    this.#left--;
    const at = this.#next;
    this.#next = at + 1 === this.#journal.end ? this.#journal.first : at + 1;
    return at;
  }

  skip(count: number): void {
    for (let i = 0; i < count; i++) this.#advance();
  }

  /** The next block if it belongs to the log of transaction `sequence`. */
  next(sequence: number): LogBlock | undefined {
    const bytes = this.read();
    if (bytes === undefined) return undefined;
    const header = journalHeader.decode(bytes);
    if (header.h_magic !== journalMagic || header.h_sequence !== sequence) return undefined;
    return { type: header.h_blocktype, sequence, bytes };
  }
}

/**
 * The scan: walks transactions as long as each ends with a commit block with right checksums. Returns the first
 * transaction that must not be replayed.
 */
function findEnd(journal: Journal): number {
  const log = new LogReader(journal);
  const { checksumSeed: seed } = journal;
  const checksumV1 = has(journal.compat, journalCompat.checksum);
  const asynchronous = has(journal.incompat, journalIncompat.asyncCommit);
  let sequence = journal.raw.s_sequence;
  let end: number | undefined; // of the first transaction whose commit block was wrong, which may have been interrupted
  let suspicious = false; // a descriptor's checksum was wrong: stale, or damaged
  let lastCommitTime = 0;
  let sum = 0xffffffff; // version 1, of the transaction so far
  for (;;) {
    const block = log.next(sequence);
    if (block === undefined) break;
    if (block.type === journalBlockTypes.descriptor) {
      if (seed !== undefined && !tailChecksumHolds(block.bytes, seed)) suspicious = true;
      const { length } = decodeTags(journal, block.bytes);
      if (checksumV1 && !suspicious && end === undefined) {
        sum = crc32BigEndian(sum, block.bytes);
        for (let i = 0; i < length; i++) sum = crc32BigEndian(sum, log.read() ?? new Uint8Array(0));
      } else log.skip(length);
    } else if (block.type === journalBlockTypes.revoke) {
      if (seed !== undefined && !tailChecksumHolds(block.bytes, seed)) suspicious = true;
    } else if (block.type === journalBlockTypes.commit) {
      const commit = commitHeader.decode(block.bytes);
      const time = commit.h_commit_sec_high * 0x1_0000_0000 + commit.h_commit_sec_low;
      if (suspicious) {
        // A stale block is from an earlier pass through the log; any other is damage.
        if (time < lastCommitTime) break;
        throw new CorruptError(what, 'a transaction has a bad checksum', { transaction: sequence });
      }
      if (checksumV1 && end !== undefined)
        // The transaction before was not merely interrupted, because this one was committed after it.
        throw new CorruptError(what, 'a transaction is damaged', { transaction: end });
      const holds =
        (!checksumV1 || commitSumHolds(commit, sum)) &&
        (seed === undefined || commitChecksumHolds(block.bytes, seed));
      sum = 0xffffffff;
      if (!holds) {
        if (time < lastCommitTime) break;
        if (!asynchronous)
          throw new CorruptError(what, 'a transaction is damaged', { transaction: sequence });
        end ??= sequence;
      }
      lastCommitTime = time;
      sequence = (sequence + 1) >>> 0;
    } else break;
  }
  return end ?? sequence;
}

/** Version 1: the sum matches, or there is none. */
function commitSumHolds(
  commit: { h_chksum_type: number; h_chksum_size: number; h_chksum: number },
  sum: number,
): boolean {
  const { h_chksum_type: type, h_chksum_size: size, h_chksum: stored } = commit;
  if (type === 0 && size === 0 && stored === 0) return true;
  return type === journalChecksumTypes.crc32 && size === 4 && checksumHolds(sum, stored);
}

/** The second pass: the revoked blocks, each with its last revoking transaction. */
function findRevoked(journal: Journal, end: number): Map<number, number> {
  const revoked = new Map<number, number>();
  walk(journal, end, (block, log) => {
    if (block.type === journalBlockTypes.descriptor) log.skip(decodeTags(journal, block.bytes).length);
    if (block.type !== journalBlockTypes.revoke) return;
    for (const number of decodeRevoked(journal, block.bytes)) {
      const known = revoked.get(number);
      if (known === undefined || isAfter(block.sequence, known)) revoked.set(number, block.sequence);
    }
    if (revoked.size > revokeLimit)
      throw new CorruptError(what, 'revokes too many blocks', { limit: revokeLimit });
  });
  return revoked;
}

/** Walks the blocks of the transactions before `end`. */
function walk(journal: Journal, end: number, visit: (block: LogBlock, log: LogReader) => void): void {
  const log = new LogReader(journal);
  let sequence = journal.raw.s_sequence;
  while (isAfter(end, sequence)) {
    const block = log.next(sequence);
    if (block === undefined)
      throw new CorruptError(what, 'ends before its last transaction', { sequence, end });
    visit(block, log);
    if (block.type === journalBlockTypes.commit) sequence = (sequence + 1) >>> 0;
  }
}

/** What a replay did. */
interface Replayed {
  /** The number of the next transaction, which fast commits carry. */
  readonly nextTransaction: number;
}

/**
 * Writes the log's blocks to `disk`. `blockCount` is the filesystem's; nothing is written beyond it. Throws
 * CorruptError if the log is damaged in the middle, since the kernel then refuses to mount; an unfinished last
 * transaction is left out. Undefined if the log is empty: fast commits then do not count either.
 */
export function replayJournal(
  journal: Journal,
  disk: Disk,
  blockCount: number,
  prepare: (block: number, bytes: Uint8Array) => void,
): Replayed | undefined {
  if (journal.raw.s_start === 0) return undefined;
  const end = findEnd(journal);
  const revoked = findRevoked(journal, end);
  const { checksumSeed: seed, blockSize } = journal;
  const checksumMask = has(journal.incompat, journalIncompat.checksumV3) ? 0xffffffff : 0xffff;
  walk(journal, end, ({ type, sequence, bytes }, log) => {
    if (type !== journalBlockTypes.descriptor) return;
    if (seed !== undefined && !tailChecksumHolds(bytes, seed))
      throw new CorruptError(what, 'a descriptor block has a bad checksum', { transaction: sequence });
    for (const tag of decodeTags(journal, bytes)) {
      const data = log.read();
      if (data === undefined)
        throw new CorruptError(what, 'a transaction is longer than the log', { sequence });
      const revokedIn = revoked.get(tag.block);
      if (revokedIn !== undefined && !isAfter(sequence, revokedIn)) continue;
      if (
        seed !== undefined &&
        !checksumHolds((dataChecksum(data, sequence, seed) & checksumMask) >>> 0, tag.checksum)
      )
        throw new CorruptError(what, 'a block has a bad checksum', {
          transaction: sequence,
          block: tag.block,
        });
      if (tag.block >= blockCount)
        throw new CorruptError(what, 'writes outside the filesystem', { block: tag.block, blockCount });
      if (tag.escaped) journalHeader.encode({ h_magic: journalMagic }, data);
      prepare(tag.block, data);
      disk.write(data, tag.block * blockSize);
    }
  });
  return { nextTransaction: end };
}
