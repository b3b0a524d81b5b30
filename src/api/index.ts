/** The API room: the one description of every action, struct and event. Pure data and types. */
/** For tests. */
/** For tests. */
/** For tests. */
/** For tests. */
/** For tests. */
export type {
  Action,
  Argument,
  ArgumentType,
  ArgumentTypes,
  Device,
  FileSink,
  FileSource,
  Guid,
  HostPath,
  Key,
  Mountable,
  OptionalArgument,
  OptionType,
  OptionTypes,
  Parameter,
  Pathname,
  Result,
  Topic,
} from './action.js';
/** For tests. */
export {
  type ActionName,
  type ActionTables,
  actionNames,
  actions,
  changesDisks,
  hasOptsName,
  isActionName,
  needsAppliance,
  type TopicName,
  topics,
} from './actions.js';
export { application2Struct, applicationStruct } from './applications.js';
export type * from './backend.js';
export { firstSerial, resultLimit } from './bounds.js';
/** For tests. */
export { type CheckedCall, checkArguments, checkCall } from './check.js';
export type { DirectoryPage } from './directory-page.js';
export { direntLetters, typeOfLetter } from './dirent.js';
export * from './events.js';
export { groups } from './groups.js';
export type { ImageCheckRequest, ImageResizeRequest, ResizedImage } from './image-maintenance.js';
/** For tests. */
export type { FilesystemRequest, MadeFilesystem, NewFilesystemType } from './make-filesystem.js';
export type { ActionMethods } from './methods.js';
export { nearestName } from './nearest.js';
export { type OsGetter, osGetters, osInfoOf, windowsGetters } from './os-getters.js';
export type { OsInfo } from './os-info.js';
/** For tests. */
export {
  findAction,
  helpText,
  keyArguments,
  parseShellArguments,
  shellCalls,
  shellName,
  UsageError,
  usage,
} from './shell.js';
export { statStruct } from './stat.js';
export * from './structs.js';
export { type InternalCall, type InternalName, internal } from './topics/internal.js';
export * from './types.js';
export type { Unreadable } from './unreadable.js';
export * from './walk.js';
/** For tests. */
export { foldLine, textWithNames } from './words.js';
