/**
 * Cpio archives in the SVR4 portable format (`newc`), or the same with checksums (`crc`). cpio(5): a header of
 * hexadecimal digits, eight for each number; name and contents are padded to four bytes. Of a file with several names
 * only the last entry has the contents.
 */
import {
  type ByteSource,
  CorruptError,
  decodeLatin1,
  decodeText,
  encodeText,
  readUpTo,
} from '../base/index.js';

const cpioMagic = { newc: '070701', crc: '070702' } as const;

/** The numbers of a header, in order. */
const fields = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'filesize',
  'devmajor',
  'devminor',
  'rdevmajor',
  'rdevminor',
  'namesize',
  'check',
] as const;

type CpioHeader = Readonly<Record<(typeof fields)[number], number>>;

const magicLength = 6;
const digitsOfNumber = 8;
const headerLength = magicLength + fields.length * digitsOfNumber;
/** Names and contents begin at multiples of this many bytes. */
export const cpioAlignment = 4;
/** The name of the entry that ends an archive. */
export const cpioTrailer = 'TRAILER!!!';

const nameLimit = 4096;
/** An archive of an initrd with more entries is none. */
const entryLimit = 1_000_000;

/**
 * A header and the name behind it, with its NUL, without padding. Of numbers past 32 bits the lower bits, as cpio has
 * them.
 */
export function encodeCpioHeader(
  format: keyof typeof cpioMagic,
  name: string,
  header: Omit<CpioHeader, 'namesize'>,
): Uint8Array {
  const encoded = encodeText(name);
  const numbers: CpioHeader = { ...header, namesize: encoded.length + 1 };
  const digits = fields.map((field) =>
    (numbers[field] >>> 0).toString(16).toUpperCase().padStart(digitsOfNumber, '0'),
  );
  const bytes = new Uint8Array(headerLength + encoded.length + 1);
  bytes.set(encodeText(cpioMagic[format] + digits.join('')));
  bytes.set(encoded, headerLength);
  return bytes;
}

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
  const magic = decodeLatin1(head.subarray(0, magicLength));
  return magic === cpioMagic.newc || magic === cpioMagic.crc;
}

const roundUp = (offset: number): number => Math.ceil(offset / cpioAlignment) * cpioAlignment;

function decodeHeader(source: ByteSource, at: number): CpioHeader {
  const bytes = readUpTo(source, at, headerLength);
  if (bytes.length < headerLength) throw new CorruptError('cpio archive', 'is cut short', { at });
  if (!isCpio(bytes)) throw new CorruptError('cpio header', 'has no magic', { at });
  const text = decodeLatin1(bytes);
  const header = fields.map((field, index): [string, number] => {
    const start = magicLength + index * digitsOfNumber;
    const digits = text.slice(start, start + digitsOfNumber);
    if (!/^[0-9a-fA-F]{8}$/.test(digits))
      throw new CorruptError('cpio header', 'has no number', { at, index });
    return [field, Number.parseInt(digits, 16)];
  });
  return Object.fromEntries(header) as CpioHeader; // safe: one number for each field
}

/** The entries of the archive that begins at `start`; gives where it ends. */
export function* cpioEntries(source: ByteSource, start: number): Generator<CpioEntry, number> {
  let at = start;
  for (let entries = 0; entries < entryLimit; entries++) {
    const { ino, mode, nlink, filesize: sizeInBytes, namesize } = decodeHeader(source, at);
    if (namesize === 0 || namesize > nameLimit) {
      throw new CorruptError('cpio header', 'has an impossible name', { at, nameLength: namesize });
    }
    const stored = readUpTo(source, at + headerLength, namesize);
    if (stored.length < namesize) throw new CorruptError('cpio archive', 'is cut short', { at });
    const name = decodeText(stored.subarray(0, -1));
    const data = roundUp(at + headerLength + namesize);
    if (name === cpioTrailer) return data;
    yield {
      name,
      mode,
      inode: ino,
      linkCount: nlink,
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
