/**
 * The members of a tar archive in its order, from bytes that can only be read on: POSIX.1-2017 pax, GNU tar's long
 * names and numbers, its sparse files (the old form, and 0.1 and 1.0 of the pax form), and attributes as records.
 */
import { decodeLatin1, decodePadded, encodeText, UnsupportedError, work } from '../../base/index.js';
import { checkTarHeader, corruptTar, readNumber, readOctal, readRecords, wholeNumber } from './fields.js';
import {
  sparseAt,
  type TarEntry,
  type TarField,
  tarBlockLength,
  tarFields,
  tarMagic,
  tarNoteFlags,
  tarPadding,
  tarTypeFlags,
} from './layout.js';

/** Where the archive comes from. */
export interface TarInput {
  /** Reads up to `into.length` bytes; 0 at the end. */
  read(into: Uint8Array): number;
  /** Goes past bytes without reading them; false for an end before that. Without it, they are read. */
  skip?(length: number): boolean;
}

/** A stretch of a file, `length` bytes from `at` on. */
export type TarPart = readonly [at: number, length: number];

/** One member. */
export interface StoredMember
  extends Pick<
    TarEntry,
    'name' | 'type' | 'mode' | 'uid' | 'gid' | 'linkName' | 'deviceMajor' | 'deviceMinor'
  > {
  /** Of the file, holes counted. */
  readonly sizeInBytes: number;
  readonly modified: { readonly seconds: number; readonly nanoseconds: number };
  /** Of a pax header, by keyword. */
  readonly records: ReadonlyMap<string, string>;
  /** The parts of the file that the archive holds, one after the other from the place on where its input stands. */
  readonly parts: readonly TarPart[];
  /** What the archive holds of the file, in order; each piece is valid until the next is asked for. */
  contents(): Generator<{ readonly at: number; readonly bytes: Uint8Array }, void>;
}

const types: ReadonlyMap<string, TarEntry['type']> = new Map([
  ...Object.entries(tarTypeFlags).map(([type, flag]) => [flag, type as TarEntry['type']] as const), // safe: its keys
  ['\0', 'file'],
  ['7', 'file'],
  [sparseAt.type, 'file'],
]);
const noteKinds: ReadonlySet<string> = new Set(Object.values(tarNoteFlags));
const noteLimit = 4 * 1024 * 1024;
const mostParts = 1_000_000;
const pieceLength = 256 * 1024;

/** Reads exactly, from an input that reads on. */
class Blocks {
  readonly #input: TarInput;

  constructor(input: TarInput) {
    this.#input = input;
  }

  /** Fills as much as there is; returns how much. */
  fill(into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const count = this.#input.read(into.subarray(filled));
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  take(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    if (this.fill(bytes) < length) throw corruptTar('breaks off');
    return bytes;
  }

  skip(length: number): void {
    if (this.#input.skip !== undefined) {
      if (length > 0 && !this.#input.skip(length)) throw corruptTar('breaks off');
      return;
    }
    const piece = new Uint8Array(Math.min(pieceLength, length));
    for (let left = length; left > 0; left -= piece.length) {
      const part = piece.subarray(0, left);
      if (this.fill(part) < part.length) throw corruptTar('breaks off');
    }
  }
}

/** What stands before a member and is said of it. */
interface Notes {
  longName?: string;
  longLink?: string;
  records: Map<string, string>;
}

/**
 * The members, each until the next is asked for. CorruptError for what is no archive, or breaks off within a member;
 * UnsupportedError for a member of an unknown type, unless those are passed over.
 */
export function* tarMembers(
  input: TarInput,
  { skipsUnknown = false }: { readonly skipsUnknown?: boolean } = {},
): Generator<StoredMember, void> {
  const blocks = new Blocks(input);
  let globals = new Map<string, string>();
  let notes: Notes = { records: new Map() };
  for (let isFirst = true; ; isFirst = false) {
    work.entries.spend(1);
    const block = new Uint8Array(tarBlockLength);
    const count = blocks.fill(block);
    // GNU tar does without the blocks of zeroes at the end, but not without any block.
    if (count === 0 && !isFirst) return;
    if (count < tarBlockLength) throw corruptTar(isFirst ? 'is no archive' : 'breaks off');
    // A member's name begins with something, and its checksum is not 0.
    if (block[0] === 0 && block.every((byte) => byte === 0)) return;
    checkTarHeader(block);
    const flag = String.fromCharCode(block[tarFields.typeflag[0]] ?? 0);
    if (noteKinds.has(flag)) {
      const length = readNumber(block, 'size');
      if (length < 0 || length > noteLimit) throw corruptTar('has a header extension too long', { length });
      const bytes = blocks.take(length);
      blocks.skip(tarPadding(length));
      if (flag === tarNoteFlags.longName) notes.longName = decodePadded(bytes);
      else if (flag === tarNoteFlags.longLink) notes.longLink = decodePadded(bytes);
      else if (flag === tarNoteFlags.globalRecords) globals = new Map([...globals, ...readRecords(bytes)]);
      else notes.records = readRecords(bytes);
      continue;
    }
    if (skipsUnknown && !types.has(flag)) {
      const length = readNumber(block, 'size');
      if (length > 0) blocks.skip(length + tarPadding(length));
    } else yield* member(blocks, block, flag, { ...notes, records: new Map([...globals, ...notes.records]) });
    notes = { records: new Map() };
  }
}

function* member(
  blocks: Blocks,
  block: Uint8Array,
  flag: string,
  { longName, longLink, records }: Notes,
): Generator<StoredMember, void> {
  const type = types.get(flag);
  if (type === undefined) throw new UnsupportedError('tar archive', [`entries of the type '${flag}'`]);
  const stored = wholeNumber(records.get('size'), readNumber(block, 'size'));
  if (stored < 0) throw corruptTar('has an entry of negative size', { size: stored });
  const isFile = type === 'file';
  // Links and directories have no contents, whatever their size says.
  const state = { left: isFile ? stored : 0 };
  const map = isFile ? sparseMap(blocks, block, flag, records, state) : undefined;
  const sizeInBytes = map?.size ?? state.left;
  const parts: readonly TarPart[] = map?.parts ?? [[0, state.left]];
  const padding = tarPadding(isFile ? stored : 0);
  const text = (field: TarField): string => {
    const [at, length] = tarFields[field];
    return block[at] === 0 ? '' : decodePadded(block.subarray(at, at + length));
  };
  const [magicAt] = tarFields.magic;
  const isPosix = decodeLatin1(block.subarray(magicAt, magicAt + 6)) === tarMagic.posix.slice(0, 6);
  const prefix = isPosix ? text('prefix') : '';
  const isDevice = type === 'character' || type === 'block';
  yield {
    name:
      records.get('GNU.sparse.name') ??
      records.get('path') ??
      longName ??
      (prefix === '' ? '' : `${prefix}/`) + text('name'),
    type,
    mode: readNumber(block, 'mode') & 0o7777,
    uid: wholeNumber(records.get('uid'), readNumber(block, 'uid')),
    gid: wholeNumber(records.get('gid'), readNumber(block, 'gid')),
    linkName: records.get('linkpath') ?? longLink ?? text('linkname'),
    deviceMajor: isDevice ? readNumber(block, 'devmajor') : 0,
    deviceMinor: isDevice ? readNumber(block, 'devminor') : 0,
    sizeInBytes,
    modified: timeOf(records.get('mtime'), readNumber(block, 'mtime')),
    records,
    parts,
    *contents() {
      const buffer = new Uint8Array(pieceLength);
      for (const [at, length] of parts) {
        for (let done = 0; done < length; ) {
          const bytes = buffer.subarray(0, Math.min(buffer.length, length - done));
          if (blocks.fill(bytes) < bytes.length) throw corruptTar('breaks off');
          state.left -= bytes.length;
          yield { at: at + done, bytes };
          done += bytes.length;
        }
      }
    },
  };
  // What was not asked for, or lies behind what a map names.
  blocks.skip(state.left + padding);
}

/** Seconds with a fraction, as pax has them; rounded down. */
function timeOf(text: string | undefined, otherwise: number): { seconds: number; nanoseconds: number } {
  if (text === undefined) return { seconds: otherwise, nanoseconds: 0 };
  const [, sign = '', whole = '', fraction = ''] = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(text) ?? [];
  if (whole === '') throw corruptTar('has an impossible pax number');
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return { seconds: Number(whole), nanoseconds };
  return nanoseconds === 0
    ? { seconds: -Number(whole), nanoseconds }
    : { seconds: -Number(whole) - 1, nanoseconds: 1_000_000_000 - nanoseconds };
}

interface SparseMap {
  readonly size: number;
  readonly parts: readonly TarPart[];
}

/** The map of a sparse file; undefined for another file. What it takes of the contents is taken off `left`. */
function sparseMap(
  blocks: Blocks,
  header: Uint8Array,
  flag: string,
  records: ReadonlyMap<string, string>,
  state: { left: number },
): SparseMap | undefined {
  let map: SparseMap | undefined;
  if (flag === sparseAt.type) map = oldMap(blocks, header);
  else if (records.get('GNU.sparse.major') === '1') {
    const size = wholeNumber(records.get('GNU.sparse.realsize'), -1);
    map = { size, parts: mapInContents(blocks, state) };
  } else if (records.get('GNU.sparse.map') !== undefined) {
    const numbers = (records.get('GNU.sparse.map') ?? '').split(',').map((text) => wholeNumber(text, -1));
    const size = wholeNumber(records.get('GNU.sparse.size') ?? records.get('GNU.sparse.realsize'), -1);
    map = { size, parts: pairs(numbers) };
  } else if (records.get('GNU.sparse.numblocks') !== undefined)
    throw new UnsupportedError('tar archive', ['sparse files of the pax form 0.0']);
  if (map === undefined) return undefined;
  let end = 0;
  let total = 0;
  for (const [at, length] of map.parts) {
    if (!(at >= end && length >= 0) || at + length > map.size)
      throw corruptTar('has a sparse file whose parts overlap or lie outside it', {
        at,
        length,
        size: map.size,
      });
    end = at + length;
    total += length;
  }
  if (total > state.left) throw corruptTar('has a sparse file with less than its parts', { length: total });
  return map;
}

function pairs(numbers: readonly number[]): TarPart[] {
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, i) => [
    numbers[2 * i] ?? -1,
    numbers[2 * i + 1] ?? -1,
  ]);
}

function oldMap(blocks: Blocks, header: Uint8Array): SparseMap {
  const parts: TarPart[] = [];
  const take = (block: Uint8Array, from: number, count: number): void => {
    for (let i = 0; i < count; i++) {
      const at = from + i * sparseAt.entrySize;
      const entry = block.subarray(at, at + sparseAt.entrySize);
      if (entry[0] === 0) return;
      parts.push([readOctal(entry.subarray(0, 12)), readOctal(entry.subarray(12))]);
    }
  };
  take(header, sparseAt.headerMap, 4);
  for (let more = header[sparseAt.headerMore] !== 0; more; ) {
    work.entries.spend(1);
    if (parts.length > mostParts)
      throw corruptTar('has a sparse file of too many parts', { limit: mostParts });
    const block = blocks.take(tarBlockLength);
    take(block, 0, 21);
    more = block[sparseAt.blockMore] !== 0;
  }
  return { size: readOctal(header.subarray(sparseAt.realSize, sparseAt.realSize + 12)), parts };
}

/** Decimal lines before the contents, filled up to a block: how many parts, then each one's place and length. */
function mapInContents(blocks: Blocks, state: { left: number }): TarPart[] {
  let text = '';
  let ends = 0;
  let wanted = 1;
  while (ends < wanted) {
    work.entries.spend(1);
    if (state.left < tarBlockLength || text.length > noteLimit)
      throw corruptTar('has a sparse file whose map has no end');
    const block = blocks.take(tarBlockLength);
    state.left -= tarBlockLength;
    text += decodePadded(block);
    for (const byte of block) if (byte === 0x0a) ends++;
    if (ends > 0 && wanted === 1) wanted = 2 * wholeNumber(text.slice(0, text.indexOf('\n')), 0) + 1;
    if (!(wanted >= 1 && wanted <= 2 * mostParts))
      throw corruptTar('has a sparse file of too many parts', { limit: mostParts });
  }
  return pairs(
    text
      .split('\n')
      .slice(1, wanted)
      .map((line) => wholeNumber(line, -1)),
  );
}

const base64 = /^[A-Za-z0-9+/]*$/;

/** Extended attributes that records hold, in both spellings: star's, which GNU tar has, and libarchive's. */
export function attributesIn(records: ReadonlyMap<string, string>): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [key, value] of records) {
    if (!key.startsWith('LIBARCHIVE.xattr.')) continue;
    const name = key
      .slice('LIBARCHIVE.xattr.'.length)
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (!base64.test(value.replace(/=+$/, '')))
      throw corruptTar('has an attribute that is no base64', { name });
    found.set(
      name,
      Uint8Array.from(atob(value.replace(/=+$/, '')), (letter) => letter.charCodeAt(0)),
    );
  }
  for (const [key, value] of records)
    if (key.startsWith('SCHILY.xattr.')) found.set(key.slice('SCHILY.xattr.'.length), encodeText(value));
  return found;
}
