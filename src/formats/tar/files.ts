/**
 * Finds the files of a tar archive that can be read anywhere: where the bytes of each lie, also of sparse files, of
 * which an archive holds only the parts that are there. Sources: POSIX.1-2017 pax; GNU tar's manual, "Storing Sparse
 * Files" (its old form, and versions 0.0, 0.1 and 1.0 of its pax form).
 */
import {
  type ByteSource,
  decodeLatin1,
  decodePadded,
  readUpTo,
  UnsupportedError,
  work,
} from '../../base/index.js';
import { checkTarHeader, corruptTar, readNumber, readOctal, readRecords, wholeNumber } from './fields.js';
import {
  sparseAt,
  tarBlockLength,
  tarFields,
  tarMagic,
  tarNoteFlags,
  tarPadding,
  tarTypeFlags,
} from './layout.js';

/** A stretch of a file: `length` bytes from `at` on lie in the archive at `offset`. */
interface TarPiece {
  readonly at: number;
  readonly length: number;
  readonly offset: number;
}

/** A file of an archive. Between its pieces are holes. */
export interface TarFile {
  readonly name: string;
  readonly sizeInBytes: number;
  /** In the order of the file, not empty. */
  readonly pieces: readonly TarPiece[];
}

/** A header extension is at most so long: a path has at most 4096 bytes, a sparse map some 100,000 lines. */
const noteLimit = 4 * 1024 * 1024;
/** Pieces of one sparse file. */
const mostPieces = 1_000_000;

const noteKinds: ReadonlySet<string> = new Set(Object.values(tarNoteFlags));
const fileKinds: ReadonlySet<string> = new Set([tarTypeFlags.file, '\0', '7', sparseAt.type]);

/** Whether bytes begin as an archive does that says what it is. */
export function isTar(head: Uint8Array): boolean {
  const [at] = tarFields.magic;
  return decodeLatin1(head.subarray(at, at + 5)) === tarMagic.posix.slice(0, 5);
}

/** The files of an archive in its order, each as it is asked for. CorruptError where the archive breaks off. */
export function* tarFiles(source: ByteSource): Generator<TarFile, void> {
  let notes = new Map<string, string>();
  let globals = new Map<string, string>();
  let longName: string | undefined;
  for (let at = 0; ; ) {
    work.entries.spend(1);
    const block = readUpTo(source, at, tarBlockLength);
    if (block.length < tarBlockLength) throw corruptTar('breaks off', { offset: at });
    if (block.every((byte) => byte === 0)) return;
    checkTarHeader(block);
    const flag = String.fromCharCode(block[tarFields.typeflag[0]] ?? 0);
    if (noteKinds.has(flag)) {
      const length = readNumber(block, 'size');
      if (length < 0 || length > noteLimit) throw corruptTar('has a header extension too long', { length });
      const bytes = readUpTo(source, at + tarBlockLength, length);
      if (flag === tarNoteFlags.longName) longName = decodePadded(bytes);
      else if (flag === tarNoteFlags.globalRecords) globals = new Map([...globals, ...readRecords(bytes)]);
      else if (flag === tarNoteFlags.records) notes = readRecords(bytes);
      at += tarBlockLength + length + tarPadding(length);
      continue;
    }
    const record = (key: string): string | undefined => notes.get(key) ?? globals.get(key);
    const stored = wholeNumber(record('size'), readNumber(block, 'size'));
    if (stored < 0) throw corruptTar('has an entry of negative size', { size: stored });
    const contents = at + tarBlockLength;
    const isFile = fileKinds.has(flag);
    // Links and directories have no contents, whatever their size says.
    const length = isFile ? stored : 0;
    let next = contents + length + tarPadding(length);
    if (isFile) {
      const map =
        flag === sparseAt.type
          ? oldSparseMap(source, block, contents)
          : paxSparseMap(source, record, contents);
      const name = record('GNU.sparse.name') ?? record('path') ?? longName ?? nameOf(block);
      if (map === undefined) yield whole(name, contents, length);
      else {
        // The size counts what follows a map in the blocks of the old form, and a map of the pax form, too.
        if (flag === sparseAt.type) next += map.contents - contents;
        yield { name, ...laidOut(map) };
      }
    }
    at = next;
    notes = new Map();
    longName = undefined;
  }
}

function nameOf(block: Uint8Array): string {
  const text = (field: 'name' | 'prefix'): string => {
    const [at, length] = tarFields[field];
    return decodePadded(block.subarray(at, at + length));
  };
  const [magicAt] = tarFields.magic;
  const isPosix = decodeLatin1(block.subarray(magicAt, magicAt + 6)) === tarMagic.posix.slice(0, 6);
  const prefix = isPosix ? text('prefix') : '';
  return (prefix === '' ? '' : `${prefix}/`) + text('name');
}

const whole = (name: string, offset: number, length: number): TarFile => ({
  name,
  sizeInBytes: length,
  pieces: length === 0 ? [] : [{ at: 0, length, offset }],
});

/** Which parts of a sparse file there are: they follow one another in the archive from `contents` on. */
interface SparseMap {
  readonly sizeInBytes: number;
  readonly parts: readonly (readonly [at: number, length: number])[];
  readonly contents: number;
}

function laidOut({ sizeInBytes, parts, contents }: SparseMap): Omit<TarFile, 'name'> {
  const pieces: TarPiece[] = [];
  let end = 0;
  let offset = contents;
  for (const [at, length] of parts) {
    if (!(at >= end && length >= 0) || at + length > sizeInBytes)
      throw corruptTar('has a sparse file whose parts overlap or lie outside it', {
        at,
        length,
        size: sizeInBytes,
      });
    if (length > 0) pieces.push({ at, length, offset });
    offset += length;
    end = at + length;
  }
  return { sizeInBytes, pieces };
}

/** GNU's old form: four parts in the header, and further ones in blocks behind it, 21 each. */
function oldSparseMap(source: ByteSource, header: Uint8Array, behind: number): SparseMap {
  const parts: [number, number][] = [];
  const sizeInBytes = readOctal(header.subarray(sparseAt.realSize, sparseAt.realSize + 12));
  let contents = behind;
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
    const block = readUpTo(source, contents, tarBlockLength);
    if (block.length < tarBlockLength) throw corruptTar('breaks off', { offset: contents });
    if (parts.length > mostPieces)
      throw corruptTar('has a sparse file of too many parts', { limit: mostPieces });
    take(block, 0, 21);
    more = block[sparseAt.blockMore] !== 0;
    contents += tarBlockLength;
  }
  return { sizeInBytes, parts, contents };
}

/** GNU's forms in pax records. Version 1.0 has the map before the contents, as decimal lines. */
function paxSparseMap(
  source: ByteSource,
  record: (key: string) => string | undefined,
  contents: number,
): SparseMap | undefined {
  const major = record('GNU.sparse.major');
  if (major === '1') {
    const sizeInBytes = wholeNumber(record('GNU.sparse.realsize'), -1);
    return { sizeInBytes, ...mapBefore(source, contents) };
  }
  const map = record('GNU.sparse.map');
  if (map === undefined && record('GNU.sparse.numblocks') !== undefined)
    throw new UnsupportedError('tar archive', ['sparse files of the pax form 0.0']);
  if (map === undefined) return undefined;
  const numbers = map.split(',').map((text) => wholeNumber(text, -1));
  return {
    sizeInBytes: wholeNumber(record('GNU.sparse.size') ?? record('GNU.sparse.realsize'), -1),
    parts: pairs(numbers),
    contents,
  };
}

function pairs(numbers: readonly number[]): [number, number][] {
  return Array.from({ length: Math.floor(numbers.length / 2) }, (_, i) => [
    numbers[2 * i] ?? -1,
    numbers[2 * i + 1] ?? -1,
  ]);
}

/** The lines before the contents: how many parts there are, then each one's place and length; filled up to a block. */
function mapBefore(source: ByteSource, start: number): Pick<SparseMap, 'parts' | 'contents'> {
  let text = '';
  let at = start;
  let ends = 0;
  let wanted = 1;
  while (ends < wanted) {
    work.entries.spend(1);
    const block = readUpTo(source, at, tarBlockLength);
    if (block.length < tarBlockLength || text.length > noteLimit)
      throw corruptTar('has a sparse file whose map has no end', { offset: start });
    text += decodePadded(block);
    for (const byte of block) if (byte === 0x0a) ends++;
    at += tarBlockLength;
    if (ends > 0 && wanted === 1) wanted = 2 * wholeNumber(text.slice(0, text.indexOf('\n')), 0) + 1;
    if (!(wanted >= 1 && wanted <= 2 * mostPieces))
      throw corruptTar('has a sparse file of too many parts', { limit: mostPieces });
  }
  const lines = text.split('\n');
  return { parts: pairs(lines.slice(1, wanted).map((line) => wholeNumber(line, -1))), contents: at };
}
