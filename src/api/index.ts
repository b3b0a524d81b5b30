/** The API room: the one description of every action, struct and event. Pure data and types. */
export type {
  Action,
  Argument,
  ArgumentType,
  ArgumentTypes,
  Device,
  DeviceOrPathname,
  FileSink,
  FileSource,
  Guid,
  HostPath,
  Key,
  Mountable,
  MountableOrPathname,
  OptionalArgument,
  OptionType,
  OptionTypes,
  Parameter,
  Pathname,
  Result,
  TextMeaning,
  Topic,
} from './action.js';
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
export { application2Struct, applicationStruct, type InstalledProgram } from './applications.js';
export type * from './backend.js';
export { firstSerial, resultLimit } from './bounds.js';
export { type CheckedCall, checkArguments, checkCall } from './check.js';
export * from './events.js';
export { groups } from './groups.js';
export type { ActionMethods } from './methods.js';
export { nearestName } from './nearest.js';
export {
  type FoundAction,
  findAction,
  helpText,
  keyArguments,
  parseShellArguments,
  type ShellCall,
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
export type { ListingColumn, TreeListing } from './walk.js';
export { foldLine, textWithNames } from './words.js';
