/**
 * Reads a tar archive that arrives in pieces of any length: POSIX.1-2017 pax "ustar Interchange Format", pax extended
 * headers, and GNU tar's long names and base-256 numbers.
 */
import {
  CorruptError,
  checksumHolds,
  decodePadded,
  decodeText,
  type TarEntry,
  tarBlockLength,
  tarPadding,
  UnsupportedError,
} from '../../base/index.js';

/** An entry of an archive. In a hard link, `linkName` is the name of an earlier entry. */
export type TarMember = Omit<TarEntry, 'userName' | 'groupName' | 'records'>;

/** The receiver of the entries, one after another. */
export interface TarReceiver {
  begin(member: TarMember): Promise<void>;
  /** The next bytes of a file. */
  data(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

const types: Readonly<Record<string, TarMember['type']>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
};
/**
 * Types of entries that describe the next one: GNU's long link and long name, pax's own and pax's for all later
 * entries.
 */
const notes = new Set(['K', 'L', 'x', 'g']);
/** Limits: a path has at most 4096 bytes, an attribute 64 KiB. */
const noteLimit = 1024 * 1024;

const corrupt = (problem: string, details?: Readonly<Record<string, number | string>>): CorruptError =>
  new CorruptError('tar archive', problem, details);

/** Octal digits between blanks and NULs, or base 256 if the first bit is set. */
function readNumber(block: Buffer, at: number, length: number): number {
  const field = block.subarray(at, at + length);
  const first = field[0] ?? 0;
  if (first & 0x80) {
    let value = BigInt(first & 0x7f);
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    // All bits except the marking bit are the number, in two's complement.
    const signed = BigInt.asIntN(8 * length - 1, value);
    if (signed > BigInt(Number.MAX_SAFE_INTEGER) || signed < BigInt(Number.MIN_SAFE_INTEGER))
      throw corrupt('has a number beyond 2^53');
    return Number(signed);
  }
  const digits = decodePadded(field).trim();
  if (digits === '') return 0;
  if (!/^[0-7]{1,12}$/.test(digits)) throw corrupt('has a number that is not octal', { at });
  return Number.parseInt(digits, 8);
}

/**
 * Records `LENGTH KEY=VALUE
 * `; the length counts the whole record.
 */
function readRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : bytes.toString('latin1', at, Math.min(blank, at + 10));
    const length = /^[0-9]{1,8}$/.test(digits) ? Number(digits) : 0;
    const record = bytes.subarray(blank + 1, at + length);
    const equals = record.indexOf('=');
    if (at + length > bytes.length || blank + 1 >= at + length || equals < 0 || record.at(-1) !== 0x0a)
      throw corrupt('has a pax record that cannot be read', { at });
    records.set(decodeText(record.subarray(0, equals)), decodeText(record.subarray(equals + 1, -1)));
    at += length;
  }
  return records;
}

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Math.floor(Number(text));
  if (!/^-?[0-9.]{1,32}$/.test(text) || !Number.isSafeInteger(value))
    throw corrupt('has an impossible pax number');
  return value;
}

interface Note {
  readonly kind: string;
  readonly bytes: Buffer;
  filled: number;
}

export class TarReader {
  readonly #receiver: TarReceiver;
  readonly #block = Buffer.alloc(tarBlockLength);
  #filled = 0;
  /** Remaining bytes of the present entry's contents, and of the padding after them. */
  #left = 0;
  #padding = 0;
  #note: Note | undefined;
  #inMember = false;
  #ended = false;
  /** Attributes for the next entry, from the entries before it. */
  #longName: string | undefined;
  #longLink: string | undefined;
  #records = new Map<string, string>();
  #globalRecords = new Map<string, string>();

  constructor(receiver: TarReceiver) {
    this.#receiver = receiver;
  }

  /** Takes the next piece. Rejects with CorruptError, UnsupportedError, or the receiver's error. */
  async take(piece: Uint8Array): Promise<void> {
    for (let at = 0; at < piece.length && !this.#ended; ) {
      const rest = piece.subarray(at);
      if (this.#left > 0) {
        const part = rest.subarray(0, this.#left);
        at += part.length;
        this.#left -= part.length;
        await this.#contents(part);
      } else if (this.#padding > 0) {
        const skipped = Math.min(this.#padding, rest.length);
        this.#padding -= skipped;
        at += skipped;
      } else {
        const part = rest.subarray(0, tarBlockLength - this.#filled);
        this.#block.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
        if (this.#filled === tarBlockLength) {
          this.#filled = 0;
          await this.#header();
        }
      }
    }
  }

  /** The archive has ended. Throws CorruptError if its end is missing. */
  finish(): void {
    if (!this.#ended) throw corrupt('breaks off');
  }

  async #contents(part: Uint8Array): Promise<void> {
    const note = this.#note;
    if (note !== undefined) {
      note.bytes.set(part, note.filled);
      note.filled += part.length;
    } else if (this.#inMember) await this.#receiver.data(part);
    if (this.#left === 0) await this.#endContents();
  }

  async #endContents(): Promise<void> {
    const note = this.#note;
    this.#note = undefined;
    if (note === undefined) {
      this.#inMember = false;
      return await this.#receiver.end();
    }
    if (note.kind === 'L') this.#longName = decodePadded(note.bytes);
    else if (note.kind === 'K') this.#longLink = decodePadded(note.bytes);
    else if (note.kind === 'g')
      this.#globalRecords = new Map([...this.#globalRecords, ...readRecords(note.bytes)]);
    else this.#records = readRecords(note.bytes);
  }

  async #header(): Promise<void> {
    const block = this.#block;
    if (block.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    let sum = 8 * 0x20;
    for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte;
    if (!checksumHolds(sum, readNumber(block, 148, 8))) throw corrupt('has a header with a wrong checksum');
    const flag = String.fromCharCode(block[156] ?? 0);
    if (notes.has(flag)) return this.#beginNote(flag, readNumber(block, 124, 12));
    const type = types[flag];
    if (type === undefined) throw new UnsupportedError('tar archive', [`entries of the type '${flag}'`]);
    const member = this.#member(type);
    this.#left = member.sizeInBytes;
    this.#padding = tarPadding(member.sizeInBytes);
    this.#inMember = true;
    await this.#receiver.begin(member);
    if (this.#left === 0) await this.#endContents();
  }

  #beginNote(kind: string, length: number): void {
    if (length < 0 || length > noteLimit) throw corrupt('has a header extension too long', { length });
    this.#note = { kind, bytes: Buffer.alloc(length), filled: 0 };
    this.#left = length;
    this.#padding = tarPadding(length);
    // An empty one says nothing.
    if (length === 0) this.#note = undefined;
  }

  #member(type: TarMember['type']): TarMember {
    const block = this.#block;
    const records = this.#records;
    const record = (key: string): string | undefined => records.get(key) ?? this.#globalRecords.get(key);
    const text = (at: number, length: number): string => decodePadded(block.subarray(at, at + length));
    const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
    const prefix = isPosix ? text(345, 155) : '';
    const name = record('path') ?? this.#longName ?? (prefix === '' ? '' : `${prefix}/`) + text(0, 100);
    const size = wholeNumber(record('size'), readNumber(block, 124, 12));
    if (size < 0) throw corrupt('has an entry of negative size', { size });
    const member: TarMember = {
      name,
      type,
      mode: readNumber(block, 100, 8) & 0o7777,
      uid: wholeNumber(record('uid'), readNumber(block, 108, 8)),
      gid: wholeNumber(record('gid'), readNumber(block, 116, 8)),
      sizeInBytes: type === 'file' ? size : 0,
      modifiedSeconds: wholeNumber(record('mtime'), readNumber(block, 136, 12)),
      linkName: record('linkpath') ?? this.#longLink ?? text(157, 100),
      deviceMajor: type === 'character' || type === 'block' ? readNumber(block, 329, 8) : 0,
      deviceMinor: type === 'character' || type === 'block' ? readNumber(block, 337, 8) : 0,
    };
    this.#records = new Map();
    this.#longName = undefined;
    this.#longLink = undefined;
    return member;
  }
}
