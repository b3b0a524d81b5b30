/** The main door: `import { Guestfs } from 'guestfs'`. */
export type {
  ActionArguments,
  ActionMethods,
  ActionName,
  ActionOptions,
  ActionResult,
  AsyncActionName,
  CallControls,
  Device,
  EventName,
  FileSink,
  FileSource,
  HostPath,
  Key,
  MadeFilesystem,
  Mountable,
  NewFilesystemType,
  OsInfo,
  Pathname,
  Progress,
  ResizedImage,
  SinkControls,
  Structs,
  SyncActionName,
  TreeListing,
  Unreadable,
} from '../api/index.js';
export { allEvents, changesDisks, events, needsAppliance } from '../api/index.js';
export {
  AbortError,
  CorruptError,
  type ErrnoName,
  GuestfsError,
  HostError,
  type Limits,
  PartialError,
  UnsupportedError,
} from '../base/index.js';
export {
  type ChainLink,
  type ImageContainer,
  type ImageInfo,
  type ImageSnapshot,
  type ImageSummary,
  imageChain,
  imageContainer,
  imageFormatNames,
  imageInfo,
  imageSnapshots,
  imageSummary,
} from '../engine/index.js';
export type { ImageCheck } from '../formats/index.js';
export {
  type CheckResult,
  type DirectExaminationOptions,
  type DirectTrialOptions,
  examineDirect,
  type LaunchTrial,
  tryDirect,
} from './doctor.js';
export type {
  CloseCallback,
  LaunchDoneCallback,
  LogMessageCallback,
  ProgressCallback,
  SubprocessQuitCallback,
} from './events/callbacks.js';
export type { EventStreamOptions } from './events/event-stream.js';
export type { EventValue, GuestfsEvent, TextOutput } from './events/events.js';
export type {
  GuestFs,
  GuestOpendirOptions,
  GuestReaddirOptions,
  GuestReadFileOptions,
  GuestStatOptions,
  GuestWriteFileOptions,
} from './fs/guest-fs.js';
export { GuestFsError } from './fs/guest-fs-error.js';
export type { GuestPath, NameEncoding } from './fs/guest-path.js';
export type { GuestDir, WalkedEntry } from './fs/pages.js';
export type { GuestBigIntStats, GuestDirent, GuestStats } from './fs/stats.js';
export { Guestfs, type GuestfsOptions } from './guestfs.js';
export { bindingKey, type PrivateKey, privateKey } from './private-data.js';
export { drivesOfFiles, type FileDrive } from './programs/archive-drives.js';
export {
  type CheckImageOptions,
  checkImage,
  type ResizeImageOptions,
  resizeImage,
} from './programs/image-maintenance.js';
export { type MakeFilesystemOptions, makeFilesystem } from './programs/make-filesystem.js';
export {
  activateHalfGroups,
  findMountable,
  findWholeDrives,
  inMountOrder,
  type MountableFileSystem,
  type MountSystemOptions,
  mountSystem,
  type NotMounted,
} from './programs/mounting.js';
export { type GuestImage, type GuestImageOptions, openImage } from './programs/open-image.js';
export { GuestfsPool, type GuestfsPoolOptions } from './programs/pool.js';
export { findLargeSectors } from './programs/sector-sizes.js';
export type { BackendName } from './settings.js';
export type { HandleState } from './state.js';
export type {
  ReadStreamOptions,
  StreamOptions,
  TarStreamOptions,
  ZipStreamOptions,
} from './streams/index.js';
export { packageVersion } from './version.js';
