/**
 * Directories: inodes in a row, each with its name behind it, which is filled up with zeroes to a multiple of four bytes.
 * There is no `.` and no `..`.
 */
import { CorruptError, decodeText, type Endian, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { heeding, type OnDamage } from '../driver.js';
import { CRAMFS_MAXPATHLEN, decodeInode, type InodeFields, inodeSize, slash, unitSize } from './layout.js';
import type { Superblock } from './superblock.js';

export interface Entry {
  readonly name: string;
  /** Where the entry lies on the disk, in bytes. */
  readonly at: number;
  readonly fields: InodeFields;
}

/** Bytes of a directory that are read at once. */
const pieceSize = 16 * 1024;

/** The name in `padded`. CorruptError where that is no name of a file. */
function decodeName(padded: Uint8Array, at: number): string {
  let { length } = padded;
  while (length > 0 && padded[length - 1] === 0) length--;
  const bytes = padded.subarray(0, length);
  const name = decodeText(bytes);
  if (name === '' || name === '.' || name === '..' || bytes.includes(0) || bytes.includes(slash))
    throw new CorruptError('cramfs directory', 'has a name that is none', { at, name: JSON.stringify(name) });
  return name;
}

/** A part of a disk that is read piece by piece, forwards. */
class Pieces {
  readonly #disk: Disk;
  readonly #end: number;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(disk: Disk, end: number) {
    this.#disk = disk;
    this.#end = end;
  }

  /** The bytes from `at` on: `length` of them, or those up to the end of the part. Good until the next call. */
  from(at: number, length: number): Uint8Array {
    const to = Math.min(at + length, this.#end);
    if (at < this.#start || to > this.#start + this.#bytes.length) {
      const bytes = new Uint8Array(Math.min(pieceSize, this.#end - at));
      this.#disk.read(bytes, at);
      this.#bytes = bytes;
      this.#start = at;
    }
    return this.#bytes.subarray(at - this.#start, to - this.#start);
  }
}

/** The entry at `at` of a directory that ends at `end`, as stored: the inode, and the name with its padding. */
function storedEntry(
  pieces: Pieces,
  endian: Endian,
  at: number,
  end: number,
): { fields: InodeFields; padded: Uint8Array } {
  const stored = pieces.from(at, inodeSize + CRAMFS_MAXPATHLEN);
  const fields = stored.length < inodeSize ? undefined : decodeInode(viewOf(stored), 0, endian);
  const length = inodeSize + (fields?.namelen ?? 0) * unitSize;
  if (fields === undefined || length > stored.length)
    throw new CorruptError('cramfs directory', 'ends within an entry', { at, end });
  return { fields, padded: stored.subarray(inodeSize, length) };
}

/**
 * The entries that lie from `start` to `end`, in bytes. CorruptError for an entry that has no name, or reaches past
 * the end. With
 * `onDamage` the entries behind a bad name follow.
 */
export function* readEntries(
  disk: Disk,
  { endian }: Superblock,
  start: number,
  end: number,
  onDamage?: OnDamage,
): Generator<Entry> {
  const pieces = new Pieces(disk, end);
  for (let at = start; at < end; ) {
    work.entries.spend(1);
    const position = at;
    const stored = heeding(onDamage, () => storedEntry(pieces, endian, position, end));
    if (stored === undefined) return; // where the next one begins is not known
    const { fields, padded } = stored;
    const name = heeding(onDamage, () => decodeName(padded, position));
    if (name !== undefined) yield { name, at, fields };
    at += inodeSize + padded.length;
  }
}
