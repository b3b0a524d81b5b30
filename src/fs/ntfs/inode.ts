/** Files: the first record, and the facts that every file has. What is special about a file is in other files here. */
import { CorruptError, viewOf } from '../../base/index.js';
import type { Time } from '../driver.js';
import { type Attribute, Attributes, type RecordSource } from './attribute.js';
import {
  attributeTypes,
  fileAttributes,
  fileNameAt,
  fileNumbers,
  secondsTo1970,
  standardInformationAt as standardAt,
  standardInformationSize,
  standardInformationSize3,
  timeUnitsPerSecond,
} from './layout.js';
import { fileName, type MftRecord, referenceOf } from './record.js';

export class Inode {
  readonly number: number;
  readonly record: MftRecord;
  readonly attributes: Attributes;
  /** The value of `$STANDARD_INFORMATION`, long enough for all but what version 3 added. */
  readonly standard: Uint8Array;
  /** As in `fileAttributes`. */
  readonly flags: number;
  #data: Attribute | undefined | 'unknown' = 'unknown';

  constructor(record: MftRecord, source: RecordSource) {
    this.number = record.number;
    this.record = record;
    this.attributes = new Attributes(record, source);
    const standard = this.attributes.find(attributeTypes.standardInformation)?.first.value;
    if (standard === undefined || standard.length < standardInformationSize)
      throw new CorruptError(fileName(this.number), 'has no standard information');
    this.standard = standard;
    this.flags = viewOf(standard).getUint32(standardAt.file_attributes, true);
  }

  has(flag: keyof typeof fileAttributes): boolean {
    return (this.flags & fileAttributes[flag]) !== 0;
  }

  get isDirectory(): boolean {
    return this.record.isDirectory;
  }

  /** Whether it is one of the filesystem's own files. */
  get isInternal(): boolean {
    return this.number < fileNumbers.firstUser && this.number !== fileNumbers.root;
  }

  /** The contents, of the stream without a name. */
  get data(): Attribute | undefined {
    if (this.#data === 'unknown') this.#data = this.attributes.find(attributeTypes.data);
    return this.#data;
  }

  /** The number of its security descriptor; 0 in volumes of version 1. */
  get securityId(): number {
    const { standard } = this;
    return standard.length < standardInformationSize3
      ? 0
      : viewOf(standard).getUint32(standardAt.security_id, true);
  }

  time(field: 'creation_time' | 'last_data_change_time' | 'last_mft_change_time' | 'last_access_time'): Time {
    return decodeTime(viewOf(this.standard), standardAt[field]);
  }

  /** What names it, and no file that had its record before or will have it. */
  get reference(): number {
    return referenceOf(this.number, 0, this.record.sequence);
  }

  /** A reference to the directory that one of its names is in. */
  get parent(): number {
    const [name] = this.attributes.values(attributeTypes.fileName);
    if (name === undefined || name.length < fileNameAt.file_name)
      throw new CorruptError(fileName(this.number), 'has no name');
    const view = viewOf(name);
    return referenceOf(
      view.getUint32(fileNameAt.parent_low, true),
      view.getUint16(fileNameAt.parent_high, true),
      view.getUint16(fileNameAt.parent_sequence, true),
    );
  }
}

const unit = BigInt(timeUnitsPerSecond);
const epoch = BigInt(secondsTo1970) * unit;

/** As ntfs-3g has it: before 1970 there are no fractions, and seconds are rounded up. */
function decodeTime(view: DataView, offset: number): Time {
  const units = view.getBigInt64(offset, true) - epoch;
  const nanoseconds = Number(units % unit) * 100;
  return { seconds: Number(units / unit), nanoseconds: Math.max(0, nanoseconds) };
}
