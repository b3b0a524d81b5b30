/** The writer of qcow2 images. Programs set it up when an image is first written to: see scripts/deferred.mjs. */
export { checkQcow2 } from './check.js';
export { repairQcow2 } from './repair.js';
export { resizeQcow2 } from './resize.js';
export { checkQcow2Writable, openWritable } from './writable.js';
