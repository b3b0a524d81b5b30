/**
 * Reads a tar archive that arrives in pieces of any length: POSIX.1-2017 pax "ustar Interchange Format", pax extended
 * headers, and GNU tar's long names and base-256 numbers.
 */
import { decodeLatin1, decodePadded, UnsupportedError } from '../../base/index.js';
import { checkTarHeader, corruptTar, readNumber, readRecords, wholeNumber } from './fields.js';
import {
  type TarEntry,
  type TarField,
  tarBlockLength,
  tarFields,
  tarMagic,
  tarNoteFlags,
  tarPadding,
  tarTypeFlags,
} from './layout.js';

/** An entry of an archive. In a hard link, `linkName` is the name of an earlier entry. */
export type TarMember = Omit<TarEntry, 'userName' | 'groupName' | 'records'>;

/** The receiver of the entries, one after another. */
export interface TarReceiver {
  begin(member: TarMember): Promise<void>;
  /** The next bytes of a file. */
  data(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

const types: ReadonlyMap<string, TarMember['type']> = new Map([
  ...Object.entries(tarTypeFlags).map(([type, flag]) => [flag, type as TarMember['type']] as const), // safe: its keys
  // Files of older archives, and files that are to lie in one piece.
  ['\0', 'file'],
  ['7', 'file'],
]);
/** Entries that say something of the next. */
const notes: ReadonlySet<string> = new Set(Object.values(tarNoteFlags));
/** Limits: a path has at most 4096 bytes, an attribute 64 KiB. */
const noteLimit = 1024 * 1024;

interface Note {
  readonly kind: string;
  readonly bytes: Uint8Array;
  filled: number;
}

export class TarReader {
  readonly #receiver: TarReceiver;
  readonly #block = new Uint8Array(tarBlockLength);
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
    if (!this.#ended) throw corruptTar('breaks off');
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
    if (note.kind === tarNoteFlags.longName) this.#longName = decodePadded(note.bytes);
    else if (note.kind === tarNoteFlags.longLink) this.#longLink = decodePadded(note.bytes);
    else if (note.kind === tarNoteFlags.globalRecords)
      this.#globalRecords = new Map([...this.#globalRecords, ...readRecords(note.bytes)]);
    else this.#records = readRecords(note.bytes);
  }

  async #header(): Promise<void> {
    const block = this.#block;
    if (block.every((byte) => byte === 0)) {
      this.#ended = true;
      return;
    }
    checkTarHeader(block);
    const flag = String.fromCharCode(block[tarFields.typeflag[0]] ?? 0);
    if (notes.has(flag)) return this.#beginNote(flag, readNumber(block, 'size'));
    const type = types.get(flag);
    if (type === undefined) throw new UnsupportedError('tar archive', [`entries of the type '${flag}'`]);
    const member = this.#member(type);
    this.#left = member.sizeInBytes;
    this.#padding = tarPadding(member.sizeInBytes);
    this.#inMember = true;
    await this.#receiver.begin(member);
    if (this.#left === 0) await this.#endContents();
  }

  #beginNote(kind: string, length: number): void {
    if (length < 0 || length > noteLimit) throw corruptTar('has a header extension too long', { length });
    this.#note = { kind, bytes: new Uint8Array(length), filled: 0 };
    this.#left = length;
    this.#padding = tarPadding(length);
    // An empty one says nothing.
    if (length === 0) this.#note = undefined;
  }

  #member(type: TarMember['type']): TarMember {
    const block = this.#block;
    const records = this.#records;
    const record = (key: string): string | undefined => records.get(key) ?? this.#globalRecords.get(key);
    const bytes = (field: TarField): Uint8Array => {
      const [at, length] = tarFields[field];
      return block.subarray(at, at + length);
    };
    const text = (field: TarField): string => decodePadded(bytes(field));
    // Whatever the version behind the magic: older archives have none.
    const isPosix = decodeLatin1(bytes('magic').subarray(0, 6)) === tarMagic.posix.slice(0, 6);
    const prefix = isPosix ? text('prefix') : '';
    const name = record('path') ?? this.#longName ?? (prefix === '' ? '' : `${prefix}/`) + text('name');
    const size = wholeNumber(record('size'), readNumber(block, 'size'));
    if (size < 0) throw corruptTar('has an entry of negative size', { size });
    const member: TarMember = {
      name,
      type,
      mode: readNumber(block, 'mode') & 0o7777,
      uid: wholeNumber(record('uid'), readNumber(block, 'uid')),
      gid: wholeNumber(record('gid'), readNumber(block, 'gid')),
      sizeInBytes: type === 'file' ? size : 0,
      modifiedSeconds: wholeNumber(record('mtime'), readNumber(block, 'mtime')),
      linkName: record('linkpath') ?? this.#longLink ?? text('linkname'),
      deviceMajor: type === 'character' || type === 'block' ? readNumber(block, 'devmajor') : 0,
      deviceMinor: type === 'character' || type === 'block' ? readNumber(block, 'devminor') : 0,
    };
    this.#records = new Map();
    this.#longName = undefined;
    this.#longLink = undefined;
    return member;
  }
}
