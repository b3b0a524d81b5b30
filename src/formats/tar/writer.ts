/**
 * Writing the headers of a tar archive, with GNU tar's extensions for what does not fit (long names and links as
 * `././@LongLink` entries, large numbers in base 256) or, when attributes are
 * stored, pax extended headers, as GNU tar itself does with `--xattrs`.
 */
import { concatBytes, encodeText } from '../../base/index.js';
import {
  tarFields as fields,
  type TarEntry,
  type TarField,
  tarBlockLength,
  tarMagic,
  tarNoteFlags,
  tarPadding,
  tarTypeFlags,
} from './layout.js';

/** Text in a field, cut off at its end. Most names are ASCII and go in without a copy. */
function putText(block: Uint8Array, field: TarField, text: string, limit: number = fields[field][1]): void {
  const [at] = fields[field];
  const length = Math.min(text.length, limit);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      block.set(encodeText(text).subarray(0, limit), at);
      return;
    }
    block[at + i] = code;
  }
}

/** Octal with a closing NUL, or GNU's base 256 for what is negative or too large for that. */
function putNumber(block: Uint8Array, field: TarField, value: number): void {
  const [at, length] = fields[field];
  let rest = value;
  if (rest >= 0) {
    for (let i = at + length - 2; i >= at; i--) {
      block[i] = 0x30 + (rest % 8);
      rest = Math.floor(rest / 8);
    }
    block[at + length - 1] = 0;
    if (rest === 0) return;
  }
  let bits = BigInt(value);
  for (let i = at + length - 1; i > at; i--) {
    block[i] = Number(bits & 0xffn);
    bits >>= 8n;
  }
  block[at] = value < 0 ? 0xff : 0x80;
}

/** While the checksum is computed, its own field counts as spaces. Six digits, a NUL and a space. */
function putChecksum(block: Uint8Array): void {
  const [at, length] = fields.checksum;
  block.fill(0x20, at, at + length);
  let sum = 0;
  for (let i = 0; i < tarBlockLength; i++) sum += block[i] as number; // safe: a block has that many bytes
  for (let i = at + 5; i >= at; i--) {
    block[i] = 0x30 + (sum & 7);
    sum >>= 3;
  }
  block[at + 6] = 0;
}

/** Names of owners keep a closing NUL. */
const ownerNameLimit = fields.uname[1] - 1;

function fillHeader(block: Uint8Array, entry: TarEntry, typeFlag: string, gnu: boolean): void {
  block.fill(0);
  putText(block, 'name', entry.name);
  putNumber(block, 'mode', entry.mode & 0o7777);
  putNumber(block, 'uid', entry.uid);
  putNumber(block, 'gid', entry.gid);
  putNumber(block, 'size', entry.sizeInBytes);
  putNumber(block, 'mtime', entry.modifiedSeconds);
  putText(block, 'typeflag', typeFlag);
  putText(block, 'linkname', entry.linkName);
  putText(block, 'magic', gnu ? tarMagic.gnu : tarMagic.posix);
  putText(block, 'uname', entry.userName, ownerNameLimit);
  putText(block, 'gname', entry.groupName, ownerNameLimit);
  if (entry.type === 'character' || entry.type === 'block') {
    putNumber(block, 'devmajor', entry.deviceMajor);
    putNumber(block, 'devminor', entry.deviceMinor);
  }
  putChecksum(block);
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
  records: new Map<string, Uint8Array>(),
} as const;

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = concatBytes([encodeText(` ${key}=`), value, encodeText('\n')]);
  let digits = 1;
  while (String(rest.length + digits).length !== digits) digits++;
  return concatBytes([encodeText(String(rest.length + digits)), rest]);
}

/** Whether a text has no room in a field of 100 bytes; a character takes three bytes at most for each of its units. */
function isLong(text: string): boolean {
  const [, limit] = fields.name;
  return text.length > limit || (text.length * 3 > limit && encodeText(text).length > limit);
}

/** The receiver of headers. The array belongs to the writer again when `write` returns. */
interface Output {
  write(bytes: Uint8Array): void;
}

/** Writes what comes before an entry's contents. */
export class TarHeaderWriter {
  readonly #out: Output;
  readonly #pax: boolean;
  readonly #block = new Uint8Array(tarBlockLength);

  /** `pax`: extended headers instead of GNU's long names. */
  constructor(out: Output, pax: boolean) {
    this.#out = out;
    this.#pax = pax;
  }

  write(entry: TarEntry): void {
    const longName = isLong(entry.name);
    const longLink = isLong(entry.linkName);
    if (this.#pax) this.#writePax(entry, longName, longLink);
    else {
      if (longLink) this.#note('././@LongLink', tarNoteFlags.longLink, encodeText(`${entry.linkName}\0`));
      if (longName) this.#note('././@LongLink', tarNoteFlags.longName, encodeText(`${entry.name}\0`));
    }
    this.#header(entry, tarTypeFlags[entry.type]);
  }

  #header(entry: TarEntry, typeFlag: string): void {
    fillHeader(this.#block, entry, typeFlag, !this.#pax);
    this.#out.write(this.#block);
  }

  /** An entry whose contents describe the next one. */
  #note(name: string, typeFlag: string, content: Uint8Array): void {
    this.#header({ ...plain, name, type: 'file', sizeInBytes: content.length }, typeFlag);
    this.#out.write(content);
    this.#out.write(new Uint8Array(tarPadding(content.length)));
  }

  #writePax(entry: TarEntry, longName: boolean, longLink: boolean): void {
    const records: Uint8Array[] = [];
    if (longName) records.push(paxRecord('path', encodeText(entry.name)));
    if (longLink) records.push(paxRecord('linkpath', encodeText(entry.linkName)));
    for (const [key, value] of entry.records) records.push(paxRecord(key, value));
    if (records.length > 0) this.#note('././@PaxHeader', tarNoteFlags.records, concatBytes(records));
  }
}
