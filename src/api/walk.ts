/**
 * A whole tree in columns: the answers of `find` and `lstatns` for every file, without an object for each. Through a
 * fileOut stream it goes in parts, as bytes: for each part the number of files and of bytes of their paths, the columns
 * in the order of {@link listingColumns}, the paths, and padding to a multiple of eight bytes.
 */
import { decodeText, encodeText, GuestfsError } from '../base/index.js';

/** The columns of a {@link TreeListing}: one number for each file, in the order of its paths. */
export const listingColumns = [
  'device',
  'inode',
  'mode',
  'linkCount',
  'uid',
  'gid',
  'deviceNode',
  'size',
  'blocks',
  'accessedSeconds',
  'accessedNanoseconds',
  'modifiedSeconds',
  'modifiedNanoseconds',
  'changedSeconds',
  'changedNanoseconds',
] as const;
export type ListingColumn = (typeof listingColumns)[number];

/** Everything below a directory, the directory itself left out; each directory comes before what is in it. */
export interface TreeListing {
  readonly count: number;
  /** Paths relative to the directory, each followed by a NUL. */
  readonly paths: string;
  /** `size` in bytes, `blocks` in units of 512 bytes, times since 1970 in UTC; the others as in `lstat`. */
  readonly columns: Readonly<Record<ListingColumn, Float64Array>>;
}

/** The most files in a part. */
export const filesInPart = 1024;
/** A part ends behind the path with which its paths reach this many characters. */
export const pathsInPart = 128 * 1024;

const headerLength = 8;
const alignment = 8;
const columnLength = (count: number): number => count * Float64Array.BYTES_PER_ELEMENT;
const columnsLength = (count: number): number => columnLength(count) * listingColumns.length;
const partLength = (count: number, pathBytes: number): number =>
  Math.ceil((headerLength + columnsLength(count) + pathBytes) / alignment) * alignment;

/** A part of a listing as bytes. The columns may be longer than `count`. */
export function encodePart({ count, paths, columns }: TreeListing): Uint8Array {
  const text = encodeText(paths);
  const part = new Uint8Array(partLength(count, text.length));
  new Uint32Array(part.buffer, 0, 2).set([count, text.length]);
  const numbers = new Float64Array(part.buffer, headerLength, count * listingColumns.length);
  for (const [index, name] of listingColumns.entries())
    numbers.set(columns[name].subarray(0, count), index * count);
  part.set(text, headerLength + columnsLength(count));
  return part;
}

/** A listing as parts of bounded length. */
export function* partsOf({ count, paths, columns }: TreeListing): Generator<Uint8Array, void> {
  for (let start = 0, text = 0; start < count; ) {
    let end = start;
    let textEnd = text;
    while (end < count && end - start < filesInPart && textEnd - text < pathsInPart) {
      textEnd = paths.indexOf('\0', textEnd) + 1;
      end++;
    }
    const column = (name: ListingColumn): Float64Array => columns[name].subarray(start, end);
    yield encodePart({ count: end - start, paths: paths.slice(text, textEnd), columns: columnsBy(column) });
    start = end;
    text = textEnd;
  }
}

function columnsBy(column: (name: ListingColumn, index: number) => Float64Array): TreeListing['columns'] {
  // safe: all names are there
  return Object.fromEntries(
    listingColumns.map((name, index) => [name, column(name, index)]),
  ) as TreeListing['columns'];
}

/** Makes parts from their bytes, however these are cut. */
export class PartReader {
  #bytes = new Uint8Array(0);

  /** The parts that end in these bytes, which must be the reader's own. */
  *take(chunk: Uint8Array): Generator<TreeListing, void> {
    let rest = this.#bytes.length === 0 ? chunk : joined(this.#bytes, chunk);
    while (rest.length >= headerLength) {
      // Columns are views of the memory, which must lie where numbers may.
      if (rest.byteOffset % alignment !== 0) rest = rest.slice();
      const [count = 0, pathBytes = 0] = new Uint32Array(rest.buffer, rest.byteOffset, 2);
      const length = partLength(count, pathBytes);
      if (rest.length < length) break;
      const { buffer } = rest;
      const from = rest.byteOffset + headerLength;
      const columns = columnsBy(
        (_name, index) => new Float64Array(buffer, from + columnLength(count) * index, count),
      );
      const textStart = headerLength + columnsLength(count);
      const paths = decodeText(rest.subarray(textStart, textStart + pathBytes));
      yield { count, paths, columns };
      rest = rest.subarray(length);
    }
    this.#bytes = rest.slice();
  }

  /** Throws GuestfsError (EPROTO) if the bytes ended within a part. */
  finish(): void {
    if (this.#bytes.length > 0) throw new GuestfsError('EPROTO', 'the listing ended within a part');
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
