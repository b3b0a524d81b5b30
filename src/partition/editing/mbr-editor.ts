/**
 * Changing the PC partition table. The master boot record is one sector, so that most changes are one write. Logical
 * partitions are in a chain of extended boot records: a new record is written before anything leads to it, and the end
 * of the chain before its start.
 *
 * As parted, a new partition gets the lowest free number of the four, a logical one the next number; the record of a
 * logical partition needs one sector in front of it, and that of the first is at the start of the extended partition.
 */
import { CorruptError, GuestfsError, UnsupportedError } from '../../base/index.js';
import { type Disk, platform } from '../../disk/index.js';
import { type BootRecordEntry, readBootRecord } from '../boot-record.js';
import {
  activeIndicator,
  bootRecord,
  bootSignature,
  chsHeads,
  chsSectors,
  extendedLbaType,
  extendedTypes,
  lastChs,
  linkType,
  linuxType,
  mbrEntriesOffset,
  mbrEntry,
  mbrEntryCount,
} from '../layout.js';
import { readMasterBootRecord } from '../mbr.js';
import { highestPartitionNumber } from '../scheme.js';
import type { Primaries, ScriptedPartition } from '../script.js';
import {
  checkFree,
  checkInside,
  type NewPartition,
  noSuchPartition,
  type SectorRange,
  type TableEditor,
} from './editor.js';
import { bothEnds, writeSteps } from './sectors.js';

/** The largest start and the largest size that an entry has room for, in sectors. */
const mostSectors = 0xffff_ffff;
/** The number of the first logical partition. */
const firstLogical = 5;

const isExtended = ({ type }: BootRecordEntry): boolean => extendedTypes.has(type);

const empty: BootRecordEntry = { bootIndicator: 0, type: 0, start: 0, size: 0 };

/** A logical partition: its entry, whose start is counted from the start of the disk, and where its record is. */
interface Logical {
  readonly recordLba: number;
  readonly entry: BootRecordEntry;
}

function rangeOf({ start, size }: BootRecordEntry): SectorRange {
  return { first: start, last: start + size - 1 };
}

/** A sector as cylinder, head and sector; beyond what these can name, the last one that they can. */
function chsOf(lba: number): Uint8Array {
  const cylinder = Math.floor(lba / (chsHeads * chsSectors));
  if (cylinder > 1023) return lastChs;
  const head = Math.floor(lba / chsSectors) % chsHeads;
  const sector = (lba % chsSectors) + 1;
  // The upper two bits of the cylinder are above the sector.
  return Uint8Array.of(head, sector + Math.floor(cylinder / 256) * 64, cylinder % 256);
}

/** Puts an entry in its place, whose start is counted from `origin`. What did not move keeps its cylinders and heads. */
function putEntry(bytes: Uint8Array, index: number, entry: BootRecordEntry, origin = 0): void {
  const at = mbrEntriesOffset + index * mbrEntry.size;
  const before = mbrEntry.decode(bytes, at);
  if (entry.size === 0) {
    if (before.size_in_lba > 0) bytes.fill(0, at, at + mbrEntry.size);
    return;
  }
  const start = entry.start - origin;
  mbrEntry.encode({ boot_indicator: entry.bootIndicator, os_type: entry.type }, bytes, at);
  if (before.starting_lba === start && before.size_in_lba === entry.size) return;
  const places = {
    starting_chs: chsOf(entry.start),
    ending_chs: chsOf(entry.start + entry.size - 1),
    starting_lba: start,
    size_in_lba: entry.size,
  };
  mbrEntry.encode(places, bytes, at);
}

export class MbrEditor implements TableEditor {
  readonly scheme = 'msdos';
  readonly #disk: Disk;
  readonly #sectorSize: number;
  readonly #isNew: boolean;
  /** The first sector as it is on the disk. */
  readonly #record: Uint8Array;
  readonly #primary: BootRecordEntry[];
  /** Where the records of the chain are on the disk, in its order. */
  readonly #chain: number[] = [];
  #logical: Logical[] = [];

  private constructor(
    disk: Disk,
    sectorSize: number,
    record: Uint8Array,
    primary: readonly BootRecordEntry[],
    isNew: boolean,
  ) {
    this.#disk = disk;
    this.#sectorSize = sectorSize;
    this.#record = record;
    this.#primary = [...primary];
    this.#isNew = isNew;
  }

  /** An empty table, with a signature of its own, in the place of all that the disk held. */
  /** `given`: the four bytes by which the disk is known; by default random ones. */
  static create(disk: Disk, sectorSize: number, given?: Uint8Array): MbrEditor {
    const record = bootRecord.encode({ boot_signature: bootSignature });
    const { length } = bootRecord.fields.disk_signature;
    const signature = given?.slice(0, length) ?? new Uint8Array(length);
    if (given === undefined) platform().random(signature);
    record.set(signature, bootRecord.fields.disk_signature.at);
    return new MbrEditor(disk, sectorSize, record, Array<BootRecordEntry>(mbrEntryCount).fill(empty), true);
  }

  static open(disk: Disk, sectorSize: number): MbrEditor {
    const record = readMasterBootRecord(disk);
    if (record === undefined) throw new CorruptError('MBR', 'is not there');
    const editor = new MbrEditor(disk, sectorSize, record.bytes, record.entries, false);
    if (record.entries.filter((entry) => entry.size > 0 && isExtended(entry)).length > 1)
      throw new UnsupportedError('MBR', ['more than one extended partition'], { elsewhere: 'appliance' });
    editor.#readChain();
    return editor;
  }

  #readChain(): void {
    const extended = this.#extended;
    if (extended === undefined) return;
    for (let lba: number | undefined = extended.start; lba !== undefined; ) {
      if (this.#chain.includes(lba) || this.#chain.length > 2 * highestPartitionNumber)
        throw new CorruptError('extended boot records', 'are in a circle, or too many', { sector: lba });
      const record = readBootRecord(this.#disk, lba * this.#sectorSize);
      if (record === undefined) {
        // A new extended partition may hold anything; a link must lead to a record.
        if (lba === extended.start) return;
        throw new CorruptError('extended boot record', 'is not there', { sector: lba });
      }
      this.#chain.push(lba);
      const used = record.entries.filter(({ size }) => size > 0);
      const data = used.filter((entry) => !isExtended(entry));
      const link = used.find(isExtended);
      if (data.length > 1 || used.length > 2)
        throw new UnsupportedError('extended boot record', ['more than one partition in it'], {
          elsewhere: 'appliance',
        });
      for (const entry of data)
        this.#logical.push({ recordLba: lba, entry: { ...entry, start: lba + entry.start } });
      lba = link === undefined ? undefined : extended.start + link.start;
    }
  }

  get usable(): SectorRange {
    return { first: 1, last: Math.min(Math.floor(this.#disk.size / this.#sectorSize) - 1, 2 * mostSectors) };
  }

  get #extended(): BootRecordEntry | undefined {
    return this.#primary.find((entry) => entry.size > 0 && isExtended(entry));
  }

  #entry(number: number): BootRecordEntry {
    const entry =
      number < firstLogical ? this.#primary[number - 1] : this.#logical[number - firstLogical]?.entry;
    if (entry === undefined || entry.size === 0) throw noSuchPartition(number);
    return entry;
  }

  #change(number: number, change: Partial<BootRecordEntry>): void {
    const entry = { ...this.#entry(number), ...change };
    if (number < firstLogical) this.#primary[number - 1] = entry;
    else
      this.#logical = this.#logical.map((each, index) =>
        index === number - firstLogical ? { ...each, entry } : each,
      );
  }

  /** Whatever is in the four entries, by number. */
  get primaries(): Primaries {
    const used = [...this.#primary.entries()].filter(([, { size }]) => size > 0);
    return new Map(
      used.map(([index, entry]) => [
        index + 1,
        { ...rangeOf(entry), mbrId: entry.type, bootable: entry.bootIndicator === activeIndicator },
      ]),
    );
  }

  /** Makes a primary partition another one; a number without one adds it, by the lowest that is free. */
  put(number: number, { first, last, mbrId, bootable }: ScriptedPartition): void {
    let changed = number;
    if (this.primaries.has(number)) this.#check({ first, last }, false, number);
    else changed = this.add({ kind: 'primary', first, last });
    const bootIndicator = bootable ? activeIndicator : 0;
    this.#change(changed, { start: first, size: last - first + 1, type: mbrId, bootIndicator });
  }

  /** What primary partitions, or the parts of the extended one, have taken. */
  *#taken(logical: boolean): Generator<SectorRange & { readonly number: number }> {
    if (!logical) {
      for (const [index, entry] of this.#primary.entries())
        if (entry.size > 0) yield { number: index + 1, ...rangeOf(entry) };
      return;
    }
    for (const [index, { recordLba, entry }] of this.#logical.entries()) {
      const number = index + firstLogical;
      yield { number, ...rangeOf(entry) };
      yield { number, first: recordLba, last: recordLba };
    }
  }

  #check(range: SectorRange, logical: boolean, except = 0): void {
    checkInside(range, this.usable, 'the disk');
    if (range.first > mostSectors || range.last - range.first + 1 > mostSectors)
      throw new GuestfsError('EINVAL', `an MBR has no room for sectors ${range.first} to ${range.last}`);
    const extended = this.#extended;
    if (logical) {
      if (extended === undefined) throw new GuestfsError('EINVAL', 'there is no extended partition');
      const { first, last } = rangeOf(extended);
      checkInside(range, { first: first + 1, last }, 'the extended partition behind its own record');
    }
    checkFree(
      range,
      [...this.#taken(logical)].filter(({ number }) => number !== except),
    );
  }

  add({ kind, first, last, mbrId }: NewPartition): number {
    const size = last - first + 1;
    const logical = kind === 'logical';
    this.#check({ first, last }, logical);
    if (logical) {
      const recordLba = this.#recordFor(first);
      if (this.#logical.length + firstLogical > highestPartitionNumber)
        throw new GuestfsError('ENOSPC', 'there are as many logical partitions as there are numbers');
      const entry = { bootIndicator: 0, type: mbrId ?? linuxType, start: first, size };
      this.#logical.push({ recordLba, entry });
      return this.#logical.length + firstLogical - 1;
    }
    if (kind === 'extended' && this.#extended !== undefined)
      throw new GuestfsError('EINVAL', 'there is an extended partition already');
    const index = this.#primary.findIndex(({ size: used }) => used === 0);
    if (index < 0) throw new GuestfsError('ENOSPC', 'all four primary partitions are in use');
    const type = mbrId ?? (kind === 'extended' ? extendedLbaType : linuxType);
    this.#primary[index] = { bootIndicator: 0, type, start: first, size };
    return index + 1;
  }

  /** Where the record of a new logical partition goes. */
  #recordFor(first: number): number {
    const extended = this.#extended?.start ?? 0;
    if (this.#logical.length === 0) return extended;
    const recordLba = first - 1;
    const range = { first: recordLba, last: recordLba };
    checkInside(range, { first: extended + 1, last: recordLba }, 'the extended partition');
    checkFree(range, this.#taken(true));
    return recordLba;
  }

  remove(number: number): void {
    const entry = this.#entry(number);
    if (number < firstLogical) {
      this.#primary[number - 1] = empty;
      if (isExtended(entry)) this.#logical = [];
      return;
    }
    this.#logical.splice(number - firstLogical, 1);
    const [first] = this.#logical;
    // What is now the first one has its record at the start of the extended partition.
    if (first !== undefined)
      this.#logical[0] = { ...first, recordLba: this.#extended?.start ?? first.recordLba };
  }

  resize(number: number, lastSector: number): void {
    const entry = this.#entry(number);
    const range = { first: entry.start, last: lastSector };
    this.#check(range, number >= firstLogical, number);
    if (isExtended(entry))
      for (const { last } of this.#taken(true))
        if (last > lastSector)
          throw new GuestfsError('EINVAL', `a logical partition reaches to sector ${last}`);
    this.#change(number, { size: lastSector - entry.start + 1 });
  }

  setBootable(number: number, bootable: boolean): void {
    const { bootIndicator } = this.#entry(number);
    if (bootable) {
      const off = (entry: BootRecordEntry): BootRecordEntry => ({ ...entry, bootIndicator: 0 });
      for (const [index, entry] of this.#primary.entries()) this.#primary[index] = off(entry);
      this.#logical = this.#logical.map((each) => ({ ...each, entry: off(each.entry) }));
    } else if (bootIndicator === 0) return;
    this.#change(number, { bootIndicator: bootable ? activeIndicator : 0 });
  }

  /** The type byte. EINVAL where an extended partition would become another one, or the reverse. */
  setType(number: number, type: number): void {
    const entry = this.#entry(number);
    if (isExtended(entry) !== extendedTypes.has(type))
      throw new GuestfsError(
        'EINVAL',
        `partition ${number}: a partition cannot become an extended one by its type, nor the reverse: delete it, and add another`,
      );
    this.#change(number, { type });
  }

  write(): void {
    const first = this.#record.slice();
    for (const [index, entry] of this.#primary.entries()) putEntry(first, index, entry);
    const records = this.#records();
    const fresh = records.filter(({ lba }) => this.#isNew || !this.#chain.includes(lba));
    const old = records.filter((record) => !fresh.includes(record) && this.#differs(record)).reverse();
    const at = ({ lba, bytes }: ChainRecord) => ({ offset: lba * this.#sectorSize, bytes });
    const steps = [fresh.map(at), ...old.map((record) => [at(record)]), [{ offset: 0, bytes: first }]];
    const { start, end } = bothEnds(this.#disk, this.#sectorSize);
    writeSteps(this.#disk, this.#isNew ? [...steps, [...start, ...end]] : steps);
  }

  #differs({ lba, bytes }: ChainRecord): boolean {
    const before = readBootRecord(this.#disk, lba * this.#sectorSize)?.bytes;
    return before === undefined || before.some((byte, index) => byte !== bytes[index]);
  }

  /** The extended boot records as they are to be: there is one at the start of the extended partition in any case. */
  #records(): ChainRecord[] {
    const extended = this.#extended;
    if (extended === undefined) return [];
    const places = this.#logical.map(({ recordLba }) => recordLba);
    if (places.length === 0) places.push(extended.start);
    return places.map((lba, index) => {
      const known = this.#chain.includes(lba)
        ? readBootRecord(this.#disk, lba * this.#sectorSize)
        : undefined;
      const bytes = known?.bytes ?? bootRecord.encode({ boot_signature: bootSignature });
      const entry = this.#logical[index]?.entry;
      putEntry(bytes, 0, entry ?? empty, lba);
      putEntry(bytes, 1, this.#link(places[index + 1], index + 1), extended.start);
      for (const unused of [2, 3]) putEntry(bytes, unused, empty);
      return { lba, bytes };
    });
  }

  /** The entry that leads to the record of a logical partition, and covers both. */
  #link(lba: number | undefined, index: number): BootRecordEntry {
    const next = this.#logical[index]?.entry;
    if (lba === undefined || next === undefined) return empty;
    const size = next.start + next.size - lba;
    if (size > mostSectors)
      throw new CorruptError('extended boot record', 'is too far before the end of its partition', {
        lba,
        size,
      });
    return { bootIndicator: 0, type: linkType, start: lba, size };
  }
}

interface ChainRecord {
  readonly lba: number;
  readonly bytes: Uint8Array;
}
