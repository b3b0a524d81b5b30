/** The headers of a VHDX and its tables of regions, with checks. Specification: "Header Section". */
import {
  CorruptError,
  checksumHolds,
  crc32c,
  type Decoded,
  formatGuid,
  readUpTo,
  UnsupportedError,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import {
  creator,
  header,
  headerSignature,
  headersAt,
  limits,
  mebibyte,
  region,
  regionEntry,
  regionSignature,
  regionTable,
  regionTableSize,
  regionTablesAt,
  required,
} from './layout.js';
import { probe } from './probe.js';

/** CRC-32C of a structure in which four bytes at `at`, the sum itself, count as zeroes. */
export function sumOf(bytes: Uint8Array, at: number): number {
  let sum = crc32c(0xffff_ffff, bytes.subarray(0, at));
  sum = crc32c(sum, new Uint8Array(4));
  return ~crc32c(sum, bytes.subarray(at + 4)) >>> 0;
}

/** What the header that counts says. */
export interface Header {
  /** Changes with every change of the guest's disk. */
  readonly dataWriteGuid: string;
  readonly creator: string;
  /** Undefined where nothing is to be replayed. */
  readonly log: { readonly guid: string; readonly offset: number; readonly length: number } | undefined;
}

type Fields = Decoded<typeof header.fields>;

function readCopy(file: Disk, at: number): Fields | undefined {
  const bytes = readUpTo(file, at, header.size);
  if (bytes.length < header.size) return undefined;
  const fields = header.decode(bytes);
  if (fields.signature !== headerSignature) return undefined;
  return checksumHolds(sumOf(bytes, header.fields.checksum.at), fields.checksum) ? fields : undefined;
}

/** The valid header with the greater sequence number counts. */
export function readHeader(file: Disk): Header {
  if (!probe(file)) throw new CorruptError('VHDX image', 'has no VHDX signature');
  let current: Fields | undefined;
  for (const at of headersAt) {
    const copy = readCopy(file, at);
    if (copy && (current === undefined || copy.sequence_number > current.sequence_number)) current = copy;
  }
  if (current === undefined) throw new CorruptError('VHDX header', 'has no valid copy');
  if (current.version !== 1) throw new UnsupportedError('VHDX image', [`version ${current.version}`]);
  return {
    dataWriteGuid: formatGuid(current.data_write_guid),
    creator: creatorOf(file),
    log: current.log_guid.every((byte) => byte === 0) ? undefined : logOf(current),
  };
}

function creatorOf(file: Disk): string {
  const bytes = readUpTo(file, creator.at, creator.length);
  return new TextDecoder('utf-16le').decode(bytes).split('\0', 1)[0] ?? '';
}

function logOf(fields: Fields): NonNullable<Header['log']> {
  const { log_version, log_length: length, log_offset: offset, log_guid } = fields;
  if (log_version !== 0) throw new UnsupportedError('VHDX image', [`a log of version ${log_version}`]);
  if (length === 0 || length % mebibyte !== 0 || offset % mebibyte !== 0 || offset < mebibyte) {
    throw new CorruptError('VHDX header', 'has an impossible place for its log', { offset, length });
  }
  if (length > limits.logBytes) {
    throw new UnsupportedError('VHDX image', [`replaying a log of ${length / mebibyte} MiB`]);
  }
  return { guid: formatGuid(log_guid), offset, length };
}

/** A part of the file that holds structures. */
export interface Region {
  readonly offset: number;
  readonly length: number;
}

export interface Regions {
  readonly metadata: Region;
  readonly blockAllocationTable: Region;
}

/** Reads the first valid copy of the table of regions. `file`: with the log replayed. */
export function readRegions(file: Disk): Regions {
  for (const at of regionTablesAt) {
    const bytes = readUpTo(file, at, regionTableSize);
    if (bytes.length < regionTableSize) continue;
    const { signature, checksum, entry_count } = regionTable.decode(bytes);
    if (signature !== regionSignature) continue;
    if (!checksumHolds(sumOf(bytes, regionTable.fields.checksum.at), checksum)) continue;
    if (entry_count > limits.regions) {
      throw new CorruptError('VHDX region table', 'has too many entries', { count: entry_count });
    }
    return regionsOf(bytes, entry_count);
  }
  throw new CorruptError('VHDX region table', 'has no valid copy');
}

function regionsOf(bytes: Uint8Array, count: number): Regions {
  const found = new Map<string, Region>();
  for (let index = 0; index < count; index++) {
    const fields = regionEntry.decode(bytes, regionTable.size + index * regionEntry.size);
    const guid = formatGuid(fields.guid);
    const known = guid === region.metadata || guid === region.blockAllocationTable;
    if (!known) {
      if ((fields.required & required.region) === 0) continue;
      throw new UnsupportedError('VHDX image', [`the region ${guid}`]);
    }
    const { file_offset: offset, length } = fields;
    if (offset % mebibyte !== 0 || offset < mebibyte || length === 0 || found.has(guid)) {
      throw new CorruptError('VHDX region table', 'has an impossible entry', { index, offset, length });
    }
    found.set(guid, { offset, length });
  }
  const metadata = found.get(region.metadata);
  const blockAllocationTable = found.get(region.blockAllocationTable);
  if (metadata === undefined || blockAllocationTable === undefined) {
    throw new CorruptError('VHDX region table', 'lacks the metadata or the block allocation table');
  }
  return { metadata, blockAllocationTable };
}
