/** The formats room: formats and rules without input or output, for engine, appliance and command. */

export { accountListLimit, accountNames, accountNumbers, largestAccount } from './accounts.js';
export { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from './acl.js';
export {
  type CpioEntry,
  cpioAlignment,
  cpioEntries,
  cpioTrailer,
  encodeCpioHeader,
  isCpio,
} from './cpio.js';
export {
  canonicalDriveName,
  type DrivePlace,
  driveIndex,
  driveName,
  isMapperName,
  lettersToIndex,
  mapperName,
  partitionName,
  placeOfLink,
  volumeName,
} from './device-names.js';
export { deviceNumbers, makeDeviceNumber, numberOfDevice } from './device-numbers.js';
export { elfMachine } from './elf-machines.js';
export { excluder } from './excludes.js';
export { ApkReader, apkFiles } from './guests/apk.js';
export { type Application, packageDatabaseLimit, packageLimit } from './guests/application.js';
export { DpkgReader, dpkgFiles, isDpkgStatus } from './guests/dpkg.js';
export {
  type Icon,
  type IconGuest,
  type IconOptions,
  iconCandidates,
  iconIn,
  iconLimit,
} from './guests/icon.js';
export { osinfoOf } from './guests/osinfo.js';
export { type PackagedGuest, requireListablePackages, rpmDatabases } from './guests/packages.js';
export { pacmanApplication, pacmanDirectory } from './guests/pacman.js';
export { programClass, uninstallKeys } from './guests/windows.js';
/** For tests. */
export { HexDump, hexLine } from './hexdump.js';
export { HiveEditor } from './hive/editor.js';
export { Hive } from './hive/hive.js';
/** For tests. */
export { type HostAttributes, HostCopy, type HostCopyOptions, lastNameOf, sourcesOf } from './host-copy.js';
export { hostNameProblem } from './host-names.js';
export type {
  HostAnswer,
  HostEntry,
  HostPathBytes,
  HostStep,
  HostSteps,
  OpenHostFile,
} from './host-steps.js';
export type { ImageCheck } from './image-check.js';
export { inspectionKey } from './inspection-key.js';
export { type JournalField, JournalFile, lz4Payload } from './journal/file.js';
export { JournalReader } from './journal/journal.js';
export { isSubvolume, noSubvolume, subvolumePrefix } from './mountables.js';
export { type NameRun, NameRunFinder } from './name-run.js';
export { type ImagePiece, newQcow2 } from './qcow2/create.js';
export * as qcow2Layout from './qcow2/layout.js';
export { decodeRpmHeader } from './rpm/header.js';
export { rpmPackages } from './rpm/packages.js';
export { authority, parseServer, type ServerAddress } from './servers.js';
export { type TarFile, tarFiles } from './tar/files.js';
export { isTar, type TarEntry, tarEnd, tarPadding } from './tar/layout.js';
export { attributesIn, type StoredMember, type TarInput, type TarPart, tarMembers } from './tar/members.js';
export { type TarMember, TarReader, type TarReceiver } from './tar/reader.js';
export { TarHeaderWriter } from './tar/writer.js';
export type { XzBlock } from './xz/blocks.js';
export {
  decodeLzma,
  decodeXz,
  decodeXzBlock,
  encodeXz,
  readXzBlocks,
  streamXzBlock,
} from './xz/index.js';
export { xzPieceLength } from './xz/piece-length.js';
export { type ZipSteps, ZipWriter, zipNameProblem } from './zip/writer.js';
