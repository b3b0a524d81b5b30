/** The filesystem room: every driver there is. Adding one is a folder, and a line here. */
export type {
  DirectoryEntry,
  FileSystem,
  FileSystemDriver,
  FileSystemUsage,
  FileType,
  InodeNumber,
  InodeStat,
  OpenOptions,
  Probed,
  Time,
} from './driver.js';

export { type ExtDetails, extDetails, type InodeRemains, type StoredName } from './ext/index.js';
export { type IsoDetails, isoDetails } from './iso9660/index.js';

import type { FileSystemDriver } from './driver.js';
import { ext } from './ext/index.js';
import { fat } from './fat/index.js';
import { iso9660 } from './iso9660/index.js';
import { signatures } from './signatures/index.js';
import { swap } from './swap/index.js';

/**
 * In the order in which they are asked: what is only recognised comes first, as a container may show what is inside it, and
 * as a disc that is UDF and ISO 9660 is UDF.
 */
export const fileSystems: readonly FileSystemDriver[] = [...signatures, fat, swap, ext, iso9660];
