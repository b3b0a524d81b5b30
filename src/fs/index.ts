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

import type { FileSystemDriver } from './driver.js';
import { ext } from './ext/index.js';
import { fat } from './fat/index.js';
import { iso9660 } from './iso9660/index.js';
import { swap } from './swap/index.js';

/** In the order in which they are asked. */
export const fileSystems: readonly FileSystemDriver[] = [fat, swap, ext, iso9660];
