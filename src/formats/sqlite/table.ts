/** The rows of a table: its b-tree in order, and the pages on which long rows go on. "Database File Format", 1.6. */
import { CorruptError, viewOf, work } from '../../base/index.js';
import { PagedValue, type StoredValue, UsedPages } from '../paged-value.js';
import {
  deepestTree,
  fileHeader,
  interiorHeaderSize,
  overflowPointer,
  pageHeader,
  pageTypes,
  rightmostChildAt,
  schemaColumns,
  schemaPage,
} from './layout.js';
import type { SqlitePages } from './pages.js';
import { columnsOf, numberOf, readVarint, textOf } from './record.js';

const what = 'SQLite table';

interface Row {
  /** Its number in the table. */
  readonly id: number;
  readonly record: StoredValue;
}

/** A page of the tree, as far as it was gone through. */
interface Level {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where its header is. */
  readonly base: number;
  readonly isLeaf: boolean;
  readonly count: number;
  next: number;
}

/** The rows of one table, in the order of their numbers. */
export function* tableRows(pages: SqlitePages, rootPage: number): Iterable<Row> {
  const used = new UsedPages(what);
  const levels = [openPage(pages, used, rootPage)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const index = level.next++;
    work.entries.spend(1);
    if (index >= level.count + (level.isLeaf ? 0 : 1)) {
      levels.pop();
      continue;
    }
    if (level.isLeaf) {
      yield rowAt(pages, used, level, cellAt(level, index));
      continue;
    }
    if (levels.length >= deepestTree) throw new CorruptError(what, 'is nested too deeply', { deepestTree });
    const childAt = index < level.count ? cellAt(level, index) : level.base + rightmostChildAt;
    levels.push(openPage(pages, used, level.view.getUint32(childAt)));
  }
}

function openPage(pages: SqlitePages, used: UsedPages, number: number): Level {
  used.take(number);
  const bytes = pages.read(number);
  const base = number === schemaPage ? fileHeader.size : 0;
  const { type, cell_count: count } = pageHeader.decode(bytes, base);
  const isLeaf = type === pageTypes.leafTable;
  if (!isLeaf && type !== pageTypes.interiorTable)
    throw new CorruptError(what, 'has a page of another type', { page: number, type });
  const cellsAt = base + (isLeaf ? pageHeader.size : interiorHeaderSize);
  if (cellsAt + 2 * count > bytes.length)
    throw new CorruptError(what, 'has more cells than a page holds', { page: number, count });
  return { bytes, view: viewOf(bytes), base, isLeaf, count, next: 0 };
}

/** Where a cell is in its page. */
function cellAt({ view, base, isLeaf, bytes }: Level, index: number): number {
  const at = view.getUint16(base + (isLeaf ? pageHeader.size : interiorHeaderSize) + 2 * index);
  if (at + overflowPointer.size > bytes.length)
    throw new CorruptError(what, 'has a cell outside its page', { at });
  return at;
}

/** How much of a row is in its cell, as it is for rows that do not fit: section 1.6, "Cell payload overflow". */
function localSize(usable: number, size: number): number {
  if (size <= usable - 35) return size;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const filling = least + ((size - least) % (usable - overflowPointer.size));
  return filling <= usable - 35 ? filling : least;
}

function rowAt(pages: SqlitePages, used: UsedPages, { bytes, view }: Level, cell: number): Row {
  const [size, idAt] = readVarint(bytes, cell);
  const [id, payloadAt] = readVarint(bytes, idAt);
  const local = localSize(pages.usableSize, size);
  const end = payloadAt + local;
  const goesOn = local < size;
  if (end + (goesOn ? overflowPointer.size : 0) > bytes.length)
    throw new CorruptError(what, 'has a row outside its page', { row: id });
  const first = bytes.subarray(payloadAt, end);
  const next = goesOn ? overflowPointer.decode(view, end).page : 0;
  return { id, record: new PagedValue(size, rowPieces(pages, used, first, next)) };
}

function* rowPieces(
  pages: SqlitePages,
  used: UsedPages,
  first: Uint8Array,
  firstOverflow: number,
): Iterable<Uint8Array> {
  yield first;
  for (let page = firstOverflow; page !== 0; ) {
    work.entries.spend(1);
    used.take(page);
    const bytes = pages.read(page);
    page = overflowPointer.decode(bytes).page;
    yield bytes.subarray(overflowPointer.size);
  }
}

/** Names and kinds in a schema. */
const longestName = 128;

/** The first page of a table; undefined if there is no such table. Names differ in more than case. */
export function findTable(pages: SqlitePages, name: string): number | undefined {
  for (const { record } of tableRows(pages, schemaPage)) {
    const columns = columnsOf(record);
    if (textOf(columns[schemaColumns.type], longestName) !== 'table') continue;
    if (textOf(columns[schemaColumns.name], longestName)?.toLowerCase() !== name.toLowerCase()) continue;
    return numberOf(columns[schemaColumns.rootpage]);
  }
  return undefined;
}
