/** One file of a systemd journal: its entries in order, and the fields of each. Hash tables are not needed for that. */
import {
  type ByteSource,
  CorruptError,
  encodeHex,
  readMaybe,
  readUpTo,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import {
  arrayItemSize,
  compressions,
  entryArrayObject,
  entryObject,
  incompatible,
  itemSize,
  journalHeader,
  journalSignature,
  knownFlags,
  lz4Head,
  objectHeader,
  objectTypes,
  objectUnit,
  payloadAt,
} from './layout.js';

/** When an entry was written, as journals are put in order by. */
export interface EntryKey {
  /** Of the numbering that `seqnum` is of. */
  readonly seqnumId: string;
  readonly seqnum: number;
  readonly bootId: string;
  /** In microseconds since the machine's start, and since 1970. */
  readonly monotonic: number;
  readonly realtime: number;
  readonly xorHash: string;
}

/** `NAME=value`, as it is stored. */
export interface JournalField {
  readonly payload: Uint8Array;
  readonly compression: 'xz' | 'lz4' | 'zstd' | undefined;
}

/** The longest object that is held in memory, in bytes: systemd writes no longer field. */
const longestObject = 768 * 1024 * 1024;

export class JournalFile {
  readonly #source: ByteSource;
  readonly #isCompact: boolean;
  readonly #seqnumId: string;
  /** Where the objects end. */
  readonly #end: number;
  /** Where the entries are. */
  readonly #entries: Float64Array;

  /** CorruptError for other files and for damage; UnsupportedError for newer forms of the format. */
  constructor(source: ByteSource) {
    const bytes = readMaybe(source, 0, journalHeader.size);
    if (bytes === undefined) throw new CorruptError('journal file', 'is too short', { size: source.size });
    const header = journalHeader.decode(bytes);
    if (header.signature !== journalSignature)
      throw new CorruptError('journal file', `does not begin with ${journalSignature}`);
    const flags = header.incompatible_flags;
    if (flags > knownFlags)
      throw new UnsupportedError('journal file', [`incompatible flags 0x${flags.toString(16)}`]);
    this.#source = source;
    this.#isCompact = (flags & incompatible.compact) !== 0;
    this.#seqnumId = encodeHex(header.seqnum_id);
    this.#end = Math.min(source.size, header.header_size + header.arena_size);
    this.#entries = this.#listEntries(header.entry_array_offset, header.n_entries);
  }

  get entryCount(): number {
    return this.#entries.length;
  }

  /** CorruptError for an entry that is none. */
  key(index: number): EntryKey {
    const entry = entryObject.decode(this.#object(this.#at(index), objectTypes.entry, entryObject.size));
    return {
      seqnumId: this.#seqnumId,
      seqnum: entry.seqnum,
      bootId: encodeHex(entry.boot_id),
      monotonic: entry.monotonic,
      realtime: entry.realtime,
      xorHash: encodeHex(entry.xor_hash.reverse()),
    };
  }

  /** The fields of an entry, in stored order. */
  *fields(index: number): Generator<JournalField> {
    const entry = this.#object(this.#at(index), objectTypes.entry);
    const view = viewOf(entry);
    const size = this.#isCompact ? itemSize.compact : itemSize.regular;
    for (let at = entryObject.size; at + size <= entry.length; at += size) {
      work.entries.spend(1);
      const offset = this.#isCompact ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
      const object = this.#object(offset, objectTypes.data);
      const { flags } = objectHeader.decode(object);
      yield {
        payload: object.subarray(this.#isCompact ? payloadAt.compact : payloadAt.regular),
        compression: compressions.find(([bit]) => (flags & bit) !== 0)?.[1],
      };
    }
  }

  #at(index: number): number {
    return this.#entries[index] ?? 0;
  }

  /** Follows the arrays, of which each lies behind the one before it, since it was added later. */
  #listEntries(first: number, count: number): Float64Array {
    if (count > this.#end / entryObject.size)
      throw new CorruptError('journal file', 'has more entries than it has room for', { count });
    const entries = new Float64Array(count);
    const size = this.#isCompact ? arrayItemSize.compact : arrayItemSize.regular;
    let filled = 0;
    for (let at = first, before = 0; at !== 0 && filled < count; ) {
      if (at <= before)
        throw new CorruptError('journal entry array', 'lies before the one that leads to it', { at });
      const array = this.#object(at, objectTypes.entryArray);
      const view = viewOf(array);
      work.entries.spend(1 + Math.floor(array.length / size));
      for (let item = entryArrayObject.size; item + size <= array.length && filled < count; item += size) {
        const entry = this.#isCompact ? view.getUint32(item, true) : Number(view.getBigUint64(item, true));
        // The rest of an array waits for entries.
        if (entry === 0) return entries.subarray(0, filled);
        entries[filled++] = entry;
      }
      before = at;
      at = entryArrayObject.decode(array).next_entry_array_offset;
    }
    return entries.subarray(0, filled);
  }

  /** All of an object, or so many bytes of it. CorruptError where none of that type is. */
  #object(at: number, type: number, enough?: number): Uint8Array {
    const head =
      at % objectUnit === 0 && at < this.#end ? readMaybe(this.#source, at, objectHeader.size) : undefined;
    const { size, type: found } = head === undefined ? { size: 0, type: 0 } : objectHeader.decode(head);
    const least = this.#least(type);
    if (found !== type || size < least || at + size > this.#end || size > longestObject)
      throw new CorruptError('journal object', 'is not what leads to it says', { at, type, found, size });
    work.bytes.spend(enough ?? size);
    return readUpTo(this.#source, at, enough ?? size);
  }

  #least(type: number): number {
    if (type === objectTypes.data) return this.#isCompact ? payloadAt.compact : payloadAt.regular;
    return type === objectTypes.entry ? entryObject.size : entryArrayObject.size;
  }
}

/** What is in a payload by LZ4: how long it is unpacked, and the compressed block. */
export function lz4Payload(payload: Uint8Array): { readonly size: number; readonly packed: Uint8Array } {
  if (payload.length < lz4Head.size)
    throw new CorruptError('journal field', 'is too short', { length: payload.length });
  return { size: lz4Head.decode(payload).size, packed: payload.subarray(lz4Head.size) };
}
