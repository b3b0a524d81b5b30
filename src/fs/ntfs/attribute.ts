/**
 * The attributes of a file: those of its first record, and where they do not fit, those of further records, which an
 * attribute list names. Of an attribute with many runs each record has a piece.
 */
import { CorruptError, UnsupportedError, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Geometry } from './boot.js';
import { attributeListEntry, attributeTypes, greatestAttributeList } from './layout.js';
import { decodeName } from './names.js';
import { fileName, type MftRecord, numberOf, type Piece, referenceOf, sequenceOf } from './record.js';
import { openRuns } from './streams/clusters.js';
import { RunList } from './streams/runs.js';

/** Where records and clusters come from. */
export interface RecordSource {
  readonly disk: Disk;
  readonly geometry: Geometry;
  record(number: number): MftRecord;
}

/** An entry of an attribute list. */
interface ListEntry {
  readonly type: number;
  readonly name: string;
  readonly lowest: number;
  /** A reference to the record. */
  readonly record: number;
  readonly instance: number;
}

/** An attribute as a whole. */
export class Attribute {
  readonly first: Piece;
  /** For messages. */
  readonly structure: string;
  readonly #pieces: () => Iterable<Piece>;
  readonly #clusterCount: number;
  #runs: RunList | undefined;

  constructor(first: Piece, pieces: () => Iterable<Piece>, clusterCount: number, structure: string) {
    this.first = first;
    this.structure = structure;
    this.#pieces = pieces;
    this.#clusterCount = clusterCount;
  }

  get sizeInBytes(): number {
    const { value, nonResident } = this.first;
    return value?.length ?? nonResident?.dataSize ?? 0;
  }

  /** What it takes up; that of a value in its record is rounded up to eight bytes. */
  get allocatedSize(): number {
    const { nonResident, isCompressed, isSparse } = this.first;
    if (nonResident === undefined) return Math.ceil(this.sizeInBytes / 8) * 8;
    return isCompressed || isSparse ? nonResident.compressedSize : nonResident.allocatedSize;
  }

  /** Where the clusters are. CorruptError where the pieces do not follow each other. */
  runs(): RunList {
    if (this.#runs !== undefined) return this.#runs;
    const runs = new RunList(this.structure, this.#clusterCount);
    for (const piece of this.#pieces()) addRuns(runs, piece, this.structure);
    this.#runs = runs;
    return runs;
  }
}

/** Adds a piece's runs, which go on where those before them ended. */
export function addRuns(runs: RunList, { nonResident }: Piece, structure: string): void {
  if (nonResident?.lowest !== runs.end)
    throw new CorruptError(structure, 'has pieces that do not follow each other', {
      expected: runs.end,
      found: nonResident?.lowest ?? 'a value',
    });
  runs.add(nonResident.runs);
}

/** All attributes of one file. */
export class Attributes {
  readonly #base: MftRecord;
  readonly #source: RecordSource;
  readonly #name: string;
  readonly #own: readonly Piece[];
  #list: readonly ListEntry[] | undefined;

  constructor(base: MftRecord, source: RecordSource) {
    this.#base = base;
    this.#source = source;
    this.#name = fileName(base.number);
    this.#own = [...base.pieces()];
    const list = this.#own.find(({ type }) => type === attributeTypes.attributeList);
    if (list !== undefined) this.#list = this.#readList(list);
  }

  /** The attribute of a type and a name; without a name it is empty. */
  find(type: number, name = ''): Attribute | undefined {
    const [first] = this.pieces(type, name);
    if (first === undefined) return undefined;
    const structure = name === '' ? this.#name : `${this.#name}: ${name}`;
    if (first.nonResident !== undefined && first.nonResident.lowest !== 0)
      throw new CorruptError(structure, 'lacks the first piece of an attribute', { type });
    return new Attribute(first, () => this.pieces(type, name), this.#source.geometry.clusterCount, structure);
  }

  /** The names of the attributes of a type, in stored order, each once. */
  names(type: number): string[] {
    const all: readonly { readonly type: number; readonly name: string }[] = this.#list ?? this.#own;
    return [...new Set(all.filter((one) => one.type === type).map(({ name }) => name))];
  }

  /** The values of the attributes of a type that lie in their records: there may be several of a name. */
  *values(type: number): Generator<Uint8Array> {
    for (const { value } of this.#all(type)) if (value !== undefined) yield value;
  }

  *#all(type: number): Generator<Piece> {
    if (this.#list === undefined) yield* this.#own.filter((piece) => piece.type === type);
    else for (const entry of this.#list) if (entry.type === type) yield this.#listed(entry);
  }

  /** The pieces of an attribute in the order of their clusters. Each record is read when its piece is asked for. */
  *pieces(type: number, name: string): Generator<Piece> {
    if (this.#list === undefined) {
      const found = this.#own.find((piece) => piece.type === type && piece.name === name);
      if (found !== undefined) yield found;
      return;
    }
    const entries = this.#list.filter((entry) => entry.type === type && entry.name === name);
    entries.sort((one, other) => one.lowest - other.lowest);
    for (const entry of entries) yield this.#listed(entry);
  }

  #listed({ type, name, lowest, record: reference, instance }: ListEntry): Piece {
    const number = numberOf(reference);
    const sequence = sequenceOf(reference);
    const own = number === this.#base.number;
    const record = own ? this.#base : this.#source.record(number);
    const isCurrent = sequence === 0 || sequence === record.sequence;
    if (!isCurrent || (!own && record.base !== this.#base.number))
      throw new CorruptError(this.#name, 'lists attributes in a record that is of another file', {
        record: number,
      });
    for (const piece of own ? this.#own : record.pieces())
      if (piece.type === type && piece.instance === instance && piece.name === name)
        if ((piece.nonResident?.lowest ?? 0) === lowest) return piece;
    throw new CorruptError(this.#name, 'lists an attribute that is not there', {
      record: number,
      type,
      instance,
    });
  }

  #readList(piece: Piece): ListEntry[] {
    const bytes = this.#listBytes(piece);
    const entries: ListEntry[] = [];
    for (let at = 0; at < bytes.length; ) {
      work.entries.spend(1);
      const raw = attributeListEntry.decode(bytes, at);
      const nameEnd = raw.name_offset + 2 * raw.name_length;
      const isValid = raw.length >= attributeListEntry.size && raw.length % 8 === 0;
      if (!isValid || at + raw.length > bytes.length || (raw.name_length > 0 && nameEnd > raw.length))
        throw new CorruptError(this.#name, 'has an invalid entry in its attribute list', { at });
      entries.push({
        type: raw.type,
        name: raw.name_length === 0 ? '' : decodeName(bytes.subarray(at + raw.name_offset, at + nameEnd)),
        lowest: raw.lowest_vcn,
        record: referenceOf(raw.mft_low, raw.mft_high, raw.mft_sequence),
        instance: raw.instance,
      });
      at += raw.length;
    }
    return entries;
  }

  #listBytes({ value, nonResident, isCompressed, isEncrypted }: Piece): Uint8Array {
    if (value !== undefined) return value;
    const structure = `${this.#name}: attribute list`;
    if (isCompressed || isEncrypted) throw new UnsupportedError(structure, ['being compressed or encrypted']);
    const { dataSize = 0, initializedSize = 0, runs: stored = new Uint8Array(0) } = nonResident ?? {};
    if (dataSize > greatestAttributeList)
      throw new CorruptError(structure, 'is too long', { size: dataSize });
    const { disk, geometry } = this.#source;
    const runs = new RunList(structure, geometry.clusterCount);
    runs.add(stored);
    const bytes = new Uint8Array(dataSize);
    openRuns(
      disk,
      geometry.clusterSize,
      runs,
      { size: dataSize, initialized: initializedSize },
      structure,
    ).read(bytes, 0);
    return bytes;
  }
}
