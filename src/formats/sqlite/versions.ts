/** Versions of pages that lie in another file than the database, and count in place of its own. */
import type { ByteSource } from '../../base/index.js';

export interface PageVersions {
  readonly source: ByteSource;
  readonly pageSize: number;
  /** Pages of the database with these versions. */
  readonly pageCount: number;
  /** Where the bytes of a page are in the source, by the page's number. */
  readonly pages: ReadonlyMap<number, number>;
}

/** Frames or records of one file; SQLite writes a log back after a thousand. */
export const mostVersions = 2 ** 20;
