/** The packages in a database of rpm, whichever of its formats that has. */
import { type ByteSource, CorruptError, readUpTo } from '../../base/index.js';
import type { StoredValue } from '../paged-value.js';
import { isSqlite, type Sibling, SqlitePages } from '../sqlite/pages.js';
import { columnsOf } from '../sqlite/record.js';
import { findTable, tableRows } from '../sqlite/table.js';
import { berkeleyPackages, isBerkeley } from './berkeley.js';
import { metaPageSize } from './layout.js';
import { isNdb, ndbPackages } from './ndb.js';
import type { StoredPackage } from './stored-package.js';

const packagesTable = 'Packages';
/** `hnum`, which is the row's number, and `blob`. */
const blobColumn = 1;

/**
 * The packages in the order in which rpm itself lists them. `sibling` gives a file beside the
 * database, whose name has something at its end. CorruptError where the database's own structure is damaged.
 */
export function rpmPackages(file: ByteSource, sibling: Sibling): Iterable<StoredPackage> {
  const start = readUpTo(file, 0, metaPageSize);
  if (isSqlite(start)) return sqlitePackages(file, sibling);
  if (isNdb(start)) return ndbPackages(file);
  if (isBerkeley(start)) return berkeleyPackages(file);
  throw new CorruptError('rpm database', 'has a format that is not known', { size: file.size });
}

function* sqlitePackages(file: ByteSource, sibling: Sibling): Iterable<StoredPackage> {
  const pages = new SqlitePages(file, sibling);
  const root = findTable(pages, packagesTable);
  if (root === undefined) throw new CorruptError('rpm database', 'has no table of packages');
  for (const { id, record } of tableRows(pages, root)) yield { number: id, header: () => blobOf(record) };
}

function blobOf(record: StoredValue): StoredValue {
  const column = columnsOf(record)[blobColumn];
  if (column?.kind !== 'blob') throw new CorruptError('rpm database', 'has a row without a package');
  return column.value;
}
