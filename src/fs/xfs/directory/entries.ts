/**
 * Entries of directories: in blocks, where space that is not in use lies between them, and in the inode (short form).
 * Specification: "XFS Algorithms & Data Structures", 3rd edition, "Directories".
 */
import { CorruptError, decodeLatin1, decodeText, work } from '../../../base/index.js';
import { type FileType, heeding, type OnDamage } from '../../driver.js';
import {
  blockFormMagics,
  blockTail,
  dataHeaderSize,
  dataHeaderSize5,
  entryAt,
  entryTagSize,
  entryTypes,
  entryUnit,
  freeTag,
  leafEntrySize,
  leastEntrySize,
  magicAt,
  shortEntryAt,
  shortFormAt,
  unusedAt,
} from '../layout.js';
import type { DirectoryBlock } from './blocks.js';

/** An entry as stored. */
export interface StoredEntry {
  readonly name: Uint8Array;
  readonly inode: number;
  readonly type: FileType;
}

/** How a filesystem stores entries. */
export interface EntryRules {
  readonly version5: boolean;
  /** Whether entries have the file's type. */
  readonly ftype: boolean;
}

function typeOfEntry(number: number): FileType {
  return entryTypes[number] ?? 'unknown';
}

/** A 64-bit inode number; beyond 2^53 it is no number of an inode, and reading it as one is refused there. */
function inodeNumber(view: DataView, at: number): number {
  return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}

/** The name of an entry as text. CorruptError for what cannot be a name. */
export function nameText(bytes: Uint8Array, structure: string): string {
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    // The kernel refuses such a name too, because its path would mean something else.
    if (byte === 0x2f || byte === 0) throw new CorruptError(structure, 'a name holds a slash or a NUL');
    bits |= byte;
  }
  return bits < 0x80 ? decodeLatin1(bytes) : decodeText(bytes);
}

export function isDots(name: Uint8Array): boolean {
  return name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e));
}

function entrySize(rules: EntryRules, nameLength: number): number {
  const size = entryAt.name + nameLength + (rules.ftype ? 1 : 0) + entryTagSize;
  return Math.ceil(size / entryUnit) * entryUnit;
}

/** Where the entries of a block end: in the block form, index and tail come after them. */
function entriesEnd({ view }: DirectoryBlock, structure: string): number {
  const isBlockForm = blockFormMagics.some((magic) => magic === view.getUint32(magicAt));
  if (!isBlockForm) return view.byteLength;
  const tailAt = view.byteLength - blockTail.size;
  const end = tailAt - blockTail.get(view, tailAt, 'count') * leafEntrySize;
  if (end < dataHeaderSize5) throw new CorruptError(structure, 'its index is larger than the block', { end });
  return end;
}

/**
 * Visits the entries of a block in order, with their offsets, `.` and `..` among them, until `visit` gives true. With
 * `onDamage`, the rest of a block behind damage is left out and reported.
 */
export function scanBlock(
  block: DirectoryBlock,
  rules: EntryRules,
  structure: string,
  visit: (entry: StoredEntry, offset: number) => boolean,
  onDamage?: OnDamage,
): void {
  heeding(onDamage, () => {
    const { view } = block;
    const end = entriesEnd(block, structure);
    for (let at = rules.version5 ? dataHeaderSize5 : dataHeaderSize; at < end; ) {
      work.entries.spend(1);
      if (view.getUint16(at + unusedAt.freetag) === freeTag) {
        const length = view.getUint16(at + unusedAt.length);
        if (length < entryUnit || length % entryUnit !== 0 || at + length > end)
          throw new CorruptError(structure, 'unused space has an invalid length', { offset: at, length });
        at += length;
        continue;
      }
      const [entry, size] = entryInBlock(block, rules, at, end, structure);
      if (visit(entry, at)) return;
      at += size;
    }
  });
}

/** The entry at an offset that the index gave. */
export function entryAtOffset(
  block: DirectoryBlock,
  rules: EntryRules,
  at: number,
  structure: string,
): StoredEntry {
  const first = rules.version5 ? dataHeaderSize5 : dataHeaderSize;
  const end = entriesEnd(block, structure);
  if (at < first || at + leastEntrySize > end || block.view.getUint16(at) === freeTag)
    throw new CorruptError(structure, 'its index points to no entry', { offset: at });
  return entryInBlock(block, rules, at, end, structure)[0];
}

function entryInBlock(
  { bytes, view }: DirectoryBlock,
  rules: EntryRules,
  at: number,
  end: number,
  structure: string,
): [entry: StoredEntry, size: number] {
  const nameLength = at + leastEntrySize <= end ? view.getUint8(at + entryAt.namelen) : 0;
  const size = entrySize(rules, nameLength);
  if (nameLength === 0 || at + size > end)
    throw new CorruptError(structure, 'an entry has an invalid length', { offset: at, nameLength });
  if (view.getUint16(at + size - entryTagSize) !== at)
    throw new CorruptError(structure, 'an entry does not end with its own offset', { offset: at });
  const nameAt = at + entryAt.name;
  const entry: StoredEntry = {
    name: bytes.subarray(nameAt, nameAt + nameLength),
    inode: inodeNumber(view, at + entryAt.inumber),
    type: rules.ftype ? typeOfEntry(view.getUint8(nameAt + nameLength)) : 'unknown',
  };
  return [entry, size];
}

/** A directory in its inode. */
interface ShortForm {
  readonly parent: number;
  readonly entries: readonly StoredEntry[];
}

/** With `onDamage`, the entries behind damage are left out and reported. */
export function decodeShortForm(
  bytes: Uint8Array,
  rules: EntryRules,
  structure: string,
  onDamage?: OnDamage,
): ShortForm {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shortest = shortFormAt.parent + 4;
  if (bytes.length < shortest) throw new CorruptError(structure, 'is too short', { size: bytes.length });
  const count = view.getUint8(shortFormAt.count);
  const longCount = view.getUint8(shortFormAt.i8count);
  const numberSize = longCount > 0 ? 8 : 4;
  let at = shortFormAt.parent + numberSize;
  if (bytes.length < at) throw new CorruptError(structure, 'is too short', { size: bytes.length });
  const numberAt = (place: number): number =>
    longCount > 0 ? inodeNumber(view, place) : view.getUint32(place);
  const entries: StoredEntry[] = [];
  heeding(onDamage, () => {
    for (let index = 0; index < count; index++) {
      work.entries.spend(1);
      const nameLength = at < bytes.length ? view.getUint8(at + shortEntryAt.namelen) : 0;
      const nameAt = at + shortEntryAt.name;
      const typeAt = nameAt + nameLength;
      const inodeAt = typeAt + (rules.ftype ? 1 : 0);
      if (nameLength === 0 || inodeAt + numberSize > bytes.length)
        throw new CorruptError(structure, 'an entry does not fit', { index, nameLength });
      entries.push({
        name: bytes.subarray(nameAt, typeAt),
        inode: numberAt(inodeAt),
        type: rules.ftype ? typeOfEntry(view.getUint8(typeAt)) : 'unknown',
      });
      at = inodeAt + numberSize;
    }
  });
  return { parent: numberAt(shortFormAt.parent), entries };
}
