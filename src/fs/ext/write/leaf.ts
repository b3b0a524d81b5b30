/**
 * Blocks of directory entries as they are changed: names put in and taken out as the kernel's fs/ext4/namei.c does.
 * Specification: the kernel's Documentation/filesystems/ext4/directory.rst.
 */
import { crc32c, viewOf } from '../../../base/index.js';
import type { FileType } from '../../driver.js';
import {
  type EntryArea,
  type EntryRules,
  encodeRecordLength,
  entryTypeNumber,
  isNamed,
  scanAllEntries,
} from '../directory/entries.js';
import { direntAt, direntHeaderSize, direntTailSize, direntTailType } from '../layout.js';

/** A name and what it leads to. */
export interface NewEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  readonly kind: FileType;
}

/** An entry as stored, for those that are moved. */
export interface StoredEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  /** The byte of the type. */
  readonly type: number;
}

/** Bytes that an entry needs for a name of so many. */
export function entrySize(nameLength: number): number {
  return (direntHeaderSize + nameLength + 3) & ~3;
}

export function areaOf(bytes: Uint8Array, start: number, end: number, view = viewOf(bytes)): EntryArea {
  return { bytes, view, start, end };
}

/** Writes an entry that reaches from `offset` up to `end`. */
export function placeEntry(
  area: EntryArea,
  rules: EntryRules,
  offset: number,
  end: number,
  entry: StoredEntry,
): void {
  const { bytes, view } = area;
  view.setUint32(offset + direntAt.inode, entry.inode, true);
  view.setUint16(offset + direntAt.rec_len, encodeRecordLength(end - offset, rules.blockSize), true);
  bytes[offset + direntAt.name_len] = entry.name.length;
  bytes[offset + direntAt.file_type] = entry.type;
  bytes.set(entry.name, offset + direntAt.name);
}

/** The stored form of a new entry. */
export function storedEntry(rules: EntryRules, { name, inode, kind }: NewEntry): StoredEntry {
  return { name, inode, type: entryTypeNumber(kind, rules.typed) };
}

/** Makes an area one entry that is not in use. */
export function clearArea(area: EntryArea, rules: EntryRules): void {
  area.bytes.fill(0, area.start, area.end);
  area.view.setUint16(
    area.start + direntAt.rec_len,
    encodeRecordLength(area.end - area.start, rules.blockSize),
    true,
  );
}

/** An entry behind which there is room, or that is not in use: what it takes itself, and has. */
export interface Room {
  readonly at: number;
  readonly used: number;
  readonly length: number;
}

/** Room for a name of so many bytes; undefined where there is none. */
export function findRoom(
  area: EntryArea,
  rules: EntryRules,
  what: string,
  nameLength: number,
): Room | undefined {
  const needed = entrySize(nameLength);
  let found: Room | undefined;
  scanAllEntries(area, rules, false, what, (at, inode, length, whole) => {
    const used = inode === 0 ? 0 : entrySize(length);
    if (whole - used < needed) return false;
    found = { at, used, length: whole };
    return true;
  });
  return found;
}

export function insertAt(
  area: EntryArea,
  rules: EntryRules,
  { at, used, length }: Room,
  entry: StoredEntry,
): void {
  if (used > 0) area.view.setUint16(at + direntAt.rec_len, encodeRecordLength(used, rules.blockSize), true);
  placeEntry(area, rules, at + used, at + length, entry);
}

/** Puts an entry behind one that takes more room than it needs; whether there is such. */
export function insertEntry(area: EntryArea, rules: EntryRules, what: string, entry: StoredEntry): boolean {
  const room = findRoom(area, rules, what, entry.name.length);
  if (room !== undefined) insertAt(area, rules, room, entry);
  return room !== undefined;
}

/** Where the entry of a name lies, or else room for it, as far as the block is not of its checksum. */
export function findEntryOrRoom(
  area: EntryArea,
  rules: EntryRules,
  what: string,
  name: Uint8Array,
  leafEnd: number,
): { readonly at: number | undefined; readonly room: Room | undefined } {
  const { bytes } = area;
  const needed = entrySize(name.length);
  let found: number | undefined;
  let room: Room | undefined;
  scanAllEntries(area, rules, false, what, (at, inode, length, whole) => {
    if (inode !== 0 && isNamed(bytes, at, length, name)) {
      found = at;
      return true;
    }
    if (room === undefined && at < leafEnd) {
      const used = inode === 0 ? 0 : entrySize(length);
      if (whole - used >= needed) room = { at, used, length: whole };
    }
    return false;
  });
  return { at: found, room };
}

/** Where the entry of a name lies; undefined if it is not there. */
export function findEntry(
  area: EntryArea,
  rules: EntryRules,
  what: string,
  name: Uint8Array,
): number | undefined {
  let found: number | undefined;
  const { bytes } = area;
  scanAllEntries(area, rules, false, what, (offset, inode, nameLength) => {
    if (inode === 0 || !isNamed(bytes, offset, nameLength, name)) return false;
    found = offset;
    return true;
  });
  return found;
}

/** Joins the entry of a name to the one before, or marks it as not in use where it is the first. Whether it was there. */
export function removeEntry(area: EntryArea, rules: EntryRules, what: string, name: Uint8Array): boolean {
  const { bytes, view } = area;
  let before = -1;
  let found = -1;
  let length = 0;
  scanAllEntries(area, rules, false, what, (offset, inode, nameLength, size) => {
    if (inode !== 0 && isNamed(bytes, offset, nameLength, name)) {
      found = offset;
      length = size;
      return true;
    }
    before = offset;
    return false;
  });
  if (found < 0) return false;
  if (before < 0) view.setUint32(found + direntAt.inode, 0, true);
  else
    view.setUint16(
      before + direntAt.rec_len,
      encodeRecordLength(found + length - before, rules.blockSize),
      true,
    );
  return true;
}

/** The entries in use, copied. */
export function listEntries(area: EntryArea, rules: EntryRules, what: string): StoredEntry[] {
  const entries: StoredEntry[] = [];
  const { bytes } = area;
  scanAllEntries(area, rules, false, what, (offset, inode, nameLength) => {
    if (inode !== 0) {
      const start = offset + direntAt.name;
      entries.push({
        name: bytes.slice(start, start + nameLength),
        inode,
        type: bytes[offset + direntAt.file_type] ?? 0,
      });
    }
    return false;
  });
  return entries;
}

/** Entries in two parts. */
interface SplitEntries {
  readonly lower: StoredEntry[];
  readonly upper: StoredEntry[];
  /** The least hash of the upper ones; undefined for none. */
  readonly border: number | undefined;
  /** Whether names of that hash are among the lower ones, too. */
  readonly isContinued: boolean;
}

/** Divides entries in the order of their hashes: the upper ones take about `half` bytes. */
export function splitByHash(
  entries: readonly StoredEntry[],
  half: number,
  hashOf: (name: Uint8Array) => number,
): SplitEntries {
  const sorted = entries.map((each) => ({ each, hash: hashOf(each.name) })).sort((a, b) => a.hash - b.hash);
  let split = sorted.length;
  for (let moved = 0; split > 1; split--) {
    const size = entrySize(sorted[split - 1]?.each.name.length ?? 0); // safe: split ≤ length
    if (moved + size / 2 > half) break;
    moved += size;
  }
  const border = sorted[split]?.hash;
  return {
    lower: sorted.slice(0, split).map(({ each }) => each),
    upper: sorted.slice(split).map(({ each }) => each),
    border,
    isContinued: border !== undefined && sorted[split - 1]?.hash === border,
  };
}

/** Fills an area with entries, which fit; the last takes the rest. */
export function fillArea(area: EntryArea, rules: EntryRules, entries: readonly StoredEntry[]): void {
  clearArea(area, rules);
  let offset = area.start;
  for (const [index, entry] of entries.entries()) {
    const end = index === entries.length - 1 ? area.end : offset + entrySize(entry.name.length);
    placeEntry(area, rules, offset, end, entry);
    offset = end;
  }
}

/** The end of a block of entries looks like an unused entry, and holds the checksum. */
export function placeTail({ bytes, view }: { readonly bytes: Uint8Array; readonly view: DataView }): void {
  const tail = bytes.length - direntTailSize;
  view.setUint32(tail + direntAt.inode, 0, true);
  view.setUint16(tail + direntAt.rec_len, direntTailSize, true);
  bytes[tail + direntAt.name_len] = 0;
  bytes[tail + direntAt.file_type] = direntTailType;
}

export function sealLeaf(
  { bytes, view }: { readonly bytes: Uint8Array; readonly view: DataView },
  seed: number,
): void {
  const tail = bytes.length - direntTailSize;
  view.setUint32(tail + direntAt.name, crc32c(seed, bytes.subarray(0, tail)), true);
}
