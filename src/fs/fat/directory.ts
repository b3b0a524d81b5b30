/**
 * Directories: 32-byte entries, some of which hold parts of long names.
 *
 * fatgen103, "Directory Structure" and "Long Directory Entries". As in Linux, and unlike in DOS, a directory
 * continues after an entry whose first byte is zero: such entries are skipped, and later entries are shown. Parts of
 * a long name that do not belong together are skipped too, and the entry is then shown by its short name; so is an
 * entry whose checksum does not match.
 */
import { CorruptError, decodeLatin1, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { decodeUtf16Name } from '../utf16-names.js';
import {
  attrLongName,
  attrVolumeId,
  directoryEntry,
  entrySize,
  lastLongEntry,
  longNameEntry,
  maxLongEntries,
  nameDeleted,
  nameEnd,
  unitOffsets,
  unitsPerLongEntry,
} from './layout.js';
import { decodeShortName, type ShortNameDisplay, shortNameChecksum } from './names.js';

/** One entry that is neither a volume label nor a part of a long name. */
export interface RawEntry {
  /** Its offset in its directory, in bytes. */
  readonly offset: number;
  readonly name: Uint8Array;
  readonly attributes: number;
  readonly ntFlags: number;
  /** The short name as shown. If it is empty, the entry has no shown short name. */
  readonly shortName: string;
  /** The long name; undefined without one. */
  readonly longName: string | undefined;
}

/** Bytes of a directory that are decoded at once: most directories are one read. */
const pieceSize = 262_144;

/** Reads the entries' bytes one by one, with a piece of the directory in memory. */
class EntryReader {
  readonly #directory: Disk;
  #piece = new Uint8Array(0);
  #pieceOffset = 0;
  view = new DataView(new ArrayBuffer(0));
  /** The offset of the current entry: in the directory, and in {@link view}. */
  offset = -entrySize;
  at = 0;

  constructor(directory: Disk) {
    this.#directory = directory;
  }

  /** Goes to the next entry; false where the directory ends. */
  advance(): boolean {
    work.entries.spend(1);
    const next = this.offset + entrySize;
    if (next + entrySize > this.#directory.size) return false;
    if (next >= this.#pieceOffset + this.#piece.length) {
      this.#piece = new Uint8Array(Math.min(pieceSize, this.#directory.size - next));
      this.#directory.read(this.#piece, next);
      this.#pieceOffset = next;
      this.view = new DataView(this.#piece.buffer);
    }
    this.offset = next;
    this.at = next - this.#pieceOffset; // whole entries: pieceSize is a multiple of entrySize
    return true;
  }

  byte(at: number): number {
    return this.view.getUint8(this.at + at); // safe: at < entrySize, and the piece holds the whole entry
  }

  get first(): number {
    return this.byte(0);
  }

  get attributes(): number {
    return this.byte(directoryEntry.fields.attr.at);
  }

  get isFree(): boolean {
    return this.first === nameEnd || this.first === nameDeleted;
  }

  name(): Uint8Array {
    return new Uint8Array(this.view.buffer, this.at, 11).slice();
  }
}

/** The parts of a long name, put together. */
interface LongName {
  readonly units: Uint16Array;
  /** The checksum of the short name that the long name belongs to. */
  readonly checksum: number;
}

/**
 * Why parts are no long name. `stray`: the current entry is not the first part of a name. `broken`: the current entry
 * does not continue the name, and may begin another. `cut`: the directory ended.
 */
type NoLongName = 'stray' | 'broken' | 'cut';

/** Collects the parts of a long name, the current entry first. The entry behind the last part is then the current one. */
function collectParts(reader: EntryReader): LongName | NoLongName {
  const order = reader.byte(longNameEntry.fields.ord.at);
  const parts = order & ~lastLongEntry;
  if ((order & lastLongEntry) === 0 || parts === 0 || parts > maxLongEntries) return 'stray';
  const checksum = reader.byte(longNameEntry.fields.chksum.at);
  const units = new Uint16Array(parts * unitsPerLongEntry);
  // The last part of the name is stored first.
  for (let part = parts - 1; ; part--) {
    unitOffsets.forEach((at, i) => {
      units[part * unitsPerLongEntry + i] = reader.view.getUint16(reader.at + at, true); // safe: at ≤ 30
    });
    if (!reader.advance()) return 'cut';
    if (part === 0) return { units, checksum };
    const continues =
      reader.attributes === attrLongName &&
      (reader.byte(longNameEntry.fields.ord.at) & ~lastLongEntry) === part &&
      reader.byte(longNameEntry.fields.chksum.at) === checksum;
    if (!continues) return 'broken';
  }
}

/** The entries of a directory in stored order, `.` and `..` included. `show` makes the shown form of a name. */
export function* readEntries(
  directory: Disk,
  display: ShortNameDisplay,
  show: (name: string) => string = (name) => name,
): Generator<RawEntry> {
  const reader = new EntryReader(directory);
  /** The long name in front of the current entry. */
  let long: LongName | undefined;
  let more = reader.advance();
  while (more) {
    const isPart = reader.first !== nameDeleted && reader.attributes === attrLongName;
    const collected = isPart ? collectParts(reader) : undefined;
    if (collected === 'cut') return;
    if (collected !== undefined && collected !== 'stray') {
      long = collected === 'broken' ? undefined : collected;
      continue;
    }
    if (collected === undefined && !reader.isFree && (reader.attributes & attrVolumeId) === 0) {
      const name = reader.name();
      const ntFlags = reader.byte(directoryEntry.fields.nt_res.at);
      const own = long?.checksum === shortNameChecksum(name) ? long : undefined;
      yield {
        offset: reader.offset,
        name,
        attributes: reader.attributes,
        ntFlags,
        shortName: show(decodeShortName(name, ntFlags, display)),
        longName: own && show(decodeUtf16Name(own.units)),
      };
    }
    long = undefined;
    more = reader.advance();
  }
}

/** The name under which an entry is listed; undefined if it is not listed. CorruptError for an invalid name. */
export function shownName(entry: RawEntry): string | undefined {
  const name = entry.longName ?? entry.shortName;
  if (name === '' && entry.longName === undefined) return undefined;
  if (name === '' || name.includes('/')) {
    throw new CorruptError('FAT directory', 'has a name that is none', { name, offset: entry.offset });
  }
  return name;
}

const dot = '.          ';
const dotDot = '..         ';

/** Whether an entry is `.` or `..`, by its short name. */
export function isDotEntry(entry: RawEntry): boolean {
  if (entry.name[0] !== 0x2e) return false;
  const name = decodeLatin1(entry.name);
  return name === dot || name === dotDot;
}
