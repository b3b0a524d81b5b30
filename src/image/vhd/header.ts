/**
 * The dynamic disk header of a VHD with blocks, with checks, and what it says of a parent. Specification: "Dynamic Disk
 * Header Format".
 */
import {
  CorruptError,
  checksumHolds,
  decodeLatin1,
  decodeText,
  formatUuid,
  isPowerOfTwo,
  readUpTo,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { parentNames } from '../parents.js';
import { startsWith } from '../signature.js';
import { checksumOf, type Footer } from './footer.js';
import {
  header,
  headerCookie,
  limits,
  parentLocator,
  parentLocators,
  platformCode,
  sectorSize,
} from './layout.js';

/** What the header says. */
export interface Header {
  readonly blockSize: number;
  readonly tableOffset: number;
  readonly parentId: string;
  /** Names of this host, the likeliest first. */
  readonly parentNames: readonly string[];
  /** Whether the checksum holds. */
  readonly intact: boolean;
}

const structure = 'VHD dynamic disk header';

export function readHeader(file: Disk, { kind, headerOffset, sizeInBytes }: Footer): Header {
  const at = Number(headerOffset);
  const bytes = readUpTo(file, at, header.size);
  if (!startsWith(bytes, headerCookie)) {
    throw new CorruptError(structure, 'is not where the footer says', { offset: headerOffset });
  }
  const fields = header.decode(bytes);
  const { block_size: blockSize, max_table_entries: entries, table_offset: tableOffset } = fields;
  if (!isPowerOfTwo(blockSize) || blockSize < sectorSize) {
    throw new CorruptError(structure, 'has an impossible block size', { blockSize });
  }
  if (entries * blockSize < sizeInBytes) {
    throw new CorruptError(structure, 'has a table that is too small for the disk', { entries, blockSize });
  }
  if (tableOffset % sectorSize !== 0) {
    throw new CorruptError(structure, 'has a table that is not aligned to a sector', { tableOffset });
  }
  return {
    blockSize,
    tableOffset,
    parentId: formatUuid(fields.parent_unique_id),
    parentNames: kind === 'differencing' ? namesOf(file, bytes, fields.parent_unicode_name) : [],
    intact: checksumHolds(checksumOf(bytes, header.fields.checksum.at), fields.checksum),
  };
}

/** The names of the parent: the relative ones first, as an image that moves usually moves with its parent. */
function namesOf(file: Disk, bytes: Uint8Array, unicodeName: Uint8Array): string[] {
  const relative: string[] = [];
  const others: string[] = [];
  for (let index = 0; index < parentLocators.count; index++) {
    const at = parentLocators.at + index * parentLocator.size;
    const { platform_code, platform_data_length, platform_data_offset } = parentLocator.decode(bytes, at);
    const code = decodeLatin1(platform_code);
    const length = Math.min(platform_data_length, limits.locatorBytes);
    const data = (): Uint8Array => readUpTo(file, platform_data_offset, length);
    if (code === platformCode.relative) relative.push(decodeName(data(), 'utf-16le'));
    else if (code === platformCode.absolute) others.push(decodeName(data(), 'utf-16le'));
    else if (code === platformCode.relativeAnsi) relative.push(untilNul(decodeLatin1(data())));
    else if (code === platformCode.absoluteAnsi) others.push(untilNul(decodeLatin1(data())));
    else if (code === platformCode.url) others.push(pathOfUrl(untilNul(decodeText(data()))));
  }
  return parentNames([...relative, ...others, decodeName(unicodeName, 'utf-16be')]);
}

const untilNul = (text: string): string => text.split('\0', 1)[0] ?? '';

const decodeName = (bytes: Uint8Array, encoding: 'utf-16le' | 'utf-16be'): string =>
  untilNul(new TextDecoder(encoding).decode(bytes));

/** `file://localhost/a%20b` → `/a b`. A text that is no such URL stays as it is. */
function pathOfUrl(url: string): string {
  const path = url.replace(/^file:\/\/[^/]*/, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a percent sign that begins no escape stands for itself
  }
}
