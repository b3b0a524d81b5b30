/** Records of the table of files, each a row of attributes. What they mean is said elsewhere. */
import { CorruptError, viewOf, work } from '../../base/index.js';
import { applyFixups } from './fixup.js';
import {
  attributeAt as at,
  attributeFlags,
  attributeTypes,
  compressedHeaderSize,
  fileMagic,
  fileRecord,
  greatestCompressionUnit,
  nonResidentHeaderSize,
  recordFlags,
  referenceHighMask,
  residentHeaderSize,
} from './layout.js';
import { decodeName } from './names.js';

export function fileName(number: number): string {
  return `NTFS file ${number}`;
}

/** Where the value of an attribute that is not in its record lies. */
interface NonResident {
  readonly lowest: number;
  readonly runs: Uint8Array;
  /** In the first piece of an attribute alone. */
  readonly allocatedSize: number;
  readonly dataSize: number;
  readonly initializedSize: number;
  /** What is taken up on the disk, of sparse and compressed attributes. */
  readonly compressedSize: number;
  /** Clusters that are compressed together; 1 where none are. */
  readonly unitClusters: number;
}

/** An attribute, or a piece of one whose runs did not fit into one record. */
export interface Piece {
  readonly type: number;
  readonly name: string;
  readonly instance: number;
  readonly isCompressed: boolean;
  readonly isEncrypted: boolean;
  readonly isSparse: boolean;
  /** The value, where it lies in the record. */
  readonly value: Uint8Array | undefined;
  readonly nonResident: NonResident | undefined;
}

/** A signed 64-bit number; NaN beyond 2^53. */
function signed64(view: DataView, offset: number): number {
  const value = view.getInt32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

function has(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

export class MftRecord {
  readonly number: number;
  readonly sequence: number;
  readonly linkCount: number;
  readonly inUse: boolean;
  readonly isDirectory: boolean;
  /** The file that this record continues; undefined in its first one. */
  readonly base: number | undefined;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;

  /** `bytes`: as on the disk; the record keeps and changes them. */
  constructor(number: number, bytes: Uint8Array) {
    const name = fileName(number);
    const view = viewOf(bytes);
    // The sizes of records are at least that of the header.
    const raw = fileRecord.decode(view);
    if (raw.magic !== fileMagic) throw new CorruptError(name, 'has no magic number', { found: raw.magic });
    applyFixups(bytes, raw.usa_ofs, raw.usa_count, name);
    this.number = number;
    this.sequence = raw.sequence_number;
    this.linkCount = raw.link_count;
    this.inUse = has(raw.flags, recordFlags.inUse);
    this.isDirectory = has(raw.flags, recordFlags.directory);
    this.base = raw.base_mft_record === 0n ? undefined : Number(BigInt.asUintN(48, raw.base_mft_record));
    this.#bytes = bytes;
    this.#start = raw.attrs_offset;
    this.#end = raw.bytes_in_use;
    if (
      this.#end > bytes.length ||
      this.#start < fileRecord.size ||
      this.#start % 8 !== 0 ||
      this.#start > this.#end
    )
      throw new CorruptError(name, 'has attributes outside its record', {
        start: this.#start,
        end: this.#end,
      });
  }

  /** The attributes in order. */
  *pieces(): Generator<Piece> {
    const view = viewOf(this.#bytes);
    for (let offset = this.#start; ; ) {
      work.entries.spend(1);
      if (offset + 4 > this.#end) throw this.#corrupt('has no end of its attributes', offset);
      const type = view.getUint32(offset + at.type, true);
      if (type === attributeTypes.end) return;
      if (offset + residentHeaderSize > this.#end)
        throw this.#corrupt('has an attribute that is cut short', offset);
      const length = view.getUint32(offset + at.length, true);
      if (length < residentHeaderSize || length % 8 !== 0 || offset + length > this.#end)
        throw this.#corrupt('has an attribute of no valid length', offset);
      yield this.#piece(type, offset, length);
      offset += length;
    }
  }

  #corrupt(problem: string, offset: number): CorruptError {
    return new CorruptError(fileName(this.number), problem, { offset });
  }

  #piece(type: number, offset: number, length: number): Piece {
    const bytes = this.#bytes.subarray(offset, offset + length);
    const view = viewOf(bytes);
    const nameLength = 2 * view.getUint8(at.name_length);
    const nameAt = view.getUint16(at.name_offset, true);
    if (nameLength > 0 && nameAt + nameLength > length)
      throw this.#corrupt('has an attribute whose name lies outside', offset);
    const flags = view.getUint16(at.flags, true);
    const isResident = view.getUint8(at.non_resident) === 0;
    return {
      type,
      name: nameLength === 0 ? '' : decodeName(bytes.subarray(nameAt, nameAt + nameLength)),
      instance: view.getUint16(at.instance, true),
      isCompressed: has(flags, attributeFlags.compressionMask),
      isEncrypted: has(flags, attributeFlags.encrypted),
      isSparse: has(flags, attributeFlags.sparse),
      value: isResident ? this.#value(bytes, view, offset) : undefined,
      nonResident: isResident ? undefined : this.#nonResident(bytes, view, offset, flags),
    };
  }

  #value(bytes: Uint8Array, view: DataView, offset: number): Uint8Array {
    const length = view.getUint32(at.value_length, true);
    const start = view.getUint16(at.value_offset, true);
    if (start + length > bytes.length)
      throw this.#corrupt('has an attribute whose value lies outside', offset);
    return bytes.subarray(start, start + length);
  }

  #nonResident(bytes: Uint8Array, view: DataView, offset: number, flags: number): NonResident {
    if (bytes.length < nonResidentHeaderSize)
      throw this.#corrupt('has an attribute that is cut short', offset);
    const lowest = signed64(view, at.lowest_vcn);
    const runsAt = view.getUint16(at.mapping_pairs_offset, true);
    if (!(lowest >= 0) || runsAt < nonResidentHeaderSize || runsAt > bytes.length)
      throw this.#corrupt('has an attribute without valid runs', offset);
    const isFirst = lowest === 0;
    const allocatedSize = isFirst ? signed64(view, at.allocated_size) : 0;
    const dataSize = isFirst ? signed64(view, at.data_size) : 0;
    const initializedSize = isFirst ? signed64(view, at.initialized_size) : 0;
    if (!(allocatedSize >= 0 && dataSize >= 0 && initializedSize >= 0))
      throw this.#corrupt('has an attribute of no valid size', offset);
    const unit = view.getUint8(at.compression_unit);
    if (unit > greatestCompressionUnit) throw this.#corrupt('has an attribute with too large a unit', offset);
    const isPacked = has(flags, attributeFlags.compressionMask | attributeFlags.sparse);
    const hasCompressedSize = isFirst && isPacked && bytes.length >= compressedHeaderSize;
    const compressedSize = hasCompressedSize ? signed64(view, at.compressed_size) : allocatedSize;
    if (!(compressedSize >= 0)) throw this.#corrupt('has an attribute of no valid size', offset);
    return {
      lowest,
      runs: bytes.subarray(runsAt),
      allocatedSize,
      dataSize,
      initializedSize,
      compressedSize,
      unitClusters: 2 ** unit,
    };
  }
}

/** More records than there are: NTFS has less than 2^32. */
const referenceSpan = 2 ** 37;

/**
 * A reference to a file, from its parts: the number of its record, which has 48 bits, and which of the files that had
 * this record it is. Without the latter, which is then 0, it is whichever has it.
 */
export function referenceOf(low: number, high: number, sequence: number): number {
  const number = Math.min((high & referenceHighMask) * 0x1_0000_0000 + low, referenceSpan - 1);
  return sequence * referenceSpan + number;
}

export function numberOf(reference: number): number {
  return reference % referenceSpan;
}

export function sequenceOf(reference: number): number {
  return Math.floor(reference / referenceSpan);
}
