/**
 * The GUID partition table. UEFI specification 2.10, §5.3: a header in the second sector, an array of entries that it
 * points to, and a copy of both at the end of the disk; header and array each have a CRC-32.
 *
 * Surprising: Linux accepts a GPT only behind a protective MBR, and this driver does too. But if the first header is
 * damaged, Linux gives up, while this driver uses the copy and reports that, as partitioning tools do. A hybrid MBR
 * counts as protective.
 */
import { CorruptError, checksumHolds, formatGuid, viewOf } from '../base/index.js';
import { type Disk, platform } from '../disk/index.js';
import { readBootRecord } from './boot-record.js';
import {
  gptEntry,
  gptEntrySize,
  gptHeader,
  gptHeaderSize,
  gptSignature,
  headerCrcOffset,
  legacyBiosBootable,
  protectiveType,
} from './layout.js';
import {
  highestPartitionNumber,
  type Partition,
  type PartitionScheme,
  type PartitionTable,
} from './scheme.js';

/** Tools make arrays of 16 KiB. Linux reads at most what it can allocate in one piece, 4 MiB. */
const largestArray = 4 * 1024 * 1024;
const largestEntry = 4096;

/** A header with valid checksums and limits. */
export interface Gpt {
  /** The sector that it is in. */
  readonly sector: Uint8Array;
  readonly lba: number;
  /** Where its copy is; -1 for a place that the disk does not have. */
  readonly alternateLba: number;
  /** Where its entries are. */
  readonly arrayLba: number;
  readonly firstUsableLba: number;
  readonly lastUsableLba: number;
  readonly diskGuid: string;
  readonly entries: Uint8Array;
  readonly entrySize: number;
}

function readSector(disk: Disk, lba: number, sectorSize: number): Uint8Array {
  const sector = new Uint8Array(sectorSize);
  disk.read(sector, lba * sectorSize);
  return sector;
}

export function lastLbaOf(disk: Disk, sectorSize: number): number {
  return Math.floor(disk.size / sectorSize) - 1;
}

function hasSignature(disk: Disk, lba: number, sectorSize: number): boolean {
  if (lba < 1 || lba > lastLbaOf(disk, sectorSize)) return false;
  return viewOf(readSector(disk, lba, sectorSize)).getBigUint64(0, true) === gptSignature;
}

/** Reads and checks the header at `lba` and its array. Anything wrong is a CorruptError. */
function readHeader(disk: Disk, lba: number, sectorSize: number): Gpt {
  const name = `GPT header at sector ${lba}`;
  const lastLba = lastLbaOf(disk, sectorSize);
  if (lba < 1 || lba > lastLba)
    throw new CorruptError(name, 'lies outside the disk', { lastSector: lastLba });
  const sector = readSector(disk, lba, sectorSize);
  const header = gptHeader.decode(sector);
  if (header.signature !== gptSignature) throw new CorruptError(name, 'has no signature');
  const size = header.header_size;
  if (size < gptHeaderSize || size > sectorSize) throw new CorruptError(name, 'has a bad size', { size });
  const summed = sector.slice(0, size);
  summed.fill(0, headerCrcOffset, headerCrcOffset + 4);
  const crc = platform().crc32(summed);
  if (!checksumHolds(crc, header.header_crc32))
    throw new CorruptError(name, 'has a bad checksum', { stored: header.header_crc32, computed: crc });
  if (header.my_lba !== BigInt(lba))
    throw new CorruptError(name, 'says it is elsewhere', { sector: header.my_lba });
  const { first_usable_lba: first, last_usable_lba: last } = header;
  if (first > last || last > BigInt(lastLba))
    throw new CorruptError(name, 'has bad limits', { first, last, lastSector: lastLba });
  const entrySize = header.size_of_partition_entry;
  if (entrySize < gptEntrySize || entrySize > largestEntry || entrySize % 8 !== 0)
    throw new CorruptError(name, 'has a bad entry size', { entrySize });
  const arraySize = header.number_of_partition_entries * entrySize;
  if (arraySize > largestArray)
    throw new CorruptError(name, 'has too many entries', { count: header.number_of_partition_entries });
  const arrayLba = header.partition_entry_lba;
  // Compared as bigint. After this check the offset is at most disk.size, a safe number.
  if (arrayLba < 1n || arrayLba * BigInt(sectorSize) + BigInt(arraySize) > BigInt(disk.size))
    throw new CorruptError(name, 'has its entries outside the disk', { firstSector: arrayLba });
  const entries = new Uint8Array(arraySize);
  disk.read(entries, Number(arrayLba) * sectorSize);
  const arrayCrc = platform().crc32(entries);
  if (!checksumHolds(arrayCrc, header.partition_entry_array_crc32))
    throw new CorruptError(name, 'has entries with a bad checksum', {
      stored: header.partition_entry_array_crc32,
      computed: arrayCrc,
    });
  return {
    sector,
    lba,
    arrayLba: Number(arrayLba),
    firstUsableLba: Number(first),
    lastUsableLba: Number(last),
    alternateLba: header.alternate_lba > BigInt(lastLba) ? -1 : Number(header.alternate_lba),
    diskGuid: formatGuid(header.disk_guid),
    entries,
    entrySize,
  };
}

/** The header, or the problem with it. Errors that do not concern the bytes are thrown. */
function tryHeader(disk: Disk, lba: number, sectorSize: number): Gpt | CorruptError {
  try {
    return readHeader(disk, lba, sectorSize);
  } catch (thrown) {
    if (thrown instanceof CorruptError) return thrown;
    throw thrown;
  }
}

const utf16 = new TextDecoder('utf-16le', { ignoreBOM: true });

/** UTF-16LE up to the first NUL; half a surrogate pair becomes U+FFFD. */
function decodeName(bytes: Uint8Array): string {
  const name = utf16.decode(bytes);
  const end = name.indexOf('\0');
  return end < 0 ? name : name.slice(0, end);
}

/** Entries that are left out get a warning each; beyond this limit, only their number is reported. */
const toldEntries = 8;

function decodeEntries(gpt: Gpt, disk: Disk, sectorSize: number, warnings: string[]): Partition[] {
  const lastLba = BigInt(lastLbaOf(disk, sectorSize));
  const view = viewOf(gpt.entries);
  const partitions: Partition[] = [];
  let leftOut = 0;
  const leaveOut = (warning: string): void => {
    if (++leftOut <= toldEntries) warnings.push(`${warning}: left out`);
  };
  for (let at = 0, number = 1; at + gpt.entrySize <= gpt.entries.length; at += gpt.entrySize, number++) {
    // The type of an unused entry is all zeroes.
    if (gpt.entries.subarray(at, at + 16).every((byte) => byte === 0)) continue;
    if (number > highestPartitionNumber) {
      leaveOut(`partition ${number} has a number above ${highestPartitionNumber}`);
      continue;
    }
    const entry = gptEntry.decode(view, at);
    const { starting_lba: first, ending_lba: last } = entry;
    if (first > last || last > lastLba) {
      leaveOut(`partition ${number} covers sectors ${first} to ${last}, not all on the disk`);
      continue;
    }
    const sizeInBytes = Number(last - first + 1n) * sectorSize;
    partitions.push({
      number,
      kind: 'primary',
      startInBytes: Number(first) * sectorSize,
      sizeInBytes,
      deviceSizeInBytes: sizeInBytes,
      bootable: (entry.attributes & legacyBiosBootable) !== 0n,
      gptType: formatGuid(entry.partition_type_guid),
      gptGuid: formatGuid(entry.unique_partition_guid),
      name: decodeName(entry.partition_name),
      attributes: entry.attributes,
    });
  }
  if (leftOut > toldEntries) warnings.push(`${leftOut - toldEntries} more entries are left out`);
  return partitions;
}

function tableOf(gpt: Gpt, disk: Disk, sectorSize: number, warnings: string[]): PartitionTable {
  const partitions = decodeEntries(gpt, disk, sectorSize, warnings);
  return { scheme: 'gpt', partitions, diskGuid: gpt.diskGuid, warnings };
}

/** The copy of the table that is valid: the primary one, or else the backup at the end of the disk. */
export function readGpt(disk: Disk, sectorSize: number, warnings: string[]): Gpt {
  const lastLba = lastLbaOf(disk, sectorSize);
  const primary = tryHeader(disk, 1, sectorSize);
  if (!(primary instanceof CorruptError)) {
    const alternate = tryHeader(disk, primary.alternateLba, sectorSize);
    if (alternate instanceof CorruptError) warnings.push(`the backup is damaged: ${alternate.message}`);
    else if (primary.alternateLba !== lastLba)
      warnings.push(
        `the backup is at sector ${primary.alternateLba}, not at the end of the disk (${lastLba})`,
      );
    return primary;
  }
  const backup = tryHeader(disk, lastLba, sectorSize);
  if (backup instanceof CorruptError)
    throw new CorruptError('GPT', `both copies are damaged: ${primary.message}; ${backup.message}`);
  warnings.push(`the primary is damaged and the backup is used: ${primary.message}`);
  return backup;
}

/** As in Linux: an entry of the protective type must start in sector 1, where the header is. */
function hasProtectiveEntry(disk: Disk): boolean {
  const entries = readBootRecord(disk, 0)?.entries ?? [];
  return entries.some(({ type, start }) => type === protectiveType && start === 1);
}

export const gpt: PartitionScheme = {
  name: 'gpt',

  probe(disk, sectorSize) {
    if (!hasProtectiveEntry(disk)) return false;
    return hasSignature(disk, 1, sectorSize) || hasSignature(disk, lastLbaOf(disk, sectorSize), sectorSize);
  },

  open(disk, sectorSize) {
    const warnings: string[] = [];
    return tableOf(readGpt(disk, sectorSize, warnings), disk, sectorSize, warnings);
  },
};

/** The sector sizes that disks have, in bytes. */
export const sectorSizes: readonly number[] = [512, 4096];

/**
 * The sector size of a disk's GPT, if it differs from `sectorSize` and there is no GPT for that: the disk was then
 * written as a disk of other sectors.
 */
export function otherSectorSize(disk: Disk, sectorSize: number): number | undefined {
  if (!hasProtectiveEntry(disk) || hasSignature(disk, 1, sectorSize)) return undefined;
  return sectorSizes.find(
    (other) =>
      other !== sectorSize &&
      hasSignature(disk, 1, other) &&
      !(tryHeader(disk, 1, other) instanceof CorruptError),
  );
}
