/**
 * Writes a transaction into the log. Specification: the kernel's Documentation/filesystems/ext4/journal.rst; the order
 * is that of fs/jbd2/commit.c: revoked blocks, blocks with their descriptors, and behind a barrier the commit block.
 */
import { viewOf } from '../../../base/index.js';
import { type Disk, type PlacedBytes, writeInOrder } from '../../../disk/index.js';
import { commitChecksum, dataChecksum, tailChecksum } from './checksum.js';
import type { Journal } from './journal.js';
import { commitHeader, journalBlockTypes, journalHeader, journalMagic, journalTailSize } from './layout.js';
import { encodeRevoked, encodeTags, revokedInBlock, tagsInBlock } from './tags.js';

/** What one transaction of the log is. */
interface LogTransaction {
  /** Its number, 32 bits. */
  readonly sequence: number;
  /** The block of the log where it begins. */
  readonly start: number;
  /** The changed blocks, by their numbers in the filesystem. */
  readonly blocks: ReadonlyMap<number, Uint8Array>;
  /** Blocks whose earlier copies in the log must not be replayed. */
  readonly revoked?: ReadonlySet<number>;
  /**
   * In seconds; never less than that of a transaction before. Recovery takes a damaged one with an earlier time for the
   * remains of an older log, and one with a later time for damage.
   */
  readonly time: number;
}

/** How many blocks of the log a transaction takes. */
export function logLength(journal: Journal, changed: number, revoked: number): number {
  const descriptors = Math.ceil(changed / tagsInBlock(journal));
  return Math.ceil(revoked / revokedInBlock(journal)) + descriptors + changed + 1;
}

/** How many blocks a transaction may change that is alone in the log. */
export function transactionRoom(journal: Journal): number {
  return changedIn(journal, journal.end - journal.first);
}

/** How many blocks a transaction may change that takes `length` blocks of the log. */
export function changedIn(journal: Journal, length: number): number {
  const room = Math.max(0, length - 1);
  return room - Math.ceil(room / (tagsInBlock(journal) + 1));
}

/** The block of the log that lies `count` behind `block`: behind the last comes the first. */
export function logBlockAfter({ first, end }: Journal, block: number, count: number): number {
  return first + ((block - first + count) % (end - first));
}

/**
 * Stores a transaction and commits it; there must be room for its {@link logLength}. The superblock of the journal says
 * already where the log begins, or says so at the first barrier at the latest.
 */
export function writeTransaction(journal: Journal, log: Disk, transaction: LogTransaction): void {
  const { sequence, start } = transaction;
  const stored = encodeTransaction(journal, transaction);
  const placed = stored.map(
    (bytes, index): PlacedBytes => ({ start: journal.offsetOf(logBlockAfter(journal, start, index)), bytes }),
  );
  writeInOrder(log, placed);
  log.flush();
  const commit = commitBlock(journal, sequence, transaction.time);
  log.write(commit, journal.offsetOf(logBlockAfter(journal, start, stored.length)));
  log.flush();
}

/**
 * Clears what an interrupted transaction of the same number has left where one of `length` blocks is to be written: with
 * some blocks of the one and some of the other, a log that was cut off could look committed.
 */
export function clearStale(
  journal: Journal,
  log: Disk,
  { sequence, start }: LogTransaction,
  length: number,
): void {
  const header = new Uint8Array(journalHeader.size);
  let found = false;
  for (let index = 0; index < length; index++) {
    const offset = journal.offsetOf(logBlockAfter(journal, start, index));
    log.read(header, offset);
    const { h_magic: magic, h_sequence: stale } = journalHeader.decode(header);
    if (magic !== journalMagic || stale !== sequence) continue;
    log.zero(offset, journal.blockSize);
    found = true;
  }
  if (found) log.flush();
}

/** All blocks of a transaction but its commit block. */
function encodeTransaction(journal: Journal, { sequence, blocks, revoked }: LogTransaction): Uint8Array[] {
  const stored: Uint8Array[] = [];
  const listed = [...(revoked ?? [])];
  for (let from = 0; from < listed.length; from += revokedInBlock(journal)) {
    const block = blockOf(journal, journalBlockTypes.revoke, sequence);
    encodeRevoked(journal, block, listed.slice(from, from + revokedInBlock(journal)));
    stored.push(summed(journal, block));
  }
  const changed = [...blocks];
  for (let from = 0; from < changed.length; from += tagsInBlock(journal))
    stored.push(...describe(journal, sequence, changed.slice(from, from + tagsInBlock(journal))));
  return stored;
}

/** A descriptor block and the blocks that it describes. */
function describe(
  journal: Journal,
  sequence: number,
  blocks: readonly (readonly [number, Uint8Array])[],
): Uint8Array[] {
  const { checksumSeed: seed } = journal;
  const escaped = blocks.map(([block, bytes]) => {
    if (journalHeader.get(viewOf(bytes), 0, 'h_magic') !== journalMagic)
      return { block, bytes, escaped: false };
    // What begins like a block of the journal would be taken for one.
    const copy = bytes.slice();
    journalHeader.encode({ h_magic: 0 }, copy);
    return { block, bytes: copy, escaped: true };
  });
  const descriptor = blockOf(journal, journalBlockTypes.descriptor, sequence);
  const tags = escaped.map(({ block, bytes, escaped: isEscaped }) => ({
    block,
    escaped: isEscaped,
    checksum: seed === undefined ? 0 : dataChecksum(bytes, sequence, seed),
  }));
  encodeTags(journal, descriptor, tags);
  return [summed(journal, descriptor), ...escaped.map(({ bytes }) => bytes)];
}

/** Puts the checksum behind a descriptor or revoke block, where the journal has checksums. */
function summed({ checksumSeed: seed, blockSize }: Journal, block: Uint8Array): Uint8Array {
  if (seed !== undefined)
    viewOf(block).setUint32(blockSize - journalTailSize, tailChecksum(block, seed), false);
  return block;
}

function commitBlock(journal: Journal, sequence: number, time: number): Uint8Array {
  const block = blockOf(journal, journalBlockTypes.commit, sequence);
  commitHeader.encode(
    { h_commit_sec_high: Math.floor(time / 0x1_0000_0000), h_commit_sec_low: time % 0x1_0000_0000 },
    block,
  );
  const { checksumSeed: seed } = journal;
  if (seed !== undefined) commitHeader.encode({ h_chksum: commitChecksum(block, seed) }, block);
  return block;
}

function blockOf(journal: Journal, type: number, sequence: number): Uint8Array {
  const block = new Uint8Array(journal.blockSize);
  journalHeader.encode({ h_magic: journalMagic, h_blocktype: type, h_sequence: sequence }, block);
  return block;
}
