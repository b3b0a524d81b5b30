/**
 * A write-ahead log of SQLite (`NAME-wal`): pages that are newer than those of the database. "Database File Format",
 * section 4. A log is valid as far as its checksums run on, and only what was committed counts.
 */
import {
  type ByteSource,
  CorruptError,
  checksumHolds,
  isPowerOfTwo,
  readMaybe,
  viewOf,
  work,
} from '../../base/index.js';
import {
  frameHeader,
  frameHeaderSummed,
  largestPageSize,
  leastPageSize,
  logHeader,
  logHeaderSummed,
  logMagics,
  logVersion,
} from './layout.js';
import { mostVersions, type PageVersions } from './versions.js';

type Sums = readonly [number, number];

/** Goes on with the two running sums over words of 32 bits; `length` is a multiple of 8. */
function addSums([first, second]: Sums, view: DataView, length: number, little: boolean): Sums {
  let one = first;
  let two = second;
  for (let at = 0; at < length; at += 8) {
    one = (one + view.getUint32(at, little) + two) >>> 0;
    two = (two + view.getUint32(at + 4, little) + one) >>> 0;
  }
  return [one, two];
}

const holds = ([one, two]: Sums, header: { checksum_1: number; checksum_2: number }): boolean =>
  checksumHolds(one, header.checksum_1) && checksumHolds(two, header.checksum_2);

/** The newest versions of pages that were committed to a log; undefined where there are none. */
export function readLog(source: ByteSource): PageVersions | undefined {
  const start = readMaybe(source, 0, logHeader.size);
  if (start === undefined) return undefined;
  const header = logHeader.decode(start);
  const little = header.magic === logMagics.little;
  if (!little && header.magic !== logMagics.big) return undefined;
  let sums = addSums([0, 0], viewOf(start), logHeaderSummed, little);
  if (header.version !== logVersion || !holds(sums, header)) return undefined;
  const { page_size: pageSize } = header;
  if (!isPowerOfTwo(pageSize) || pageSize < leastPageSize || pageSize > largestPageSize)
    throw new CorruptError('SQLite log', 'has an impossible page size', { pageSize });
  const pages = new Map<number, number>();
  let uncommitted: [page: number, offset: number][] = [];
  let pageCount = 0;
  const frameSize = frameHeader.size + pageSize;
  for (let at = logHeader.size, frames = 0; ; at += frameSize) {
    const bytes = readMaybe(source, at, frameSize);
    if (bytes === undefined) break;
    work.entries.spend(1);
    const frame = frameHeader.decode(bytes);
    if (frame.page_number === 0 || frame.salt_1 !== header.salt_1 || frame.salt_2 !== header.salt_2) break;
    sums = addSums(sums, viewOf(bytes), frameHeaderSummed, little);
    sums = addSums(sums, viewOf(bytes.subarray(frameHeader.size)), pageSize, little);
    if (!holds(sums, frame)) break;
    if (++frames > mostVersions)
      throw new CorruptError('SQLite log', 'has too many frames', { mostVersions });
    uncommitted.push([frame.page_number, at + frameHeader.size]);
    if (frame.commit_size === 0) continue;
    for (const [page, offset] of uncommitted) pages.set(page, offset);
    uncommitted = [];
    pageCount = frame.commit_size;
  }
  return pages.size === 0 ? undefined : { source, pageSize, pageCount, pages };
}
