/**
 * Blocks of a directory's index as they are changed: entries of hash and block, in order. Specification: the kernel's
 * Documentation/filesystems/ext4/directory.rst, "Hash Tree Directories".
 */
import { crc32c } from '../../../base/index.js';
import type { Block } from '../../../disk/index.js';
import { type EntryRules, encodeRecordLength } from '../directory/entries.js';
import {
  hashTreeAt as at,
  direntAt,
  direntHeaderSize,
  hashTreeEntrySize as entrySize,
  hashTreeTailSize,
} from '../layout.js';

/** An entry of the index; the hash of the first of a block does not count. */
interface IndexEntry {
  readonly hash: number;
  /** Of the directory. */
  readonly block: number;
}

/** The length of the information in the root. */
const infoLength = 8;

/** How many entries a block has room for. */
export function indexLimit(rules: EntryRules, entriesAt: number, sealed: boolean): number {
  return Math.floor((rules.blockSize - entriesAt - (sealed ? hashTreeTailSize : 0)) / entrySize);
}

export function readIndex({ view }: { readonly view: DataView }, entriesAt: number): IndexEntry[] {
  const count = view.getUint16(entriesAt + at.count, true);
  return Array.from({ length: count }, (_, index) => {
    const place = entriesAt + index * entrySize;
    return { hash: view.getUint32(place, true), block: view.getUint32(place + at.entry_block, true) };
  });
}

export function writeIndex(
  { bytes, view }: Block,
  entriesAt: number,
  limit: number,
  entries: readonly IndexEntry[],
): void {
  bytes.fill(0, entriesAt);
  for (const [index, { hash, block }] of entries.entries()) {
    view.setUint32(entriesAt + index * entrySize, hash, true);
    view.setUint32(entriesAt + index * entrySize + at.entry_block, block, true);
  }
  view.setUint16(entriesAt, limit, true);
  view.setUint16(entriesAt + at.count, entries.length, true);
}

/** Puts an entry at a place among the others; there must be room. */
export function insertIndexEntry(
  { bytes, view }: Block,
  entriesAt: number,
  index: number,
  entry: IndexEntry,
): void {
  const count = view.getUint16(entriesAt + at.count, true);
  const place = entriesAt + index * entrySize;
  bytes.copyWithin(place + entrySize, place, entriesAt + count * entrySize);
  view.setUint32(place, entry.hash, true);
  view.setUint32(place + at.entry_block, entry.block, true);
  view.setUint16(entriesAt + at.count, count + 1, true);
}

/** The head of an inner node: an unused entry as long as the block. */
export function beginNode({ bytes, view }: Block, rules: EntryRules): void {
  bytes.fill(0);
  view.setUint16(direntAt.rec_len, encodeRecordLength(rules.blockSize, rules.blockSize), true);
}

/** What the root has between the entries of `.` and `..`, which are there, and those of the index. */
export function beginRoot({ bytes, view }: Block, version: number): void {
  bytes.fill(0, at.info_reserved_zero);
  view.setUint8(at.info_hash_version, version);
  view.setUint8(at.info_length, infoLength);
}

/** Where entries begin in a block of the index. */
export function entriesAtOf(logical: number): number {
  return logical === 0 ? at.root_entries : direntHeaderSize;
}

export function sealIndex({ bytes, view }: Block, entriesAt: number, seed: number): void {
  const limit = view.getUint16(entriesAt, true);
  const count = view.getUint16(entriesAt + at.count, true);
  const tail = entriesAt + limit * entrySize;
  let sum = crc32c(seed, bytes.subarray(0, entriesAt + count * entrySize));
  sum = crc32c(sum, bytes.subarray(tail, tail + 4));
  sum = crc32c(sum, new Uint8Array(4));
  view.setUint32(tail + 4, sum, true);
}
