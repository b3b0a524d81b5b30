/** The filesystem room: all drivers. A new one is a folder and a line here. */
import { btrfs } from './btrfs/index.js';
import { cramfs } from './cramfs/index.js';
import type { FileSystemDriver } from './driver.js';
import { exfat } from './exfat/index.js';
import { ext } from './ext/index.js';
import { fat } from './fat/index.js';
import { iso9660 } from './iso9660/index.js';
import { ntfs } from './ntfs/index.js';
import { signatures } from './signatures/index.js';
import { squashfs } from './squashfs/index.js';
import { swap, swsuspend } from './swap/index.js';
import { exfs, xfs, xfsExternalLog } from './xfs/index.js';

export { type BtrfsDetails, btrfsDetails, type SubvolumeFacts } from './btrfs/index.js';
/** For tests. */
export type {
  DirectoryEntry,
  FileSystem,
  FileSystemDriver,
  FileSystemUsage,
  FileType,
  InodeNumber,
  InodeStat,
  OnDamage,
  OpenOptions,
  Time,
} from './driver.js';
export { heeding, isDamage } from './driver.js';
export {
  addJournalUser,
  type ExtDetails,
  type ExtRoom,
  extDetails,
  type FormatOptions,
  fitExt,
  type InodeRemains,
  planCleanCheck,
  planExt,
  planGrowth,
  planTuning,
  readJournalDevice,
  type StoredName,
  type Tuning,
} from './ext/index.js';
export { entriesOfName, type FatRoom, fitFat, planFat, setFatLabel } from './fat/index.js';
export { isoDetails } from './iso9660/index.js';
export { ntfsContents, ntfsStatus } from './ntfs/index.js';
export { containers } from './signatures/index.js';
export { currentTime, emptyUsage, noXattrs } from './support.js';
export { nameSwap, swapHeader, whyNoSwap } from './swap/index.js';
export type { FileSystemWriter, NewAttributes, NewInode } from './writer.js';
export { xfsGeometry } from './xfs/index.js';

/** In no order: the order is in the engine's list of all kinds. */
export const fileSystems: readonly FileSystemDriver[] = [
  ext,
  fat,
  exfat,
  iso9660,
  cramfs,
  ntfs,
  squashfs,
  swap,
  swsuspend,
  xfs,
  xfsExternalLog,
  exfs,
  btrfs,
  ...signatures,
];
