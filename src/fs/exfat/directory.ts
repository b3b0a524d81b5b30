/**
 * Directories: entries of 32 bytes, of which a file has a set: the entry of the file, a stream extension that says where
 * its bytes are, and its name in pieces. Sections 6 and 7 of the specification.
 */
import { CorruptError, viewOf, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { heeding, type OnDamage } from '../driver.js';
import { decodeUtf16Name } from '../utf16-names.js';
import {
  entrySize,
  entryTypes,
  fileEntry,
  longestName,
  nameUnitsAt,
  rotateAndAdd16,
  secondaryCounts,
  setChecksumAt,
  slash,
  streamEntry,
  unitsPerName,
} from './layout.js';

const what = 'exFAT directory';

/** Bytes of a directory that are read at once. */
const pieceSize = 64 * 1024;

/** An entry that is in use. The bytes are valid until the next one. */
interface RawEntry {
  /** In its directory, in bytes. */
  readonly offset: number;
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** The entries of a directory up to its end, in use or not. */
export function* readRawEntries(data: Disk): Generator<RawEntry> {
  for (let start = 0; start + entrySize <= data.size; start += pieceSize) {
    const piece = new Uint8Array(Math.min(pieceSize, data.size - start));
    data.read(piece, start);
    for (let at = 0; at + entrySize <= piece.length; at += entrySize) {
      work.entries.spend(1);
      const type = piece[at] as number; // safe: just bounded
      if (type === entryTypes.endOfDirectory) return;
      yield { offset: start + at, type, bytes: piece.subarray(at, at + entrySize) };
    }
  }
}

/** A file's set of entries. */
export interface FileSet {
  /** The place of its first entry in the directory, in bytes. */
  readonly offset: number;
  readonly name: string;
  readonly file: ReturnType<typeof fileEntry.decode>;
  readonly stream: ReturnType<typeof streamEntry.decode>;
  /** Whether the checksum over all of its entries holds. */
  readonly isIntact: boolean;
}

/** Gathers the entries of one set. */
class SetReader {
  readonly #offset: number;
  readonly #file: FileSet['file'];
  readonly #units: number[] = [];
  #stream: FileSet['stream'] | undefined;
  #sum = 0;
  left: number;

  constructor({ offset, bytes }: RawEntry) {
    this.#offset = offset;
    this.#file = fileEntry.decode(bytes);
    this.left = this.#file.SecondaryCount;
    if (this.left < secondaryCounts.least || this.left > secondaryCounts.most)
      throw new CorruptError(what, 'has a file of an impossible number of entries', {
        offset,
        count: this.left,
      });
    for (let i = 0; i < bytes.length; i++)
      if (i !== setChecksumAt && i !== setChecksumAt + 1)
        this.#sum = rotateAndAdd16(this.#sum, bytes[i] as number); // safe: i < its length
  }

  /** Takes the next entry. Kinds of entries that are not known are passed over, as vendors may have their own. */
  take({ type, bytes, offset }: RawEntry): void {
    this.left--;
    for (const byte of bytes) this.#sum = rotateAndAdd16(this.#sum, byte);
    if (this.#stream === undefined) {
      if (type !== entryTypes.streamExtension)
        throw new CorruptError(what, 'has a file without a stream extension', { offset: this.#offset, type });
      this.#stream = streamEntry.decode(bytes);
    } else if (type === entryTypes.fileName) {
      const view = viewOf(bytes);
      for (let i = 0; i < unitsPerName; i++) this.#units.push(view.getUint16(nameUnitsAt + i * 2, true));
    } else if (type === entryTypes.streamExtension)
      throw new CorruptError(what, 'has a file of two stream extensions', { offset });
  }

  finish(): FileSet {
    const offset = this.#offset;
    const stream = this.#stream;
    if (stream === undefined)
      throw new CorruptError(what, 'has a file without a stream extension', { offset });
    const length = stream.NameLength;
    if (length === 0 || length > longestName || length > this.#units.length)
      throw new CorruptError(what, 'has a file with an impossible name', { offset, length });
    const name = decodeUtf16Name(Uint16Array.from(this.#units.slice(0, length)));
    if (name === '' || name === '.' || name === '..' || name.includes(slash))
      throw new CorruptError(what, 'has a name that no file can have', { offset });
    return { offset, name, file: this.#file, stream, isIntact: this.#sum === this.#file.SetChecksum };
  }
}

/** The files of a directory. A set that is damaged is left out, and the next one follows. */
export function* readFileSets(data: Disk, onDamage?: OnDamage): Generator<FileSet> {
  let reader: SetReader | undefined;
  for (const entry of readRawEntries(data)) {
    if (reader !== undefined && (entry.type & entryTypes.inUse) !== 0 && entry.type !== entryTypes.file) {
      const present: SetReader = reader;
      const taken = heeding(onDamage, () => {
        present.take(entry);
        return present.left === 0 ? present.finish() : true;
      });
      if (taken !== true) reader = undefined;
      if (typeof taken === 'object') yield taken;
      continue;
    }
    if (reader !== undefined) {
      heeding(onDamage, () => {
        throw new CorruptError(what, 'has a file whose entries are cut short', { offset: entry.offset });
      });
      reader = undefined;
    }
    if (entry.type === entryTypes.file) reader = heeding(onDamage, () => new SetReader(entry));
  }
  if (reader !== undefined)
    heeding(onDamage, () => {
      throw new CorruptError(what, 'has a file whose entries are cut short', { offset: data.size });
    });
}
