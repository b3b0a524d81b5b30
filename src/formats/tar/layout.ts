/**
 * The blocks of a tar archive: POSIX.1-2017 pax "ustar Interchange Format". A header is one block of texts, which end
 * at a NUL or at the field's end, and of numbers in octal digits; the contents follow, filled up to a whole block.
 */
import { decodeLatin1 } from '../../base/index.js';

export const tarBlockLength = 512;

/** Blocks of zeroes at the end of an archive, in bytes. */
const tarEndLength = 2 * tarBlockLength;

/** An archive is a multiple of this many bytes: GNU tar's and POSIX's default. */
const recordLength = 20 * tarBlockLength;

/** Offset and length of each field of a header, in bytes. */
export const tarFields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const;

export type TarField = keyof typeof tarFields;

/** Magic and version: GNU tar's own, and POSIX's, without which there is no prefix. */
export const tarMagic = { gnu: 'ustar  \0', posix: 'ustar\x0000' } as const;

/** Whether bytes begin as an archive does that says what it is. */
export function isTar(head: Uint8Array): boolean {
  const [at] = tarFields.magic;
  return decodeLatin1(head.subarray(at, at + 5)) === tarMagic.posix.slice(0, 5);
}

/** The padding after an entry of this many bytes, up to the next block. */
export function tarPadding(size: number): number {
  return (tarBlockLength - (size % tarBlockLength)) % tarBlockLength;
}

/** The zeroes behind the last entry of an archive, which ends at `position`: in bytes. */
export function tarEnd(position: number): number {
  const end = position + tarEndLength;
  return tarEndLength + ((recordLength - (end % recordLength)) % recordLength);
}

export interface TarEntry {
  /** As stored: `./etc/passwd`, directories with a slash at the end. */
  readonly name: string;
  readonly type: 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeInBytes: number;
  readonly modifiedSeconds: number;
  /** Target of a hard or symbolic link. */
  readonly linkName: string;
  readonly userName: string;
  readonly groupName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** More records of a pax header, by keyword. */
  readonly records: ReadonlyMap<string, Uint8Array>;
}

/** The type flags of entries. */
export const tarTypeFlags: Readonly<Record<TarEntry['type'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** The type flags of entries that say something of the next one: pax's of it and of all that follow, GNU's long texts. */
export const tarNoteFlags = { records: 'x', globalRecords: 'g', longName: 'L', longLink: 'K' } as const;

/** GNU tar's old form of a sparse file: its type, and the offsets of its fields in the header and in further blocks. */
export const sparseAt = {
  type: 'S',
  /** Place and length of a part, 12 bytes each. */
  entrySize: 24,
  headerMap: 386,
  headerMore: 482,
  realSize: 483,
  blockMore: 504,
} as const;
