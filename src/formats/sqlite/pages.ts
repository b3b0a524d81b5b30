/** The pages of an SQLite database, each from its log or its journal where that has the version that counts. */
import {
  type ByteSource,
  CorruptError,
  type Decoded,
  decodeLatin1,
  isPowerOfTwo,
  readMaybe,
  UnsupportedError,
} from '../../base/index.js';
import { readJournal } from './journal.js';
import {
  fileHeader,
  fileMagic,
  largestPageMark,
  largestPageSize,
  leastPageSize,
  leastUsableSize,
  newestReadVersion,
  payloadFractions,
  utf8Encoding,
} from './layout.js';
import { readLog } from './log.js';
import type { PageVersions } from './versions.js';

const what = 'SQLite database';

/** Whether a file is a database of SQLite. */
export function isSqlite(start: Uint8Array): boolean {
  return decodeLatin1(start.subarray(0, fileMagic.length)) === fileMagic;
}

/** Beside a database: its write-ahead log and its rollback journal. */
const suffixes = { log: '-wal', journal: '-journal' } as const;

/** A file beside the database, whose name has something at its end. */
export type Sibling = (suffix: string) => ByteSource | undefined;

export class SqlitePages {
  readonly pageCount: number;
  /** The bytes of a page that hold anything. */
  readonly usableSize: number;
  readonly #pageSize: number;
  readonly #file: ByteSource;
  /** The newest first. */
  readonly #versions: readonly PageVersions[];

  constructor(file: ByteSource, sibling: Sibling) {
    this.#file = file;
    const journal = sibling(suffixes.journal);
    const log = sibling(suffixes.log);
    this.#versions = [log && readLog(log), journal && readJournal(journal)].filter(
      (versions) => versions !== undefined,
    );
    const { source, offset } = this.#placeOf(1, 0);
    const start = readMaybe(source, offset, fileHeader.size);
    if (start === undefined) throw new CorruptError(what, 'is cut short', { size: file.size });
    if (!isSqlite(start)) throw new CorruptError(what, 'has no SQLite header');
    const header = fileHeader.decode(start);
    const pageSize = header.page_size === largestPageMark ? largestPageSize : header.page_size;
    checkHeader(header, pageSize);
    for (const versions of this.#versions) {
      if (versions.pageSize !== pageSize)
        throw new CorruptError(what, 'has a log or a journal with pages of another size', { pageSize });
    }
    this.#pageSize = pageSize;
    this.usableSize = pageSize - header.reserved_space;
    // Old versions of SQLite leave a count that was another version's.
    const counted = header.change_counter === header.version_valid_for ? header.page_count : 0;
    const present = Math.floor(file.size / pageSize);
    const [newest] = this.#versions;
    if (newest === undefined && counted > present)
      throw new CorruptError(what, 'is cut short', { pages: counted, present });
    this.pageCount = newest?.pageCount ?? (counted || present);
  }

  #placeOf(page: number, pageSize: number): { readonly source: ByteSource; readonly offset: number } {
    for (const { source, pages } of this.#versions) {
      const offset = pages.get(page);
      if (offset !== undefined) return { source, offset };
    }
    return { source: this.#file, offset: (page - 1) * pageSize };
  }

  /** A page without its reserved bytes. CorruptError for a number that is not of this database. */
  read(page: number): Uint8Array {
    const { source, offset } = this.#placeOf(page, this.#pageSize);
    const isThere = page >= 1 && page <= this.pageCount;
    const bytes = isThere ? readMaybe(source, offset, this.#pageSize) : undefined;
    if (bytes === undefined)
      throw new CorruptError(what, 'names a page that is not there', { page, pages: this.pageCount });
    return bytes.subarray(0, this.usableSize);
  }
}

function checkHeader(header: Decoded<typeof fileHeader.fields>, pageSize: number): void {
  const { reserved_space, read_version, text_encoding } = header;
  if (!isPowerOfTwo(pageSize) || pageSize < leastPageSize)
    throw new CorruptError(what, 'has an impossible page size', { pageSize });
  if (
    pageSize - reserved_space < leastUsableSize ||
    header.max_payload_fraction !== payloadFractions.max ||
    header.min_payload_fraction !== payloadFractions.min ||
    header.leaf_payload_fraction !== payloadFractions.leaf
  )
    throw new CorruptError(what, 'has an impossible header', { reserved_space });
  if (read_version > newestReadVersion) throw new UnsupportedError(what, [`format version ${read_version}`]);
  if (text_encoding > utf8Encoding) throw new UnsupportedError(what, ['texts in UTF-16']);
}
