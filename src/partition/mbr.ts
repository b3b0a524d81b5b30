/**
 * The PC partition table: four primary entries in the master boot record, and logical partitions in a chain of
 * extended boot records. No standard covers all of it. This follows Linux's msdos partition parser, since the numbers
 * become device names.
 *
 * Surprising: all numbers count logical sectors (of 512 or 4096 bytes), but the signature 55 AA stays at byte 510. In
 * an extended boot record, the two kinds of entries have different origins: data is relative to that record, the link
 * to the next record is relative to the start of the extended partition.
 */
import { CorruptError, decodeLatin1, viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { type BootRecord, type BootRecordEntry, readBootRecord } from './boot-record.js';
import { PartitionCollector } from './collector.js';
import { aixMagic, extendedTypes, labelSectorSize, protectiveType } from './layout.js';
import { highestPartitionNumber, type Partition, type PartitionScheme } from './scheme.js';
import { readSubpartitions } from './slices.js';

/** Linux's limit on links without a partition, which also bounds a chain of empty records. */
const emptyRecordLimit = 100;

function isExtended(entry: BootRecordEntry): boolean {
  return extendedTypes.has(entry.type);
}

/** Whether this is the boot sector of a filesystem, which has the same signature as a partition table. */
function isFilesystem({ bytes }: BootRecord): boolean {
  const at = (offset: number, length: number) => decodeLatin1(bytes.subarray(offset, offset + length));
  const oem = at(3, 8);
  if (oem === 'NTFS    ' || oem === 'EXFAT   ') return true;
  return at(0x36, 3) === 'FAT' || at(0x52, 5) === 'FAT32';
}

/** The master boot record, if it holds a partition table. */
export function readMasterBootRecord(disk: Disk): BootRecord | undefined {
  const record = readBootRecord(disk, 0);
  // AIX has its own signature in front of this one, and no partitions.
  if (record !== undefined && viewOf(record.bytes).getUint32(0) === aixMagic) return undefined;
  // Where the entries would be, a filesystem has boot code: then a first byte is neither "inactive" nor "active".
  if (!record?.entries.every(({ bootIndicator }) => bootIndicator === 0 || bootIndicator === 0x80))
    return undefined;
  if (record.entries.some(({ type }) => type === protectiveType)) return undefined;
  // A filesystem with an empty table is a filesystem. With entries in it, both Linux and parted take it for a table.
  if (isFilesystem(record) && record.entries.every(({ size }) => size === 0)) return undefined;
  return record;
}

/** Reads the partitions of one disk. */
class Reader {
  readonly #disk: Disk;
  readonly #sectorSize: number;
  readonly #collector: PartitionCollector;
  /** The number that the next logical partition gets. */
  #next = 5;

  constructor(disk: Disk, sectorSize: number) {
    this.#disk = disk;
    this.#sectorSize = sectorSize;
    this.#collector = new PartitionCollector(disk, sectorSize);
  }

  get partitions(): readonly Partition[] {
    return this.#collector.inOrder;
  }

  get warnings(): string[] {
    return this.#collector.warnings;
  }

  #add(
    number: number,
    kind: Partition['kind'],
    { size, type, bootIndicator }: BootRecordEntry,
    start: number,
  ): void {
    this.#collector.add(number, start, size, {
      kind,
      bootable: bootIndicator === 0x80,
      mbrId: type,
      ...(kind === 'extended'
        ? { deviceSizeInBytes: Math.min(size * this.#sectorSize, Math.max(this.#sectorSize, 1024)) }
        : {}),
    });
  }

  primary(record: BootRecord): void {
    record.entries.forEach((entry, index) => {
      if (entry.size === 0) return;
      const extended = isExtended(entry);
      this.#add(index + 1, extended ? 'extended' : 'primary', entry, entry.start);
      if (extended) this.#extended(entry);
    });
    for (const entry of record.entries) if (entry.size > 0) this.#inside(entry);
  }

  /**
   * The parts of a slice that another system has divided in its own way. They are numbered after the logical
   * partitions.
   */
  #inside({ type, start, size }: BootRecordEntry): void {
    const scale = this.#sectorSize / labelSectorSize;
    for (const part of readSubpartitions(this.#disk, type, { start: start * scale, size: size * scale })) {
      if (this.#next > highestPartitionNumber) return;
      this.#collector.add(this.#next++, part.start / scale, part.size / scale, {
        kind: 'logical',
        isListed: false,
        ...(part.labelType === undefined ? {} : { labelType: part.labelType }),
      });
    }
  }

  #extended(extended: BootRecordEntry): void {
    const visited = new Set<number>();
    let start = extended.start;
    let size = extended.size;
    let empty = 0;
    for (;;) {
      if (visited.has(start)) {
        this.warnings.push(`the chain of extended boot records comes back to sector ${start}`);
        return;
      }
      visited.add(start);
      const record = readBootRecord(this.#disk, start * this.#sectorSize);
      if (!record) {
        this.warnings.push(`there is no extended boot record at sector ${start}`);
        return;
      }
      const found = this.#next;
      for (const [index, entry] of record.entries.entries()) {
        if (entry.size === 0 || isExtended(entry)) continue;
        // Only OS/2 uses the third and fourth entries. As in Linux, they count if they fit.
        if (index >= 2 && !this.#fits(extended, start, size, entry)) continue;
        if (this.#next > highestPartitionNumber) {
          this.warnings.push(
            `there are more than ${highestPartitionNumber} partitions: the rest is left out`,
          );
          return;
        }
        this.#add(this.#next++, 'logical', entry, start + entry.start);
      }
      empty = this.#next > found ? 0 : empty + 1;
      if (empty > emptyRecordLimit) {
        this.warnings.push(`more than ${emptyRecordLimit} extended boot records in a row are empty`);
        return;
      }
      const link = record.entries.find((entry) => entry.size > 0 && isExtended(entry));
      if (!link) return;
      start = extended.start + link.start;
      size = link.size;
    }
  }

  #fits(extended: BootRecordEntry, start: number, size: number, entry: BootRecordEntry): boolean {
    const first = start + entry.start;
    return (
      entry.start + entry.size <= size &&
      first >= extended.start &&
      first + entry.size <= extended.start + extended.size
    );
  }

  /** Reports partitions that share sectors; Linux makes devices of them all the same. */
  checkOverlaps(): void {
    const inOrder = this.partitions
      .filter(({ mbrId, kind }) => kind !== 'extended' && mbrId !== undefined)
      .sort((a, b) => a.startInBytes - b.startInBytes);
    for (const [index, later] of inOrder.entries()) {
      const earlier = inOrder[index - 1];
      if (earlier && earlier.startInBytes + earlier.sizeInBytes > later.startInBytes)
        this.warnings.push(`partitions ${earlier.number} and ${later.number} overlap`);
    }
  }
}

export const mbr: PartitionScheme = {
  name: 'msdos',

  probe: (disk) => readMasterBootRecord(disk) !== undefined,

  open(disk, sectorSize) {
    const record = readMasterBootRecord(disk);
    if (!record) throw new CorruptError('MBR', 'is not there');
    const reader = new Reader(disk, sectorSize);
    reader.primary(record);
    reader.checkOverlaps();
    return {
      scheme: 'msdos',
      partitions: reader.partitions,
      diskSignature: record.diskSignature.toString(16).padStart(8, '0'),
      warnings: reader.warnings,
    };
  },
};
