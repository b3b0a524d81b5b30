/** What the disk room knows of the host: for the platform that is Node, and for nobody else. */
/** For tests. */
export { FileDisk } from './file.js';
export { HostOrigin } from './origin.js';
export { findHostFile } from './path.js';
export { openScratch } from './scratch.js';
