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

/** In the order in which they are asked. */
export const fileSystems: readonly FileSystemDriver[] = [];
