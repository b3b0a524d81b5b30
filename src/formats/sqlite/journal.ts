/**
 * A rollback journal of SQLite (`NAME-journal`): pages as they were before a transaction that did not end, because its
 * program or its machine did. "Database File Format", section 3. A journal that is done has no header any more.
 */
import {
  type ByteSource,
  CorruptError,
  checksumHolds,
  compareBytes,
  isPowerOfTwo,
  readMaybe,
  readUpTo,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import {
  journalCountUnknown,
  journalHeader,
  journalMagic,
  journalNumber,
  journalSumStep,
  largestPageSize,
  leastPageSize,
} from './layout.js';
import { mostVersions, type PageVersions } from './versions.js';

const what = 'SQLite journal';
const magic = Uint8Array.from(journalMagic);

/** The pages that go back to what they were; undefined where no transaction was under way. */
export function readJournal(source: ByteSource): PageVersions | undefined {
  const first = headerAt(source, 0);
  if (first === undefined) return undefined;
  const { page_size: pageSize, sector_size: sectorSize, initial_size: pageCount } = first;
  if (!isPowerOfTwo(pageSize) || pageSize < leastPageSize || pageSize > largestPageSize)
    throw new CorruptError(what, 'has an impossible page size', { pageSize });
  if (!isPowerOfTwo(sectorSize) || sectorSize < journalHeader.size || sectorSize > largestPageSize)
    throw new CorruptError(what, 'has an impossible sector size', { sectorSize });
  // A journal that belongs to another one ends with the name of that, and this mark.
  const end = readUpTo(source, source.size - magic.length, magic.length);
  if (compareBytes(end, magic) === 0)
    throw new UnsupportedError(what, ['a transaction over several databases']);
  const pages = new Map<number, number>();
  const recordSize = pageSize + 2 * journalNumber.size;
  let header: ReturnType<typeof headerAt> = first;
  let records = 0;
  for (let at = 0; header !== undefined; header = headerAt(source, at)) {
    at += sectorSize;
    const { page_count, nonce } = header;
    const fitting = Math.floor((source.size - at) / recordSize);
    const count = page_count === journalCountUnknown ? fitting : Math.min(page_count, fitting);
    for (let i = 0; i < count; i++, at += recordSize) {
      work.entries.spend(1);
      if (++records > mostVersions) throw new CorruptError(what, 'has too many records', { mostVersions });
      const page = recordAt(source, at, pageSize, nonce);
      if (page === undefined) return { source, pageSize, pageCount, pages };
      if (!pages.has(page)) pages.set(page, at + journalNumber.size);
    }
    at = Math.ceil(at / sectorSize) * sectorSize;
  }
  return { source, pageSize, pageCount, pages };
}

function headerAt(source: ByteSource, offset: number) {
  const bytes = readMaybe(source, offset, journalHeader.size);
  if (bytes === undefined || compareBytes(bytes.subarray(0, magic.length), magic) !== 0) return undefined;
  return journalHeader.decode(bytes);
}

/** The page of a record; undefined for one that was not written in full, with which the journal ends. */
function recordAt(source: ByteSource, offset: number, pageSize: number, nonce: number): number | undefined {
  const bytes = readMaybe(source, offset, pageSize + 2 * journalNumber.size);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  let sum = nonce;
  for (let at = pageSize - journalSumStep; at > 0; at -= journalSumStep)
    sum += view.getUint8(journalNumber.size + at);
  const { number: told } = journalNumber.decode(view, journalNumber.size + pageSize);
  const { number: page } = journalNumber.decode(view);
  return page !== 0 && checksumHolds(sum % 2 ** 32, told) ? page : undefined;
}
