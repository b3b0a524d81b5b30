/** The filesystem room: every driver there is. Adding one is a folder, and a line here. */
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
  ProbeContext,
  Probed,
  Time,
  Usage,
} from './driver.js';

export { heeding, isDamage } from './driver.js';
export { type ExtDetails, extDetails, type InodeRemains, type StoredName } from './ext/index.js';
export { type IsoDetails, isoDetails } from './iso9660/index.js';
export { fileSystems } from './kinds.js';
export {
  ambivalence,
  chooseSighting,
  identityOf,
  namesOf,
  type Recognition,
  recognise,
  type Sighting,
} from './recognition.js';
export { emptyUsage, noXattrs } from './support.js';
