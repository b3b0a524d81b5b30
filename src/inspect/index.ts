/** The inspect room: which operating system is this. */
export type { Application } from '../formats/index.js';
export { listApplications } from './applications.js';
export { fileArchitecture } from './architecture.js';

export { InspectedGuest } from './guest.js';
/** For tests. */
export type { InspectionHost } from './host.js';
export { findIcon } from './icon.js';
export { Inspection, type PlainInspection } from './inspection.js';
