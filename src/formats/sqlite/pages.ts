/** The pages of an SQLite database, each from its log where that has a newer one. */
import {
  type ByteSource,
  CorruptError,
  type Decoded,
  decodeLatin1,
  isPowerOfTwo,
  readMaybe,
  UnsupportedError,
} from '../../base/index.js';
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

const what = 'SQLite database';

/** Whether a file is a database of SQLite. */
export function isSqlite(start: Uint8Array): boolean {
  return decodeLatin1(start.subarray(0, fileMagic.length)) === fileMagic;
}

/** A file, and where in it something is. */
interface Place {
  readonly source: ByteSource;
  readonly offset: number;
}

export class SqlitePages {
  readonly pageCount: number;
  /** The bytes of a page that hold anything. */
  readonly usableSize: number;
  readonly #pageSize: number;
  readonly #placeOf: (page: number, pageSize: number) => Place;

  /** `log`: the file `NAME-wal` beside the database. */
  constructor(file: ByteSource, log?: ByteSource) {
    const committed = log && readLog(log);
    this.#placeOf = (page, pageSize) => {
      const logged = committed?.pages.get(page);
      // safe: what was committed was read from the log
      if (logged !== undefined) return { source: log as ByteSource, offset: logged };
      return { source: file, offset: (page - 1) * pageSize };
    };
    const { source, offset } = this.#placeOf(1, 0);
    const start = readMaybe(source, offset, fileHeader.size);
    if (start === undefined) throw new CorruptError(what, 'is cut short', { size: file.size });
    if (!isSqlite(start)) throw new CorruptError(what, 'has no SQLite header');
    const header = fileHeader.decode(start);
    const pageSize = header.page_size === largestPageMark ? largestPageSize : header.page_size;
    checkHeader(header, pageSize);
    if (committed !== undefined && committed.pageSize !== pageSize)
      throw new CorruptError(what, 'has a log with pages of another size', { pageSize });
    this.#pageSize = pageSize;
    this.usableSize = pageSize - header.reserved_space;
    // Old versions of SQLite leave a count that was another version's.
    const counted = header.change_counter === header.version_valid_for ? header.page_count : 0;
    const present = Math.floor(file.size / pageSize);
    if (committed === undefined && counted > present)
      throw new CorruptError(what, 'is cut short', { pages: counted, present });
    this.pageCount = committed?.pageCount ?? (counted || present);
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
