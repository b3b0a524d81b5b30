/** The list in a descriptor block: the target block of each following block of the log. */
import { CorruptError, viewOf } from '../../../base/index.js';
import { has } from '../superblock.js';
import type { Journal } from './journal.js';
import {
  journalHeader,
  journalIncompat,
  journalTailSize,
  revokeHeader,
  tag3At,
  tag3Size,
  tagAt,
  tagFlags,
} from './layout.js';

/** Behind each tag that does not say that the UUID is the same; in bytes. */
const uuidSize = 16;

/** One block of a transaction. */
interface Tag {
  /** Its block in the filesystem. */
  readonly block: number;
  /** Whether its first four bytes were the journal's magic number and were replaced by zeroes. */
  readonly escaped: boolean;
  /** Its checksum, of 32 bits or, in version 2, the low 16; 0 in other journals. */
  readonly checksum: number;
}

/** Bytes of a tag: one version 3 knows one size, the older four. */
function tagSize(incompat: number): number {
  if (has(incompat, journalIncompat.checksumV3)) return tag3Size;
  const checksum = has(incompat, journalIncompat.checksumV2) ? 2 : 0; // kept though the sum has a place already
  return (has(incompat, journalIncompat.sixtyFourBit) ? 12 : 8) + checksum;
}

/** Bytes of the checksum behind a descriptor or revoke block. */
function tailSize(journal: Journal): number {
  return journal.checksumSeed === undefined ? 0 : journalTailSize;
}

/** Bytes of a block number in a revoke block. */
function revokedSize(journal: Journal): number {
  return has(journal.incompat, journalIncompat.sixtyFourBit) ? 8 : 4;
}

/** The tags of a descriptor block. */
export function decodeTags(journal: Journal, block: Uint8Array): Tag[] {
  const { incompat } = journal;
  const view = viewOf(block);
  const size = tagSize(incompat);
  const end = block.length - tailSize(journal);
  const v3 = has(incompat, journalIncompat.checksumV3);
  const wide = has(incompat, journalIncompat.sixtyFourBit);
  const tags: Tag[] = [];
  for (let at: number = journalHeader.size; at + size <= end; ) {
    const flags = v3 ? view.getUint32(at + tag3At.t_flags, false) : view.getUint16(at + tagAt.t_flags, false);
    const high = wide ? view.getUint32(at + (v3 ? tag3At.t_blocknr_high : tagAt.t_blocknr_high), false) : 0;
    tags.push({
      block: high * 0x1_0000_0000 + view.getUint32(at + tagAt.t_blocknr, false),
      escaped: has(flags, tagFlags.escape),
      checksum: v3
        ? view.getUint32(at + tag3At.t_checksum, false)
        : view.getUint16(at + tagAt.t_checksum, false),
    });
    if (has(flags, tagFlags.lastTag)) break;
    at += size + (has(flags, tagFlags.sameUuid) ? 0 : uuidSize);
  }
  return tags;
}

/** The blocks that a revoke block lists. */
export function decodeRevoked(journal: Journal, block: Uint8Array): number[] {
  const view = viewOf(block);
  const size = revokedSize(journal);
  const end = revokeHeader.get(view, 0, 'r_count'); // bytes, with the header
  const limit = block.length - tailSize(journal);
  if (end > limit)
    throw new CorruptError('ext4 journal', 'a revoke block is longer than a block', { end, limit });
  const revoked: number[] = [];
  for (let at: number = revokeHeader.size; at + size <= end; at += size) {
    const high = size === 8 ? view.getUint32(at, false) : 0;
    revoked.push(high * 0x1_0000_0000 + view.getUint32(at + size - 4, false));
  }
  return revoked;
}

/**
 * How many tags the kernel puts into a descriptor block. The first has the 16 bytes of the journal's UUID behind it, and
 * the kernel keeps room for as many behind the next one too.
 */
export function tagsInBlock(journal: Journal): number {
  const room = journal.blockSize - journalHeader.size - 2 * uuidSize - tailSize(journal);
  return Math.floor(room / tagSize(journal.incompat));
}

/** How many blocks a revoke block lists. */
export function revokedInBlock(journal: Journal): number {
  const room = journal.blockSize - revokeHeader.size - tailSize(journal);
  return Math.floor(room / revokedSize(journal));
}

/** Puts block numbers, at most {@link revokedInBlock}, into a revoke block. */
export function encodeRevoked(journal: Journal, block: Uint8Array, revoked: readonly number[]): void {
  const view = viewOf(block);
  const size = revokedSize(journal);
  let at: number = revokeHeader.size;
  for (const number of revoked) {
    if (size === 8) view.setUint32(at, Math.floor(number / 0x1_0000_0000), false);
    view.setUint32(at + size - 4, number % 0x1_0000_0000, false);
    at += size;
  }
  revokeHeader.encode({ r_count: at }, block);
}

/**
 * Puts tags, at most {@link tagsInBlock}, into a descriptor block. Checksums are of 32 bits, of which version 2 keeps
 * 16.
 */
export function encodeTags(journal: Journal, block: Uint8Array, tags: readonly Tag[]): void {
  const { incompat } = journal;
  const view = viewOf(block);
  const v3 = has(incompat, journalIncompat.checksumV3);
  const wide = has(incompat, journalIncompat.sixtyFourBit);
  let at: number = journalHeader.size;
  for (const [index, { block: number, escaped, checksum }] of tags.entries()) {
    const flags =
      (escaped ? tagFlags.escape : 0) |
      (index > 0 ? tagFlags.sameUuid : 0) |
      (index === tags.length - 1 ? tagFlags.lastTag : 0);
    view.setUint32(at + tagAt.t_blocknr, number % 0x1_0000_0000, false);
    if (v3) {
      view.setUint32(at + tag3At.t_flags, flags, false);
      view.setUint32(at + tag3At.t_checksum, checksum, false);
    } else {
      view.setUint16(at + tagAt.t_flags, flags, false);
      view.setUint16(at + tagAt.t_checksum, checksum % 0x10000, false);
    }
    if (wide)
      view.setUint32(
        at + (v3 ? tag3At.t_blocknr_high : tagAt.t_blocknr_high),
        Math.floor(number / 0x1_0000_0000),
        false,
      );
    at += tagSize(incompat);
    if (index > 0) continue;
    block.set(journal.raw.s_uuid, at);
    at += uuidSize;
  }
}
