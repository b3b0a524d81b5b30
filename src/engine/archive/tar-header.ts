/**
 * The headers of a tar archive: POSIX.1-2017 pax "ustar Interchange Format", with GNU tar's extensions for what does
 * not fit (long names and links as `././@LongLink` entries, large numbers in base 256) or, when attributes are
 * stored, pax extended headers (`SCHILY.xattr.…`), as GNU tar itself does with `--xattrs`.
 */
import { encodeText } from '../../base/index.js';

export const blockLength = 512;

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
  /** Attributes to store, by their full names. */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const typeFlags: Readonly<Record<TarEntry['type'], string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** Field offsets and lengths of the ustar header. */
const fields = {
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
} as const;

type FieldName = keyof typeof fields;

function putText(header: Uint8Array, field: FieldName, text: Uint8Array): void {
  const [at, length] = fields[field];
  header.set(text.subarray(0, length), at);
}

/** Octal with a closing NUL, or GNU's base 256 for what is negative or too large for that. */
function putNumber(header: Uint8Array, field: FieldName, value: number): void {
  const [at, length] = fields[field];
  const octal = value < 0 ? undefined : value.toString(8);
  if (octal !== undefined && octal.length < length) {
    putText(header, field, encodeText(`${octal.padStart(length - 1, '0')}\0`));
    return;
  }
  let rest = BigInt(value);
  for (let i = at + length - 1; i > at; i--) {
    header[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  header[at] = value < 0 ? 0xff : 0x80;
}

function header(entry: TarEntry, typeFlag: string, gnu: boolean): Uint8Array {
  const block = new Uint8Array(blockLength);
  putText(block, 'name', encodeText(entry.name));
  putNumber(block, 'mode', entry.mode & 0o7777);
  putNumber(block, 'uid', entry.uid);
  putNumber(block, 'gid', entry.gid);
  putNumber(block, 'size', entry.sizeInBytes);
  putNumber(block, 'mtime', entry.modifiedSeconds);
  putText(block, 'typeflag', encodeText(typeFlag));
  putText(block, 'linkname', encodeText(entry.linkName));
  putText(block, 'magic', encodeText(gnu ? 'ustar  \0' : 'ustar\x0000'));
  putText(block, 'uname', encodeText(entry.userName).subarray(0, 31));
  putText(block, 'gname', encodeText(entry.groupName).subarray(0, 31));
  if (entry.type === 'character' || entry.type === 'block') {
    putNumber(block, 'devmajor', entry.deviceMajor);
    putNumber(block, 'devminor', entry.deviceMinor);
  }
  // The checksum is taken with its own field as spaces; six digits, a NUL and a space.
  const [at, length] = fields.checksum;
  block.fill(0x20, at, at + length);
  const sum = block.reduce((total, byte) => total + byte, 0);
  putText(block, 'checksum', encodeText(`${sum.toString(8).padStart(6, '0')}\0 `));
  return block;
}

/** What follows an entry of this many bytes up to the next block. */
export function padding(size: number): number {
  return (blockLength - (size % blockLength)) % blockLength;
}

function padded(content: Uint8Array): Uint8Array {
  const blocks = new Uint8Array(content.length + padding(content.length));
  blocks.set(content);
  return blocks;
}

const plain = {
  mode: 0o644,
  uid: 0,
  gid: 0,
  modifiedSeconds: 0,
  linkName: '',
  userName: 'root',
  groupName: 'root',
  deviceMajor: 0,
  deviceMinor: 0,
  xattrs: new Map<string, Uint8Array>(),
} as const;

/** An entry whose contents say something of the next one. */
function note(name: string, typeFlag: string, content: Uint8Array, gnu: boolean): Uint8Array[] {
  const entry: TarEntry = { ...plain, name, type: 'file', sizeInBytes: content.length };
  return [header(entry, typeFlag, gnu), padded(content)];
}

/** GNU's way of storing a text that is too long for its field, with a closing NUL. */
function longText(text: Uint8Array, typeFlag: 'K' | 'L'): Uint8Array[] {
  return note('././@LongLink', typeFlag, Buffer.concat([text, Uint8Array.of(0)]), true);
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([encodeText(` ${key}=`), value, encodeText('\n')]);
  let digits = 1;
  while (String(rest.length + digits).length !== digits) digits++;
  return Buffer.concat([encodeText(String(rest.length + digits)), rest]);
}

function paxNote(entry: TarEntry, name: Uint8Array, link: Uint8Array): Uint8Array[] {
  const records: Uint8Array[] = [];
  if (name.length > fields.name[1]) records.push(paxRecord('path', name));
  if (link.length > fields.linkname[1]) records.push(paxRecord('linkpath', link));
  for (const [key, value] of entry.xattrs) records.push(paxRecord(`SCHILY.xattr.${key}`, value));
  if (records.length === 0) return [];
  return note('././@PaxHeader', 'x', Buffer.concat(records), false);
}

/** The blocks that come before an entry's contents. `pax`: extended headers instead of GNU's long names. */
export function encodeHeader(entry: TarEntry, pax: boolean): Uint8Array[] {
  const name = encodeText(entry.name);
  const link = encodeText(entry.linkName);
  const before = pax
    ? paxNote(entry, name, link)
    : [
        ...(link.length > fields.linkname[1] ? longText(link, 'K') : []),
        ...(name.length > fields.name[1] ? longText(name, 'L') : []),
      ];
  return [...before, header(entry, typeFlags[entry.type], !pax)];
}
