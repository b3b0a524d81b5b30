/** Directory records: ECMA-119, 9.1. */
import { CorruptError, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { heeding, type OnDamage } from '../driver.js';
import { directoryRecord, maxRecord, sectorSize } from './layout.js';

/** One record. Its bytes are a copy. */
export interface DirectoryRecord {
  /** Where it lies on the disk, in bytes. */
  readonly position: number;
  readonly length: number;
  /** The first block of the data, after an extended attribute record. */
  readonly firstBlock: number;
  readonly dataLength: number;
  readonly date: Uint8Array;
  readonly flags: number;
  readonly interleaved: boolean;
  readonly name: Uint8Array;
  /** The system use bytes, in which SUSP's entries are. */
  readonly systemUse: Uint8Array;
}

const name = directoryRecord.name;

/**
 * Decodes the record at `at` in `raw`, which lies at `position` on the disk. CorruptError if it is invalid. For
 * tests. For tests.
 */
export function decodeRecord(raw: Uint8Array, at: number, position: number): DirectoryRecord {
  const length = raw[at] ?? 0;
  if (length <= directoryRecord.size || at + length > raw.length) {
    throw new CorruptError(name, 'has a bad length', { position, length });
  }
  const fields = directoryRecord.decode(viewOf(raw), at);
  const nameEnd = directoryRecord.size + fields.name_length;
  if (nameEnd > length) {
    throw new CorruptError(name, 'has a name longer than itself', {
      position,
      length,
      name: fields.name_length,
    });
  }
  // The byte of padding makes the length before it even: 33 + an even name + 1.
  const useStart = Math.min(length, nameEnd + (nameEnd % 2));
  return {
    position,
    length,
    firstBlock: fields.extent + fields.ext_attr_length,
    dataLength: fields.data_length,
    date: fields.date,
    flags: fields.flags,
    interleaved: fields.interleave !== 0,
    name: raw.slice(at + directoryRecord.size, at + nameEnd),
    systemUse: raw.slice(at + useStart, at + length),
  };
}

/** The record at `position`. */
export function readRecord(disk: Disk, position: number): DirectoryRecord {
  const raw = new Uint8Array(Math.max(0, Math.min(maxRecord, disk.size - position)));
  disk.read(raw, position);
  return decodeRecord(raw, 0, position);
}

/** Bytes that are read at once: most directories are one read. */
const pieceSize = 128 * sectorSize;

/**
 * The records between two positions on the disk. A length byte of zero means that the rest of the sector, counted
 * from `start`, is unused. With `onDamage`, the search continues after a damaged record in the next sector, where a
 * record begins.
 */
export function* readRecords(
  disk: Disk,
  start: number,
  end: number,
  onDamage?: OnDamage,
): Generator<DirectoryRecord> {
  let piece = new Uint8Array(0);
  let pieceStart = start;
  for (let position = start; position < end; ) {
    work.entries.spend(1);
    // The piece must contain the longest record, unless the directory or the disk ends before.
    const needed = Math.min(position + maxRecord, end);
    if (needed > pieceStart + piece.length) {
      const from = position;
      const read = heeding(onDamage, () => readPiece(disk, from, start, end));
      if (read === undefined) return;
      piece = read;
      pieceStart = position;
    }
    const at = position - pieceStart;
    const here = position;
    const record = piece[at] === 0 ? undefined : heeding(onDamage, () => decodeRecord(piece, at, here));
    if (record === undefined) {
      position = start + (Math.floor((position - start) / sectorSize) + 1) * sectorSize;
      continue;
    }
    yield record;
    position += record.length;
  }
}

function readPiece(disk: Disk, from: number, start: number, end: number): Uint8Array<ArrayBuffer> {
  const length = Math.min(pieceSize, end - from);
  if (from + length > disk.size)
    throw new CorruptError('ISO 9660 directory', 'lies outside the disk', { start, end, size: disk.size });
  const piece = new Uint8Array(length);
  disk.read(piece, from);
  return piece;
}

/** The names of `.` and `..`. */
export function isSelf(record: DirectoryRecord): boolean {
  return record.name.length === 1 && record.name[0] === 0;
}

export function isParent(record: DirectoryRecord): boolean {
  return record.name.length === 1 && record.name[0] === 1;
}
