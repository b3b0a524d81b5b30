/**
 * Writing a zip file in one pass, as steps that somebody else does, with or without waiting: bytes to write, and bytes
 * to deflate. A file of up to a MiB is deflated whole, and stored if that gains nothing; of a
 * longer one each piece is deflated by itself, with what stood before it as dictionary, and its sums follow it.
 */
import { concatBytes, crc32Raw, encodeText, viewOf } from '../../base/index.js';
import {
  centralHeader,
  deflateEnd,
  descriptor,
  descriptor64,
  dosDirectory,
  end,
  end64,
  end64Locator,
  extraIds,
  flags,
  hasModified,
  inZip64,
  localHeader,
  madeByUnix,
  methods,
  ownersVersion,
  signatures,
  versions,
} from './layout.js';

/** Bytes that are deflated together. */
const zipPieceLength = 1024 * 1024;
/** How far deflate's matches reach back. */
const windowLength = 32 * 1024;
/** Sizes from here on are written as zip64: deflate makes data that cannot be compressed longer by less than 1/1000. */
const zip64From = inZip64.bits32 - 0x100_0000;

interface ZipEntry {
  /** `etc/passwd`, directories with a slash at the end. */
  readonly name: string;
  /** With the type of the file. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedSeconds: number;
  /** Of the contents, which may turn out shorter or longer only where they are read from something that changes. */
  readonly sizeInBytes: number;
}

/** What is to be done next. The answer to `deflate` is raw deflate data: whole if `last`, else up to a flush. */
type ZipStep =
  | { readonly write: Uint8Array }
  | { readonly deflate: Uint8Array; readonly last: boolean; readonly dictionary: Uint8Array };
export type ZipSteps = Generator<ZipStep, void, Uint8Array | undefined>;

/** Why a name has no place in a zip file: readers may take `\` and `X:` as Windows does. Undefined for good names. */
export function zipNameProblem(name: string): string | undefined {
  if (/^[\\/]|^[a-z]:/i.test(name) || name.split(/[\\/]/).includes('..'))
    return 'may lead out of the directory in which a zip file is unpacked';
  return name.length * 3 > inZip64.bits16 && encodeText(name).length > inZip64.bits16
    ? 'is too long for a zip file'
    : undefined;
}

/** Names that are not UTF-8 have lone surrogates, and are stored as their bytes, without the flag for UTF-8. */
const nameFlags = (name: string): number => (/^[\0-\x7f]*$|[\ud800-\udfff]/u.test(name) ? 0 : flags.utf8);

const earliestDos = Date.UTC(1980, 0, 1) / 1000;
const latestDos = Date.UTC(2107, 11, 31, 23, 59, 58) / 1000;

function dosTime(seconds: number): { readonly time: number; readonly date: number } {
  const at = new Date(Math.min(Math.max(seconds, earliestDos), latestDos) * 1000);
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}

/** An extra field: its identifier, its length, and numbers of so many bytes each. */
function extra(id: number, ...values: readonly (readonly [bytes: 1 | 4 | 8, value: number])[]): Uint8Array {
  const length = values.reduce((sum, [bytes]) => sum + bytes, 0);
  const field = new Uint8Array(4 + length);
  const view = viewOf(field);
  view.setUint16(0, id, true);
  view.setUint16(2, length, true);
  let at = 4;
  for (const [bytes, value] of values) {
    if (bytes === 1) view.setUint8(at, value);
    else if (bytes === 4) view.setUint32(at, value % 0x1_0000_0000, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += bytes;
  }
  return field;
}

/** Readers disagree whether its 32 bits have a sign: times for which that matters are stored as MS-DOS has them alone. */
const timestamp = (seconds: number): Uint8Array[] =>
  seconds >= 0 && seconds === (seconds | 0)
    ? [extra(extraIds.timestamp, [1, hasModified], [4, seconds >>> 0])]
    : [];

const owners = ({ uid, gid }: ZipEntry): Uint8Array =>
  extra(extraIds.owners, [1, ownersVersion], [1, 4], [4, uid], [1, 4], [4, gid]);

/** The parts of the central directory, in memory of as few pieces as possible. */
class Gathered {
  readonly pieces: Uint8Array[] = [];
  #last = new Uint8Array(0);
  #filled = 0;
  length = 0;

  add(bytes: Uint8Array): void {
    if (this.#filled + bytes.length > this.#last.length) {
      this.#last = new Uint8Array(Math.max(64 * 1024, bytes.length));
      this.#filled = 0;
      this.pieces.push(this.#last);
    }
    this.#last.set(bytes, this.#filled);
    this.#filled += bytes.length;
    this.length += bytes.length;
    this.pieces[this.pieces.length - 1] = new Uint8Array(this.#last.buffer, 0, this.#filled);
  }
}

interface OpenEntry {
  readonly entry: ZipEntry;
  readonly name: Uint8Array;
  readonly flags: number;
  readonly offset: number;
  /** Its local header is written, and its pieces follow. */
  streams: boolean;
  crc: number;
  size: number;
  packedSize: number;
}

/** For each entry `begin`, `data` any number of times, `end`; then `finish`. */
export class ZipWriter {
  readonly #directory = new Gathered();
  readonly #piece = new Uint8Array(zipPieceLength);
  #filled = 0;
  #window = new Uint8Array(0);
  #open: OpenEntry | undefined;
  #position = 0;
  #count = 0;

  /** The name must have no {@link zipNameProblem}. */
  begin(entry: ZipEntry): void {
    this.#filled = 0;
    this.#window = new Uint8Array(0);
    this.#open = {
      entry,
      name: encodeText(entry.name),
      flags: nameFlags(entry.name),
      offset: this.#position,
      streams: false,
      crc: ~0 >>> 0,
      size: 0,
      packedSize: 0,
    };
  }

  *data(bytes: Uint8Array): ZipSteps {
    const open = this.#opened;
    for (let done = 0; done < bytes.length; ) {
      if (this.#filled === zipPieceLength) yield* this.#flushPiece(open);
      const part = bytes.subarray(done, done + zipPieceLength - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
    }
  }

  get #opened(): OpenEntry {
    if (this.#open === undefined) throw new Error('no entry of the zip file was begun');
    return this.#open;
  }

  *#write(bytes: Uint8Array): ZipSteps {
    this.#position += bytes.length;
    yield { write: bytes };
  }

  /** A full piece of a long file. */
  *#flushPiece(open: OpenEntry): ZipSteps {
    const piece = this.#piece.subarray(0, this.#filled);
    if (!open.streams) {
      open.streams = true;
      yield* this.#write(this.#localHeader(open, methods.deflated));
    }
    this.#sum(open, piece);
    // safe: that is the answer
    const packed = (yield { deflate: piece, last: false, dictionary: this.#window }) as Uint8Array;
    this.#window = piece.slice(-windowLength);
    this.#filled = 0;
    yield* this.#packed(open, packed);
  }

  *#packed(open: OpenEntry, packed: Uint8Array): ZipSteps {
    open.packedSize += packed.length;
    yield* this.#write(packed);
  }

  #sum(open: OpenEntry, piece: Uint8Array): void {
    open.crc = crc32Raw(open.crc, piece);
    open.size += piece.length;
  }

  *end(): ZipSteps {
    const open = this.#opened;
    this.#open = undefined;
    if (open.streams) {
      if (this.#filled > 0) yield* this.#flushPiece(open);
      yield* this.#packed(open, deflateEnd);
      yield* this.#write(this.#descriptor(open));
      return this.#record(open, methods.deflated);
    }
    const piece = this.#piece.subarray(0, this.#filled);
    this.#sum(open, piece);
    let contents: Uint8Array = piece;
    if (piece.length > 0) {
      // safe: that is the answer
      const packed = (yield { deflate: piece, last: true, dictionary: this.#window }) as Uint8Array;
      if (packed.length < piece.length) contents = packed;
    }
    const method = contents === piece ? methods.stored : methods.deflated;
    open.packedSize = contents.length;
    yield* this.#write(this.#localHeader(open, method));
    yield* this.#write(contents);
    this.#record(open, method);
  }

  #localHeader(open: OpenEntry, method: number): Uint8Array {
    const { entry, name, streams, crc, size, packedSize } = open;
    const zip64 = this.#isLong(open);
    const extras = [
      ...(zip64 ? [extra(extraIds.zip64, [8, 0], [8, 0])] : []),
      ...timestamp(entry.modifiedSeconds),
      owners(entry),
    ];
    const header = localHeader.encode({
      signature: signatures.local,
      version_needed: this.#version(open, method),
      flags: open.flags | (streams ? flags.descriptor : 0),
      method,
      ...dosTime(entry.modifiedSeconds),
      crc32: streams ? 0 : ~crc >>> 0,
      compressed_size: zip64 ? inZip64.bits32 : streams ? 0 : packedSize,
      uncompressed_size: zip64 ? inZip64.bits32 : streams ? 0 : size,
      name_length: name.length,
      extra_length: extras.reduce((sum, { length }) => sum + length, 0),
    });
    return concatBytes([header, name, ...extras]);
  }

  /** Whether a local header has a zip64 field. The descriptor's form follows from that. */
  #isLong({ entry, streams }: OpenEntry): boolean {
    return streams && entry.sizeInBytes >= zip64From;
  }

  #version(open: OpenEntry, method: number): number {
    if (this.#isLong(open)) return versions.zip64;
    return method === methods.deflated || open.entry.name.endsWith('/') ? versions.deflate : versions.plain;
  }

  #descriptor(open: OpenEntry): Uint8Array {
    const form = this.#isLong(open) ? descriptor64 : descriptor;
    return form.encode({
      signature: signatures.descriptor,
      crc32: ~open.crc >>> 0,
      compressed_size: open.packedSize,
      uncompressed_size: open.size,
    });
  }

  #record(open: OpenEntry, method: number): void {
    const { entry, name, crc, size, packedSize, offset, streams } = open;
    const fits = (value: number): number => Math.min(value, inZip64.bits32);
    const large = [size, packedSize, offset].filter((value) => value >= inZip64.bits32);
    const extras = [
      ...(large.length > 0 ? [extra(extraIds.zip64, ...large.map((value) => [8, value] as const))] : []),
      ...timestamp(entry.modifiedSeconds),
    ];
    const isDirectory = entry.name.endsWith('/');
    const header = centralHeader.encode({
      signature: signatures.central,
      version_made_by: madeByUnix | versions.zip64,
      version_needed: large.length > 0 ? versions.zip64 : this.#version(open, method),
      flags: open.flags | (streams ? flags.descriptor : 0),
      method,
      ...dosTime(entry.modifiedSeconds),
      crc32: ~crc >>> 0,
      compressed_size: fits(packedSize),
      uncompressed_size: fits(size),
      name_length: name.length,
      extra_length: extras.reduce((sum, { length }) => sum + length, 0),
      external_attributes: ((entry.mode << 16) | (isDirectory ? dosDirectory : 0)) >>> 0,
      local_header_offset: fits(offset),
    });
    this.#directory.add(concatBytes([header, name, ...extras]));
    this.#count++;
  }

  *finish(): ZipSteps {
    const offset = this.#position;
    for (const piece of this.#directory.pieces) yield* this.#write(piece);
    const { length } = this.#directory;
    const count = this.#count;
    const isLarge = count >= inZip64.bits16 || length >= inZip64.bits32 || offset >= inZip64.bits32;
    if (isLarge) {
      const at = this.#position;
      yield* this.#write(
        end64.encode({
          signature: signatures.end64,
          record_size: end64.size - 12,
          version_made_by: madeByUnix | versions.zip64,
          version_needed: versions.zip64,
          entries_on_disk: count,
          entries: count,
          directory_size: length,
          directory_offset: offset,
        }),
      );
      yield* this.#write(
        end64Locator.encode({ signature: signatures.end64Locator, end64_offset: at, disk_count: 1 }),
      );
    }
    yield* this.#write(
      end.encode({
        signature: signatures.end,
        entries_on_disk: Math.min(count, inZip64.bits16),
        entries: Math.min(count, inZip64.bits16),
        directory_size: Math.min(length, inZip64.bits32),
        directory_offset: Math.min(offset, inZip64.bits32),
      }),
    );
  }
}
