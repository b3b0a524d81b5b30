/** Numbers of variable length, and the columns of a row. "Database File Format", sections 1.6 and 2.1. */
import { CorruptError, decodeText } from '../../base/index.js';
import { partOf, type StoredValue } from '../paged-value.js';

const corrupt = (problem: string): CorruptError => new CorruptError('SQLite record', problem);

const continuation = 0x80;
/** The first eight bytes of a number give seven bits each, a ninth one all of its eight. */
const mostVarintBytes = 9;

/** The number at `at`, and where the next thing is. */
export function readVarint(bytes: Uint8Array, at: number): readonly [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < mostVarintBytes; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw corrupt('is cut short');
    if (i === mostVarintBytes - 1) value = value * 256 + byte;
    else value = value * continuation + (byte % continuation);
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt('has a number beyond 2^53');
    if (byte < continuation || i === mostVarintBytes - 1) return [value, at + i + 1];
  }
  throw corrupt('is cut short');
}

/** The bytes of each type of number; the last two are the numbers 0 and 1 themselves. */
const numberSizes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0] as const;
const firstBlobType = 12;

interface Column {
  readonly kind: 'number' | 'blob' | 'text';
  readonly type: number;
  readonly value: StoredValue;
}

/** Headers of the tables that are read have a few dozen bytes. */
const longestHeader = 4096;

/** The columns of a row. */
export function columnsOf(row: StoredValue): Column[] {
  const [headerSize, first] = readVarint(row.start(mostVarintBytes), 0);
  if (headerSize < first || headerSize > Math.min(row.size, longestHeader))
    throw corrupt('has an impossible header');
  const header = row.start(headerSize).subarray(0, headerSize);
  const columns: Column[] = [];
  let offset = headerSize;
  for (let at = first; at < headerSize; ) {
    const [type, next] = readVarint(header, at);
    at = next;
    const size = type < firstBlobType ? numberSizes[type] : Math.floor((type - firstBlobType) / 2);
    if (size === undefined) throw corrupt('has a column of an unknown type');
    if (size > row.size - offset) throw corrupt('has a column that is longer than it');
    const kind = type < firstBlobType ? 'number' : type % 2 === 0 ? 'blob' : 'text';
    columns.push({ kind, type, value: partOf(row, offset, size) });
    offset += size;
  }
  return columns;
}

/** A column that is a text of at most `longest` bytes; undefined for any other. */
export function textOf(column: Column | undefined, longest: number): string | undefined {
  if (column?.kind !== 'text' || column.value.size > longest) return undefined;
  return decodeText(column.value.start(longest));
}

/** A column that is a positive number; undefined for any other. */
export function numberOf(column: Column | undefined): number | undefined {
  if (column?.kind !== 'number') return undefined;
  const { type, value } = column;
  if (type === numberSizes.length - 1) return 1;
  let number = 0;
  for (const byte of value.start(value.size)) number = number * 256 + byte;
  return number;
}
