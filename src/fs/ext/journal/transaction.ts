/**
 * Writes one transaction into a log that holds nothing else: blocks whose places in the filesystem they then reach all or
 * none. Specification: the kernel's Documentation/filesystems/ext4/journal.rst; the order is that of fs/jbd2/commit.c.
 */
import { viewOf } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { commitChecksum, dataChecksum, tailChecksum } from './checksum.js';
import type { Journal } from './journal.js';
import { commitHeader, journalBlockTypes, journalHeader, journalMagic, journalTailSize } from './layout.js';
import { encodeTags, tagsInBlock } from './tags.js';

/** How many blocks a transaction may change that is alone in the log: descriptors and the commit block take room, too. */
export function transactionRoom(journal: Journal): number {
  const length = journal.end - journal.first - 1;
  return length - Math.ceil(length / (tagsInBlock(journal) + 1));
}

/**
 * Stores `blocks`, by their numbers in the filesystem, as transaction `sequence` at the beginning of the log, and commits
 * it. The superblock of the journal must say already, and durably, that the log begins there with that transaction. There
 * must be {@link transactionRoom}.
 */
export function writeTransaction(
  journal: Journal,
  log: Disk,
  sequence: number,
  blocks: ReadonlyMap<number, Uint8Array>,
): void {
  const stored: Uint8Array[] = [];
  const list = [...blocks];
  for (let from = 0; from < list.length; from += tagsInBlock(journal))
    stored.push(...describe(journal, sequence, list.slice(from, from + tagsInBlock(journal))));
  clearStale(journal, log, sequence, stored.length + 1);
  for (const [index, bytes] of stored.entries()) log.write(bytes, journal.offsetOf(journal.first + index));
  log.flush();
  log.write(commitBlock(journal, sequence), journal.offsetOf(journal.first + stored.length));
  log.flush();
}

/**
 * An unfinished transaction of the same number may lie there: with some blocks of the new one and others of the old,
 * a log that was cut off could look committed.
 */
function clearStale(journal: Journal, log: Disk, sequence: number, count: number): void {
  const header = new Uint8Array(journalHeader.size);
  let found = false;
  for (let index = 0; index < count; index++) {
    const offset = journal.offsetOf(journal.first + index);
    log.read(header, offset);
    const { h_magic: magic, h_sequence: stale } = journalHeader.decode(header);
    if (magic !== journalMagic || stale !== sequence) continue;
    log.zero(offset, journal.blockSize);
    found = true;
  }
  if (found) log.flush();
}

/** A descriptor block and the blocks that it describes. */
function describe(
  journal: Journal,
  sequence: number,
  blocks: readonly (readonly [number, Uint8Array])[],
): Uint8Array[] {
  const { checksumSeed: seed, blockSize } = journal;
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
  if (seed !== undefined)
    viewOf(descriptor).setUint32(blockSize - journalTailSize, tailChecksum(descriptor, seed), false);
  return [descriptor, ...escaped.map(({ bytes }) => bytes)];
}

/** Its time is 0: no other commit block is left that could be compared with it. */
function commitBlock(journal: Journal, sequence: number): Uint8Array {
  const block = blockOf(journal, journalBlockTypes.commit, sequence);
  const { checksumSeed: seed } = journal;
  if (seed !== undefined) commitHeader.encode({ h_chksum: commitChecksum(block, seed) }, block);
  return block;
}

function blockOf(journal: Journal, type: number, sequence: number): Uint8Array {
  const block = new Uint8Array(journal.blockSize);
  journalHeader.encode({ h_magic: journalMagic, h_blocktype: type, h_sequence: sequence }, block);
  return block;
}
