/**
 * Deleted names. Deleting a name makes the entry before it longer, over the deleted one, whose bytes stay until they
 * are overwritten (Linux 5.13 and later wipe them); the first entry of a block only loses its inode number. These
 * bytes may be anything: an entry is accepted if its number, its lengths and its name are plausible.
 */
import { decodeText, viewOf } from '../../../base/index.js';
import type { DirectoryEntry, InodeNumber, OnDamage, Time } from '../../driver.js';
import { decodeTime } from '../inode.js';
import { direntAt as at, direntHashSize, direntHeaderSize, inodeAt, shortInodeSize } from '../layout.js';
import type { ExtVolume } from '../volume.js';
import {
  type AnyEntryVisitor,
  type EntryArea,
  type EntryRules,
  entryType,
  scanAllEntries,
} from './entries.js';

/** A name of a directory, deleted or not. */
export interface StoredName extends DirectoryEntry {
  readonly deleted: boolean;
}

/** The least length of an entry: its head and a name of one byte, rounded up to four. */
const leastEntry = 12;

const sizeOf = (nameLength: number): number => (direntHeaderSize + nameLength + 3) & ~3;

/**
 * The deleted entry that could begin at `offset` and end before `end`; it has the number 0 if it was the first of its
 * block.
 */
function deletedAt(area: EntryArea, rules: EntryRules, offset: number, end: number): StoredName | undefined {
  const { bytes, view } = area;
  const inode = view.getUint32(offset + at.inode, true);
  const length = view.getUint16(offset + at.rec_len, true);
  const nameLength = bytes[offset + at.name_len] ?? 0;
  const size = sizeOf(nameLength);
  if (inode > rules.inodeCount || nameLength === 0 || offset + size > end) return undefined;
  if (length < size || length % 4 !== 0 || offset + length > area.end) return undefined;
  if (rules.typed && (bytes[offset + at.file_type] ?? 0) > 7) return undefined;
  const stored = bytes.subarray(offset + at.name, offset + at.name + nameLength);
  if (stored.some((byte) => byte === 0 || byte === 0x2f)) return undefined;
  const name = decodeText(stored);
  return name === '.' || name === '..'
    ? undefined
    : {
        name,
        inode,
        type: entryType(rules, bytes[offset + at.file_type] ?? 0),
        deleted: true,
      };
}

/** The deleted names of an area, by place: each before the next entry in use. */
export function deletedNames(
  area: EntryArea,
  rules: EntryRules,
  hashed: boolean,
  what: string,
  onDamage?: OnDamage,
): ReadonlyMap<number, StoredName> {
  const found = new Map<number, StoredName>();
  const visit: AnyEntryVisitor = (offset, inode, nameLength, length) => {
    const end = offset + length;
    // An unused entry is free as a whole; an entry in use is free after its name.
    let from = inode === 0 ? offset : offset + sizeOf(nameLength) + (hashed ? direntHashSize : 0);
    while (from + leastEntry <= end) {
      const name = deletedAt(area, rules, from, end);
      if (name !== undefined) found.set(from, name);
      from += name === undefined ? 4 : sizeOf(area.bytes[from + at.name_len] ?? 0);
    }
    return false;
  };
  scanAllEntries(area, rules, hashed, what, visit, onDamage);
  return found;
}

/** The fields of an inode's record, whether it is in use or not, and without checks. */
export interface InodeRemains {
  readonly mode: number;
  readonly linkCount: number;
  readonly sizeInBytes: number;
  readonly accessed: Time;
  readonly modified: Time;
  readonly changed: Time;
  /** The creation time; 1970 if the inode has no room for it. */
  readonly created: Time;
}

/** The record of an inode. `number` must name one. */
export function readRemains(volume: ExtVolume, number: InodeNumber): InodeRemains {
  const view = viewOf(volume.inodeRecord(number));
  const { byteLength } = view;
  const extra = byteLength > shortInodeSize ? view.getUint16(inodeAt.i_extra_isize, true) : 0;
  const end = Math.min(byteLength, shortInodeSize + extra);
  const time = (secondsAt: number, extraAt: number): Time => decodeTime(view, 0, secondsAt, extraAt, end);
  return {
    mode: view.getUint16(inodeAt.i_mode, true),
    linkCount: view.getUint16(inodeAt.i_links_count, true),
    sizeInBytes:
      view.getUint32(inodeAt.i_size_lo, true) +
      // In inodes of every size the high half has at most 21 bits; larger values are leftovers of something else.
      (view.getUint32(inodeAt.i_size_high, true) & 0x1fffff) * 0x1_0000_0000,
    accessed: time(inodeAt.i_atime, inodeAt.i_atime_extra),
    modified: time(inodeAt.i_mtime, inodeAt.i_mtime_extra),
    changed: time(inodeAt.i_ctime, inodeAt.i_ctime_extra),
    created:
      inodeAt.i_crtime + 4 <= end
        ? time(inodeAt.i_crtime, inodeAt.i_crtime_extra)
        : { seconds: 0, nanoseconds: 0 },
  };
}
