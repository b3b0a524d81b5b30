/**
 * Directory entries in a block, and the kernel's checks of each (fs/ext4/dir.c, __ext4_check_dir_entry).
 * Specification: the kernel's Documentation/filesystems/ext4/directory.rst.
 */
import { CorruptError, checksumHolds, crc32c, work } from '../../../base/index.js';
import type { FileType, OnDamage } from '../../driver.js';
import {
  direntAt as at,
  direntHashSize,
  direntHeaderSize,
  direntTailSize,
  direntTailType,
  hashTreeAt,
  hashTreeEntrySize,
  hashTreeTailSize,
} from '../layout.js';

/** A range of bytes that entries fill completely: a block, or one of the two parts of an inline directory. */
export interface EntryArea {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Offsets in {@link bytes}. */
  readonly start: number;
  readonly end: number;
}

/** Properties that all entries of a filesystem share. */
export interface EntryRules {
  readonly blockSize: number;
  readonly inodeCount: number;
  /** Whether entries contain the type; if not, the byte is the high part of the name's length and always 0. */
  readonly typed: boolean;
}

const types: readonly FileType[] = [
  'unknown',
  'file',
  'directory',
  'character',
  'block',
  'fifo',
  'socket',
  'symlink',
];

/** The type in an entry; values without a meaning are unknown. */
export function entryType(rules: EntryRules, value: number): FileType {
  return rules.typed ? (types[value] ?? 'unknown') : 'unknown';
}

/** What an entry holds for a type; 0 where entries hold none. */
export function entryTypeNumber(type: FileType, typed: boolean): number {
  return typed ? types.indexOf(type) : 0;
}

/** Called for each entry in use with its offset in the area. Returning true ends the scan. */
export type EntryVisitor = (offset: number, inode: number, nameLength: number) => boolean;

/** The bits of a length that 16 bits hold: it is a multiple of 4. */
const lengthMask = 0xffff & ~3;

/**
 * The length of an entry. Blocks of 64 KiB, whose size needs 17 bits, use the two lowest bits, which are otherwise 0.
 */
function recordLength(stored: number, blockSize: number): number {
  if (blockSize < 65536) return stored;
  if (stored === 0 || stored === 0xffff) return blockSize;
  return (stored & lengthMask) | ((stored & 3) << 16);
}

/** What is stored for a length: the reverse of {@link recordLength}. */
export function encodeRecordLength(length: number, blockSize: number): number {
  if (blockSize < 65536) return length;
  return length === blockSize ? 0xffff : (length & lengthMask) | ((length >>> 16) & 3);
}

/** Called for each entry, also unused ones (inode 0), with its length up to the next. Returning true ends the scan. */
export type AnyEntryVisitor = (offset: number, inode: number, nameLength: number, length: number) => boolean;

/** Visits the entries in use, as {@link scanAllEntries} does all. */
export function scanEntries(
  area: EntryArea,
  rules: EntryRules,
  hashed: boolean,
  what: string,
  visit: EntryVisitor,
  onDamage?: OnDamage,
): boolean {
  return scan(area, rules, hashed, what, visit, false, onDamage);
}

/**
 * Visits the entries. `hashed`: hashes follow the names. Returns whether a visitor ended the scan. Throws
 * CorruptError, with the directory's name in `what`, or calls `onDamage`: a useless entry is then skipped, and an
 * entry without a usable length ends the scan, as the kernel's readdir skips the rest of the block.
 */
export function scanAllEntries(
  area: EntryArea,
  rules: EntryRules,
  hashed: boolean,
  what: string,
  visit: AnyEntryVisitor,
  onDamage?: OnDamage,
): boolean {
  return scan(area, rules, hashed, what, visit, true, onDamage);
}

/**
 * The loop over a block: the first file of an image is found by a thousand rounds of it. What is done in each round is
 * in three functions, none of which is then so hot that V8 optimizes it, which takes longer than all rounds.
 */
function scan(
  area: EntryArea,
  rules: EntryRules,
  hashed: boolean,
  what: string,
  visit: AnyEntryVisitor,
  visitsUnused: boolean,
  onDamage: OnDamage | undefined,
): boolean {
  const { view, end } = area;
  const { blockSize, inodeCount } = rules;
  let count = 1; // a block counts even if nothing is in it
  const damaged = (problem: string, offset: number, details?: Record<string, number>): false => {
    const error = new CorruptError(what, `an entry ${problem}`, { offset, ...details });
    if (onDamage === undefined) throw error;
    onDamage(error);
    return false;
  };
  for (let offset = area.start; offset < end; ) {
    const length = lengthAt(area, offset, blockSize);
    const inode = length < 0 ? 0 : view.getUint32(offset + at.inode, true);
    const nameLength = length < 0 ? 0 : view.getUint8(offset + at.name_len);
    const problem = lengthProblem(area, offset, length, hashed, inode, nameLength);
    if (problem !== undefined) {
      return damaged(problem, offset, length < 0 ? undefined : { length, nameLength });
    }
    count++;
    if (inode > inodeCount) damaged('has an invalid inode number', offset, { inode });
    else if (inode !== 0 && nameLength === 0) damaged('has no name', offset);
    else if ((inode !== 0 || visitsUnused) && visit(offset, inode, nameLength, length)) {
      work.entries.spend(count);
      return true;
    }
    offset += length;
  }
  work.entries.spend(count);
  return false;
}

/** The length of the entry at an offset; negative where its block ends before the entry's head does. */
function lengthAt({ view, end }: EntryArea, offset: number, blockSize: number): number {
  if (offset + direntHeaderSize + 4 > end) return -1;
  return recordLength(view.getUint16(offset + at.rec_len, true), blockSize);
}

/** What is wrong with the length of an entry, if anything. */
function lengthProblem(
  { bytes, end }: EntryArea,
  offset: number,
  length: number,
  hashed: boolean,
  inode: number,
  nameLength: number,
): string | undefined {
  if (length < 0) return 'is cut short';
  if (length < 12 || (length & 3) !== 0) return 'has an invalid length';
  const needed = ((direntHeaderSize + nameLength + 3) & ~3) + (hashed && inode !== 0 ? direntHashSize : 0);
  if (inode !== 0 && length < needed && !(hashed && isDots(bytes, offset, nameLength)))
    return 'is too short for its name';
  const next = offset + length;
  return next > end || (next > end - 12 && next !== end) ? 'reaches past the end of its block' : undefined;
}

/** Whether the entry at `offset` is `.` or `..`. */
export function isDots(bytes: Uint8Array, offset: number, nameLength: number): boolean {
  const dot = 0x2e;
  return (
    nameLength <= 2 &&
    bytes[offset + at.name] === dot &&
    (nameLength === 1 || (nameLength === 2 && bytes[offset + at.name + 1] === dot))
  );
}

/** Whether the entry at `offset` bears a name. */
export function isNamed(bytes: Uint8Array, offset: number, nameLength: number, name: Uint8Array): boolean {
  if (nameLength !== name.length) return false;
  const start = offset + at.name;
  for (let i = 0; i < nameLength; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}

/** The name of the entry at `offset`; not a copy. */
export function nameBytes(bytes: Uint8Array, offset: number, nameLength: number): Uint8Array {
  return bytes.subarray(offset + at.name, offset + at.name + nameLength);
}

/** Whether a leaf block ends with a checksum, and the checksum is right. */
export function leafChecksumHolds(area: EntryArea, seed: number): boolean {
  const { bytes, view, start, end } = area;
  const tail = end - direntTailSize;
  if (
    view.getUint32(tail + at.inode, true) !== 0 ||
    view.getUint16(tail + at.rec_len, true) !== direntTailSize ||
    bytes[tail + at.name_len] !== 0 ||
    bytes[tail + at.file_type] !== direntTailType
  )
    return false;
  return checksumHolds(crc32c(seed, bytes.subarray(start, tail)), view.getUint32(tail + at.name, true));
}

/**
 * The place of count and limit in an index block: after the fake entries of the root, or near the front of an inner
 * node (which looks like one unused entry as long as the block). Undefined for other blocks.
 */
export function countLimitAt(area: EntryArea, rules: EntryRules): number | undefined {
  const { bytes, view, start } = area;
  const { blockSize } = rules;
  const length = recordLength(view.getUint16(start + at.rec_len, true), blockSize);
  if (length === blockSize) return start + hashTreeAt.node_entries;
  if (length !== 12) return undefined;
  const second = recordLength(view.getUint16(start + 12 + at.rec_len, true), blockSize);
  if (second !== blockSize - 12) return undefined;
  if (view.getUint32(start + hashTreeAt.info_reserved_zero, true) !== 0) return undefined;
  if (bytes[start + hashTreeAt.info_length] !== 8) return undefined;
  return start + hashTreeAt.root_entries;
}

/** Whether the checksum of an index block is right. */
export function indexChecksumHolds(area: EntryArea, rules: EntryRules, seed: number): boolean {
  const { bytes, view, start, end } = area;
  const entries = countLimitAt(area, rules);
  if (entries === undefined) return false;
  const limit = view.getUint16(entries, true);
  const count = view.getUint16(entries + 2, true);
  const tail = entries + limit * hashTreeEntrySize;
  if (count > limit || tail + hashTreeTailSize > end) return false;
  let sum = crc32c(seed, bytes.subarray(start, entries + count * hashTreeEntrySize));
  sum = crc32c(sum, bytes.subarray(tail, tail + 4));
  sum = crc32c(sum, new Uint8Array(4));
  return checksumHolds(sum, view.getUint32(tail + 4, true));
}

/** Whether a block of an indexed directory is part of the index rather than a leaf. */
export function isIndexBlock(area: EntryArea, rules: EntryRules, logical: number): boolean {
  if (logical === 0) return true;
  return (
    recordLength(area.view.getUint16(area.start + at.rec_len, true), rules.blockSize) === rules.blockSize
  );
}
