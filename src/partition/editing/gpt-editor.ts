/**
 * Changing a GUID partition table. UEFI specification 2.10, §5.3. The backup is written first and the primary table
 * after a barrier, so that one of the two is valid at any time. What this code does not know stays as it was: bytes of
 * the header beyond its fields, attributes, gaps in the numbers, and the other entries of a hybrid boot record.
 */
import { encodeHex, formatGuid, GuestfsError, parseGuid, viewOf } from '../../base/index.js';
import { type Disk, platform } from '../../disk/index.js';
import { readBootRecord } from '../boot-record.js';
import { type Gpt, lastLbaOf, readGpt } from '../gpt.js';
import {
  bootRecord,
  bootRecordSize,
  bootSignature,
  efiSystemType,
  gptEntry,
  gptEntryCount,
  gptEntrySize,
  gptHeader,
  gptHeaderSize,
  gptRevision,
  gptSignature,
  linuxFilesystemType,
  mbrEntriesOffset,
  mbrEntry,
  protectiveEndingChs,
  protectiveStartingChs,
  protectiveType,
} from '../layout.js';
import { highestPartitionNumber } from '../scheme.js';
import {
  checkFree,
  checkInside,
  type NewPartition,
  noSuchPartition,
  type SectorRange,
  type TableEditor,
} from './editor.js';
import { bothEnds, type SectorChange, writeSteps } from './sectors.js';

/** The largest number of sectors that an entry of a boot record can have. */
const mostSectors = 0xffff_ffff;

/** A new GUID: random, version 4 of RFC 9562. */
function randomGuid(): Uint8Array {
  const random = new Uint8Array(16);
  platform().random(random);
  const digits = encodeHex(random);
  const groups = [digits.slice(0, 8), digits.slice(8, 12), `4${digits.slice(13, 16)}`];
  const variant = '89ab'[Number.parseInt(digits.charAt(16), 16) % 4];
  return guidBytes(`${groups.join('-')}-${variant}${digits.slice(17, 20)}-${digits.slice(20)}`);
}

function guidBytes(text: string): Uint8Array {
  const bytes = parseGuid(text.replace(/^\{(.*)\}$/, '$1'));
  if (bytes === undefined) throw new GuestfsError('EINVAL', `${text}: not a GUID`);
  return bytes;
}

/** The boot record of a disk whose first entry keeps other tools off it. */
function protectiveRecord(sectorCount: number): Uint8Array {
  const record = bootRecord.encode({ boot_signature: bootSignature });
  return mbrEntry.encode(
    {
      starting_chs: protectiveStartingChs,
      os_type: protectiveType,
      ending_chs: protectiveEndingChs,
      starting_lba: 1,
      size_in_lba: Math.min(sectorCount - 1, mostSectors),
    },
    record,
    mbrEntriesOffset,
  );
}

/** The header of a new table, without what depends on the place of the copy. */
function newHeader(sectorSize: number): Uint8Array {
  const values = {
    signature: gptSignature,
    revision: gptRevision,
    header_size: gptHeaderSize,
    number_of_partition_entries: gptEntryCount,
    size_of_partition_entry: gptEntrySize,
  };
  return gptHeader.encode(values, new Uint8Array(sectorSize));
}

/** A name as UTF-16LE, cut off where the field ends. */
function nameBytes(name: string): Uint8Array {
  const { length } = gptEntry.fields.partition_name;
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  for (let i = 0; i < Math.min(name.length, length / 2); i++) view.setUint16(i * 2, name.charCodeAt(i), true);
  return bytes;
}

/** Where the parts of a table are. */
interface Places {
  readonly usable: SectorRange;
  readonly primaryArrayLba: number;
  readonly backupLba: number;
}

/** Where the parts of a table lie that fills a disk. ENOSPC where the disk has no room for it. */
function placesOn(disk: Disk, sectorSize: number, arrayBytes: number): Places {
  const backupLba = lastLbaOf(disk, sectorSize);
  const arraySectors = Math.ceil(arrayBytes / sectorSize);
  const usable = { first: 2 + arraySectors, last: backupLba - arraySectors - 1 };
  if (usable.last < usable.first)
    throw new GuestfsError('ENOSPC', `a disk of ${disk.size} bytes is too small for a GPT`);
  return { usable, primaryArrayLba: 2, backupLba };
}

export class GptEditor implements TableEditor {
  readonly scheme = 'gpt';
  readonly #disk: Disk;
  readonly #sectorSize: number;
  /** The sector of the header as it was; what depends on the place of a copy is put in when that is written. */
  readonly #header: Uint8Array;
  readonly #entries: Uint8Array;
  readonly #entrySize: number;
  readonly #isNew: boolean;
  #places: Places;
  #diskGuid: Uint8Array;
  /** The boot record, where it changes. */
  #record: Uint8Array | undefined;

  private constructor(
    disk: Disk,
    sectorSize: number,
    parts: Pick<Gpt, 'sector' | 'entries' | 'entrySize'> & {
      readonly diskGuid: Uint8Array;
      readonly isNew: boolean;
    },
    places: Places,
  ) {
    this.#disk = disk;
    this.#sectorSize = sectorSize;
    this.#header = parts.sector;
    this.#entries = parts.entries;
    this.#entrySize = parts.entrySize;
    this.#diskGuid = parts.diskGuid;
    this.#isNew = parts.isNew;
    this.#places = places;
  }

  /** An empty table, in the place of all that the disk held. ENOSPC where the disk is too small. */
  static create(disk: Disk, sectorSize: number): GptEditor {
    const entries = new Uint8Array(gptEntryCount * gptEntrySize);
    const places = placesOn(disk, sectorSize, entries.length);
    const diskGuid = randomGuid();
    const parts = { sector: newHeader(sectorSize), entries, entrySize: gptEntrySize, diskGuid, isNew: true };
    const editor = new GptEditor(disk, sectorSize, parts, places);
    editor.#record = protectiveRecord(places.backupLba + 1);
    return editor;
  }

  /**
   * The table of a disk, of which one copy must be valid: both are afterwards. EINVAL where the disk has become smaller
   * than its table.
   */
  static open(disk: Disk, sectorSize: number): GptEditor {
    const gpt = readGpt(disk, sectorSize, []);
    const isPrimary = gpt.lba === 1;
    const backupLba = isPrimary ? gpt.alternateLba : gpt.lba;
    if (backupLba < gpt.lastUsableLba)
      throw new GuestfsError(
        'EINVAL',
        'the backup of the GPT has no place: the disk is shorter than its table',
      );
    const places = {
      usable: { first: gpt.firstUsableLba, last: gpt.lastUsableLba },
      // The backup does not say where the primary entries are: behind the header, as all tools place them.
      primaryArrayLba: isPrimary ? gpt.arrayLba : 2,
      backupLba,
    };
    const parts = { ...gpt, diskGuid: guidBytes(gpt.diskGuid), isNew: false };
    return new GptEditor(disk, sectorSize, parts, places);
  }

  get usable(): SectorRange {
    return this.#places.usable;
  }

  get #count(): number {
    return Math.floor(this.#entries.length / this.#entrySize);
  }

  #isUsed(number: number): boolean {
    const at = (number - 1) * this.#entrySize;
    return this.#entries.subarray(at, at + 16).some((byte) => byte !== 0);
  }

  /** Where the entry of a partition is. */
  #at(number: number): number {
    if (number < 1 || number > this.#count || !this.#isUsed(number)) throw noSuchPartition(number);
    return (number - 1) * this.#entrySize;
  }

  *#ranges(): Generator<SectorRange & { readonly number: number }> {
    for (let number = 1; number <= this.#count; number++) {
      if (!this.#isUsed(number)) continue;
      const entry = gptEntry.decode(this.#entries, this.#at(number));
      yield { number, first: Number(entry.starting_lba), last: Number(entry.ending_lba) };
    }
  }

  #checkPlace(range: SectorRange, except = 0): void {
    checkInside(range, this.usable, 'the space that the GPT leaves');
    checkFree(
      range,
      [...this.#ranges()].filter(({ number }) => number !== except),
    );
  }

  #set(number: number, values: Partial<Parameters<typeof gptEntry.encode>[0]>): void {
    gptEntry.encode(values, this.#entries, this.#at(number));
  }

  add({ first, last, name = '', gptType = linuxFilesystemType }: NewPartition): number {
    this.#checkPlace({ first, last });
    let number = 1;
    while (number <= this.#count && this.#isUsed(number)) number++;
    if (number > Math.min(this.#count, highestPartitionNumber))
      throw new GuestfsError('ENOSPC', `all ${number - 1} partitions of the GPT are in use`);
    const at = (number - 1) * this.#entrySize;
    this.#entries.fill(0, at, at + this.#entrySize);
    const values = {
      partition_type_guid: guidBytes(gptType),
      unique_partition_guid: randomGuid(),
      starting_lba: BigInt(first),
      ending_lba: BigInt(last),
      partition_name: nameBytes(name),
    };
    gptEntry.encode(values, this.#entries, at);
    return number;
  }

  remove(number: number): void {
    const at = this.#at(number);
    this.#entries.fill(0, at, at + this.#entrySize);
  }

  resize(number: number, lastSector: number): void {
    const { starting_lba } = gptEntry.decode(this.#entries, this.#at(number));
    this.#checkPlace({ first: Number(starting_lba), last: lastSector }, number);
    this.#set(number, { ending_lba: BigInt(lastSector) });
  }

  setBootable(number: number, bootable: boolean): void {
    const { partition_type_guid } = gptEntry.decode(this.#entries, this.#at(number));
    if (bootable) this.setType(number, efiSystemType);
    else if (formatGuid(partition_type_guid) === efiSystemType) this.setType(number, linuxFilesystemType);
  }

  setType(number: number, guid: string): void {
    this.#set(number, { partition_type_guid: guidBytes(guid) });
  }

  setGuid(number: number, guid: string): void {
    this.#set(number, { unique_partition_guid: guidBytes(guid) });
  }

  /** A name of more than 36 UTF-16 units is cut off. */
  setName(number: number, name: string): void {
    this.#set(number, { partition_name: nameBytes(name) });
  }

  setAttributes(number: number, attributes: bigint): void {
    this.#set(number, { attributes: BigInt.asUintN(64, attributes) });
  }

  /** Undefined: a random one. */
  setDiskGuid(guid: string | undefined): void {
    this.#diskGuid = guid === undefined ? randomGuid() : guidBytes(guid);
  }

  /** Moves the backup to the end of the disk, and with it the end of the usable sectors. */
  expand(): void {
    const before = this.#places;
    const places = placesOn(this.#disk, this.#sectorSize, this.#entries.length);
    const arrayEnd = before.primaryArrayLba + places.usable.first - 2;
    this.#places = {
      usable: { first: Math.max(before.usable.first, arrayEnd), last: places.usable.last },
      primaryArrayLba: before.primaryArrayLba,
      backupLba: places.backupLba,
    };
    for (const range of this.#ranges()) checkInside(range, this.usable, 'the space that the GPT leaves');
    const record = readBootRecord(this.#disk, 0);
    const used = record?.entries.filter(({ size }) => size > 0) ?? [];
    const index = record?.entries.findIndex(({ type }) => type === protectiveType) ?? -1;
    if (record === undefined || used.length !== 1 || index < 0) return;
    const size = Math.min(places.backupLba, mostSectors);
    if (size !== used[0]?.size)
      this.#record = mbrEntry.encode(
        { size_in_lba: size },
        record.bytes,
        mbrEntriesOffset + index * mbrEntry.size,
      );
  }

  /** The pieces of a copy of the table: its entries, and its header. */
  #copy(lba: number, alternateLba: number, arrayLba: number): SectorChange[] {
    const sector = this.#header.slice();
    const { header_size: size } = gptHeader.decode(sector);
    gptHeader.encode(
      {
        header_crc32: 0,
        my_lba: BigInt(lba),
        alternate_lba: BigInt(alternateLba),
        first_usable_lba: BigInt(this.usable.first),
        last_usable_lba: BigInt(this.usable.last),
        disk_guid: this.#diskGuid,
        partition_entry_lba: BigInt(arrayLba),
        partition_entry_array_crc32: platform().crc32(this.#entries),
      },
      sector,
    );
    // safe: the size was checked when the header was read
    gptHeader.encode({ header_crc32: platform().crc32(sector.subarray(0, size)) }, sector);
    return [
      { offset: arrayLba * this.#sectorSize, bytes: this.#entries },
      { offset: lba * this.#sectorSize, bytes: sector },
    ];
  }

  write(): void {
    const { backupLba, primaryArrayLba } = this.#places;
    const backupArrayLba = backupLba - Math.ceil(this.#entries.length / this.#sectorSize);
    const cleared = this.#isNew ? bothEnds(this.#disk, this.#sectorSize) : { start: [], end: [] };
    writeSteps(this.#disk, [
      [...cleared.end, ...this.#copy(backupLba, 1, backupArrayLba)],
      [...cleared.start, ...this.#copy(1, backupLba, primaryArrayLba)],
      // Last, since until then an older table of another kind is the valid one.
      this.#record === undefined ? [] : [{ offset: 0, bytes: this.#record.subarray(0, bootRecordSize) }],
    ]);
  }
}
