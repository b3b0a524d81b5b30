/** The inspect room: which operating system is this. */
export type { Application, IconOptions } from '../formats/index.js';
export { listApplications } from './applications.js';
export { fileArchitecture } from './architecture.js';
export type { Distro, OsType, PackageFormat, PackageManagement } from './facts.js';
export { InspectedGuest } from './guest.js';
export type { Candidate, InspectionHost, OpenedFileSystem } from './host.js';
export { findIcon } from './icon.js';
export { Inspection, type Overlooked } from './inspection.js';
