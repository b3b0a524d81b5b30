/** The footer of a VHD: how large the disk is and of which kind, with checks. Specification: "Hard Disk Footer". */
import {
  CorruptError,
  checksumHolds,
  type Decoded,
  decodeLatin1,
  formatUuid,
  readUpTo,
  UnsupportedError,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { startsWith } from '../signature.js';
import { diskType, footer, largestGeometry, limits, sectorSize } from './layout.js';
import { footerCookie } from './probe.js';

type Fields = Decoded<typeof footer.fields>;

/** What the footer says. */
export interface Footer {
  readonly kind: keyof typeof diskType;
  /** Of the guest's disk; a multiple of 512. */
  readonly sizeInBytes: number;
  /** Of the dynamic disk header. */
  readonly headerOffset: bigint;
  readonly creator: string;
  readonly uniqueId: string;
  /** Seconds since 2000. */
  readonly createdAt: number;
  readonly savedState: boolean;
  /** Whether the checksum holds. */
  readonly intact: boolean;
}

/** The one's complement of the sum of all bytes but those of the checksum itself. */
export function checksumOf(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  for (const byte of bytes.subarray(at, at + 4)) sum -= byte;
  return ~sum >>> 0;
}

/**
 * Programs whose images have the size of the disk in the footer. Of all others the geometry gives the size, as in Virtual
 * PC. The list is qemu's.
 */
const exactCreators = new Set(['win ', 'qem2', 'd2v ', 'tap\0', 'CTXS', 'wa\0\0']);

function sizeOf(fields: Fields): number {
  const { cylinders, heads, sectors_per_track, current_size } = fields;
  const inGeometry = cylinders * heads * sectors_per_track;
  const exact = exactCreators.has(decodeLatin1(fields.creator_application)) || inGeometry === largestGeometry;
  const sectors = exact ? Math.floor(current_size / sectorSize) : inGeometry;
  if (sectors > limits.sectors) {
    throw new CorruptError('VHD footer', 'has a disk of more than 2040 GiB', { sectors });
  }
  return sectors * sectorSize;
}

function isFooter(bytes: Uint8Array): boolean {
  return bytes.length === footer.size && startsWith(bytes, footerCookie);
}

const isIntact = (bytes: Uint8Array): boolean =>
  checksumHolds(checksumOf(bytes, footer.fields.checksum.at), footer.decode(bytes).checksum);

/**
 * Reads and checks the footer. A file with blocks has a copy at its beginning, and there the copy counts, as in qemu;
 * the one at the end stands in for a damaged copy.
 */
export function readFooter(file: Disk): Footer {
  const first = readUpTo(file, 0, footer.size);
  const last = readUpTo(file, file.size - footer.size, footer.size);
  const hasCopy = isFooter(first);
  let bytes = first;
  if (!hasCopy || (!isIntact(first) && isFooter(last) && isIntact(last))) bytes = last;
  if (!isFooter(bytes)) throw new CorruptError('VHD footer', 'is neither at the beginning nor at the end');
  const fields = footer.decode(bytes);
  const kind = (['fixed', 'dynamic', 'differencing'] as const).find(
    (name) => diskType[name] === fields.disk_type,
  );
  if (kind === undefined) throw new UnsupportedError('VHD image', [`disk type ${fields.disk_type}`]);
  return {
    kind,
    sizeInBytes: sizeOf(fields),
    headerOffset: fields.data_offset,
    creator: decodeLatin1(fields.creator_application).replace(/[ \0]+$/, ''),
    uniqueId: formatUuid(fields.unique_id),
    createdAt: fields.time_stamp,
    savedState: fields.saved_state !== 0,
    intact: isIntact(bytes),
  };
}
