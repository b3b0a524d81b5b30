/**
 * The entries of cpio archives in the "newc" format, as in an initrd: several archives one after the other, perhaps
 * compressed; the first is often only a processor's microcode (the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst). Numbers in headers are eight hexadecimal digits; names
 * and contents are padded to four bytes. For a file with several names, only the last entry has the contents.
 */
import {
  type ByteSource,
  CorruptError,
  decodeLatin1,
  decodeText,
  readUpTo,
  sourceOf,
} from '../base/index.js';
import { packingMarkLength, packingOf, unpack } from './unpack.js';

const headerLength = 110;
const nameLimit = 4096;
/** A file with more entries, or more archives, is no initrd. */
const entryLimit = 1_000_000;
const archiveLimit = 64;

export interface CpioEntry {
  /** As stored: `bin/sh`, `./bin/sh`, `.`. */
  readonly name: string;
  /** As `st_mode`. */
  readonly mode: number;
  readonly inode: number;
  readonly linkCount: number;
  readonly sizeInBytes: number;
  /** The contents, or their first `length` bytes. CorruptError if the archive ends before. */
  contents(length?: number): Uint8Array;
}

/** Whether bytes begin like a cpio archive of this format. */
export function isCpio(head: Uint8Array): boolean {
  const magic = decodeLatin1(head.subarray(0, 6));
  return magic === '070701' || magic === '070702';
}

const roundUp = (offset: number): number => Math.ceil(offset / 4) * 4;

/** The numbers of a header, in order. */
function decodeHeader(source: ByteSource, at: number): number[] {
  const header = readUpTo(source, at, headerLength);
  if (header.length < headerLength) throw new CorruptError('cpio archive', 'is cut short', { at });
  if (!isCpio(header)) throw new CorruptError('cpio header', 'has no magic', { at });
  const text = decodeLatin1(header);
  return Array.from({ length: 13 }, (_, index) => {
    const digits = text.slice(6 + index * 8, 14 + index * 8);
    if (!/^[0-9a-fA-F]{8}$/.test(digits))
      throw new CorruptError('cpio header', 'has no number', { at, index });
    return Number.parseInt(digits, 16);
  });
}

/** The entries of one archive; returns the offset of its end. */
function* archiveEntries(source: ByteSource, start: number): Generator<CpioEntry, number> {
  let at = start;
  for (let entries = 0; entries < entryLimit; entries++) {
    // safe: decodeHeader gives thirteen numbers
    const numbers = decodeHeader(source, at) as [number, number, number, number, number, number, number];
    const [inode, mode, , , linkCount, , sizeInBytes] = numbers;
    const nameLength = (numbers as number[])[11] ?? 0;
    if (nameLength === 0 || nameLength > nameLimit) {
      throw new CorruptError('cpio header', 'has an impossible name', { at, nameLength });
    }
    const stored = readUpTo(source, at + headerLength, nameLength);
    if (stored.length < nameLength) throw new CorruptError('cpio archive', 'is cut short', { at });
    const name = decodeText(stored.subarray(0, -1));
    const data = roundUp(at + headerLength + nameLength);
    if (name === 'TRAILER!!!') return data;
    yield {
      name,
      mode,
      inode,
      linkCount,
      sizeInBytes,
      contents(length = sizeInBytes) {
        const bytes = readUpTo(source, data, Math.min(length, sizeInBytes));
        if (bytes.length < Math.min(length, sizeInBytes)) {
          throw new CorruptError('cpio archive', 'is cut short', { at: data, size: sizeInBytes });
        }
        return bytes;
      },
    };
    at = roundUp(data + sizeInBytes);
  }
  throw new CorruptError('cpio archive', 'has too many entries', { entryLimit });
}

/** The offset of the next archive, after any zeroes. */
function skipZeroes(source: ByteSource, start: number): number {
  const piece = 65536;
  for (let at = start; at < source.size; at += piece) {
    const found = readUpTo(source, at, piece).findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
  }
  return source.size;
}

/**
 * The entries of all archives in an initrd. `what` names the file in errors. CorruptError if the file is no archive
 * at all; later data that is no archive is skipped.
 */
export function* initrdEntries(source: ByteSource, what: string): Generator<CpioEntry, void> {
  let from = source;
  let at = 0;
  for (let archives = 0; archives < archiveLimit && at < from.size; archives++) {
    const head = readUpTo(from, at, packingMarkLength);
    if (packingOf(head) !== undefined) {
      // The rest of the file is one compressed stream: its end in the file cannot be known, so nothing after it is
      // read.
      from = sourceOf(unpack(from, what, { start: at }) ?? new Uint8Array(0));
      at = 0;
      continue;
    }
    if (archives > 0 && !isCpio(head)) return;
    at = skipZeroes(from, yield* archiveEntries(from, at));
  }
}
